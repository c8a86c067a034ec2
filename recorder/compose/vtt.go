package compose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// messageCue has a message begin at the picture's upper edge, further ones below it: who
// speaks is told at the lower one.
const messageCue = " line:0"

// WebVTT is who speaks when, and what was written, as captions (W3C WebVTT). The name of
// whoever wrote stands on a line of its own: a line goes from left to right, or from right
// to left, by its own first letter.
func (p *Plan) WebVTT() string {
	type cue struct {
		Span

		settings, name, text string
	}
	var cues []cue
	for _, s := range p.Speech {
		cues = append(cues, cue{s.Span, "", s.Name, s.Name})
	}
	for _, m := range p.Messages {
		cues = append(cues, cue{m.Span, messageCue, m.Name, m.Name + "\n" + m.Text})
	}
	slices.SortStableFunc(cues, func(a, b cue) int { return cmp.Compare(a.From, b.From) })
	var b strings.Builder
	b.WriteString("WEBVTT\n\nNOTE " + vocabulary[p.Language].captions + "\n")
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	for _, c := range cues {
		fmt.Fprintf(&b, "\n%s --> %s%s\n<v %s>%s</v>\n", vttTime(c.From), vttTime(c.To), c.settings, escape.Replace(c.name), escape.Replace(c.text))
	}
	return b.String()
}

func vttTime(t time.Duration) string {
	ms := t.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}
