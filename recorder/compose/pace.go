package compose

import (
	"slices"
	"time"
)

// Each change costs the film a run of what draws it, however short the time until the
// next one, and anybody who is recorded makes as many as they like: by their camera, by
// their yes, by going and coming. So the picture changes at this pace at most.
const (
	changeLeast   = 5 * Frame       // from one to the next: what is shorter nobody follows
	changesAtOnce = 30              // in a row
	changeEvery   = 2 * time.Second // and so often when those are used up
)

// paced are the times at which the picture changes, of those at which it would: all are in
// order, and the first is 0. Where that is too often, several become one at a later time,
// at most changeEvery after the change before. Musts are made in any case: there the
// recording has a cut. None is at the end, or after it.
func paced(would, musts []time.Duration, end time.Duration) (out []time.Duration) {
	const used = (changesAtOnce - 1) * changeEvery
	last, full := -changeLeast, time.Duration(0) // full: when all of changesAtOnce may be made again, if none is
	for _, at := range would {
		if _, must := slices.BinarySearch(musts, at); !must {
			if at <= last {
				continue // that one is of this, too
			}
			at = ceil(max(at, full-used, last+changeLeast))
			if n, _ := slices.BinarySearch(musts, last+1); n < len(musts) && at >= musts[n] || at >= end {
				continue
			}
		}
		out = append(out, at)
		last, full = at, min(max(full, at)+changeEvery, at+used+changeEvery)
	}
	return out
}

// calm has intervals, one after the other, at the pace of a film. Where several become
// one, it shows what may be shown all the time that it lasts, and no more.
func (b *builder) calm(all []Interval) (out []Interval, err error) {
	would := make([]time.Duration, len(all))
	for i, one := range all {
		would[i] = one.From
	}
	at := paced(would, b.tl.begins, b.tl.length)
	for i, from := range at {
		if err := b.cfg.GoOn(); err != nil {
			return nil, err
		}
		s := Span{from, b.tl.length}
		if i+1 < len(at) {
			s.To = at[i+1]
		}
		n, found := slices.BinarySearch(would, from)
		if found && all[n].Span == s {
			out = b.followed(out, all[n])
		} else {
			out = b.followed(out, b.interval(s))
		}
	}
	return out, nil
}
