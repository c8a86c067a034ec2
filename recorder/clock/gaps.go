package clock

import (
	"math"
	"slices"
)

// Gaps are where a stream stood still, or made up for that at once: its packets tell where,
// and its reports how much. Figures in seconds.
const (
	// Where a stream stood still there are gaps of at least this. They are looked for where
	// reports around them say that more is missing than reports are unsure of.
	gapLeast, missingLeast = 0.03, 0.05
	// Ways hold a packet up for less than this.
	heldUpMost = 1
)

// gap is where less came than time went by, or more: the stream's time of what came before
// it, when that and the next packet arrived, and how much is missing; negative: too much.
// late is by how much the packet before arrived later than it says.
type gap struct{ x, from, until, by, late float64 }

// notice looks whether there is a gap before a packet, which is the next one or one that
// comes late.
func (st *Stream) notice(p point) {
	late := p.y - p.x
	// What was only held up on its way is followed by what was not.
	for st.settled < len(st.gaps) && p.x > st.gaps[st.settled].x+heldUpMost {
		st.settled++
	}
	for g := len(st.gaps); g > st.settled && st.gaps[g-1].by > 0 && late < st.gaps[g-1].late+st.gaps[g-1].by/2; g-- {
		st.gaps = st.gaps[:g-1]
	}
	if p.x <= st.newest.x {
		return
	}
	before := st.newest.y - st.newest.x
	earliest := st.least
	if r := len(st.reports); r > 0 {
		earliest = min(earliest, st.reports[r-1].least)
	}
	g := gap{x: st.newest.x, from: st.newest.y, until: p.y, late: before}
	switch {
	case late-before > gapLeast:
		g.by = late - before
		st.addGap(g)
	case earliest-late > stepLeast && !math.IsInf(earliest, 0):
		g.by = late - earliest
		st.gaps = append(st.gaps, g)
	}
	st.newest = p
}

// addGap notes a gap. Small ones just before, of which nobody knows yet whether the way was
// the reason, and one that no packet lies between, are taken to be in its place.
func (st *Stream) addGap(g gap) {
	for n := len(st.gaps); n > st.settled; n-- {
		before := st.gaps[n-1]
		if before.by < 0 || before.until != g.from && before.by > g.by/3 {
			break
		}
		if before.by > g.by {
			g.x = before.x
		}
		g.from, g.late, g.by = before.from, before.late, before.by+g.by
		st.gaps = st.gaps[:n-1]
	}
	st.gaps = append(st.gaps, g)
}

// stretches are the reports, apart where the stream stood still or ran.
func (st *Stream) stretches() (all []stretch) {
	var one stretch
	end := func(until []gap) {
		if len(one.points) > 0 {
			one.until = until
			all = append(all, one)
		}
		one = stretch{}
	}
	stalls := st.stalls()
	if len(stalls) > 0 && st.atTheEnds(stalls) {
		stalls = st.stalls()
	}
	// Many small ones, of which some are not seen, are as well told by an even way.
	stalls = slices.DeleteFunc(stalls, func(x stall) bool {
		return !slices.ContainsFunc(x.gaps, func(g gap) bool { return math.Abs(g.by) > stepLeast })
	})
	var before *report
	for i := range st.reports {
		r := &st.reports[i]
		for len(stalls) > 0 && stalls[0].after < i {
			stalls = stalls[1:]
		}
		if len(stalls) > 0 && stalls[0].before < i {
			if i < stalls[0].after {
				continue // of a time that the stream may never have had
			}
			end(stalls[0].gaps)
		} else if before != nil && jump(*before, *r) != 0 {
			one.points = slices.DeleteFunc(one.points, func(p point) bool { return p.x > r.rtp })
			end(nil)
		}
		one.points, before = append(one.points, point{r.rtp, r.ntp}), r
	}
	end(nil)
	return all
}

// stall is where the stream stood still, or made up for it at once, between the last report
// before and the first one after it.
type stall struct {
	gaps          []gap
	before, after int
	missing       float64
}

// sum is how much is missing in some gaps.
func sum(gaps []gap) (all float64) {
	for _, g := range gaps {
		all += g.by
	}
	return all
}

// atTheEnds reports of the first packet and of the last one, which lie before and after all
// reports: of a stream that stands still its gaps are believed there, too, in the measure
// in which they tell elsewhere what is missing.
func (st *Stream) atTheEnds(stalls []stall) bool {
	first, last := st.reports[0], st.reports[len(st.reports)-1]
	early, late := 0, len(st.gaps)
	missing, found := 0.0, 0.0
	for _, x := range stalls {
		missing, found = missing+x.missing, found+sum(x.gaps)
	}
	lost := func(gaps []gap) float64 { return sum(gaps) * min(max(missing/found, 0.5), 1.5) }
	for early < len(st.gaps) && st.gaps[early].until < first.at {
		early++
	}
	for late > early && st.gaps[late-1].from > last.at {
		late--
	}
	known := len(st.reports)
	at := func(p point, difference float64) report {
		return report{at: p.y, rtp: p.x, ntp: p.x + difference}
	}
	if by := lost(st.gaps[:early]); math.Abs(by) > stepLeast {
		st.reports = slices.Insert(st.reports, 0, at(st.oldest, first.ntp-first.rtp-by))
	}
	if by := lost(st.gaps[late:]); math.Abs(by) > stepLeast {
		st.reports = append(st.reports, at(st.newest, last.ntp-last.rtp+by))
	}
	return len(st.reports) > known
}

// stalls finds the gaps that are together as long as what the reports around them say is
// missing. Others are due to the way.
func (st *Stream) stalls() (all []stall) {
	before, next := -1, 0
	for i, g := range st.gaps {
		for next < len(st.reports) && st.reports[next].at <= g.until {
			next++
		}
		for before+1 < next && st.reports[before+1].at <= g.from {
			before++
		}
		if before < 0 || next == len(st.reports) {
			continue
		}
		if n := len(all); n > 0 && before < all[n-1].after {
			all[n-1].gaps = append(all[n-1].gaps, g)
			all[n-1].after = next
		} else {
			all = append(all, stall{gaps: st.gaps[i : i+1 : i+1], before: before, after: next})
		}
	}
	for i := range all {
		a, b := st.reports[all[i].before], st.reports[all[i].after]
		all[i].missing = (b.ntp - a.ntp) - (b.rtp - a.rtp)
	}
	return slices.DeleteFunc(all, func(x stall) bool {
		m := math.Abs(x.missing)
		return m < missingLeast || math.Abs(x.missing-sum(x.gaps)) > max(m/4, missingLeast)
	})
}
