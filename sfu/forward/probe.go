package forward

import (
	"time"

	"aparte/sfu/congestion"
	"aparte/sfu/publish"
)

// probe is a burst of padding on its way, in steps of a tick. Padding goes out as
// retransmissions of nothing (RTX), which receivers count and drop; where RTX was
// not negotiated, as empty packets between two frames.
type probe struct {
	left  int // steps
	bytes int // of each, media included
	sent  int // since the step began
}

// padSize is the most that padding can be (RFC 3550 section 5.1).
const padSize = 255

// sent notes a packet for everything that counts bytes.
func (p *path) sent(h *header, transportSeq uint16, payload int, kind publish.Kind, now time.Duration) {
	if p.estimator == nil {
		return
	}
	size := payload + int(h.rtp.PaddingSize) + congestion.Overhead
	if h.numbered {
		p.estimator.Sent(transportSeq, size, now)
	}
	p.bucket.Take(size)
	p.probe.sent += size
	if kind == publish.Audio {
		p.audio.bytes += int64(size)
	}
}

// seekFirst begins a probe while nothing is limited yet, unless enough was shown.
func (s *Subscriber) seekFirst(proven, most int64) {
	p := &s.path
	if p.probe.left > 0 || s.padder() == nil {
		return
	}
	bps, enough := p.prober.First(proven, most+p.audio.bps)
	if enough {
		p.estimator.Settle(s.worker.elapsed)
		return
	}
	s.beginProbe(bps)
}

// seekMore begins a probe when there is more to send than the estimate allows, and
// what is sent is too little to show whether there is room.
func (s *Subscriber) seekMore(estimate int64, r congestion.Result) {
	p, now := &s.path, s.worker.elapsed
	if r.Next == 0 || p.queue != nil || p.probe.left > 0 || s.padder() == nil {
		return
	}
	if bps, ok := p.prober.Want(estimate, r.Next+p.audio.bps, r.Most+p.audio.bps, now); ok {
		s.beginProbe(bps)
	}
}

// beginProbe begins a burst at the rate, if there is a way to send one.
func (s *Subscriber) beginProbe(bps int64) {
	p := &s.path
	if p.probe.left > 0 || s.padder() == nil {
		return
	}
	p.stats.probes.Add(1)
	p.prober.Begin(bps)
	p.estimator.BeginProbe(s.worker.elapsed)
	p.probe = probe{left: congestion.ProbeSteps, bytes: int(bps * int64(congestion.ProbeStep) / int64(8*time.Second))}
	s.worker.probing = append(s.worker.probing, s)
}

// probed looks whether a probe has shown something.
func (s *Subscriber) probed() {
	p, now := &s.path, s.worker.elapsed
	bps, done := p.estimator.ProbeResult()
	if !done {
		return
	}
	if p.prober.Done(bps, now) {
		p.stats.probeSuccesses.Add(1)
	}
	s.share()
}

// probeAll is called every tick.
func (w *Worker) probeAll() {
	kept := w.probing[:0]
	for _, s := range w.probing {
		if s.probeStep() {
			kept = append(kept, s)
		}
	}
	clear(w.probing[len(kept):])
	w.probing = kept
}

// probeStep fills a tick up with padding. It returns false after the last.
func (s *Subscriber) probeStep() bool {
	p := &s.path
	if d := s.padder(); d != nil {
		for p.probe.sent < p.probe.bytes {
			if !d.pad(min(p.probe.bytes-p.probe.sent, padSize)) {
				break
			}
		}
		d.tally()
	}
	p.probe.sent = 0
	if p.probe.left--; p.probe.left > 0 {
		return true
	}
	p.estimator.EndProbe(s.worker.elapsed)
	return false
}

// padder is a DownTrack that padding can be sent on.
func (s *Subscriber) padder() (best *DownTrack) {
	for _, d := range s.downs {
		if d.writer == nil || d.track.Kind() != publish.Video || d.munger.count == 0 || !d.media.numbered {
			continue
		}
		if d.repairs[d.video&0x7f] != noPT && d.binding.RTXSSRC != 0 {
			return d
		}
		if !d.inFrame {
			best = d
		}
	}
	return best
}

// pad sends one packet of n bytes of padding.
func (d *DownTrack) pad(n int) bool {
	h, m := &d.rtx, &d.munger
	if rtx := d.repairs[d.video&0x7f]; rtx != noPT && d.binding.RTXSSRC != 0 {
		d.rtxSeq++
		h.rtp.PayloadType, h.rtp.SequenceNumber = rtx, d.rtxSeq
	} else {
		if d.inFrame {
			return false
		}
		h = &d.media
		h.rtp.PayloadType, h.rtp.SequenceNumber = d.video, uint16(m.insert())
	}
	h.rtp.Timestamp, h.rtp.Marker = m.lastTS, false
	h.audioLevel(0, false)
	h.describe(nil)
	h.rtp.Padding, h.rtp.PaddingSize = true, byte(max(n, 1))
	d.write(h, nil, false)
	h.rtp.Padding, h.rtp.PaddingSize = false, 0
	return true
}

// insert gives a packet of our own a number between two of the publisher's, whose
// later ones move up.
func (m *munger) insert() (out uint64) {
	was := m.lastOut
	m.lastOut++
	if m.segment(0).layer == noLayer {
		return m.lastOut
	}
	if m.count > 1 && m.segment(1).layer == noLayer && m.segment(0).out == m.lastOut {
		m.segment(0).out++ // nothing came since the last one we inserted
		return m.lastOut
	}
	s := *m.segment(0)
	s.in += was + 1 - s.out
	s.out = m.lastOut + 1
	m.push(segment{out: m.lastOut, layer: noLayer})
	m.push(s)
	return m.lastOut
}
