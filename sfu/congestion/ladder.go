package congestion

// Bounds of what a track may consist of.
const (
	MaxLayers    = 3 // simulcast
	MaxTemporals = 4 // VP8 has two bits for it
)

// Choice is what is sent of a track: a simulcast layer and the temporal layers up
// to one. Paused is nothing.
type Choice struct{ Layer, Temporal int8 }

// Paused sends nothing.
var Paused = Choice{-1, -1}

// All is everything there is.
var All = Choice{MaxLayers - 1, MaxTemporals - 1}

// Below tells whether c is less than d. Resolution counts first, because it falls
// before the frame rate: only the lowest layer is ever sent with fewer frames.
func (c Choice) Below(d Choice) bool {
	return c.Layer < d.Layer || c.Layer == d.Layer && c.Temporal < d.Temporal
}

// Rates are what the layers of a track take, in bits per second on the wire, each
// temporal layer with those below it. A layer that does not come is 0.
type Rates [MaxLayers][MaxTemporals]int64

// Step is a choice and its cost.
type Step struct {
	Choice
	Bps int64
}

// maxSteps: all temporal layers of the lowest layer and two layers above.
const maxSteps = MaxTemporals + MaxLayers - 1

// ladder is what a track may be sent as, cheapest first.
type ladder struct {
	steps [maxSteps]Step
	n     int
}

// newLadder lists the choices for a subscriber that wants layers up to most: if
// none that low comes, the lowest that does.
func newLadder(r *Rates, most int) (l ladder) {
	for layer := range MaxLayers {
		top := -1
		for t, bps := range r[layer] {
			if bps > 0 && (top < 0 || bps > r[layer][top]) {
				top = t
			}
		}
		if top < 0 || layer > most && l.n > 0 {
			continue
		}
		if l.n == 0 {
			for t := range top {
				if bps := r[layer][t]; bps > 0 && bps < r[layer][top] {
					l.add(layer, t, bps)
				}
			}
		}
		l.add(layer, MaxTemporals-1, r[layer][top]) // all there are, and will be
	}
	return l
}

func (l *ladder) add(layer, temporal int, bps int64) {
	l.steps[l.n] = Step{Choice{int8(layer), int8(temporal)}, bps}
	l.n++
}

// at is the highest step that is not above c, or -1.
func (l *ladder) at(c Choice) int {
	for i := l.n - 1; i >= 0; i-- {
		if !c.Below(l.steps[i].Choice) {
			return i
		}
	}
	return -1
}

// cost of a step; -1 is free.
func (l *ladder) cost(i int) int64 {
	if i < 0 {
		return 0
	}
	return l.steps[i].Bps
}
