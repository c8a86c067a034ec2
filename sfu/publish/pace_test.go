package publish

import (
	"testing"
	"testing/synctest"
	"time"
)

// What comes in goes out to everybody in the room: a flood of one client's packets
// ends here, and a second later it is heard again.
func TestFloodsEndAtTheReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(videoSection(), audioSection())
		f.cfg.PacketsPerSecond = 3000
		seq := uint16(0)
		flood := func(n int, ssrc uint32, pt uint8) uint64 {
			before := f.Stats().Flooded
			for range n {
				seq++
				f.write(t, ssrc, pt, seq, 0, delta(1))
			}
			return uint64(n) - (f.Stats().Flooded - before)
		}
		if got := flood(2000, 3000, 111); got > soundPerSecond+1 {
			t.Errorf("%d packets of one sound were taken at once", got)
		}
		if got := flood(5000, 1000, 96); got > 1001 {
			t.Errorf("%d packets of pictures were taken after 2,000 of sound", got)
		}
		time.Sleep(time.Second)
		if got := flood(50, 3000, 111) + flood(500, 1000, 96); got != 550 {
			t.Errorf("%d packets of 550 were taken when the flood was over", got)
		}
		for range 100 { // and at a steady rate all of them
			time.Sleep(20 * time.Millisecond)
			if got := flood(8, 3000, 111) + flood(50, 1000, 96); got != 58 {
				t.Fatalf("%d packets of 58 were taken", got)
			}
		}
	})
}
