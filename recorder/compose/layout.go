package compose

import (
	"fmt"
	"slices"
	"time"
)

// Layout is how people are arranged.
type Layout string

// The layouts. Either gives the large place to a shared screen.
const (
	Grid    Layout = "grid"    // all of one size
	Speaker Layout = "speaker" // whoever speaks large, the others in a column
)

// The film's size, in pixels.
const (
	Width  = 1280
	Height = 720
)

// Box is where a tile is, in pixels. All four are even, as chroma wants it.
type Box struct{ X, Y, W, H int }

const (
	gridMost   = 16 // tiles of a grid
	columnMost = 5  // tiles beside a large one
	largeWidth = 1024
	smallWidth = Width - largeWidth
)

// gridBoxes are n tiles of one size, row by row, the last row in the middle.
func gridBoxes(n int) []Box {
	columns := 1
	for columns*columns < n {
		columns++
	}
	w := Width / columns &^ 1
	h := w * 9 / 16 &^ 1
	rows := (n + columns - 1) / columns
	boxes := make([]Box, 0, n)
	for i := range n {
		row := i / columns
		inRow := min(columns, n-row*columns)
		boxes = append(boxes, Box{
			X: ((Width-inRow*w)/2 + i%columns*w) &^ 1,
			Y: ((Height-rows*h)/2 + row*h) &^ 1, W: w, H: h,
		})
	}
	return boxes
}

// sideBoxes are a large tile and n small ones in a column beside it.
func sideBoxes(n int) []Box {
	if n == 0 {
		return []Box{{0, 0, Width, Height}}
	}
	large := largeWidth * 9 / 16
	small := smallWidth * 9 / 16
	boxes := []Box{{0, (Height - large) / 2, largeWidth, large}}
	for i := range n {
		boxes = append(boxes, Box{largeWidth, (Height-n*small)/2 + i*small, smallWidth, small})
	}
	return boxes
}

// Tile is somebody's place in an interval.
type Tile struct {
	Box

	Identity string
	Name     string // as it is to be written
	Screen   bool   // what they share, not themselves
	// File is the export's file whose picture is shown; "" where there is none: then the
	// name alone is. Offset is which of the file's own times is shown first.
	File   string
	Offset time.Duration
}

// scene is who is to be seen at a time of the film.
type scene struct {
	people  []*person  // in the order in which they came
	cameras []*picture // of each of them; nil: none
	screens []*picture // the latest first
	speaker string     // whom to follow; "" where that is nobody
}

// arrange places a scene. left is how many people have no place.
func arrange(layout Layout, s scene) (tiles []Tile, left int) {
	var all []Tile
	for i, p := range s.people {
		t := Tile{Identity: p.identity}
		if c := s.cameras[i]; c != nil {
			t.File = c.file
		}
		all = append(all, t)
	}
	for i, screen := range s.screens {
		all = slices.Insert(all, i, Tile{Identity: screen.identity, File: screen.file, Screen: true})
	}
	isSpeaker := func(t Tile) bool { return !t.Screen && t.Identity == s.speaker }
	large := len(s.screens) > 0
	if layout == Speaker && !large {
		if i := slices.IndexFunc(all, isSpeaker); i >= 0 {
			t := all[i]
			all = slices.Insert(slices.Delete(all, i, i+1), 0, t)
			large = true
		}
	}
	most := gridMost
	if large {
		most = 1 + columnMost
	}
	if len(all) > most {
		// Whoever speaks is to be seen.
		if i := slices.IndexFunc(all, isSpeaker); i >= most {
			all[most-1] = all[i]
		}
		left = len(all) - most
		all = all[:most]
	}
	if len(all) == 0 {
		return nil, 0
	}
	boxes := gridBoxes(len(all))
	if large {
		boxes = sideBoxes(len(all) - 1)
	}
	for i := range all {
		all[i].Box = boxes[i]
	}
	return all, left
}

// label is what is written on a tile.
func label(t Tile, name string, words words) string {
	if t.Screen {
		return fmt.Sprintf(words.screen, name)
	}
	return name
}
