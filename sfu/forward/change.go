package forward

import (
	"time"

	"aparte/sfu/ring"
)

// A change of layer that must wait: the key frame of the new layer came while the
// last frame of the old one was not whole. What comes of the new layer is noted, and
// read from the ring again when the frame has ended.

const (
	// changeMost packets may be noted; more than the key frames of browsers have.
	changeMost = 128
	// changeWait is how long the end of a frame may take; a pacer spreads a frame over
	// less.
	changeWait = 100 * time.Millisecond
)

// change belongs to the worker and is lent to a DownTrack.
type change struct {
	layer     int
	epoch     uint16
	since     time.Time
	timestamp uint32 // of the frame that has to end
	count     int
	packets   [changeMost]uint64 // ExtSeq, in order of arrival, each of them once
}

// postpone begins a change at p, the first packet of a key frame.
func (d *DownTrack) postpone(layer int, p *ring.Packet) {
	d.forgetChange()
	w := d.worker
	if n := len(w.changes); n > 0 {
		d.change = w.changes[n-1]
		w.changes = w.changes[:n-1]
	} else {
		d.change = new(change)
	}
	c := d.change
	c.layer, c.epoch, c.since, c.timestamp = layer, p.Epoch, w.now, d.frameTS
	c.packets[0], c.count = p.ExtSeq, 1
}

// noted notes p, which is of the layer that is waited for, or makes the change
// because there is no more room. False when there is no change any more.
func (d *DownTrack) noted(p *ring.Packet) bool {
	c := d.change
	switch {
	case p.Epoch != c.epoch || c.layer != d.selector.target:
		d.forgetChange()
		return false
	case c.count == changeMost:
		d.takeOver()
		return true
	}
	c.packets[c.count] = p.ExtSeq
	c.count++
	return true
}

// next tells whether p belongs to a later frame than the one that has to end.
func (c *change) next(p *ring.Packet) bool { return int32(p.Timestamp-c.timestamp) > 0 }

// settle makes the change when its time has come.
func (d *DownTrack) settle() {
	if c := d.change; c != nil && (!d.inFrame || d.worker.now.Sub(c.since) >= changeWait) {
		d.takeOver()
	}
}

// takeOver goes on with what was noted.
func (d *DownTrack) takeOver() {
	c := d.change
	d.change = nil
	l := d.track.Layer(c.layer)
	for i, ext := range c.packets[:c.count] {
		p, ok := l.Ring().Get(ext, d.worker.buf[2:])
		if !ok || p.Epoch != c.epoch || c.layer != d.selector.target || d.drains || d.selector.stopped() || d.track.Closed() {
			break
		}
		if i == 0 {
			d.switchTo(c.layer, &p)
		}
		d.send(c.layer, &p)
	}
	d.worker.giveChange(c)
}

// forgetChange gives up a change that waits.
func (d *DownTrack) forgetChange() {
	if d.change != nil {
		d.worker.giveChange(d.change)
		d.change = nil
	}
}

// spareChanges are kept for the next ones.
const spareChanges = 64

func (w *Worker) giveChange(c *change) {
	if len(w.changes) < spareChanges {
		w.changes = append(w.changes, c)
	}
}
