package publish

import (
	"sync/atomic"
	"time"

	"aparte/sfu/congestion"
	"aparte/sfu/ring"
)

// wireRates measure what it takes to send a layer on: bits per second on the
// wire, by temporal layer.
type wireRates struct {
	bytes, before [congestion.MaxTemporals]uint64 // guarded by Receiver.mu
	// bps is each temporal layer with those below it; 0 where there is none.
	bps [congestion.MaxTemporals]atomic.Int64
}

func (w *wireRates) count(p *ring.Packet) {
	w.bytes[p.Facts.TID%congestion.MaxTemporals] += uint64(len(p.Payload) + congestion.Overhead)
}

// measure takes a quarter of what came in d, half a second, and the rest of the old
// figure: key frames, slides and still moments should not look like another stream.
// What comes all at once is the pacer's.
func (w *wireRates) measure(d time.Duration) {
	var sum int64
	for i := range w.bytes {
		n := w.bytes[i] - w.before[i]
		w.before[i] = w.bytes[i]
		own := int64(n) * 8 * int64(time.Second) / int64(d)
		old := w.bps[i].Load()
		if n == 0 && old == 0 {
			continue
		}
		sum += own
		now := (3*old + sum) / 4
		if old == 0 {
			now = sum
		}
		w.bps[i].Store(now)
	}
}

// most is the rate of all temporal layers.
func (w *wireRates) most() (bps int64) {
	for i := range w.bps {
		bps = max(bps, w.bps[i].Load())
	}
	return bps
}

// nominal is a rate to go by until a layer was measured: what browsers send as 180p,
// 360p and 720p.
func nominal(layer int) int64 { return [MaxLayers]int64{150_000, 500_000, 1_700_000}[layer] }

// Rates are what it takes to send the track on now. Layers that do not come are 0.
func (t *Track) Rates(now time.Time) (r congestion.Rates) {
	for i := range t.layers {
		l := t.layers[i].Load()
		if l == nil || !l.Live(now) {
			continue
		}
		if i == 0 && l.svc.Load() {
			l.svcRates(&r, now)
			return r
		}
		l.spatials[0].rates(&r[i], i)
	}
	return r
}

// svcRates: a spatial layer goes out with all those below it.
func (l *Layer) svcRates(r *congestion.Rates, now time.Time) {
	for i := range l.Spatials(now) {
		l.spatials[i].rates(&r[i], i)
		if i == 0 {
			continue
		}
		below := int64(0)
		for j := range r[i] {
			below = max(below, r[i-1][j])
			if r[i][j] > 0 {
				r[i][j] += below
			}
		}
	}
}

func (s *spatial) rates(r *[congestion.MaxTemporals]int64, layer int) {
	for j := range r {
		r[j] = s.wire.bps[j].Load()
	}
	if *r == [congestion.MaxTemporals]int64{} {
		r[0] = nominal(layer)
	}
}
