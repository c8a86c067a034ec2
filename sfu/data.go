package sfu

import (
	"slices"
	"sync"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"

	"aparte/sfu/transport"
)

// Bounds on data packets.
const (
	maxDestinations = 1000
	// maxBuffered is what a channel may hold inside Pion before we wait, in
	// bytes; lossy packets are dropped above it.
	maxBuffered = 256 << 10
)

// incomingData takes a packet of the client and passes it on, in the goroutine
// of its channel: the order of a sender's packets stays. It never waits for a
// receiver.
func (s *Session) incomingData(label transport.Label, raw []byte) {
	if !s.permission.Load().GetCanPublishData() {
		return
	}
	var p livekit.DataPacket
	if err := proto.Unmarshal(raw, &p); err != nil {
		s.log.Debug("data packet does not decode", "error", err)
		return
	}
	if !s.mayForward(&p) || len(p.DestinationIdentities) > maxDestinations {
		return
	}
	reliable := label == transport.Reliable
	if reliable && p.Sequence != 0 {
		// Each sender numbers from 1 per session; after a resume it repeats
		// what it is not sure of.
		if p.Sequence <= s.seq.Load() {
			return
		}
		s.seq.Store(p.Sequence)
	}
	s.stamp(&p, reliable)
	out, err := proto.Marshal(&p)
	if err != nil {
		s.log.Debug("data packet does not encode", "error", err)
		return
	}
	for _, to := range *s.room.sessions.Load() {
		if to == s || len(p.DestinationIdentities) > 0 && !slices.Contains(p.DestinationIdentities, to.identity) {
			continue
		}
		if _, metrics := p.Value.(*livekit.DataPacket_Metrics); metrics && !to.permission.Load().GetCanSubscribeMetrics() {
			continue
		}
		to.deliver(reliable, out)
	}
}

// mayForward refuses what only others may send, or what is not forwarded.
func (s *Session) mayForward(p *livekit.DataPacket) bool {
	switch p.Value.(type) {
	case *livekit.DataPacket_Transcription:
		return s.params.Kind == livekit.ParticipantInfo_AGENT
	case *livekit.DataPacket_Speaker:
		return false // made by servers
	}
	return true
}

// stamp sets what the server answers for: kind and sender. The sequence and
// everything else, unknown fields too, stay as they are. A hidden sender stays
// unknown.
func (s *Session) stamp(p *livekit.DataPacket, reliable bool) {
	p.Kind = livekit.DataPacket_LOSSY //nolint:staticcheck // clients still read it
	if reliable {
		p.Kind = livekit.DataPacket_RELIABLE //nolint:staticcheck // clients still read it
	}
	identity, sid := s.identity, s.sid
	if s.permission.Load().GetHidden() {
		identity, sid = "", ""
	}
	p.ParticipantIdentity, p.ParticipantSid = identity, sid
	if u := p.GetUser(); u != nil {
		u.ParticipantIdentity, u.ParticipantSid = identity, sid                    //nolint:staticcheck // clients still read it
		if len(u.DestinationIdentities) > 0 && len(p.DestinationIdentities) == 0 { //nolint:staticcheck // old clients set it
			p.DestinationIdentities = u.DestinationIdentities //nolint:staticcheck // old clients set it
		}
		u.DestinationIdentities = p.DestinationIdentities //nolint:staticcheck // clients still read it
	}
}

// deliver queues a packet for this participant. A receiver that does not take
// its reliable packets is told to join anew: a hole in them would go unnoticed.
func (s *Session) deliver(reliable bool, packet []byte) {
	if s.data.add(reliable, packet) {
		return
	}
	if reliable {
		s.log.Warn("data queue full, session ends")
		s.room.leaveLater(s, livekit.DisconnectReason_STATE_MISMATCH)
	}
}

// outbox holds data packets for one participant until its channels take them.
type outbox struct {
	limit int // bytes, set at creation
	wake  chan struct{}

	// Guarded by mu. Senders of packets to the network hold it while they
	// write, so that after close nothing more is sent.
	mu       sync.Mutex
	closed   bool
	overflow bool
	reliable [][]byte
	lossy    [][]byte
	size     int // bytes of reliable
	dropped  uint64
}

// maxLossy is how many lossy packets wait for the writer to come around.
const maxLossy = 64

func newOutbox(limit int) *outbox {
	return &outbox{limit: limit, wake: make(chan struct{}, 1)}
}

// add queues a packet; false when a reliable one does not fit, once.
func (o *outbox) add(reliable bool, packet []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.overflow {
		return true
	}
	switch {
	case !reliable && len(o.lossy) >= maxLossy:
		o.dropped++
		return true
	case !reliable:
		o.lossy = append(o.lossy, packet)
	case o.size+len(packet) > o.limit:
		o.overflow = true
		return false
	default:
		o.reliable = append(o.reliable, packet)
		o.size += len(packet)
	}
	o.signal()
	return true
}

// signal wakes the writer: a packet came or a channel has room.
func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.reliable, o.lossy, o.size = nil, nil, 0
}

// sendData writes queued packets as the channels take them.
func (s *Session) sendData() {
	for {
		select {
		case <-s.quit:
			return
		case <-s.data.wake:
		}
		if peer := s.dataPeer.Load(); peer != nil {
			if err := s.data.flush(peer); err != nil {
				s.log.Debug("send data", "error", err)
			}
		}
	}
}

// flush writes what fits. Lossy packets that do not are dropped, reliable ones
// wait for the channel's buffer to drain.
func (o *outbox) flush(peer *transport.Peer) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return nil
	}
	open, buffered := peer.Writable(transport.Lossy)
	for _, p := range o.lossy {
		if !open || buffered > maxBuffered {
			o.dropped++
			continue
		}
		if err := peer.SendData(transport.Lossy, p); err != nil {
			o.lossy = nil
			return err
		}
		buffered += uint64(len(p))
	}
	o.lossy = o.lossy[:0]
	open, buffered = peer.Writable(transport.Reliable)
	for len(o.reliable) > 0 && open && buffered <= maxBuffered {
		p := o.reliable[0]
		if err := peer.SendData(transport.Reliable, p); err != nil {
			return err
		}
		buffered += uint64(len(p))
		o.size -= len(p)
		o.reliable[0] = nil
		o.reliable = o.reliable[1:]
	}
	return nil
}
