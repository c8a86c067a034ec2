package congestion

import "time"

// fall remembers what the estimate was before it fell, to find out whether that was
// needed: when the path is well again although no less is sent, it was not. Another
// flow ended, or a machine was busy for a moment. Without that an estimate that is
// never tried would sink by every such moment, until something is given up.
type fall struct {
	bps     int64 // before; 0 nothing fell
	offered int64 // what was sent then
	at      time.Duration
	well    time.Duration // since when the path is well; 0 it is not
}

const (
	// undoAfter the path was well for so long, with so much of what was sent before.
	undoAfter   = time.Second
	undoOffered = 0.9
	// undoLasts: later than that nobody knows what the path carried.
	undoLasts = 15 * time.Second
)

// begin notes a fall from bps while so much was sent; those that follow soon are the
// same one.
func (f *fall) begin(bps, offered int64, now time.Duration) {
	if f.bps == 0 || now-f.at > undoLasts {
		*f = fall{bps: bps, offered: offered}
	}
	f.at, f.well = now, 0
}

// needless tells whether the fall may be taken back.
func (f *fall) needless(u usage, queue time.Duration, loss float64, offered int64, now time.Duration) bool {
	switch {
	case f.bps == 0:
		return false
	case now-f.at > undoLasts:
		*f = fall{}
		return false
	case u == overuse || queue > standingLow || loss > lossLow || float64(offered) < undoOffered*float64(f.offered):
		f.well = 0
		return false
	case f.well == 0:
		f.well = now
	}
	return now-f.well >= undoAfter
}
