package seal

import (
	"cmp"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
)

// Kind is what was done to a recording.
type Kind string

// The kinds of finding.
const (
	Deleted   Kind = "deleted"   // something is not there any more
	Swapped   Kind = "swapped"   // something stands where something else belongs
	Repeated  Kind = "repeated"  // something is there twice
	Altered   Kind = "altered"   // something is not what the node signed
	Foreign   Kind = "foreign"   // something is of another recording or another node
	Truncated Kind = "truncated" // the end is missing although a later statement knows of it
	Added     Kind = "added"     // something is there that no recorder writes
)

// Finding is one thing that is not as it was written.
type Finding struct {
	Kind    Kind
	Part    uint32 // 0 where it is not of one
	Segment uint64 // 0 where it is not of one
	Detail  string
}

func (f Finding) String() string {
	switch {
	case f.Part == 0:
		return fmt.Sprintf("%s: %s", f.Kind, f.Detail)
	case f.Segment == 0:
		return fmt.Sprintf("part %d: %s: %s", f.Part, f.Kind, f.Detail)
	}
	return fmt.Sprintf("part %d, segment %d: %s: %s", f.Part, f.Segment, f.Kind, f.Detail)
}

// maxFindings of one recording are named; the rest is counted.
const maxFindings = 1000

// Report is what verifying a recording found.
type Report struct {
	Parts        []PartReport // in order
	Findings     []Finding
	MoreFindings int // beyond those
	// Unclosed says where a recording ends that was not ended, or nothing. Whether it
	// was a crash or somebody cut off the end nobody can tell. Of a last part that is
	// signed with a key that was not given it says nothing: that is not known.
	Unclosed string
	// Stranger is the key that all parts say they are signed with, where it is none of
	// those given: NODE+ID, as it stands there. Nothing else is known of them then.
	Stranger string

	lone bool // one part by itself
}

// PartReport is what one part says of itself.
type PartReport struct {
	Name     string   // of the file
	Binding  *Binding // nil where it has none that is believed
	Closing  *Closing // nil where it has none that is believed
	Segments uint64   // the number of the last one that is there and believed
	Hash     Hash     // of the chain after that
	Left     int64    // bytes after it that are of no member
	Signer   string   // the key that signed it, of those given; "": none of them
	Keyless  bool     // no key was given: nothing says who wrote it
	Stranger string   // the key that it says it is signed with, where it is none of those given: NODE+ID
}

// Tampered says whether the recording is not as it was written.
func (r *Report) Tampered() bool { return len(r.Findings) > 0 }

// Closed says whether the recording was ended, and all of it is there.
func (r *Report) Closed() bool {
	n := len(r.Parts)
	return r.Unclosed == "" && (n == 0 || r.Parts[n-1].Stranger == "")
}

func (r *Report) find(kind Kind, part uint32, segment uint64, format string, args ...any) {
	if len(r.Findings) == maxFindings {
		r.MoreFindings++
		return
	}
	r.Findings = append(r.Findings, Finding{kind, part, segment, fmt.Sprintf(format, args...)})
}

// Source is the file of one part.
type Source struct {
	Name string
	io.ReaderAt
	Size int64
}

// Verify reads the parts of a recording, in any order, and says what is wrong with
// them. With a zero key it looks at everything but who signed. lone is for one part by
// itself, of which others may be elsewhere. An error is of the disk.
func Verify(parts []Source, key PublicKey, lone bool) (*Report, error) {
	return verify(parts, key, lone, believed{})
}

// believed is told what is believed, as it stands in the parts, still sealed. What is
// passed is valid during the call; an error ends the reading.
type believed struct {
	segment  func(part uint32, n uint64, sealed []byte) error
	manifest func(part uint32, sealed []byte) error
}

func verify(parts []Source, key PublicKey, lone bool, to believed) (*Report, error) {
	r := &Report{lone: lone}
	for _, source := range parts {
		p := newPartCheck(r, source, key, to)
		if err := p.run(); err != nil {
			return nil, fmt.Errorf("%s: %w", source.Name, err)
		}
		r.Parts = append(r.Parts, p.PartReport)
	}
	slices.SortStableFunc(r.Parts, func(a, b PartReport) int { return cmp.Compare(a.number(), b.number()) })
	r.strangers(key)
	r.joins(lone)
	return r, nil
}

// strangers names parts that are signed with a key that was not given: once where all are.
func (r *Report) strangers(given PublicKey) {
	var found []Finding
	for _, p := range r.Parts {
		if p.Stranger != "" {
			found = append(found, Finding{Foreign, p.number(), 0, fmt.Sprintf("it is signed with %s, not with the key that was given, %s", p.Stranger, given.ids())})
		}
	}
	if len(found) == 0 {
		return
	}
	first := r.Parts[0].Stranger
	if !slices.ContainsFunc(r.Parts, func(p PartReport) bool { return p.Stranger != first || p.Segments > 0 || p.Closing != nil }) {
		r.Stranger, found = first, found[:1]
		found[0].Part = 0
	}
	r.Findings = append(found, r.Findings...)
	if more := len(r.Findings) - maxFindings; more > 0 {
		r.Findings, r.MoreFindings = r.Findings[:maxFindings], r.MoreFindings+more
	}
}

// number is a part's, as its binding says, or its file's name where there is none.
func (p *PartReport) number() uint32 {
	if p.Binding != nil {
		return p.Binding.Part
	}
	return PartNumber(p.Name)
}

var partName = regexp.MustCompile(`^part-([0-9]{4,9})\.tar$`)

// PartName is the name of a part's file.
func PartName(part uint32) string { return fmt.Sprintf("part-%04d.tar", part) }

// PartNumber is which part a file's name says it is, or 0.
func PartNumber(name string) uint32 {
	match := partName.FindStringSubmatch(name)
	if match == nil {
		return 0
	}
	n, err := strconv.ParseUint(match[1], 10, 32)
	if err != nil || PartName(uint32(n)) != name {
		return 0
	}
	return uint32(n)
}

// joins looks at how the parts fit together.
func (r *Report) joins(lone bool) {
	if len(r.Parts) == 0 {
		r.Unclosed = "there is no part"
		return
	}
	if first := &r.Parts[0]; !lone && first.number() > 1 {
		r.find(Deleted, 1, 0, "the recording begins with part %d", first.number())
	}
	for i := range r.Parts[1:] {
		r.join(&r.Parts[i], &r.Parts[i+1])
	}
	last := &r.Parts[len(r.Parts)-1]
	switch c := last.Closing; {
	case c == nil && last.Stranger != "": // said already
	case c == nil:
		r.Unclosed = fmt.Sprintf("part %d ends at segment %d, not closed", last.number(), last.Segments)
		if last.Left > 0 {
			r.Unclosed += fmt.Sprintf(", with %d bytes of a segment that was cut", last.Left)
		}
	case !c.Final:
		r.Unclosed = fmt.Sprintf("part %d was closed when the server stopped, at segment %d; the recording was not ended", c.Part, c.Segments)
	}
}

func (r *Report) join(a, b *PartReport) {
	switch n := a.number(); {
	case n == b.number():
		r.find(Repeated, n, 0, "%s and %s are the same part", a.Name, b.Name)
		return
	case b.number() > n+1:
		r.find(Deleted, n+1, 0, "part %d is followed by part %d", n, b.number())
		return
	}
	if a.Closing != nil && a.Closing.Final {
		r.find(Added, b.number(), 0, "the recording was ended in part %d", a.number())
	}
	if a.Binding == nil || b.Binding == nil || b.Binding.Previous == nil {
		return // said already
	}
	if a.Binding.Recording != b.Binding.Recording {
		r.find(Foreign, b.number(), 0, "it is of recording %q, part %d of %q", b.Binding.Recording, a.number(), a.Binding.Recording)
		return
	}
	switch previous := b.Binding.Previous; {
	case a.Segments < previous.Segments:
		r.find(Truncated, a.number(), 0, "it ends at segment %d; when part %d was begun it had %d", a.Segments, b.number(), previous.Segments)
	case a.Segments > previous.Segments:
		r.find(Added, a.number(), previous.Segments+1, "when part %d was begun there were %d segments", b.number(), previous.Segments)
	case a.Hash != previous.Hash:
		r.find(Foreign, a.number(), a.Segments, "part %d was begun after another one", b.number())
	case a.Closing == nil && a.Left < previous.Left:
		r.find(Truncated, a.number(), 0, "of the segment that was cut %d bytes are there; when part %d was begun there were %d", a.Left, b.number(), previous.Left)
	case a.Left > previous.Left:
		r.find(Added, a.number(), 0, "%d bytes after its end", a.Left-previous.Left)
	}
}
