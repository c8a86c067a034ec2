package transport

import (
	"fmt"

	"github.com/pion/webrtc/v4"

	"aparte/sfu/publish"
)

// Answer is our reply to a client's offer.
type Answer struct {
	SDP string
	// MIDs maps each section we send on to its track id.
	MIDs map[string]string
	// Sections are the client's, with what was negotiated.
	Sections []Section

	stereo map[string]bool // sections we send two channels on
}

// Answer takes an offer and sends want on the sections the client keeps free
// for us (recvonly); what finds no room is counted by Missing. Those not in
// want any more are released first. The error wraps ErrDescription when the
// offer itself is at fault.
func (p *Peer) Answer(offer string, want []Outgoing) (*Answer, error) {
	sections, err := ParseOffer(offer)
	if err != nil {
		p.engine.counters.descriptions.Add(1)
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	desc := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: p.fewCandidates(offer)}
	if err := p.pc.SetRemoteDescription(desc); err != nil {
		p.engine.counters.descriptions.Add(1)
		return nil, fmt.Errorf("%w: %w", ErrDescription, err)
	}
	p.described(sections)
	p.offered = sections
	p.release(want)
	if err := p.place(want); err != nil {
		return nil, err
	}
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return nil, fmt.Errorf("%w: create answer: %w", ErrDescription, err)
	}
	text, err := p.setLocal(answer)
	if err != nil {
		return nil, err
	}
	if err := negotiated(sections, text); err != nil {
		return nil, err
	}
	return &Answer{SDP: text, MIDs: p.mids(), Sections: sections, stereo: p.stereo()}, nil
}

// place fills free slots: transceivers of our kind without sender that are
// recvonly in this offer. Caller holds mu.
func (p *Peer) place(want []Outgoing) error {
	slots := make(map[string]bool, len(p.offered))
	for _, s := range p.offered {
		slots[s.MID] = s.Media && s.Receives && !s.Sends
	}
	free := map[webrtc.RTPCodecType][]*webrtc.RTPTransceiver{}
	for _, tr := range p.pc.GetTransceivers() {
		if slots[tr.Mid()] && tr.Sender() == nil {
			free[tr.Kind()] = append(free[tr.Kind()], tr)
		}
	}
	for _, w := range want {
		kind := pionKind(w.Kind)
		if p.senders[w.TrackID] != nil || len(free[kind]) == 0 {
			continue
		}
		if err := p.fill(free[kind][0], w); err != nil {
			return err
		}
		free[kind] = free[kind][1:]
	}
	return nil
}

// Missing tells how many receiving sections the client must add for want to
// find room, and whether any of want is without a section now (a new offer is
// needed even if none is missing, because a freed section is enough).
func (p *Peer) Missing(want []Outgoing) (audio, video int, unplaced bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	need := map[publish.Kind]int{}
	for _, w := range want {
		need[w.Kind]++
		if s := p.senders[w.TrackID]; s == nil || s.out.Down != w.Down {
			unplaced = true
		}
	}
	for _, s := range p.offered {
		if s.Media && s.Receives && !s.Sends {
			need[s.Kind]--
		}
	}
	return max(0, need[publish.Audio]), max(0, need[publish.Video]), unplaced
}

// Sending tells how many tracks have a section now.
func (p *Peer) Sending() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.senders)
}
