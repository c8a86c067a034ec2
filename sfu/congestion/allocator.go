package congestion

import "time"

// Rank orders tracks: a lower one gives way first. Audio has none, it is never
// touched: the caller takes it off the budget.
type Rank int8

// The ranks. Within one, tracks rise step by step in turn, so that they end alike.
const (
	Rest    Rank = iota
	Pinned       // shown large, or the client gave it a priority
	Screen       // a screen share
	Speaker      // the one who speaks
	ranks
)

// Figures against flapping.
const (
	// keepMargin: what is sent now may be a little more than the budget; rates are
	// never still, and the estimate keeps a distance of its own.
	keepMargin = 1.05
	// upMargin: a step up must fit into this share of the budget.
	upMargin = 0.9
	// upAfter: and must have done so for this long.
	upAfter = time.Second
	// A step up that had to be taken back is not tried again for relapse, then
	// twice as long, up to relapseMost; forgotten after relapseOver.
	relapse     = 4 * time.Second
	relapseMost = time.Minute
	relapseOver = 12 * time.Second
	// pauseAfter: a picture is given up only when there was no room for so long.
	// Smaller it is made at once.
	pauseAfter = 700 * time.Millisecond
)

// Hold is what the allocator remembers of one track. The zero value is that of a
// track never seen.
type Hold struct {
	Now     Choice
	known   bool
	upSince time.Duration // since when it could rise; 0 it cannot
	rose    time.Duration
	until   time.Duration // no rise before
	penalty time.Duration

	shortSince time.Duration // since when there was no room for anything; 0 there is
	content    bool          // it had all that was wanted
}

// Wish is a track that a subscriber wants, as the allocator sees it.
type Wish struct {
	Hold  *Hold // changed in place
	Rank  Rank
	Most  int // the layer wanted at most
	Rates Rates
}

// Result of an allocation, beside the Holds.
type Result struct {
	Used int64 // bits per second of what is sent now
	Next int64 // of that with the step up that comes next, as the budget must be; 0 all is well
	Most int64 // of everything wanted
}

// Allocator shares a budget among a subscriber's video tracks.
//
// First everyone gets the least there is of it, in order of rank; then frame rate;
// then resolution, rank by rank. So nobody is paused while somebody has more than
// the lowest layer, and resolution falls before the frame rate does.
type Allocator struct {
	// Scratch.
	ladders []ladder
	keep    []int // steps that the whole budget allows
	rise    []int // steps that the budget less the margin allows
}

// Decide updates every wish's Hold. budget is in bits per second; unlimited gives
// everyone everything.
func (a *Allocator) Decide(wishes []Wish, budget int64, unlimited bool, now time.Duration) (r Result) {
	a.ladders = a.ladders[:0]
	for i := range wishes {
		a.ladders = append(a.ladders, newLadder(&wishes[i].Rates, wishes[i].Most))
		r.Most += a.ladders[i].cost(a.ladders[i].n - 1)
	}
	if unlimited {
		for i := range wishes {
			*wishes[i].Hold = Hold{Now: All, known: true}
		}
		r.Used = r.Most
		return r
	}
	a.keep = a.fill(a.keep, wishes, int64(keepMargin*float64(budget)))
	a.rise = a.fill(a.rise, wishes, int64(upMargin*float64(budget)))
	roomy := Roomy(r.Most) <= budget
	for i := range wishes {
		h, l := wishes[i].Hold, &a.ladders[i]
		if l.n == 0 {
			continue // nothing comes of it: nothing to decide, and it may stay as it is
		}
		h.settle(l, a.keep[i], a.rise[i], roomy, now)
		h.content = l.at(h.Now) == l.n-1
		r.Used += l.cost(l.at(h.Now))
	}
	r.Next = a.next(wishes, r.Used)
	return r
}

// Most is what everything wanted takes, in bits per second.
func Most(wishes []Wish) (bps int64) {
	for i := range wishes {
		l := newLadder(&wishes[i].Rates, wishes[i].Most)
		bps += l.cost(l.n - 1)
	}
	return bps
}

// Roomy is the budget in which so much is left alone: it may rise and stay.
func Roomy(bps int64) int64 { return int64(float64(bps)/upMargin) + 1 }

// settle moves a track to where the budget has it: down at once, up with patience,
// unless it had all that was wanted, more is wanted now, and there is room for all.
func (h *Hold) settle(l *ladder, keep, rise int, roomy bool, now time.Duration) {
	at := l.at(h.Now)
	if !h.known {
		h.known = true
		h.to(l, rise)
		return
	}
	if keep >= 0 || at < 0 {
		h.shortSince = 0
	} else if h.shortSince == 0 {
		h.shortSince = now
	}
	if keep < 0 && at >= 0 && now-h.shortSince < pauseAfter {
		keep = 0
	}
	rise = min(rise, keep)
	switch {
	case at < 0 && h.Now != Paused:
		h.to(l, rise) // the layer it had is gone
	case at > keep:
		if h.rose != 0 && now-h.rose < relapseOver {
			h.penalty = min(max(2*h.penalty, relapse), relapseMost)
		} else {
			h.penalty = relapse / 2 // it was the path that changed
		}
		h.until = now + h.penalty
		h.to(l, keep)
	case at < rise:
		if h.upSince == 0 {
			h.upSince = now
		}
		if (now-h.upSince >= upAfter || roomy && h.content) && now >= h.until {
			h.to(l, rise)
			h.rose = now
		}
	default:
		h.upSince = 0
		if at == l.n-1 {
			h.Now = l.steps[at].Choice // what was above it may be gone
		}
	}
}

func (h *Hold) to(l *ladder, step int) {
	h.upSince = 0
	h.Now = Paused
	if step >= 0 {
		h.Now = l.steps[step].Choice
	}
}

// fill gives each wish a step of its ladder.
func (a *Allocator) fill(steps []int, wishes []Wish, budget int64) []int {
	steps = steps[:0]
	for range wishes {
		steps = append(steps, -1)
	}
	left := budget
	up := func(i int) bool {
		l := &a.ladders[i]
		next := steps[i] + 1
		if next >= l.n {
			return false
		}
		if more := l.cost(next) - l.cost(steps[i]); more <= left {
			left -= more
			steps[i] = next
			return true
		}
		return false
	}
	pass := func(rank Rank, lowestOnly bool) (rose bool) {
		for i := range wishes {
			if wishes[i].Rank != rank {
				continue
			}
			l := &a.ladders[i]
			if lowestOnly && steps[i]+1 < l.n && l.steps[steps[i]+1].Layer != l.steps[0].Layer {
				continue
			}
			rose = up(i) || rose
		}
		return rose
	}
	for rank := ranks - 1; rank >= 0; rank-- { // something of everyone
		pass(rank, true)
	}
	for rank := ranks - 1; rank >= 0; rank-- { // all frames of the lowest layer
		for pass(rank, true) {
		}
	}
	for rank := ranks - 1; rank >= 0; rank-- { // resolution
		for pass(rank, false) {
		}
	}
	return steps
}

// next is the budget that the cheapest step up of the highest rank below its top
// would need.
func (a *Allocator) next(wishes []Wish, used int64) (need int64) {
	best := Rank(-1)
	paused := false
	for i := range wishes {
		l := &a.ladders[i]
		at := l.at(wishes[i].Hold.Now)
		if at+1 >= l.n {
			continue
		}
		// Whoever is paused comes first, then rank.
		p := at < 0
		switch {
		case p && !paused, p == paused && wishes[i].Rank > best:
			best, paused, need = wishes[i].Rank, p, 0
		case p != paused || wishes[i].Rank < best:
			continue
		}
		n := int64(float64(used+l.cost(at+1)-l.cost(at))/upMargin) + 1
		if need == 0 || n < need {
			need = n
		}
	}
	return need
}
