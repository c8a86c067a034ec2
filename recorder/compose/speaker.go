package compose

import (
	"cmp"
	"slices"
	"time"

	"aparte/recorder/export"
)

// As the meeting's own stage follows whoever speaks, with one advantage: how long somebody
// will have spoken is known beforehand, so that the picture changes when they begin.
const (
	speaksLeast = 1500 * time.Millisecond // so long somebody has to be the loudest
	holdLeast   = 4 * time.Second         // and so long they are shown at least
	breath      = time.Second             // a silence that is shorter ends no turn
	// remainsLeast is how much of a turn has to be left when the one before has had its
	// time.
	remainsLeast = 500 * time.Millisecond
	// saidLeast is the shortest thing that is told of as said.
	saidLeast = 300 * time.Millisecond
)

// Speech is a time for which somebody speaks.
type Speech struct {
	Span

	Identity, Name string
}

// turn is a time for which somebody is the loudest, in the film's time.
type turn struct {
	Span

	identity string
}

// voices are who speaks when, and who is the loudest, in the recording's time.
type voices struct{ speaking, loudest openSpans }

// listen reads who speaks of the events. What follows after a pause, or another part, is
// told anew.
func listen(events []export.Event, end time.Duration) voices {
	v := voices{newOpenSpans(), newOpenSpans()}
	for _, e := range events {
		at := seconds(e.At)
		switch e.Kind {
		case "started", "paused":
			v.speaking.endAll(at)
			v.loudest.endAll(at)
		case "left":
			v.speaking.end(e.Identity, at)
			v.loudest.end(e.Identity, at)
		case "speaking":
			for identity := range v.speaking.open {
				if !slices.Contains(e.Identities, identity) {
					v.speaking.end(identity, at)
				}
			}
			for i, identity := range e.Identities {
				v.speaking.begin(identity, at)
				if i == 0 && len(v.loudest.open) > 0 {
					if _, goesOn := v.loudest.open[identity]; !goesOn {
						v.loudest.endAll(at)
					}
				}
			}
			if len(e.Identities) == 0 {
				v.loudest.endAll(at)
			} else {
				v.loudest.begin(e.Identities[0], at)
			}
		}
	}
	v.speaking.endAll(end)
	v.loudest.endAll(end)
	return v
}

// change is that another one is followed from some time of the film on.
type change struct {
	at       time.Duration
	identity string
}

// follow is whom the picture follows.
func follow(turns []turn) (changes []change) {
	slices.SortStableFunc(turns, func(a, b turn) int { return cmp.Compare(a.From, b.From) })
	for _, t := range turns {
		if t.length() < speaksLeast {
			continue
		}
		at := floor(t.From)
		if n := len(changes); n > 0 {
			if changes[n-1].identity == t.identity {
				continue
			}
			at = max(at, changes[n-1].at+holdLeast)
		}
		if t.To-at >= remainsLeast {
			changes = append(changes, change{at, t.identity})
		}
	}
	return changes
}
