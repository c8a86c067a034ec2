package sfu

import (
	"slices"
	"time"

	"github.com/livekit/protocol/livekit"
	"golang.org/x/time/rate"
	"google.golang.org/protobuf/proto"

	"aparte/sfu/transport"
)

// Bounds on data packets.
const (
	maxDestinations = 1000
	// A sender may pass on dataRate bytes a second, and as much at once; each
	// packet counts packetCost more, so that small ones are bounded too.
	dataRate   = 1 << 20
	packetCost = 256
	// A receiver that takes less than leastTaken bytes in Timing.Patience while
	// a sender waits for it is dead, or plays dead; it is told to join anew: a
	// hole in reliable data would go unnoticed.
	leastTaken = 64 << 10
	// maxPacket is what every client takes, in bytes: those that say nothing of it
	// (max-message-size, RFC 8841 section 6.1) 64 KiB, Pion one less.
	maxPacket = 1<<16 - 1
)

// incomingData takes a packet of the client and passes it on, in the goroutine
// of its channel: the order of a sender's packets stays. A sender that is too
// fast, or faster than a receiver, is held here, and SCTP then holds the client;
// nobody else waits.
func (s *Session) incomingData(label transport.Label, raw []byte) {
	count := &s.room.sfu.counters
	if !s.permission.Load().GetCanPublishData() {
		count.dataNotAllowed.Add(1)
		return
	}
	if !s.paced(s.dataRate, min(len(raw)+packetCost, dataRate)) {
		return
	}
	if s.unknown.Load() && !s.introduced() {
		return
	}
	// cut waits for this lock: what is passed on was sent before the removal.
	s.passing.RLock()
	defer s.passing.RUnlock()
	select {
	case <-s.quit:
		return
	default:
	}
	var p livekit.DataPacket
	if err := proto.Unmarshal(raw, &p); err != nil {
		count.dataMalformed.Add(1)
		s.log.Debug("data packet does not decode", "error", err)
		return
	}
	if !s.mayForward(&p) || destinations(&p) > maxDestinations {
		count.dataNotAllowed.Add(1)
		return
	}
	reliable := label == transport.Reliable
	if reliable && p.Sequence != 0 && !s.advance(p.Sequence) {
		count.dataRepeated.Add(1)
		return
	}
	s.stamp(&p, reliable)
	out, err := proto.Marshal(&p)
	if err != nil {
		s.log.Debug("data packet does not encode", "error", err)
		return
	}
	if len(out) > maxPacket { // stamped: sender and destinations may stand in it twice
		count.dataTooLong.Add(1)
		return
	}
	seq := p.Sequence
	if p.ParticipantSid == "" {
		seq = 0 // nobody can say what it has of a sender it does not know
	}
	for _, to := range *s.room.sessions.Load() {
		if to != s && to.mayReceive(&p) && !s.deliver(to, reliable, seq, out) {
			return
		}
	}
}

// advance notes a number. Each sender numbers from 1 per session; after a resume
// it repeats what it is not sure of, and that is not passed on again.
func (s *Session) advance(seq uint32) bool {
	for {
		last := s.seq.Load()
		if seq <= last {
			return false
		}
		if s.seq.CompareAndSwap(last, seq) {
			return true
		}
	}
}

// introduced has the room tell everyone of the sender, which their clients would
// not know otherwise; false when the session ended meanwhile.
func (s *Session) introduced() bool {
	q := &presentRequest{done: make(chan struct{})}
	if !s.room.ask(q) {
		return false
	}
	<-q.done
	return true
}

func destinations(p *livekit.DataPacket) int {
	u := p.GetUser()
	return len(p.DestinationIdentities) + len(u.GetDestinationIdentities()) + len(u.GetDestinationSids()) //nolint:staticcheck // old clients set them
}

// mayReceive tells whether a packet is for s. Without destinations it is for
// everybody but those who wait in a lobby.
func (s *Session) mayReceive(p *livekit.DataPacket) bool {
	perm := s.permission.Load()
	if waits(s.room.key.Space == MeetingSpace, perm) {
		return false
	}
	if _, metrics := p.Value.(*livekit.DataPacket_Metrics); metrics && !perm.GetCanSubscribeMetrics() {
		return false
	}
	sids := p.GetUser().GetDestinationSids() //nolint:staticcheck // old clients set it
	return destinations(p) == 0 || slices.Contains(p.DestinationIdentities, s.identity) || slices.Contains(sids, s.sid)
}

// paced holds a client to a rate; false when the session ended meanwhile.
func (s *Session) paced(limit *rate.Limiter, n int) bool {
	wait := limit.ReserveN(time.Now(), n).Delay()
	if wait == 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.quit:
		return false
	}
}

// deliver queues a packet for one receiver, and waits while the sender's share
// of that queue is full. It returns false when the sender's session ended.
func (s *Session) deliver(to *Session, reliable bool, seq uint32, packet []byte) bool {
	if !reliable {
		to.data.addLossy(packet)
		return true
	}
	room := to.data.add(s, seq, packet)
	if room == nil {
		return true
	}
	taken, patience := to.data.progress(), s.room.sfu.cfg.Timing.Patience
	dead := time.NewTimer(patience)
	defer dead.Stop()
	for ; room != nil; room = to.data.add(s, seq, packet) {
		select {
		case <-room:
		case <-to.quit:
			return true
		case <-s.quit:
			return false
		case <-dead.C:
			now := to.data.progress()
			if now-taken < leastTaken {
				to.log.Warn("client takes no data, session ends")
				s.room.sfu.counters.slowReceivers.Add(1)
				to.data.close()
				to.leave(livekit.DisconnectReason_STATE_MISMATCH)
			}
			taken = now
			dead.Reset(patience)
		}
	}
	return true
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
// unknown. An agent may speak for another in text; the sid is its own even then,
// because the numbers are.
func (s *Session) stamp(p *livekit.DataPacket, reliable bool) {
	p.Kind = livekit.DataPacket_LOSSY //nolint:staticcheck // clients still read it
	if reliable {
		p.Kind = livekit.DataPacket_RELIABLE //nolint:staticcheck // clients still read it
	}
	identity, sid := s.identity, s.sid
	if s.permission.Load().GetHidden() {
		identity, sid = "", ""
	}
	if s.params.Kind == livekit.ParticipantInfo_AGENT && isText(p) && p.ParticipantIdentity != "" {
		identity = p.ParticipantIdentity
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

// isText tells whether a packet is text, or may be part of one.
func isText(p *livekit.DataPacket) bool {
	switch p.Value.(type) {
	case *livekit.DataPacket_Transcription, *livekit.DataPacket_ChatMessage,
		*livekit.DataPacket_StreamHeader, *livekit.DataPacket_StreamChunk, *livekit.DataPacket_StreamTrailer:
		return true
	}
	return false
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
