package forward

import (
	"time"

	"aparte/sfu/publish"
)

// Microphones that do not have the floor (publish.Floor) are not forwarded. When
// one gets it, the worker sends what the ring still has from just before, so that
// the first syllable is there: it took two packets to know it for one.

const (
	// preroll packets of 20 ms: the two that were needed, and the soft beginning
	// of a word before them.
	preroll = 5
	// prerollAge: the ring may also hold what was said before a pause.
	prerollAge = 200 * time.Millisecond
)

// SetPinned forwards a microphone whether it has the floor or not.
func (d *DownTrack) SetPinned(pinned bool) {
	d.worker.post(request{kind: setPinned, down: d, on: pinned})
}

// rests tells whether the DownTrack is left out of this round; its track does not
// have the floor. The first packets always go out: Go clients report a track only
// then.
func (d *DownTrack) rests() bool {
	if d.pinned || d.count < keepAlivePackets {
		return false
	}
	if !d.resting {
		d.resting = true
		d.restart()
	}
	return true
}

// wake sends what came just before this round.
func (d *DownTrack) wake() {
	d.resting, d.spurt = false, true
	b := d.feed.batches[0]
	if b == nil || len(b.Packets) == 0 || d.track.Kind() != publish.Audio || d.selector.paused {
		return
	}
	first := &b.Packets[0]
	last := d.munger.lastIn(first.Epoch)
	l := d.track.Layer(0)
	for ext := max(first.ExtSeq-min(preroll, first.ExtSeq-1), last+1); ext < first.ExtSeq; ext++ {
		p, ok := l.Ring().Get(ext, d.worker.buf[2:])
		if ok && p.Epoch == first.Epoch && first.Arrival-p.Arrival < int64(prerollAge) && d.selected(0, &p) {
			d.send(0, &p)
		}
	}
}

// lastIn is the publisher's number of the newest packet given out, if it is of the
// epoch.
func (m *munger) lastIn(epoch uint16) uint64 {
	if m.count == 0 {
		return 0
	}
	s := m.segment(0)
	if s.layer == noLayer || s.epoch != epoch || m.lastOut < s.out {
		return 0
	}
	return s.in + m.lastOut - s.out
}
