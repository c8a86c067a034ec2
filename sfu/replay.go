package sfu

import (
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/transport"
)

// Numbered reliable packets are kept for Timing.Replay after they were sent. SCTP
// outlives a resume, so what is lost is what a client was given and could not
// take: it made its channel anew, or was told before it listened.

// sentParcel is a numbered packet that was written to a channel.
type sentParcel struct {
	parcel
	at      time.Time
	channel uint64 // its generation
	end     uint64 // bytes written to that channel, this packet included
}

// remember keeps what was just written. Caller holds mu.
func (o *outbox) remember(p parcel, channel uint64, now time.Time) {
	if o.channel != channel {
		o.channel, o.written = channel, 0
	}
	o.written += uint64(len(p.packet))
	if p.seq == 0 {
		return
	}
	o.past = append(o.past, sentParcel{p, now, channel, o.written})
	o.pastSize += len(p.packet)
	for o.pastSize > o.limit/shares {
		o.forgetFirst()
	}
}

func (o *outbox) forgetFirst() {
	o.pastSize -= len(o.past[0].packet)
	o.past[0] = sentParcel{}
	o.past = o.past[1:]
}

// forget drops what nobody will ask for any more: old, and acknowledged by the
// client's SCTP. buffered is what the channel still holds.
func (o *outbox) forget(channel, buffered uint64, before time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.past) > 0 && o.past[0].at.Before(before) && !o.inFlight(&o.past[0], channel, buffered) {
		o.forgetFirst()
	}
}

// inFlight tells whether a packet is still on its way: SCTP brings it. Caller
// holds mu.
func (o *outbox) inFlight(p *sentParcel, channel, buffered uint64) bool {
	return p.channel == channel && p.end+buffered > o.written
}

// replay queues again what the client says it lacks, ahead of what waits. last is
// the number it had last, by the sid of the sender; a sender it does not name it
// has not heard. While something of a sender is on its way, what came before
// has arrived: the channel keeps the order, and so do we.
func (o *outbox) replay(last map[string]uint32, channel, buffered uint64) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0
	}
	coming := map[string]bool{}
	for i := range o.past {
		if p := &o.past[i]; o.inFlight(p, channel, buffered) {
			coming[p.from.sid] = true
		}
	}
	var again []parcel
	kept := o.past[:0:0]
	for _, p := range o.past {
		if coming[p.from.sid] || p.seq <= last[p.from.sid] {
			kept = append(kept, p)
			continue
		}
		again = append(again, p.parcel)
		o.pastSize -= len(p.packet)
		o.share[p.from] += len(p.packet)
		o.size += len(p.packet)
	}
	o.past = kept
	o.reliable = append(again, o.reliable...)
	if len(again) > 0 {
		o.signal()
	}
	return len(again)
}

// replay sends again what a resumed client has not received. Clients that do not
// say what they have would not know doubles.
func (s *Session) replay(states []*livekit.DataChannelReceiveState) {
	peer := s.dataPeer.Load()
	if len(states) == 0 || peer == nil {
		return
	}
	last := make(map[string]uint32, len(states))
	for _, st := range states {
		last[st.GetPublisherSid()] = st.GetLastSeq()
	}
	_, buffered := peer.Writable(transport.Reliable)
	n := s.data.replay(last, peer.Channel(transport.Reliable), buffered)
	s.room.sfu.counters.dataReplayed.Add(uint64(n))
}

// forgetSent lets go of what was kept for a replay.
func (s *Session) forgetSent(now time.Time) {
	if peer := s.dataPeer.Load(); peer != nil {
		_, buffered := peer.Writable(transport.Reliable)
		s.data.forget(peer.Channel(transport.Reliable), buffered, now.Add(-s.room.sfu.cfg.Timing.Replay))
	}
}
