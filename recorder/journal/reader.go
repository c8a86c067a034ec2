package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
	"unicode/utf8"

	"aparte/sfu/tap"
)

// FormatError is a journal that is not as the package comment has it. A journal that
// breaks off within a record is one with Cut set.
type FormatError struct {
	Offset int64 // of the record, in bytes from the beginning
	Kind   Kind  // 0 where not even that could be read
	Reason string
	Cut    bool
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("journal, record at byte %d (kind %#02x): %s", e.Offset, uint8(e.Kind), e.Reason)
}

// Record is one record of a journal.
type Record struct {
	Part  uint32        // which part it is of
	At    time.Duration // in the part's time, to the microsecond; 0 for a Head
	Event Event
}

// Reader reads a journal. It believes nothing of it: whatever the bytes, it ends, and
// keeps no more than one record in memory.
type Reader struct {
	in     *bufio.Reader
	offset int64
	head   Head
	begun  bool
	err    error // what it ended with
}

// NewReader reads a journal, which may be the plain contents of several segments, one
// after the other.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(r, 64<<10)} }

// Next is the next record: io.EOF after the last, a [*FormatError], or the error of
// the reader below. Each error stays. A head that repeats its part's is passed over.
// What a record holds is the caller's to keep.
func (r *Reader) Next() (Record, error) {
	for r.err == nil {
		record, skip, err := r.next()
		if err != nil {
			r.err = err
			break
		}
		if !skip {
			return record, nil
		}
	}
	return Record{}, r.err
}

func (r *Reader) next() (record Record, skip bool, err error) {
	offset := r.offset
	var header [headerLen]byte
	n, err := io.ReadFull(r.in, header[:])
	switch {
	case errors.Is(err, io.EOF):
		return Record{}, false, io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return Record{}, false, &FormatError{offset, Kind(header[0]), fmt.Sprintf("breaks off after %d of 4 bytes", n), true}
	case err != nil:
		return Record{}, false, err
	}
	kind := Kind(header[0])
	refuse := func(reason string) (Record, bool, error) {
		return Record{}, false, &FormatError{Offset: offset, Kind: kind, Reason: reason}
	}
	length := int(header[1])<<16 | int(header[2])<<8 | int(header[3])
	if length > MaxBody {
		return refuse(fmt.Sprintf("a body of %d bytes, at most %d are allowed", length, MaxBody))
	}
	if !r.begun && kind != KindHead {
		return refuse("a journal begins with a head")
	}
	body := make([]byte, length)
	n, err = io.ReadFull(r.in, body)
	switch {
	case errors.Is(err, io.EOF) && length > 0, errors.Is(err, io.ErrUnexpectedEOF):
		return Record{}, false, &FormatError{offset, kind, fmt.Sprintf("breaks off after %d of %d bytes", headerLen+n, headerLen+length), true}
	case err != nil && length > 0:
		return Record{}, false, err
	}
	r.offset += int64(headerLen + length)
	if kind == KindHead {
		return r.newHead(body, refuse)
	}
	f := fields{rest: body}
	record = Record{Part: r.head.Part, At: f.time()}
	record.Event, skip = f.event(kind)
	switch {
	case record.Event == nil && !skip:
		return refuse("of an unknown kind: written by a later version?")
	case f.wrong != "":
		return refuse(f.wrong)
	case !skip && len(f.rest) > 0:
		return refuse(fmt.Sprintf("%d bytes after its last field", len(f.rest)))
	}
	return record, skip, nil
}

// newHead takes a head: of a new part, or a repeated one.
func (r *Reader) newHead(body []byte, refuse func(string) (Record, bool, error)) (Record, bool, error) {
	f := fields{rest: body}
	if word := f.take(len(magic)); f.wrong != "" || string(word) != magic {
		return refuse(fmt.Sprintf("not the head of a journal of version 1 (%q)", magic))
	}
	part := f.number(math.MaxUint32)
	began := f.take(8)
	switch {
	case f.wrong != "":
		return refuse(f.wrong)
	case len(f.rest) > 0:
		return refuse(fmt.Sprintf("%d bytes after its last field", len(f.rest)))
	case part == 0:
		return refuse("parts are numbered from 1")
	}
	head := Head{Part: uint32(part), Began: time.Unix(0, int64(binary.BigEndian.Uint64(began))).UTC()}
	switch {
	case r.begun && head == r.head:
		return Record{}, true, nil
	case r.begun && head.Part == r.head.Part:
		return refuse(fmt.Sprintf("part %d began at two times", head.Part))
	case r.begun && head.Part < r.head.Part:
		return refuse(fmt.Sprintf("part %d after part %d", head.Part, r.head.Part))
	}
	r.head, r.begun = head, true
	return Record{Part: head.Part, Event: head}, false, nil
}

// fields takes a body apart. After the first mistake everything is zero.
type fields struct {
	rest  []byte
	wrong string
}

func (f *fields) fail(reason string) {
	if f.wrong == "" {
		f.wrong = reason
	}
	f.rest = nil
}

// take is the next n bytes, of the body's own memory; zeros where there are none.
func (f *fields) take(n int) []byte {
	if f.wrong != "" || len(f.rest) < n {
		f.fail("its body is shorter than its fields")
		return make([]byte, n)
	}
	taken := f.rest[:n:n]
	f.rest = f.rest[n:]
	return taken
}

func (f *fields) number(limit uint64) uint64 {
	n, size := binary.Uvarint(f.rest)
	switch {
	case size == 0:
		f.fail("its body is shorter than its fields")
		return 0
	case size < 0 || n > limit:
		f.fail("a number too great for its field")
		return 0
	case size > 1 && f.rest[size-1] == 0:
		f.fail("a number that is not in its shortest form")
		return 0
	}
	f.rest = f.rest[size:]
	return n
}

func (f *fields) uint32() uint32 { return uint32(f.number(math.MaxUint32)) }

func (f *fields) time() time.Duration {
	return time.Duration(f.number(uint64(math.MaxInt64/time.Microsecond))) * time.Microsecond
}

func (f *fields) text() string {
	n := f.number(math.MaxInt32)
	if n > MaxText {
		f.fail(fmt.Sprintf("a text of %d bytes, at most %d are allowed", n, MaxText))
		return ""
	}
	text := string(f.take(int(n)))
	if !utf8.ValidString(text) {
		f.fail("a text that is not UTF-8")
	}
	return text
}

func (f *fields) flag() bool {
	b := f.take(1)[0]
	if b > 1 {
		f.fail(fmt.Sprintf("a flag of %d", b))
	}
	return b == 1
}

func (f *fields) event(kind Kind) (e Event, skip bool) {
	switch kind {
	case KindBegin:
		return f.begin(), false
	case KindPacket:
		p := Packet{Stream: f.uint32()}
		if p.RTP = f.take(len(f.rest)); len(p.RTP) > MaxRTP {
			f.fail(fmt.Sprintf("an RTP packet of %d bytes", len(p.RTP)))
		}
		return p, false
	case KindReport:
		r := Report{Stream: f.uint32()}
		r.NTP = binary.BigEndian.Uint64(f.take(8))
		r.RTP = binary.BigEndian.Uint32(f.take(4))
		r.Packets, r.Octets = f.uint32(), f.uint32()
		return r, false
	case KindEnd:
		return End{f.uint32()}, false
	case KindMuted:
		return Muted{f.text(), f.flag()}, false
	case KindSpeaking:
		return f.speaking(), false
	case KindStarted:
		return Started{f.text(), f.text(), f.text()}, false
	case KindJoined:
		return Joined{f.text(), f.text(), f.text()}, false
	case KindLeft:
		return Left{f.text()}, false
	case KindRenamed:
		return Renamed{f.text(), f.text()}, false
	case KindConsent:
		c := Consent{f.text(), Answer(f.text()), f.text()}
		if !c.Answer.valid() {
			f.fail(fmt.Sprintf("the answer %q", c.Answer))
		}
		return c, false
	case KindPaused:
		return Paused{f.text()}, false
	case KindResumed:
		return Resumed{f.text()}, false
	case KindGap:
		return Gap{f.text(), f.time(), f.number(math.MaxUint64), f.number(math.MaxUint64)}, false
	case KindStopped:
		return Stopped{f.text(), f.text()}, false
	case KindMessage:
		return Message{f.text(), f.text()}, false
	case KindHead: // the caller's
	}
	return nil, kind >= firstSkipped
}

func (f *fields) begin() Begin {
	return Begin{tap.Stream{
		ID: f.uint32(), Identity: f.text(), Track: f.text(), Source: f.text(), Mime: f.text(), Fmtp: f.text(), RID: f.text(),
		SSRC: f.uint32(), PayloadType: uint8(f.number(math.MaxUint8)), RED: uint8(f.number(math.MaxUint8)),
		ClockRate: f.uint32(), Channels: uint16(f.number(math.MaxUint16)),
	}}
}

func (f *fields) speaking() Speaking {
	n := f.number(uint64(len(f.rest))) // each is at least one byte
	var s Speaking
	for range n {
		s.Identities = append(s.Identities, f.text())
	}
	return s
}
