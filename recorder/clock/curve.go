package clock

import (
	"cmp"
	"math"
	"slices"
)

// point is a measurement: y at x, both in seconds.
type point struct{ x, y float64 }

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
// until; nil where nobody knows, and the way from here to there is even.
type stretch struct {
	points []point
	until  *float64
}

// join lays a curve through stretches, which come in the order of x.
func join(stretches []stretch, window, least float64) (all curve) {
	var from *float64
	for i, one := range stretches {
		slices.SortStableFunc(one.points, byX)
		c := fit(one.points, window, least)
		if i == 0 {
			all.before = c.before
		}
		if from != nil {
			all.knots = append(all.knots, point{*from, c.at(*from) - *from})
			c.knots = slices.DeleteFunc(c.knots, func(p point) bool { return p.x < *from })
		}
		if from = one.until; from != nil {
			end := point{*from, c.at(*from) - *from}
			c.knots = append(slices.DeleteFunc(c.knots, func(p point) bool { return p.x > *from }), end)
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
	// One report alone does not tell how a stream runs; with the next one it does.
	if k := all.knots; len(k) > 1 {
		if first := stretches[0]; len(first.points) == 1 && first.until == nil {
			all.before = steep(k[0], k[1])
		}
		if before := stretches[max(len(stretches)-2, 0)]; len(stretches[len(stretches)-1].points) == 1 && before.until == nil {
			all.after = steep(k[len(k)-2], k[len(k)-1])
		}
	}
	return all
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
				c.knots = append(c.knots, point{p.x, p.y - p.x})
			}
			n := len(c.knots)
			if begin == 0 {
				c.before = steep(c.knots[0], c.knots[1])
			}
			c.after, last = steep(c.knots[n-2], c.knots[n-1]), nil
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
