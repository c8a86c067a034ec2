package seal

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// partCheck verifies one part.
type partCheck struct {
	PartReport
	report *Report
	in     members
	key    PublicKey
	to     believed

	at       int64 // where the member begins that is looked at
	first    bool  // nothing whole has been read yet
	bound    bool  // Hash is of the chain after segment Segments
	whole    int64 // where what is believed ends
	before   place // what Segments, Hash and whole were before the last segment
	pending  *pendingSegment
	manifest []byte          // sealed; nil before it came
	seen     map[uint64]Hash // digests that the node signed, by segment
	stray    map[uint64]Hash // digests of contents that are not what their notes say; zero where there are none
	missing  map[uint64]bool // passed over so far
	misnamed map[uint64]bool // there, under the name of another
	loose    map[uint64]Hash // digests of contents that no note follows
	found    []located
}

// pendingSegment is contents whose note has not come yet.
type pendingSegment struct {
	number  uint64
	digest  Hash
	content []byte
}

// place is how far a part is believed.
type place struct {
	segments uint64
	hash     Hash
	whole    int64
}

// located is a finding and where in the file it was made.
type located struct {
	at      int64
	kind    Kind
	segment uint64
	detail  string
	certain bool // no power failure does that
}

func newPartCheck(r *Report, source Source, key PublicKey, to believed) *partCheck {
	return &partCheck{
		PartReport: PartReport{Name: source.Name, Keyless: key.verifier == nil},
		report:     r, in: members{in: source, size: source.Size}, key: key, to: to, first: true,
		seen: make(map[uint64]Hash), stray: make(map[uint64]Hash), missing: make(map[uint64]bool), misnamed: make(map[uint64]bool),
		loose: make(map[uint64]Hash),
	}
}

func (p *partCheck) find(kind Kind, segment uint64, format string, args ...any) {
	p.add(located{kind: kind, segment: segment, detail: fmt.Sprintf(format, args...)})
}

func (p *partCheck) add(f located) {
	if f.at = p.at; len(p.found) <= maxFindings {
		p.found = append(p.found, f)
	}
}

func (p *partCheck) run() error {
	for {
		p.at = p.in.offset
		m, err := p.in.next()
		d := (*damage)(nil)
		switch {
		case errors.Is(err, io.EOF):
			p.finish()
			return nil
		case errors.As(err, &d):
			p.damaged(d)
			p.in.resume()
			continue
		case err != nil:
			return err
		}
		if err := p.member(m); err != nil {
			return err
		}
		p.first = false
	}
}

func (p *partCheck) damaged(d *damage) {
	switch {
	case d.cut:
		p.find(Truncated, 0, "%s", d)
	case p.Closing != nil:
		p.find(Added, 0, "%s, after the closing", d)
	default:
		p.find(Altered, 0, "%s", d)
	}
}

var segmentMember = regexp.MustCompile(`^([0-9]{8,19})\.(age|note)$`)

func (p *partCheck) member(m member) error {
	if p.first && m.name != bindingName {
		p.find(Deleted, 0, "it does not begin with its binding")
	}
	if p.Closing != nil {
		p.find(Added, 0, "member %s after the closing", m.name)
		return nil
	}
	n, note := segmentOf(m.name)
	switch {
	case m.name == bindingName:
		p.binding(m)
	case m.name == manifestName:
		p.unsigned()
		if p.manifest != nil {
			p.find(Repeated, 0, "the manifest is there twice")
		}
		p.manifest = m.content
	case m.name == closingName:
		p.unsigned()
		return p.closing(m)
	case n == 0:
		p.find(Added, 0, "member %.40q is none of a recording", m.name)
	case note:
		return p.segment(n, m)
	default:
		p.unsigned()
		p.pending = &pendingSegment{n, sha256.Sum256(m.content), m.content}
	}
	return nil
}

// segmentOf is which segment's contents or note a member is, 0 for none.
func segmentOf(name string) (n uint64, note bool) {
	match := segmentMember.FindStringSubmatch(name)
	if match == nil {
		return 0, false
	}
	n, err := strconv.ParseUint(match[1], 10, 64)
	if err != nil || name != segmentName(n) && name != noteName(n) {
		return 0, false
	}
	return n, match[2] == "note"
}

// unsigned takes note of contents that no note follows.
func (p *partCheck) unsigned() {
	if p.pending == nil {
		return
	}
	p.loose[p.pending.number], p.misnamed[p.pending.number] = p.pending.digest, true
	p.pending = nil
}

func (p *partCheck) binding(m member) {
	if !p.first {
		p.find(Repeated, 0, "a binding among the segments")
		return
	}
	var b Binding
	signer, wrong := readSigned(m.content, p.key, &b)
	if stranger, ok := errors.AsType[*strangerError](wrong); ok {
		p.Stranger = stranger.id // which the report names
		return
	}
	if wrong != nil {
		p.disbelieved(0, "the binding", wrong)
		return
	}
	if one, until := p.key.signedBy(signer); one.verifier != nil {
		// What follows is of the same: whoever has an old key changes no part of a new one.
		p.key, p.Signer = one, one.String()
		if !until.IsZero() && b.Began.After(until) {
			p.find(Foreign, 0, "it began %s, and is signed by a key that was replaced %s", b.Began.Format(time.RFC3339), until.Format(time.RFC3339))
		}
	}
	p.Binding, p.Hash, p.bound, p.whole = &b, sha256.Sum256(m.content), true, p.in.offset
	if named := PartNumber(p.Name); named != 0 && named != b.Part {
		p.find(Swapped, 0, "part %d stands in the file of part %d", b.Part, named)
	}
}

// disbelieved reports a note that readNote refused.
func (p *partCheck) disbelieved(segment uint64, what string, err error) {
	kind := Altered
	if stranger, ok := errors.AsType[*strangerError](err); ok {
		if stranger.id == p.Stranger && len(p.seen) == 0 && p.Closing == nil {
			return // with its binding, of which that is said
		}
		kind = Foreign
	}
	p.add(located{
		kind: kind, segment: segment, detail: fmt.Sprintf("%s is not believed: %v", what, err),
		certain: errors.Is(err, errForged), // a note that was half written has no signature at all
	})
}

// segment reads the note of one.
func (p *partCheck) segment(n uint64, m member) error {
	if p.pending != nil && p.pending.number != n {
		p.unsigned()
	}
	pending := p.pending
	p.pending = nil
	var s segmentNote
	if wrong := readNote(m.content, p.key, &s); wrong != nil {
		p.disbelieved(n, "its note", wrong)
		p.misnamed[n] = true
		return nil
	}
	if why := p.elsewhere(s); why != "" {
		p.find(Foreign, n, "%s", why)
		p.misnamed[n] = true
		return nil
	}
	if s.Segment != n {
		p.find(Swapped, n, "here stands segment %d", s.Segment)
		p.misnamed[n], p.misnamed[s.Segment] = true, true
		return nil
	}
	if _, twice := p.seen[n]; twice {
		p.find(Repeated, n, "it is there twice")
		return nil
	}
	p.seen[n] = s.Digest
	if !p.inOrder(n, s) {
		return nil
	}
	switch {
	case pending == nil:
		p.stray[n] = Hash{}
	case pending.digest != s.Digest:
		p.stray[n] = pending.digest
	case p.to.segment != nil:
		return p.to.segment(s.Part, n, pending.content)
	}
	return nil
}

// elsewhere says where a segment belongs if it does not belong here.
func (p *partCheck) elsewhere(s segmentNote) string {
	switch {
	case p.Binding == nil:
		return "" // nothing to compare it with; that is said already
	case s.Recording != p.Binding.Recording:
		return fmt.Sprintf("it is segment %d of recording %q", s.Segment, s.Recording)
	case s.Part != p.Binding.Part:
		return fmt.Sprintf("it is segment %d of part %d", s.Segment, s.Part)
	}
	return ""
}

// inOrder takes a segment into the chain, or says what is wrong with its place.
func (p *partCheck) inOrder(n uint64, s segmentNote) bool {
	if n <= p.Segments {
		p.find(Swapped, n, "it stands after segment %d", p.Segments)
		delete(p.missing, n)
		return false
	}
	// However far the number jumps, no more is remembered than will be named.
	for gone := p.Segments + 1; gone < n && len(p.missing) <= maxFindings; gone++ {
		p.missing[gone] = true
	}
	if p.bound && n == p.Segments+1 && s.Previous != p.Hash {
		p.find(Foreign, n, "it was written after another segment than the one before it")
	}
	p.before = place{p.Segments, p.Hash, p.whole}
	p.Segments, p.Hash, p.bound, p.whole = n, link(s.Previous, s.Digest), true, p.in.offset
	return true
}

func (p *partCheck) closing(m member) error {
	var c Closing
	if wrong := readNote(m.content, p.key, &c); wrong != nil {
		p.disbelieved(0, "the closing", wrong)
		return nil
	}
	if p.Binding != nil && (c.Recording != p.Binding.Recording || c.Part != p.Binding.Part) {
		p.find(Foreign, 0, "the closing is that of part %d of recording %q", c.Part, c.Recording)
		return nil
	}
	p.Closing, p.whole = &c, p.in.offset
	switch {
	case p.Segments < c.Segments:
		p.find(Deleted, 0, "the last segment is %d; when it was closed it was %d", p.Segments, c.Segments)
	case p.Segments > c.Segments:
		p.find(Added, c.Segments+1, "when the part was closed there were %d segments", c.Segments)
	case p.bound && p.Hash != c.Hash:
		p.find(Foreign, p.Segments, "the part was closed after another segment")
	}
	switch {
	case p.manifest == nil:
		p.find(Deleted, 0, "the manifest is missing")
	case sha256.Sum256(p.manifest) != c.Manifest:
		p.find(Altered, 0, "the manifest is not the one that was closed with")
	case p.to.manifest != nil:
		return p.to.manifest(c.Part, p.manifest)
	}
	return nil
}

// finish looks at the part as a whole, once all of it has been read.
func (p *partCheck) finish() {
	p.at = p.in.size
	if p.in.size == 0 {
		p.find(Truncated, 0, "it is empty")
	}
	if p.Closing != nil && !p.in.trailed {
		p.find(Truncated, 0, "the end of the tar is missing")
	}
	if p.Closing == nil {
		p.tear()
	} else {
		p.unsigned()
	}
	for _, n := range slices.Sorted(maps.Keys(p.missing)) {
		if !p.misnamed[n] {
			p.find(Deleted, n, "it is missing")
		}
	}
	p.explainStrays()
	for _, f := range p.found {
		p.report.find(f.kind, p.number(), f.segment, "%s", f.detail)
	}
}

// tear is how a part ends that was not closed. A segment is written in one piece and
// the next one only once the disk has it: so it is at most the last one that a power
// failure left cut, empty or half written, and what such a failure does is no finding.
// Somebody who cuts off the end leaves nothing else behind.
func (p *partCheck) tear() {
	if _, torn := p.stray[p.Segments]; torn && p.Segments > 0 {
		delete(p.stray, p.Segments)
		p.Segments, p.Hash, p.whole = p.before.segments, p.before.hash, p.before.whole
	}
	p.Left = p.in.size - p.whole
	if p.Binding == nil {
		return
	}
	p.found = slices.DeleteFunc(p.found, func(f located) bool {
		return f.at >= p.whole && !f.certain && (f.kind == Altered || f.kind == Truncated || f.kind == Deleted)
	})
}

// explainStrays tells contents that stand elsewhere from those that are gone or altered.
func (p *partCheck) explainStrays() {
	of := make(map[Hash]uint64, len(p.seen))
	for n, digest := range p.seen {
		of[digest] = n
	}
	for _, n := range slices.Sorted(maps.Keys(p.loose)) {
		if p.loose[n] != p.seen[n] {
			p.find(Deleted, n, "its note is missing, so nothing says whose it is")
			continue
		}
		p.find(Swapped, n, "its contents do not stand before its note")
		delete(p.stray, n)
	}
	for _, n := range slices.Sorted(maps.Keys(p.stray)) {
		_, signed := p.seen[n]
		switch other, known := of[p.stray[n]]; {
		case known && other != n:
			p.find(Swapped, n, "it has the contents of segment %d", other)
		case p.stray[n] == Hash{}:
			p.find(Deleted, n, "its note is there, its contents are not")
		case signed && !known:
			p.find(Altered, n, "its contents are not what the node signed")
		}
	}
}
