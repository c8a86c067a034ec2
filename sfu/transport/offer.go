package transport

import (
	"fmt"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Offer is a description of ours that the client must answer.
type Offer struct {
	SDP  string
	MIDs map[string]string // section → track id, of all we send on
}

// Offer makes an offer that carries want and nothing else, with new ICE
// credentials if restart is set. Only one may be outstanding: the next one
// needs SetAnswer first.
func (p *Peer) Offer(want []Outgoing, restart bool) (*Offer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	p.release(want)
	for _, w := range want {
		if p.senders[w.TrackID] != nil {
			continue
		}
		if err := p.add(w); err != nil {
			return nil, err
		}
	}
	offer, err := p.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		return nil, fmt.Errorf("create offer: %w", err)
	}
	text, err := p.setLocal(offer)
	if err != nil {
		return nil, err
	}
	if stereo := p.stereo(); len(stereo) > 0 {
		text, err = rewrite(text, func(mid string, m *sdp.MediaDescription) {
			if stereo[mid] {
				announceStereo(m)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return &Offer{SDP: text, MIDs: p.mids()}, nil
}

// add puts out on a section that was freed in an earlier exchange, or on a new
// one. Caller holds mu.
func (p *Peer) add(out Outgoing) error {
	for _, tr := range p.pc.GetTransceivers() {
		if tr.Kind() == pionKind(out.Kind) && tr.Sender() == nil && tr.Mid() != "" &&
			tr.Direction() == webrtc.RTPTransceiverDirectionInactive {
			return p.fill(tr, out)
		}
	}
	s := &sender{out: out, peer: p}
	tr, err := p.pc.AddTransceiverFromTrack(s, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return fmt.Errorf("add transceiver: %w", err)
	}
	s.tr, s.rtp = tr, tr.Sender()
	p.senders[out.TrackID] = s
	return nil
}

// SetAnswer applies the client's answer to our last offer, and tells what it says
// of each section. What is new in it flows once Flow is called.
func (p *Peer) SetAnswer(answer string) ([]Section, error) {
	sections, err := ParseOffer(answer)
	if err != nil {
		p.engine.counters.descriptions.Add(1)
		return nil, err
	}
	if err := negotiated(sections, answer); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	desc := webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: p.fewCandidates(answer)}
	if err := p.pc.SetRemoteDescription(desc); err != nil {
		p.engine.counters.descriptions.Add(1)
		return nil, fmt.Errorf("%w: %w", ErrDescription, err)
	}
	p.described(sections)
	return sections, nil
}
