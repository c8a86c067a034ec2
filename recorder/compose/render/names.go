package render

import (
	"fmt"
	"strings"
	"time"

	"aparte/recorder/compose"
)

// Colours of a film, as ffmpeg has them, and as ASS does: blue, green, red.
const (
	background = "0x14171a"
	tileColour = "0x2a2f36"
	marked     = "&H005AC832" // around whoever speaks

	frameWidth = 4 // of that, in pixels
)

// Sizes of letters on a tile, in pixels, and how many characters of them surely fit into
// a pixel of width.
const (
	labelSize, nameSize = 20, 34
	perPixel            = 1.9
)

// names is what is written into an interval: a label on each picture, a name in the middle
// of each tile without one, and a frame around whoever speaks. It is a file of libass,
// which shapes and turns Arabic as it has to be.
func names(plan *compose.Plan, i compose.Interval) string {
	var b strings.Builder
	fmt.Fprintf(&b, `[Script Info]
ScriptType: v4.00+
PlayResX: %d
PlayResY: %d
WrapStyle: 2
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: label,Sans,%d,&H00FFFFFF,&H00FFFFFF,&H50000000,&H50000000,0,0,0,0,100,100,0,0,3,5,0,1,0,0,0,-1
Style: name,Sans,%d,&H00FFFFFF,&H00FFFFFF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,0,0,5,0,0,0,-1
Style: frame,Sans,20,%s,%[5]s,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,0,0,7,0,0,0,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
`, compose.Width, compose.Height, labelSize, nameSize, marked)
	line := func(layer int, s compose.Span, style, tags, text string) {
		fmt.Fprintf(&b, "Dialogue: %d,%s,%s,%s,,0,0,0,,{%s}%s\n", layer, assTime(s.From), assTime(s.To), style, tags, text)
	}
	always := compose.Span{From: 0, To: i.To - i.From + time.Minute}
	for _, t := range i.Tiles {
		clip := fmt.Sprintf(`\clip(%d,%d,%d,%d)`, t.X, t.Y, t.X+t.W, t.Y+t.H)
		if t.File == "" {
			size := min(nameSize, t.H/6)
			line(1, always, "name", fmt.Sprintf(`\fs%d\pos(%d,%d)`, size, t.X+t.W/2, t.Y+t.H/2)+clip, literal(t.Name, t.W, size))
		} else {
			line(1, always, "label", fmt.Sprintf(`\pos(%d,%d)`, t.X+10, t.Y+t.H-10)+clip, literal(t.Name, t.W, labelSize))
		}
		if t.Screen || len(i.Tiles) == 1 {
			continue
		}
		for _, s := range plan.Speech {
			during := compose.Span{From: max(s.From, i.From) - i.From, To: min(s.To, i.To) - i.From}
			if s.Identity == t.Identity && during.From < during.To {
				for _, side := range frame(t.Box) {
					line(0, during, "frame", `\pos(0,0)\p1`, side)
				}
			}
		}
	}
	if i.Left > 0 {
		line(2, always, "label", fmt.Sprintf(`\an9\pos(%d,10)`, compose.Width-10), literal(plan.Language.More(i.Left), compose.Width, labelSize))
	}
	return b.String()
}

// frame are the four sides of a frame inside a box, as drawings. They are four and not one,
// because whatever is drawn is blended in the whole rectangle it lies in, again for each
// picture: one frame would be blended all over the tile, and cost more than the rest of it.
func frame(b compose.Box) (sides []string) {
	const w = frameWidth
	for _, s := range []compose.Box{
		{X: b.X, Y: b.Y, W: b.W, H: w},
		{X: b.X, Y: b.Y + b.H - w, W: b.W, H: w},
		{X: b.X, Y: b.Y + w, W: w, H: b.H - 2*w},
		{X: b.X + b.W - w, Y: b.Y + w, W: w, H: b.H - 2*w},
	} {
		sides = append(sides, fmt.Sprintf("m %d %d l %d %d %d %d %d %d", s.X, s.Y, s.X+s.W, s.Y, s.X+s.W, s.Y+s.H, s.X, s.Y+s.H))
	}
	return sides
}

// literal is a text that libass writes as it is, and that fits. A brace would begin a
// command and a backslash an escape; a word joiner, which shows nothing, takes the
// backslash its meaning.
func literal(s string, width, size int) string {
	const wordJoiner = "\u2060"
	s = compose.Shortened(s, int(perPixel*float64(width-20)/float64(size)))
	return strings.NewReplacer(`\`, `\`+wordJoiner, "{", `\{`, "}", `\}`).Replace(s)
}

func assTime(t time.Duration) string {
	cs := t.Milliseconds() / 10
	return fmt.Sprintf("%d:%02d:%02d.%02d", cs/360_000, cs/6_000%60, cs/100%60, cs%100)
}
