package export

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"aparte/recorder/clock"
	"aparte/recorder/jitter"
	"aparte/recorder/journal"
	"aparte/sfu/tap"
)

// maxEvents bounds the index.
const maxEvents = 1 << 20

// streamKey names a stream in a recording of several parts. Numbers may be used again
// once a stream has ended: turn counts that.
type streamKey struct{ part, id, turn uint32 }

// turns tells the streams of one number apart, in the order of the journal.
type turns map[streamKey]uint32

// next is the key of a stream that begins.
func (t turns) next(part, id uint32) streamKey {
	t[streamKey{part: part, id: id}]++
	return t.now(part, id)
}

// now is the key of the stream that has the number.
func (t turns) now(part, id uint32) streamKey {
	return streamKey{part, id, t[streamKey{part: part, id: id}]}
}

// stream is what the survey knows of one.
type stream struct {
	tap.Stream
	clock *clock.Stream
	times jitter.Times
	part  time.Duration // when its part begins in the recording
}

// What the index has of something takes so many bytes at most in memory, or in JSON if that
// is more, beside its texts.
const eventBytes, identityBytes, personBytes, streamBytes, listedBytes = 512, 32, 256, 1 << 10, 128

// hold counts something that is remembered, and its texts.
func (s *survey) hold(bytes int, texts ...string) {
	for _, text := range texts {
		bytes += len(text)
		for _, r := range text {
			if r < ' ' || r == '<' || r == '>' || r == '&' || r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
				bytes += 5 // JSON writes it as \u and four digits
			}
		}
	}
	s.held += int64(bytes)
}

// room says whether there was room for all that is remembered.
func (s *survey) room() error {
	if s.most > 0 && s.held > s.most {
		return fmt.Errorf("%w: at most %d bytes are remembered of it", ErrTooMuch, s.most)
	}
	return nil
}

// senderKey names somebody from one arrival to the next departure: another device may
// have another clock.
type senderKey struct {
	part, stay uint32
	identity   string
}

// survey is what the first reading learns.
type survey struct {
	index   Index
	streams map[streamKey]*stream
	turns   turns
	senders map[senderKey]*clock.Sender
	stays   map[string]uint32 // how often somebody has left
	people  map[string]int    // place in the index
	skipped map[Skipped]bool
	began   time.Time
	offset  time.Duration // of the part that is being read
	last    time.Duration
	missing bool  // segments, as gaps tell
	most    int64 // bytes that may be remembered; 0: no limit
	held    int64 // bytes that are
}

// longest is longer than any recording, with its interruptions: of later times nothing is
// believed, so that none of those that are made of them overflows.
const longest = 366 * 24 * time.Hour

// partsApart is how far a part begins behind the last record of the one before at least:
// frames are placed up to lateMost after they came, and last up to 120 ms (RFC 6716, 2.1.4).
const partsApart = 250 * time.Millisecond

// walk reads a journal and calls do for each record with its time in the recording. Parts
// are as far apart as the wall clock says, but never overlap: one that the clock puts into
// the part before, or a year after the first, begins behind the one before, because between
// the two the clock was set. A journal that breaks off, or is not one from some place on, is
// read until there, and why says so.
func walk(r io.Reader, do func(record journal.Record, at time.Duration) error) (why string, err error) {
	reader := journal.NewReader(r)
	var began time.Time
	var offset, until time.Duration // of this part, and of the last record
	for n := 0; ; n++ {
		record, err := reader.Next()
		var format *journal.FormatError
		switch {
		case errors.Is(err, io.EOF) && n > 0:
			return "", nil
		case errors.As(err, &format) && n > 0:
			return format.Error(), nil
		case errors.Is(err, io.EOF):
			return "", errors.New("the journal is empty")
		case err != nil:
			return "", err
		}
		if head, is := record.Event.(journal.Head); is {
			if n == 0 {
				began = head.Began
			} else if offset = head.Began.Sub(began); offset < until+partsApart || offset > longest {
				offset = until + partsApart
			}
		}
		if offset > longest || record.At > longest {
			return fmt.Sprintf("part %d tells of a time that is more than a year after the beginning", record.Part), nil
		}
		until = max(until, offset+record.At)
		if err := do(record, offset+record.At); err != nil {
			return "", err
		}
	}
}

func newSurvey() *survey {
	return &survey{
		index:   Index{Version: 1, People: []Person{}, Files: []File{}, Events: []Event{}},
		streams: map[streamKey]*stream{}, turns: turns{}, senders: map[senderKey]*clock.Sender{},
		stays: map[string]uint32{}, people: map[string]int{}, skipped: map[Skipped]bool{},
	}
}

// read is the first reading.
func (s *survey) read(r io.Reader) error {
	why, err := walk(r, func(record journal.Record, at time.Duration) error {
		s.last = max(s.last, at)
		s.take(record, at)
		return s.room()
	})
	if err != nil {
		return err
	}
	if s.index.Incomplete = why; why == "" && s.missing {
		s.index.Incomplete = "segments of it are missing: its gaps say where"
	}
	for _, sender := range s.senders {
		sender.Solve()
	}
	s.index.Began, s.index.Duration = s.began, s.last.Seconds()
	return nil
}

func (s *survey) take(record journal.Record, at time.Duration) {
	switch e := record.Event.(type) {
	case journal.Head:
		if s.began.IsZero() {
			s.began = e.Began
		}
		s.offset = at
	case journal.Begin:
		s.begin(record.Part, e)
	case journal.Packet:
		if st := s.streams[s.turns.now(record.Part, e.Stream)]; st != nil && len(e.RTP) >= 12 {
			st.clock.Packet(at, st.times.Extend(binary.BigEndian.Uint32(e.RTP[4:])))
		}
	case journal.Report:
		if st := s.streams[s.turns.now(record.Part, e.Stream)]; st != nil {
			st.clock.Report(at, e.NTP, st.times.Peek(e.RTP))
		}
	case journal.End:
	default:
		s.event(record.Event, at)
	}
}

func (s *survey) begin(part uint32, e journal.Begin) {
	key := s.turns.next(part, e.ID)
	if e.ClockRate == 0 {
		s.skip(e.Stream, "its clock rate is not known")
		return
	}
	s.hold(streamBytes, e.Identity, e.Track, e.Source, e.Mime)
	owner := senderKey{part, s.stays[e.Identity], e.Identity}
	if s.senders[owner] == nil {
		s.senders[owner] = &clock.Sender{}
	}
	s.streams[key] = &stream{Stream: e.Stream, clock: s.senders[owner].Stream(e.ClockRate), part: s.offset}
	s.person(e.Identity)
}

// skip notes a stream without a file, once.
func (s *survey) skip(st tap.Stream, reason string) {
	one := Skipped{Identity: st.Identity, Track: st.Track, Codec: st.Mime, Reason: reason}
	if !s.skipped[one] {
		s.hold(eventBytes, st.Identity, st.Track, st.Mime)
		s.skipped[one] = true
		s.index.Skipped = append(s.index.Skipped, one)
	}
}

// person is somebody's place in the index.
func (s *survey) person(identity string) *Person {
	i, known := s.people[identity]
	if !known {
		s.hold(personBytes, identity, identity)
		i = len(s.index.People)
		s.people[identity] = i
		s.index.People = append(s.index.People, Person{Identity: identity, Name: identity})
	}
	return &s.index.People[i]
}

// event notes what happened in the room.
func (s *survey) event(e journal.Event, at time.Duration) {
	out := Event{At: seconds(at)}
	switch e := e.(type) {
	case journal.Started:
		if s.index.Recording == "" {
			s.index.Recording, s.index.Room = e.Recording, e.Room
		}
		out.Kind, out.Identity = "started", e.By
	case journal.Joined:
		p := s.person(e.Identity)
		p.Kind = e.Kind
		if e.Name != "" {
			p.Name = e.Name
		}
		out.Kind, out.Identity, out.Name = "joined", e.Identity, e.Name
	case journal.Left:
		s.stays[e.Identity]++
		out.Kind, out.Identity = "left", e.Identity
	case journal.Renamed:
		s.person(e.Identity).Name = e.Name
		out.Kind, out.Identity, out.Name = "renamed", e.Identity, e.Name
	case journal.Consent:
		out.Kind, out.Identity, out.Answer, out.Wording = "consent", e.Identity, string(e.Answer), e.Wording
	case journal.Paused:
		out.Kind, out.Identity = "paused", e.By
	case journal.Resumed:
		out.Kind, out.Identity = "resumed", e.By
	case journal.Gap:
		s.missing = s.missing || e.Reason == journal.Missing
		since := seconds(at - max(at-s.offset-e.Since, 0))
		out.Kind, out.Reason, out.Packets, out.Since = "gap", e.Reason, e.Packets, &since
	case journal.Stopped:
		out.Kind, out.Identity, out.Reason = "stopped", e.By, e.Reason
	case journal.Message:
		s.person(e.Identity)
		out.Kind, out.Identity, out.Text = "message", e.Identity, e.Text
	case journal.Muted:
		out.Kind, out.Track, out.Muted = "muted", e.Track, &e.Muted
	case journal.Speaking:
		out.Kind, out.Identities = "speaking", e.Identities
	default:
		return
	}
	if len(s.index.Events) < maxEvents {
		s.hold(eventBytes, append([]string{out.Identity, out.Name, out.Track, out.Answer, out.Wording, out.Reason, out.Text}, out.Identities...)...)
		s.hold(len(out.Identities) * identityBytes)
		s.index.Events = append(s.index.Events, out)
	}
}

// seconds is a time of the index, to the millisecond.
func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }
