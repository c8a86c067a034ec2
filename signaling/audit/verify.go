package audit

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"maps"
	"slices"
)

// Finding is one thing wrong with a chain.
type Finding struct {
	Post string
	Seq  uint64 // 0: about the chain as a whole
	What string
}

func (f Finding) String() string {
	if f.Seq == 0 {
		return fmt.Sprintf("post %s: %s", f.Post, f.What)
	}
	return fmt.Sprintf("post %s, event %d: %s", f.Post, f.Seq, f.What)
}

// maxFindings bounds what one chain is told about; the rest is counted.
const maxFindings = 100

// Report is what a Verifier found.
type Report struct {
	Post         string
	Events       uint64
	First, Last  uint64
	LastHash     Hash
	Texts        uint64 // of persons, that are there and fit
	Purged       uint64 // of persons, that are not there any more
	Anchors      int    // that fit
	PublicKey    Bytes  // that signed the head
	Findings     []Finding
	MoreFindings int // beyond what is listed
}

// Verifier follows one chain, event by event in the order in which they are
// kept. Give it all of them, then call Close.
type Verifier struct {
	anchors []SignedHead
	report  Report

	next  uint64 // seq to come; 0: any, nothing has come
	prev  Hash   // of the event before
	known bool   // prev is known
	start Entry  // the first, if what came before it is told only at the end
	last  Event
}

// NewVerifier follows the chain of a post. Those of anchors that are of this post
// are looked for on the way. A part may begin anywhere (what came before it is
// then taken from the head given to Close), a whole chain begins at event 1.
func NewVerifier(post string, part bool, anchors []SignedHead) *Verifier {
	v := &Verifier{report: Report{Post: post}, known: !part}
	if !part {
		v.next = 1
	}
	for _, a := range anchors {
		if a.Head.Post == post {
			v.anchors = append(v.anchors, a)
		}
	}
	return v
}

func (v *Verifier) found(seq uint64, format string, args ...any) {
	if len(v.report.Findings) == maxFindings {
		v.report.MoreFindings++
		return
	}
	v.report.Findings = append(v.report.Findings, Finding{v.report.Post, seq, fmt.Sprintf(format, args...)})
}

// Found adds what the caller found about an event (seq 0: the chain), such as a
// line that cannot be read.
func (v *Verifier) Found(seq uint64, what string) { v.found(seq, "%s", what) }

// Entry takes the next event and returns it as read, zero if it cannot be.
func (v *Verifier) Entry(e Entry) Event {
	if !v.place(e) {
		return Event{}
	}
	v.report.Events++
	event, err := ParseEvent(e.Event)
	switch {
	case err != nil:
		v.found(e.Seq, "altered: it cannot be read (%v)", err)
	case event.Post != v.report.Post:
		v.found(e.Seq, "moved: it is an event of post %s", event.Post)
	case event.Seq != e.Seq:
		v.found(e.Seq, "moved: it was written as event %d", event.Seq)
	}
	if v.known && link(v.prev, e.Event) != e.Hash {
		v.found(e.Seq, "altered: its hash does not fit it and the hash before it")
	}
	v.personal(e, event)
	for _, a := range v.anchors {
		if a.Head.Seq == e.Seq {
			v.anchor(a, e.Hash)
		}
	}
	v.prev, v.known, v.next, v.last = e.Hash, true, e.Seq+1, event
	v.report.Last, v.report.LastHash = e.Seq, e.Hash
	return event
}

// place says whether an event stands where it can be followed from.
func (v *Verifier) place(e Entry) bool {
	if v.next == 0 { // the first of a part
		v.report.First, v.start = e.Seq, e
		if e.Seq == 1 {
			v.known = true
		}
		v.next = e.Seq
	}
	if v.report.First == 0 {
		v.report.First = e.Seq
	}
	switch {
	case e.Seq == v.next:
		return true
	case e.Seq < v.next:
		v.found(e.Seq, "inserted or out of order: it comes after event %d", v.next-1)
		return false
	case e.Seq == v.next+1:
		v.found(v.next, "missing: deleted or out of order")
	default:
		v.found(v.next, "missing, like those up to event %d: deleted or out of order", e.Seq-1)
	}
	v.known = false // whose hash came before it is lost
	return true
}

// personal compares the texts of persons with what the chain says of them.
func (v *Verifier) personal(e Entry, event Event) {
	for _, field := range slices.Sorted(maps.Keys(event.Personal)) {
		p, ok := e.Personal[field]
		switch {
		case !ok:
			v.report.Purged++
		case p.Digest() != event.Personal[field]:
			v.found(e.Seq, "personal text altered: %s or its salt does not fit the hash in the event", field)
		default:
			v.report.Texts++
		}
	}
	for _, field := range slices.Sorted(maps.Keys(e.Personal)) {
		if _, ok := event.Personal[field]; !ok {
			v.found(e.Seq, "personal text inserted: the event has no %s", field)
		}
	}
}

func (v *Verifier) anchor(a SignedHead, hash Hash) {
	if a.Head.Hash == hash {
		v.report.Anchors++
		return
	}
	v.found(a.Head.Seq, "rewritten: its hash is not the one of the anchor of %s", a.Head.Time.Format(timeFormat))
}

// Close takes the head that the chain ends in (nil if there is none) and returns
// what was found. trusted is the key that must have signed it; without one, the
// key that stands beside the head is believed.
func (v *Verifier) Close(head *SignedHead, trusted ed25519.PublicKey) Report {
	switch {
	case head != nil:
		v.head(*head, trusted)
	case v.report.Events > 0:
		v.found(0, "head missing: nothing says that the chain ends at event %d", v.report.Last)
	}
	for _, a := range v.anchors {
		v.anchorHolds(a, head, trusted)
	}
	return v.report
}

func (v *Verifier) head(s SignedHead, trusted ed25519.PublicKey) {
	h := s.Head
	v.report.PublicKey = s.PublicKey
	switch {
	case h.Seq == 0 && v.report.Events == 0 && len(s.Signature) == 0:
		return // a chain that nothing was ever written to
	case !s.Genuine():
		v.found(0, "head replaced: its signature does not fit it and key %s", s.PublicKey)
	case trusted != nil && !bytes.Equal(trusted, s.PublicKey):
		v.found(0, "head replaced: signed by key %s, not by %s", s.PublicKey, Bytes(trusted))
	}
	switch {
	case h.Post != v.report.Post:
		v.found(0, "head replaced: it is of post %s", h.Post)
	case h.Seq > v.report.Last:
		v.found(0, "cut off: the head is at event %d, the last event is %d", h.Seq, v.report.Last)
	case h.Seq < v.report.Last:
		v.found(0, "head replaced or events appended: the head is at event %d, the last event is %d", h.Seq, v.report.Last)
	case h.Hash != v.report.LastHash:
		v.found(h.Seq, "rewritten, or head replaced: its hash is not the one of the signed head")
	case !h.Time.Equal(v.last.Time):
		v.found(h.Seq, "head replaced: it has another time than the event")
	}
	v.beginning(h)
}

// beginning compares where the chain begins with what its head says of that.
func (v *Verifier) beginning(h Head) {
	if v.report.Events == 0 {
		return
	}
	if h.First != v.report.First {
		v.found(0, "cut off at the beginning: the head says that it begins at event %d, the first event is %d", h.First, v.report.First)
		return
	}
	if v.start.Seq > 1 && link(h.Prev, v.start.Event) != v.start.Hash {
		v.found(v.start.Seq, "altered: its hash does not fit it and the hash that the head names before it")
	}
	if h.First == 1 && h.Prev != (Hash{}) {
		v.found(0, "head replaced: it names a hash before event 1")
	}
}

func (v *Verifier) anchorHolds(a SignedHead, head *SignedHead, trusted ed25519.PublicKey) {
	when := a.Head.Time.Format(timeFormat)
	signer := Bytes(trusted)
	if head != nil {
		signer = head.PublicKey
	}
	switch {
	case !a.Genuine():
		v.found(0, "anchor of %s (event %d): its signature does not fit", when, a.Head.Seq)
	case signer != nil && !bytes.Equal(signer, a.PublicKey):
		v.found(0, "signed by another key than the anchor of %s (event %d)", when, a.Head.Seq)
	}
	switch {
	case a.Head.Seq > v.report.Last:
		v.found(0, "cut off: the anchor of %s knows event %d, the last event is %d", when, a.Head.Seq, v.report.Last)
	case a.Head.Seq < v.report.First:
		v.found(0, "the anchor of %s (event %d) lies before the first event, %d: it proves nothing here", when, a.Head.Seq, v.report.First)
	}
}

// TamperedError says that a chain is not exported because it does not verify: its new
// head would vouch for what was tampered with.
type TamperedError struct{ Report Report }

func (e *TamperedError) Error() string {
	return fmt.Sprintf("%s ('aparte audit verify' lists all)", e.Report.Findings[0])
}
