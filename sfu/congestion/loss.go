package congestion

import "time"

// Bounds of the loss controller (draft-ietf-rmcat-gcc-02 section 6): below, the
// rate rises; above, it falls; between, the loss is the path's own (radio).
const (
	lossLow  = 0.02
	lossHigh = 0.10
	// lossAlone: where there is no queue, less than that is most likely the path's
	// own too, and only two windows in a row count.
	lossAlone = 0.20
	lossEvery = 400 * time.Millisecond
	// lossLeast packets make a share worth the name.
	lossLeast = 40
)

// lossRate is the estimate by loss.
type lossRate struct {
	bps     int64
	packets int
	lost    int
	share   float64 // of the last window
	above   int     // windows in a row with more than lossAlone
	since   time.Duration

	decreases int
}

// count notes the fates of packets; lost may be negative when one that was said to
// be lost came after all.
func (l *lossRate) count(packets, lost int) {
	l.packets += packets
	l.lost += lost
}

// restart forgets the window.
func (l *lossRate) restart(now time.Duration) { l.packets, l.lost, l.since = 0, 0, now }

// now is the share of the window that is open; 0 while there is too little in it.
func (l *lossRate) now() float64 {
	if l.packets < lossLeast/2 {
		return 0
	}
	return float64(max(l.lost, 0)) / float64(l.packets)
}

// update closes a window. limit is the estimate by delay, which need not be repeated
// here; what came through while there was a queue is what the path carries.
func (l *lossRate) update(limit, came, offered int64, queued bool, rtt, now time.Duration) {
	span := now - l.since
	if l.packets < lossLeast && span < time.Second || span < lossEvery+rtt || l.packets == 0 {
		return
	}
	l.share = float64(max(l.lost, 0)) / float64(l.packets)
	few := l.packets < lossLeast/2
	l.restart(now)
	if l.above++; l.share <= lossAlone || few {
		l.above = 0
	}
	switch {
	case l.share > lossHigh && queued && !few:
		l.decreases++
		l.bps = int64(float64(min(l.bps, limit)) * (1 - 0.5*l.share))
		if came > 0 {
			l.bps = min(l.bps, came)
		}
	case l.above > 1:
		l.decreases++
		l.bps = min(l.bps, limit)
		if offered > 0 {
			l.bps = min(l.bps, offered)
		}
		l.bps = int64(float64(l.bps) * (1 - 0.5*l.share))
	case l.share < lossLow:
		l.bps = int64(float64(l.bps) * (1 + increaseASecond*min(span, time.Second).Seconds()))
	}
	l.bps = min(l.bps, 2*max(limit, minimumBps))
}
