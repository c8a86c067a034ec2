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

// fit lays a curve through points, which are sorted by x: in each window of so many
// seconds a line, without what is too far off it, joined where the windows meet. Over
// less than least seconds two clocks are taken to run alike.
func fit(points []point, window, least float64) curve {
	var lines []line
	for begin := 0; begin < len(points); {
		end := begin + 1
		for end < len(points) && points[end].x-points[begin].x < window {
			end++
		}
		// What is left at the end is too little for a line of its own.
		if len(points)-end < minPoints || points[len(points)-1].x-points[end].x < window/2 {
			end = len(points)
		}
		lines = append(lines, robust(points[begin:end], least))
		begin = end
	}
	var c curve
	if len(lines) == 0 {
		return c
	}
	first, last := lines[0], lines[len(lines)-1]
	c.before, c.after = first.slope, last.slope
	c.knots = append(c.knots, point{first.from, first.at(first.from)})
	for i := 1; i < len(lines); i++ {
		x := (lines[i-1].to + lines[i].from) / 2
		c.knots = append(c.knots, point{x, (lines[i-1].at(x) + lines[i].at(x)) / 2})
	}
	if last.to > c.knots[len(c.knots)-1].x {
		c.knots = append(c.knots, point{last.to, last.at(last.to)})
	}
	return c
}

// minPoints is how many a line is drawn through.
const minPoints = 4

// line is a difference over x.
type line struct {
	from, to       float64 // where it was measured
	x, y, slope    float64 // through this point
	sigma          float64
	points, beyond int // beyond: of them left out
}

func (l *line) at(x float64) float64 { return l.y + l.slope*(x-l.x) }

// robust fits a line, leaves out what is further off than three standard deviations, and
// fits again.
func robust(points []point, least float64) line {
	kept := slices.Clone(points)
	for {
		l := regress(kept, least)
		l.from, l.to, l.points, l.beyond = points[0].x, points[len(points)-1].x, len(points), len(points)-len(kept)
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
