package compose

import (
	"fmt"
	"strings"
	"time"
)

// WebVTT is who speaks when, as captions (W3C WebVTT).
func (p *Plan) WebVTT() string {
	var b strings.Builder
	b.WriteString("WEBVTT\n\nNOTE " + vocabulary[p.Language].noChat + "\n")
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	for _, s := range p.Speech {
		name := escape.Replace(s.Name)
		fmt.Fprintf(&b, "\n%s --> %s\n<v %s>%s</v>\n", vttTime(s.From), vttTime(s.To), name, name)
	}
	return b.String()
}

func vttTime(t time.Duration) string {
	ms := t.Milliseconds()
	return fmt.Sprintf("%02d:%02d:%02d.%03d", ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000)
}
