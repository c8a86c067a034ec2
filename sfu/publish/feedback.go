package publish

import (
	"time"

	"github.com/pion/rtcp"
)

const (
	twccEvery = 50 * time.Millisecond
	rrEvery   = time.Second
	rateEvery = 500 * time.Millisecond
	// pliEvery: a key frame costs about as much as half a second of video.
	// On a path with a longer round trip the one before may still be coming.
	pliEvery = 500 * time.Millisecond
)

// Tick sends what is due: NACKs, key frame requests, transport-wide feedback and
// receiver reports. The worker calls it about every 10 ms, and soon after the
// function given to SetWake was called.
func (r *Receiver) Tick(now time.Time) {
	r.mu.Lock()
	out := r.out[:0]
	if !r.closed {
		out = r.collect(out, now)
	}
	r.out = nil // it is ours until sent; Tick may be called again meanwhile
	r.mu.Unlock()
	if len(out) > 0 {
		r.send(out)
	}
	clear(out)
	r.mu.Lock()
	r.out = out[:0]
	r.mu.Unlock()
}

// mtuPackets keeps a compound below the MTU: a transport-wide report is at most
// about 1,200 bytes, so each goes alone.
func (r *Receiver) send(out []rtcp.Packet) {
	if r.cfg.WriteRTCP == nil {
		return
	}
	begin := 0
	for i, p := range out {
		if _, alone := p.(*rtcp.TransportLayerCC); alone || i-begin == 8 {
			if i > begin {
				_ = r.cfg.WriteRTCP(out[begin:i]) // a peer that is gone needs no reports
			}
			if alone {
				_ = r.cfg.WriteRTCP(out[i : i+1])
				begin = i + 1
			} else {
				begin = i
			}
		}
	}
	if begin < len(out) {
		_ = r.cfg.WriteRTCP(out[begin:])
	}
}

func (r *Receiver) collect(out []rtcp.Packet, now time.Time) []rtcp.Packet {
	rate := !now.Before(r.nextRate)
	if rate {
		r.nextRate = now.Add(rateEvery)
	}
	for i := range r.list {
		t := r.list[i].Track
		if t == nil || t.closed.Load() {
			continue
		}
		for j := range t.layers {
			if l := t.layers[j].Load(); l != nil && l.ssrc.Load() != 0 {
				out = r.collectLayer(out, t, l, now)
				if rate {
					l.measure(now)
				}
			}
		}
	}
	if !now.Before(r.nextRR) {
		r.nextRR = now.Add(rrEvery)
		out = r.appendReports(out, now)
	}
	if !now.Before(r.nextTWCC) && r.sawTWCC {
		r.nextTWCC = now.Add(twccEvery)
		out = append(out, r.recorder.BuildFeedbackPacket()...)
	}
	return out
}

func (r *Receiver) collectLayer(out []rtcp.Packet, t *Track, l *Layer, now time.Time) []rtcp.Packet {
	in := &l.in
	if len(in.missing.list) > 0 {
		pairs, asked, givenUp := in.missing.due(now, r.rtt.nackPause(), nil)
		r.stats.NACKs += uint64(asked)
		r.stats.NACKGivenUp += uint64(givenUp)
		l.lost.Add(uint64(givenUp))
		if givenUp > 0 {
			l.keyframeWanted.Store(true)
		}
		for len(pairs) > 0 {
			n := min(len(pairs), 64)
			out = append(out, &rtcp.TransportLayerNack{SenderSSRC: r.cfg.SenderSSRC, MediaSSRC: l.ssrc.Load(), Nacks: pairs[:n]})
			pairs = pairs[n:]
		}
	}
	if in.missing.overrun {
		in.missing.overrun = false
		l.keyframeWanted.Store(true)
	}
	if t.kind == Video && l.keyframeWanted.Load() && (in.pliSent.IsZero() || now.Sub(in.pliSent) >= max(pliEvery, r.rtt.mean*3/2)) {
		l.keyframeWanted.Store(false)
		in.pliSent = now
		r.stats.PLIs++
		out = append(out, &rtcp.PictureLossIndication{SenderSSRC: r.cfg.SenderSSRC, MediaSSRC: l.ssrc.Load()})
	}
	return out
}

func (l *Layer) measure(now time.Time) {
	total := l.bytes.Load()
	if in := &l.in; in.rateAt.IsZero() {
		in.rateAt, in.rateBytes = now, total
	} else if d := now.Sub(in.rateAt); d >= rateEvery {
		l.bitrateBps.Store((total - in.rateBytes) * 8 * uint64(time.Second) / uint64(d))
		for i := range l.spatials {
			l.spatials[i].wire.measure(d)
		}
		l.frames.measure(d)
		in.rateAt, in.rateBytes = now, total
	}
}

// appendReports adds receiver reports (RFC 3550 section 6.4.2) for all layers.
func (r *Receiver) appendReports(out []rtcp.Packet, now time.Time) []rtcp.Packet {
	var blocks []rtcp.ReceptionReport
	for i := range r.list {
		t := r.list[i].Track
		if t == nil {
			continue
		}
		for j := range t.layers {
			if l := t.layers[j].Load(); l != nil && l.ssrc.Load() != 0 && l.in.received > 0 && l.Live(now) {
				blocks = append(blocks, l.in.report(l.ssrc.Load(), now))
			}
		}
	}
	for len(blocks) > 0 {
		n := min(len(blocks), 31)
		if n == len(blocks) {
			out = append(out, &rtcp.ReceiverReport{SSRC: r.cfg.SenderSSRC, Reports: blocks[:n]}, r.reference(now))
			break
		}
		out = append(out, &rtcp.ReceiverReport{SSRC: r.cfg.SenderSSRC, Reports: blocks[:n]})
		blocks = blocks[n:]
	}
	return out
}

// report is one block, RFC 3550 sections 6.4.1 and A.3. Repaired packets count as
// received.
func (in *inbound) report(ssrc uint32, now time.Time) rtcp.ReceptionReport {
	expected := in.highest - in.base + 1
	lost := int64(expected) - int64(in.received)
	newExpected := int64(expected - in.reportedExpected)
	newLost := newExpected - int64(in.received-in.reportedReceived)
	in.reportedExpected, in.reportedReceived = expected, in.received
	b := rtcp.ReceptionReport{
		SSRC:               ssrc,
		LastSequenceNumber: uint32(in.highest - 1<<16),
		TotalLost:          uint32(min(max(lost, 0), 1<<23-1)),
		Jitter:             uint32(in.jitter),
		LastSenderReport:   in.lastSR,
	}
	if newExpected > 0 && newLost > 0 {
		b.FractionLost = uint8(min(newLost*256/newExpected, 255))
	}
	if in.lastSR != 0 {
		b.Delay = uint32(now.Sub(in.lastSRAt) * 65536 / time.Second)
	}
	return b
}
