package forward

import (
	"testing"
	"time"
)

// A limit that somebody set counts as the path's, however wide that is.
func TestLimitOfThePath(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := newNetLink(4_000_000)
		video, _ := r.join(l)
		air := newOnAir(r, l)
		line := &timeline{d: video, t: t}
		layer := func(d time.Duration, want int) {
			t.Helper()
			air.run(d, line.note)
			if got := video.Stats().Layer; got != want {
				t.Errorf("layer %d, want %d: %s, path %+v", got, want, line, l.sub.Path())
			}
		}
		layer(10*time.Second, 2)
		l.sub.Limit(300_000)
		layer(10*time.Second, 0)
		l.sub.Limit(0)
		layer(20*time.Second, 2)
	})
}
