package transport

import (
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/pion/webrtc/v4"

	"aparte/sfu/forward"
	"aparte/sfu/publish"
)

// Stats count what was refused of clients, since the start.
type Stats struct {
	Descriptions    uint64 // offers and answers that were refused
	Candidates      uint64 // too long, too many, or no candidates
	Channels        uint64 // data channels over the limit
	Messages        uint64 // data messages over the limit; each ends its channel
	Associations    uint64 // SCTP packets that are none, or break its rules
	SSRCs           uint64 // connections ended because of too many sources
	Forged          uint64 // SRTP and SRTCP packets that are not authentic
	Replayed        uint64 // SRTP and SRTCP packets that came before
	NeverConnected  uint64 // connections that failed before they were up: a wrong fingerprint, no path
	ConnectionsLost uint64 // connections that failed after it
	Stuck           uint64 // connections that did not close: a bug, each keeps its memory
}

// counters are Stats as they are kept.
type counters struct {
	descriptions, candidates, channels, sctp, ssrcs, forged, replayed, neverConnected, lost, stuck atomic.Uint64
}

// Refusals tells what was refused so far.
func (e *Engine) Refusals() Stats {
	c := e.counters
	return Stats{
		Descriptions: c.descriptions.Load(), Candidates: c.candidates.Load(), Channels: c.channels.Load(),
		Messages: e.oversized.Load(), Associations: c.sctp.Load(), SSRCs: c.ssrcs.Load(), Forged: c.forged.Load(), Replayed: c.replayed.Load(),
		NeverConnected: c.neverConnected.Load(), ConnectionsLost: c.lost.Load(), Stuck: c.stuck.Load(),
	}
}

// failed counts a failed connection, once.
func (p *Peer) failed(s webrtc.PeerConnectionState) {
	switch s {
	case webrtc.PeerConnectionStateConnected:
		p.wasUp.Store(true)
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		switch {
		case s == webrtc.PeerConnectionStateClosed && (p.ending.Load() || p.wasUp.Load()):
			// We close it, or the client said good-bye.
		case p.hasFailed.Swap(true):
		case p.wasUp.Load():
			p.engine.counters.lost.Add(1)
		default:
			p.engine.counters.neverConnected.Add(1)
		}
	}
}

// peerSet adds up what peers count, those that are gone included.
type peerSet struct {
	mu    sync.Mutex // guards all below
	live  map[*Peer]struct{}
	rtp   publish.Stats     // of those that are gone
	paths forward.PathStats // of those that are gone; EstimateBps is of no use
}

func (s *peerSet) add(p *Peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live == nil {
		s.live = map[*Peer]struct{}{}
	}
	s.live[p] = struct{}{}
}

func (s *peerSet) remove(p *Peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, p)
	sum(&s.rtp, p.receiver.Stats())
	sum(&s.paths, p.sub.Path())
}

// Receiving adds up what all clients sent, and what of it was dropped.
func (e *Engine) Receiving() publish.Stats {
	e.all.mu.Lock()
	defer e.all.mu.Unlock()
	total := e.all.rtp
	for p := range e.all.live {
		sum(&total, p.receiver.Stats())
	}
	return total
}

// Paths adds up what is known of the ways to all clients. EstimateBps is the sum of
// the estimates of those that are connected and have one.
func (e *Engine) Paths() forward.PathStats {
	e.all.mu.Lock()
	defer e.all.mu.Unlock()
	total := e.all.paths
	total.EstimateBps = 0
	for p := range e.all.live {
		one := p.sub.Path()
		one.EstimateBps = max(0, one.EstimateBps)
		sum(&total, one)
	}
	return total
}

// sum adds the numbers of b to those of a, so that a new counter cannot be
// forgotten. Called when somebody looks at the metrics.
func sum[T any](a *T, b T) {
	to, from := reflect.ValueOf(a).Elem(), reflect.ValueOf(b)
	for i := range to.NumField() {
		switch f := to.Field(i); f.Kind() {
		case reflect.Uint64:
			f.SetUint(f.Uint() + from.Field(i).Uint())
		case reflect.Int64:
			f.SetInt(f.Int() + from.Field(i).Int())
		}
	}
}
