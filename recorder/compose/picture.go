package compose

import (
	"time"

	"aparte/recorder/export"
)

const (
	// stillMost is how long a camera's last picture is shown when no other comes: what
	// is longer is a camera that is off, in a way that nobody told.
	stillMost = 2 * time.Second
	// shownLeast: what is there for less is not shown, since it would only flicker.
	shownLeast = 500 * time.Millisecond
)

// picture is a file with pictures.
type picture struct {
	file     string
	identity string
	start    time.Duration // in the recording
	screen   bool
	shown    spans // in the film's time, whole frames
}

func isSound(f export.File) bool { return f.Codec == "opus" }

func isScreen(f export.File) bool { return f.Source == "screen_share" }

// mediaOf is when a file has something: without its holes.
func mediaOf(f export.File) spans {
	start := seconds(f.Start)
	whole := spans{{start, start + seconds(f.Duration) + Frame}}
	var holes []Span
	for _, h := range f.Holes {
		holes = append(holes, Span{seconds(h.From) + Frame, seconds(h.To)})
	}
	return whole.without(union(holes...))
}

// shownOf is when a file has a picture to show, in the recording's time. What was muted
// has none, and a camera that sends nothing for long is off; a screen on which nothing
// moves is still shared.
func shownOf(f export.File, muted spans) spans {
	start := seconds(f.Start)
	shown := (spans{{start, start + seconds(f.Duration) + Frame}}).without(muted)
	if isScreen(f) {
		return shown
	}
	var off []Span
	for _, h := range f.Holes {
		if from, to := seconds(h.From), seconds(h.To); to-from > stillMost {
			off = append(off, Span{from + shownLeast, to})
		}
	}
	return shown.without(union(off...))
}
