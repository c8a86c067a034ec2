package forward

import (
	"slices"
	"sync/atomic"
	"time"

	"aparte/sfu/publish"
	"aparte/sfu/ring"
)

// A batch is what one layer brought since the last round. A key frame of 100 kB
// takes several rounds, so that others get their turn in between.
const (
	batchPackets = 48
	batchBytes   = batchPackets * 1250
)

// feed is one track as this worker sees it: the publish.Sink between the
// publisher's goroutine and ours.
type feed struct {
	worker *Worker        // set at creation
	track  *publish.Track // set at creation

	queued atomic.Bool  // in worker.dirty or worker.held
	ended  atomic.Bool  // a frame ended since the last read
	since  atomic.Int64 // when it was queued, after worker.start

	// Owned by the worker.
	downs   []*DownTrack
	cursors [publish.MaxLayers]uint64
	batches [publish.MaxLayers]*ring.Batch // during a round, from the worker's pool
}

// Packets is called in the publisher's goroutine. The first packets of a frame do
// not wake the worker, only its end does, or holdFor: being woken costs the worker
// about as much as forwarding a packet to ten subscribers.
func (f *feed) Packets(_ int, last bool) {
	w := f.worker
	if last {
		f.ended.Store(true)
	}
	if !f.queued.Swap(true) {
		f.since.Store(int64(time.Since(w.start)))
		w.enqueue(f)
	}
	if last {
		w.poke()
	} else if !w.holding.Swap(true) {
		w.hold.Reset(holdFor)
	}
}

// Sync waits for the worker to come round.
func (f *feed) Sync() { f.worker.do(request{kind: syncPoint}) }

func (w *Worker) enqueue(f *feed) {
	w.dirtyMu.Lock()
	w.dirty = append(w.dirty, f)
	w.dirtyMu.Unlock()
}

// joinFeed adds d to the worker's feed of its track, attached on first use.
func (w *Worker) joinFeed(d *DownTrack) *feed {
	f := w.feeds[d.track]
	if f == nil {
		f = &feed{worker: w, track: d.track}
		// Begin behind what came before we listened. Layers that appear later are
		// read from their beginning.
		for i := range f.cursors {
			if l := d.track.Layer(i); l != nil {
				f.cursors[i] = l.Ring().Cursor()
			}
		}
		w.feeds[d.track] = f
		d.track.Attach(f)
	}
	f.downs = append(f.downs, d)
	return f
}

func (w *Worker) leaveFeed(d *DownTrack) {
	f := d.feed
	f.downs = slices.DeleteFunc(f.downs, func(x *DownTrack) bool { return x == d })
	if len(f.downs) == 0 {
		f.track.Detach(f)
		delete(w.feeds, f.track)
	}
}

// waits is how long the feed may still be held in this round. Video waits a moment
// for the end of the frame.
func (f *feed) waits(now time.Time) time.Duration {
	if f.track.Kind() == publish.Audio || f.ended.Load() || len(f.downs) == 0 {
		return 0
	}
	queued := f.worker.start.Add(time.Duration(f.since.Load()))
	return max(0, holdFor-now.Sub(queued))
}

// read copies what arrived since the last round into batches. It tells whether
// there is anything, and asks for another round when a batch was too small.
func (f *feed) read() (anything bool) {
	w := f.worker
	f.queued.Store(false) // before reading: what comes now queues the feed again
	f.ended.Store(false)
	if f.track.Closed() {
		return false
	}
	again := false
	for i := range f.cursors {
		l := f.track.Layer(i)
		if l == nil {
			continue
		}
		b := w.takeBatch()
		next, lost := l.Ring().Read(f.cursors[i], b)
		f.cursors[i] = next
		if lost > 0 {
			w.stats.overrun.Add(uint64(lost))
		}
		if len(b.Packets) == 0 {
			w.pool = append(w.pool, b)
			continue
		}
		f.batches[i] = b
		anything = true
		again = again || b.Full()
	}
	if again && !f.queued.Swap(true) {
		f.ended.Store(true)
		w.enqueue(f)
		w.poke()
	}
	return anything
}

// giveBack returns the batches to the pool.
func (f *feed) giveBack() {
	for i, b := range f.batches {
		if b != nil {
			f.batches[i] = nil
			f.worker.pool = append(f.worker.pool, b)
		}
	}
}

// takeBatch returns an empty batch. The pool grows to the number of layers that
// were ever read in one round.
func (w *Worker) takeBatch() *ring.Batch {
	n := len(w.pool)
	if n == 0 {
		return ring.NewBatch(batchPackets, batchBytes)
	}
	b := w.pool[n-1]
	w.pool = w.pool[:n-1]
	b.Reset()
	return b
}

// forward takes a round: everything that arrived, to everyone. It returns how
// long frames that are not complete may still be held; 0 when none is.
func (w *Worker) forward() (hold time.Duration) {
	// From here on a frame that begins starts the timer anew; those before are in
	// dirty. In the other order one could be left without a timer.
	if w.holding.Swap(false) {
		w.hold.Stop()
	}
	w.dirtyMu.Lock()
	w.held = append(w.held, w.dirty...)
	clear(w.dirty)
	w.dirty = w.dirty[:0]
	w.dirtyMu.Unlock()

	kept := w.held[:0]
	for _, f := range w.held {
		if rest := f.waits(w.now); rest > 0 {
			if hold == 0 || rest < hold {
				hold = rest
			}
			kept = append(kept, f)
			continue
		}
		if f.read() {
			w.active = append(w.active, f)
		}
	}
	clear(w.held[len(kept):])
	w.held = kept
	if len(w.active) > 0 {
		w.round()
	}
	return hold
}

// round is subscriber-major: whoever gets packets gets all of them at once, so
// that they leave in few large sends.
func (w *Worker) round() {
	w.stats.batches.Add(1)
	for _, f := range w.active {
		resting := f.track.Resting()
		for _, d := range f.downs {
			if d.writer == nil || resting && d.rests() {
				continue
			}
			if len(d.sub.turn) == 0 {
				w.turns = append(w.turns, d.sub)
			}
			d.sub.turn = append(d.sub.turn, d)
		}
	}
	w.corker.Cork()
	for _, s := range w.turns {
		s.path.bucket.Refill(w.elapsed)
		for _, d := range s.turn {
			d.forward()
		}
		clear(s.turn)
		s.turn = s.turn[:0]
	}
	w.corker.Uncork()
	for _, f := range w.active {
		f.giveBack()
	}
	clear(w.turns)
	w.turns = w.turns[:0]
	clear(w.active)
	w.active = w.active[:0]
}
