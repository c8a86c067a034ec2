package compose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Chapter is a place to go to.
type Chapter struct {
	At    time.Duration
	Title string
}

// chapterLeast is how far chapters are apart: what happens sooner is told in the same.
const chapterLeast = 2 * time.Second

// titlesMost is how much is told in one chapter, and how many names.
const titlesMost = 6

// happening is something that a chapter tells of.
type happening struct {
	at    time.Duration
	title string
	came  string // who; then title is not there
}

// chapters are the beginning, where somebody came, a screen was shared or was not any
// more, and where the recording went on after a pause.
func chapters(w words, tl *timeline, people []*person, pictures []*picture) (out []Chapter) {
	told := []happening{{title: w.start}}
	for _, c := range tl.cuts {
		text := w.paused
		if c.interrupted {
			text = w.interrupted
		}
		// What was cut off at the end is followed by nothing.
		if at := tl.at(c.From); at < tl.length && c.length() >= time.Second {
			told = append(told, happening{at: at, title: fmt.Sprintf(text, clock(c.length()))})
		}
	}
	for _, p := range people {
		for i, s := range p.present {
			// Over a pause somebody stays.
			if i == 0 || s.From-p.present[i-1].To >= chapterLeast {
				told = append(told, happening{at: s.From, came: p.name(tl.recorded(s.From))})
			}
		}
	}
	for _, p := range pictures {
		if !p.screen {
			continue
		}
		for _, s := range p.shown.bridged(chapterLeast) {
			told = append(told, happening{at: s.From, title: fmt.Sprintf(w.shared, nameOf(people, p.identity, tl.recorded(s.From)))})
			if s.To < tl.length && !slices.ContainsFunc(pictures, func(other *picture) bool { return other.screen && other.shown.has(s.To) }) {
				told = append(told, happening{at: s.To, title: w.unshared})
			}
		}
	}
	slices.SortStableFunc(told, func(a, b happening) int { return cmp.Compare(a.at, b.at) })
	for len(told) > 0 {
		n := 1
		for n < len(told) && told[n].at-told[0].at < chapterLeast {
			n++
		}
		out = append(out, Chapter{told[0].at, title(w, told[:n])})
		told = told[n:]
	}
	return out
}

// title tells all that happened at one time.
func title(w words, told []happening) string {
	var titles, came []string
	for _, h := range told {
		if h.came != "" {
			came = append(came, h.came)
		} else {
			titles = append(titles, h.title)
		}
	}
	if len(came) > 0 {
		titles = append(titles, fmt.Sprintf(w.joined, strings.Join(few(came), ", ")))
	}
	return strings.Join(few(titles), " · ")
}

func few(list []string) []string {
	if len(list) > titlesMost {
		list = append(list[:titlesMost-1:titlesMost-1], "…")
	}
	return list
}

func nameOf(people []*person, identity string, at time.Duration) string {
	for _, p := range people {
		if p.identity == identity {
			return p.name(at)
		}
	}
	return identity
}

// clock is a length of time as 1:02:03 or 2:03.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
