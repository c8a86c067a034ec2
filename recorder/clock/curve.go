package clock

import (
	"cmp"
	"math"
	"slices"
)

// point is a measurement: y at x, both in seconds.
type point struct{ x, y float64 }

// difference is a knot at the point.
func (p point) difference() point { return point{p.x, p.y - p.x} }

// maxSkew is by how much a clock may run fast or slow: five times what any quartz does.
const maxSkew = 500e-6

// curve maps x to about x: it is x plus a line with bends.
type curve struct {
	knots         []point // y is the difference
	before, after float64 // slopes of the difference beyond the first and the last
}

// at is the curve at x.
func (c *curve) at(x float64) float64 {
	k := c.knots
	if len(k) == 0 {
		return x
	}
	i, _ := slices.BinarySearchFunc(k, x, func(p point, x float64) int { return cmp.Compare(p.x, x) })
	switch i {
	case 0:
		return x + k[0].y + c.before*(x-k[0].x)
	case len(k):
		last := k[len(k)-1]
		return x + last.y + c.after*(x-last.x)
	}
	a, b := k[i-1], k[i]
	return x + a.y + (b.y-a.y)*(x-a.x)/(b.x-a.x)
}

// stretch is a part of what was measured in which nothing jumped. What follows begins at
// the gaps; none where nobody knows, and the way from here to there is even.
type stretch struct {
	points []point
	until  []gap
}

// join lays a curve through stretches, which come in the order of x.
func join(stretches []stretch, window, least float64) (all curve) {
	var from []gap
	for i, one := range stretches {
		slices.SortStableFunc(one.points, byX)
		c := fit(one.points, window, least)
		if i == 0 {
			all.before = c.before
		}
		if len(from) > 0 {
			all.climb(from, c.at(from[len(from)-1].x)-from[len(from)-1].x)
			c.knots = slices.DeleteFunc(c.knots, func(p point) bool { return p.x < from[len(from)-1].x })
		}
		if from = one.until; len(from) > 0 {
			x := from[0].x
			end := point{x, c.at(x) - x}
			c.knots = append(slices.DeleteFunc(c.knots, func(p point) bool { return p.x > x }), end)
		}
		all.knots = append(all.knots, c.knots...)
		all.after = c.after
	}
	// A curve goes one way: what is told of a time that is over is left out.
	high := math.Inf(-1)
	all.knots = slices.DeleteFunc(all.knots, func(p point) bool {
		back := p.x < high
		high = max(high, p.x)
		return back
	})
	// One report alone does not tell how a stream runs; with the next ones it does, but where
	// it stood still once between them.
	n := len(stretches)
	m := 1
	for m < n && m < minPoints && len(stretches[m-1].until) != 1 {
		m++
	}
	if first := stretches[0].points; len(first) == 1 {
		all.before = steep(first[0].difference(), stretches[m-1].points[0].difference())
	}
	m = n - 1
	for m > 0 && n-m < minPoints && len(stretches[m-1].until) != 1 {
		m--
	}
	if last, before := stretches[n-1].points, stretches[m].points; len(last) == 1 {
		all.after = steep(before[len(before)-1].difference(), last[0].difference())
	}
	return all
}

// climb goes from the last knot, which is at the first of some gaps, over all of them to y:
// at each by as much as it is long, and by its share of what they are together off by.
func (c *curve) climb(gaps []gap, y float64) {
	long := 0.0
	for _, g := range gaps {
		long += math.Abs(g.by)
	}
	at := c.knots[len(c.knots)-1].y
	off := y - at - sum(gaps)
	for i, g := range gaps {
		if i > 0 {
			c.knots = append(c.knots, point{g.x, at})
		}
		if at += g.by + off*math.Abs(g.by)/long; i == len(gaps)-1 {
			at = y
		}
		c.knots = append(c.knots, point{g.x, at})
	}
}

// fit lays a curve through points, which are sorted by x: in each window of so many
// seconds a line, without what is too far off it, joined where the windows meet. Over
// less than least seconds two clocks are taken to run alike. Where no line tells what was
// measured, as of a machine that is too slow and loses some of its sound all the time, the
// curve goes from point to point.
func fit(points []point, window, least float64) curve {
	var c curve
	var last *line // of the window before, if it has one
	for begin := 0; begin < len(points); {
		end := begin + 1
		for end < len(points) && points[end].x-points[begin].x < window {
			end++
		}
		// What is left at the end is too little for a line of its own.
		if len(points)-end < minPoints || points[len(points)-1].x-points[end].x < window/2 {
			end = len(points)
		}
		here := points[begin:end]
		l := robust(here, least)
		if l.misses(here) {
			for _, p := range here {
				c.knots = append(c.knots, p.difference())
			}
			n := len(c.knots)
			if begin == 0 {
				c.before = steep(c.knots[0], c.knots[min(n, minPoints)-1])
			}
			c.after, last = steep(c.knots[max(n-minPoints, 0)], c.knots[n-1]), nil
		} else {
			if begin == 0 {
				c.before = l.slope
			}
			if last != nil {
				x := (last.to + l.from) / 2
				c.knots[len(c.knots)-1] = point{x, (last.at(x) + l.at(x)) / 2}
			} else {
				c.knots = append(c.knots, point{l.from, l.at(l.from)})
			}
			if l.to > l.from {
				c.knots = append(c.knots, point{l.to, l.at(l.to)})
			}
			c.after, last = l.slope, &l
		}
		begin = end
	}
	return c
}

// minPoints is how many a line is drawn through.
const minPoints = 4

// line is a difference over x.
type line struct {
	from, to    float64 // where it was measured
	x, y, slope float64 // through this point
	sigma       float64
}

// mostSteep is how much of its sound a machine loses that is of any use.
const mostSteep = 0.05

// steep is the slope between two knots.
func steep(a, b point) float64 {
	if b.x <= a.x {
		return 0
	}
	return min(max((b.y-a.y)/(b.x-a.x), -mostSteep), mostSteep)
}

// Nearer than this a line tells what was measured, in seconds; of one in ten it need not.
const missLeast, missShare = 0.020, 0.1

// misses tells that what was measured goes another way than the line, all along. What is
// measured badly is to both sides of it, from one point to the next.
func (l *line) misses(points []point) bool {
	off := make([]float64, len(points))
	beyond, all, next := 0, 0.0, 0.0
	for i, p := range points {
		off[i] = p.y - p.x - l.at(p.x)
		if math.Abs(off[i]) > missLeast {
			beyond++
		}
		all += off[i] * off[i]
		if i > 0 {
			next += (off[i] - off[i-1]) * (off[i] - off[i-1])
		}
	}
	return float64(beyond) > missShare*float64(len(points)) && (next <= all || len(points) == 2)
}

func (l *line) at(x float64) float64 { return l.y + l.slope*(x-l.x) }

// robust fits a line, leaves out what is further off than three standard deviations, and
// fits again.
func robust(points []point, least float64) line {
	kept := slices.Clone(points)
	for {
		l := regress(kept, least)
		l.from, l.to = points[0].x, points[len(points)-1].x
		next := slices.DeleteFunc(slices.Clone(kept), func(p point) bool {
			return math.Abs(p.y-p.x-l.at(p.x)) > max(3*l.sigma, 1e-4)
		})
		if len(next) == len(kept) || len(next) < minPoints || len(next) < len(points)/2 {
			return l
		}
		kept = next
	}
}

// regress is the least squares.
func regress(points []point, least float64) (l line) {
	n := float64(len(points))
	for _, p := range points {
		l.x += p.x / n
		l.y += (p.y - p.x) / n
	}
	if points[len(points)-1].x-points[0].x >= least && len(points) >= minPoints {
		var xx, xy float64
		for _, p := range points {
			xx += (p.x - l.x) * (p.x - l.x)
			xy += (p.x - l.x) * (p.y - p.x - l.y)
		}
		if xx > 0 {
			l.slope = min(max(xy/xx, -maxSkew), maxSkew)
		}
	}
	for _, p := range points {
		d := p.y - p.x - l.at(p.x)
		l.sigma += d * d / n
	}
	l.sigma = math.Sqrt(l.sigma)
	return l
}
