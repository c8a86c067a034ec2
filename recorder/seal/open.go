package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"filippo.io/age"

	"aparte/recorder/journal"
)

// ErrTampered says that a recording is not as it was written; the report says how.
var ErrTampered = errors.New("the recording is not as it was written")

// ErrTooMuch says that the manifests of a recording list more than whoever opens it has
// room for.
var ErrTooMuch = errors.New("its manifests list more than any recorder writes")

// What manifests may take in memory, all of a recording, and how much of that one thing
// that they list takes besides its text: as it is read, and as it is written. One manifest
// with as much in it as there may be takes a fifth.
const (
	manifestsMost = 256 << 20
	listedCost    = 200
)

// Opened is what opening a recording found.
type Opened struct {
	Report    *Report
	Segments  uint64               // that were opened
	Missing   uint64               // whose place the journal shows by a gap
	Manifests map[uint32]*Manifest // by part; none of a part that was not closed, nor of any from Journal
}

// Open verifies the parts of a recording and writes its journal, in order and in plain.
// What is not as it was written is refused with ErrTampered, before anything is
// written, unless damaged says to open what is left of it: the places of what is
// missing become gaps. Of what is all signed with another key nothing is left, so that
// damaged changes nothing. A recording that was not closed is opened up to its end.
// ErrTooMuch: its manifests would fill the memory.
func Open(parts []Source, key PublicKey, with []Identity, lone, damaged bool, out io.Writer) (*Opened, error) {
	report, err := Verify(parts, key, lone)
	if err != nil {
		return nil, err
	}
	if report.Tampered() && !damaged || report.Stranger != "" {
		return &Opened{Report: report}, ErrTampered
	}
	return report.open(parts, key, with, out, manifestsMost)
}

// Journal is the second half of Open: it writes the journal of the parts that Verify has
// looked at and reported on, or what is left of it. Whoever reads it more than once need
// not verify as often. It opens no manifests: those of a recording that somebody made up
// take many times the memory that they have bytes.
func (r *Report) Journal(parts []Source, key PublicKey, with []Identity, out io.Writer) (*Opened, error) {
	return r.open(parts, key, with, out, 0)
}

// open gives manifests so many bytes of memory; 0: they are not wanted.
func (r *Report) open(parts []Source, key PublicKey, with []Identity, out io.Writer, manifests int64) (*Opened, error) {
	o := &opener{out: out, manifests: manifests, Opened: Opened{Report: r, Manifests: make(map[uint32]*Manifest)}}
	for _, identity := range with {
		o.with = append(o.with, identity.Identity)
	}
	// In order of their numbers; of a part that is there twice the first.
	var done uint32
	for at, p := range r.Parts {
		i := slices.IndexFunc(parts, func(s Source) bool { return s.Name == p.Name })
		if p.Binding == nil || p.Binding.Part <= done {
			continue
		}
		if !r.lone && p.Binding.Part > done+1 {
			if err := o.lost(p.Binding); err != nil {
				return &o.Opened, err
			}
		}
		done = p.Binding.Part
		if err := o.part(parts[i], key, p, knownEnd(r.Parts[at:])); err != nil {
			return &o.Opened, err
		}
	}
	return &o.Opened, nil
}

// knownEnd is the number of the last segment that the first of some parts had, as it
// says itself, or the one that follows it.
func knownEnd(parts []PartReport) (end uint64) {
	p := parts[0]
	end = p.Segments
	if p.Closing != nil {
		end = max(end, p.Closing.Segments)
	}
	for _, later := range parts[1:] {
		if b := later.Binding; b != nil && b.Recording == p.Binding.Recording && b.Previous != nil && b.Previous.Part == p.Binding.Part {
			end = max(end, b.Previous.Segments)
		}
	}
	return end
}

type opener struct {
	Opened
	out       io.Writer
	with      []age.Identity
	manifests int64 // what they may take in memory; 0: they are not wanted

	listed int64         // what the manifests until now take in memory
	last   uint64        // segment of this part that was written
	until  time.Duration // time of its last record
}

// part opens one, of which it is known how many segments it had.
func (o *opener) part(source Source, key PublicKey, p PartReport, end uint64) error {
	o.last, o.until = 0, 0
	to := believed{segment: o.segment}
	if o.manifests > 0 {
		to.manifest = o.manifest
	}
	if _, err := verify([]Source{source}, key, true, to); err != nil {
		return err
	}
	if end <= o.last {
		return nil
	}
	// Its end is missing. When that was the closing says; where there is none, nobody knows.
	o.Missing += end - o.last
	until := o.until
	if p.Closing != nil {
		until = max(until, p.Closing.Ended.Sub(p.Binding.Began))
	}
	gap := journal.Append(nil, 0, journal.Head{Part: p.Binding.Part, Began: p.Binding.Began})
	gap = journal.Append(gap, until, journal.Gap{Reason: journal.Missing, Since: o.until})
	return o.write(gap)
}

// lost notes that there is no part before the one of a binding, where there was one. How
// much was in it the next one knows, of the last of several.
func (o *opener) lost(next *Binding) error {
	missing := uint64(1)
	if next.Previous != nil {
		missing = max(next.Previous.Segments, 1)
	}
	o.Missing += missing
	gap := journal.Append(nil, 0, journal.Head{Part: next.Part, Began: next.Began})
	return o.write(journal.Append(gap, 0, journal.Gap{Reason: journal.Missing}))
}

func (o *opener) write(pieces ...[]byte) error {
	for _, piece := range pieces {
		if _, err := o.out.Write(piece); err != nil {
			return fmt.Errorf("write the journal: %w", err)
		}
	}
	return nil
}

func (o *opener) segment(part uint32, n uint64, sealed []byte) error {
	plain, err := o.open(sealed, MaxSegment)
	if err != nil {
		return fmt.Errorf("open segment %d: %w", n, err)
	}
	first, until, err := times(plain, part)
	if err != nil {
		return fmt.Errorf("segment %d: %w", n, err)
	}
	head := journal.HeadLen(plain)
	pieces := [][]byte{plain[:head], nil, plain[head:]}
	if missing := n - o.last - 1; missing > 0 {
		o.Missing += missing
		pieces[1] = journal.Append(nil, first, journal.Gap{Reason: journal.Missing, Since: o.until})
	}
	if err := o.write(pieces...); err != nil {
		return err
	}
	o.last, o.until = n, until
	o.Segments++
	return nil
}

// times reads a segment to its end: nothing is handed on that export would stumble
// over. It says when its records begin and end.
func times(plain []byte, part uint32) (first, last time.Duration, err error) {
	r := journal.NewReader(bytes.NewReader(plain))
	for n := 0; ; n++ {
		record, err := r.Next()
		if errors.Is(err, io.EOF) && n > 0 {
			return first, last, nil
		}
		switch {
		case err != nil:
			return 0, 0, err
		case record.Part != part:
			return 0, 0, fmt.Errorf("it holds journal of part %d", record.Part)
		case n == 1:
			first = record.At
		}
		last = max(last, record.At)
	}
}

func (o *opener) manifest(part uint32, sealed []byte) error {
	plain, err := o.open(sealed, MaxSegment)
	if err != nil {
		return fmt.Errorf("open the manifest: %w", err)
	}
	if o.listed += manifestCost(plain); o.listed > o.manifests {
		return fmt.Errorf("%w: together they would take more than %d MiB; a part that is opened by itself has its own alone", ErrTooMuch, o.manifests>>20)
	}
	m := new(Manifest)
	if err := json.Unmarshal(plain, m); err != nil {
		return fmt.Errorf("the manifest does not read: %w", err)
	}
	o.Manifests[part] = m
	return nil
}

// manifestCost is what a manifest takes in memory, before it is read: it is JSON, and two
// bytes of that may become a whole track.
func manifestCost(text []byte) (n int64) {
	n = int64(len(text))
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			depth--
		case c == ',' && depth == 2: // between two of a list
			n += listedCost
		}
	}
	return n
}

// open is the plain contents of an age file, of at most limit bytes.
func (o *opener) open(sealed []byte, limit int64) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), o.with...)
	if err != nil {
		return nil, unsealed(err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(plain)) > limit {
		return nil, fmt.Errorf("it holds more than %d bytes", limit)
	}
	return plain, nil
}

// Begins says whether a file begins as a part does. One whose beginning is damaged does
// not, nor one that is empty.
func Begins(part Source) bool {
	in := members{in: part, size: part.Size, passed: func(string) bool { return true }}
	m, err := in.next()
	if err != nil {
		return false
	}
	n, _ := segmentOf(m.name)
	return n > 0 || m.name == bindingName || m.name == manifestName || m.name == closingName
}

// Peek is the binding of a part, as it stands there: nobody has verified it.
func Peek(part Source) (*Binding, error) {
	in := members{in: part, size: part.Size}
	m, err := in.next()
	if err == nil && m.name != bindingName {
		err = errors.New("it does not begin with a binding")
	}
	b := new(Binding)
	if err == nil {
		err = readNote(m.content, PublicKey{}, b)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not a part of a recording: %w", part.Name, err)
	}
	return b, nil
}
