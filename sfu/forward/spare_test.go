package forward

import (
	"testing"
	"time"

	"aparte/sfu/ring"
)

// What the busiest moment needed is given up by and by, all of it.
func TestSparesAreLetGo(t *testing.T) {
	w := &Worker{}
	for range 16 {
		w.queues = append(w.queues, new(paceQueue))
		w.pool = append(w.pool, ring.NewBatch(1, 1))
	}
	for _, want := range []int{8, 4, 2, 1, 0, 0} {
		w.letGo()
		if len(w.queues) != want || len(w.pool) != want {
			t.Fatalf("%d queues and %d batches are kept, want %d of each", len(w.queues), len(w.pool), want)
		}
		for _, q := range w.queues[:cap(w.queues)][want:] {
			if q != nil {
				t.Fatal("a queue is still referred to")
			}
		}
	}
}

// A worker does so while it goes on: a narrow path has needed a queue, and has not since.
func TestWorkersLetGo(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := newNetLink(100_000_000)
		l.mute = true
		r.join(l)
		narrow(t, l.sub, 2_000_000)
		newOnAir(r, l).frame(0, true, 0, false, 60*1100)
		settle()
		time.Sleep(7 * time.Second)
		settle()
		if l.sub.Path().Paced == 0 {
			t.Fatal("nothing was queued")
		}
		if n := len(r.worker.queues) + len(r.worker.paced); n != 0 {
			t.Errorf("%d queues are kept that nobody needs", n)
		}
	})
}
