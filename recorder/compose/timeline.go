package compose

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"aparte/recorder/export"
)

// cut is a stretch of the recording that is not in the film.
type cut struct {
	Span
	interrupted bool // the server was down; otherwise a host paused
}

// timeline leads from the recording's time to the film's.
type timeline struct {
	kept   spans           // of the recording: whole frames each
	begins []time.Duration // where each begins in the film
	cuts   []cut
	length time.Duration // of the film
}

// newTimeline cuts out pauses, and what lies between two parts of a recording: from the
// last thing that is known of the one before.
func newTimeline(events []export.Event, media spans, whole Span) timeline {
	var tl timeline
	paused, told := time.Duration(-1), time.Duration(0)
	begun := false
	for _, e := range events {
		at := seconds(e.At)
		switch e.Kind {
		case "started":
			if begun {
				from, interrupted := max(told, lastBefore(media, at)), true
				if paused >= 0 {
					from, interrupted = paused, false
				}
				tl.cuts = append(tl.cuts, cut{Span{from, at}, interrupted})
			}
			begun, paused = true, -1
		case "paused":
			if paused < 0 {
				paused = at
			}
		case "resumed":
			if paused >= 0 {
				tl.cuts = append(tl.cuts, cut{Span{paused, at}, false})
			}
			paused = -1
		}
		told = max(told, at)
	}
	if paused >= 0 {
		tl.cuts = append(tl.cuts, cut{Span{paused, whole.To}, false})
	}
	tl.cuts = slices.DeleteFunc(tl.cuts, func(c cut) bool { return c.length() <= 0 })
	slices.SortStableFunc(tl.cuts, func(a, b cut) int { return cmp.Compare(a.From, b.From) })
	var out []Span
	for _, c := range tl.cuts {
		out = append(out, c.Span)
	}
	for _, s := range (spans{whole}).without(union(out...)) {
		if s.To = s.From + floor(s.length()); s.length() > 0 {
			tl.kept = append(tl.kept, s)
			tl.begins = append(tl.begins, tl.length)
			tl.length += s.length()
		}
	}
	return tl
}

// lastBefore is when something was still there before t.
func lastBefore(media spans, t time.Duration) (last time.Duration) {
	for _, s := range media {
		if s.From < t {
			last = min(s.To, t)
		}
	}
	return last
}

// film is where spans of the recording are in the film.
func (tl *timeline) film(of spans) spans {
	var out []Span
	i := 0
	for _, s := range of.and(tl.kept) {
		for tl.kept[i].To <= s.From {
			i++
		}
		k := tl.kept[i]
		out = append(out, Span{s.From - k.From + tl.begins[i], s.To - k.From + tl.begins[i]})
	}
	return union(out...)
}

// at is where a time of the recording is in the film; of what is cut out, where it was
// cut.
func (tl *timeline) at(t time.Duration) time.Duration {
	i := sort.Search(len(tl.kept), func(i int) bool { return t < tl.kept[i].To })
	if i == len(tl.kept) {
		return tl.length
	}
	return tl.begins[i] + max(t-tl.kept[i].From, 0)
}

// recorded is which time of the recording is shown at one of the film.
func (tl *timeline) recorded(t time.Duration) time.Duration {
	i, found := slices.BinarySearch(tl.begins, t)
	if !found {
		i--
	}
	return tl.kept[i].From + t - tl.begins[i]
}
