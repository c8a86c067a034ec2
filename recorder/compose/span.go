package compose

import (
	"cmp"
	"slices"
	"time"
)

// Span is a stretch of time: From is in it, To is not.
type Span struct{ From, To time.Duration }

func (s Span) length() time.Duration { return s.To - s.From }

// spans are in order, and do not touch.
type spans []Span

// union is whatever is in one of them, given in any order.
func union(all ...Span) spans {
	all = slices.DeleteFunc(slices.Clone(all), func(s Span) bool { return s.length() <= 0 })
	slices.SortFunc(all, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	var out spans
	for _, s := range all {
		if n := len(out); n > 0 && s.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}

// and is what is in both.
func (a spans) and(b spans) (out spans) {
	for i, j := 0, 0; i < len(a) && j < len(b); {
		if s := (Span{max(a[i].From, b[j].From), min(a[i].To, b[j].To)}); s.length() > 0 {
			out = append(out, s)
		}
		if a[i].To < b[j].To {
			i++
		} else {
			j++
		}
	}
	return out
}

// without is what is in a and not in b.
func (a spans) without(b spans) spans {
	var rest spans
	from := time.Duration(-1 << 63)
	for _, s := range b {
		rest = append(rest, Span{from, s.From})
		from = s.To
	}
	rest = append(rest, Span{from, 1<<63 - 1})
	return a.and(rest)
}

// bridged has no gap that is shorter than most.
func (a spans) bridged(most time.Duration) (out spans) {
	for _, s := range a {
		if n := len(out); n > 0 && s.From-out[n-1].To < most {
			out[n-1].To = s.To
			continue
		}
		out = append(out, s)
	}
	return out
}

// lasting has none that is shorter than least.
func (a spans) lasting(least time.Duration) spans {
	return slices.DeleteFunc(slices.Clone(a), func(s Span) bool { return s.length() < least })
}

// framed has whole frames alone: those that are in a from beginning to end.
func (a spans) framed() (out spans) {
	for _, s := range a {
		if s = (Span{ceil(s.From), floor(s.To)}); s.length() > 0 {
			out = append(out, s)
		}
	}
	return out
}

// at is the span that a time is in.
func (a spans) at(t time.Duration) (Span, bool) {
	i, found := slices.BinarySearchFunc(a, t, func(s Span, t time.Duration) int {
		switch {
		case s.To <= t:
			return -1
		case s.From > t:
			return 1
		}
		return 0
	})
	if !found {
		return Span{}, false
	}
	return a[i], true
}

func (a spans) has(t time.Duration) bool {
	_, has := a.at(t)
	return has
}

// throughout says whether one of them is there from the beginning of s to its end.
func (a spans) throughout(s Span) bool {
	in, is := a.at(s.From)
	return is && s.To <= in.To
}

func floor(t time.Duration) time.Duration { return t - t%Frame }

func ceil(t time.Duration) time.Duration { return floor(t + Frame - 1) }
