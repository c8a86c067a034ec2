package name

import (
	"strings"
	"testing"
)

func TestTextsKeepTheirLines(t *testing.T) {
	for _, c := range []struct{ typed, kept string }{
		{"  a\r\nb\n\n\tc  ", "a\nb\n\n\tc"},
		{"Ine\u0302s", "Inês"},
		{"👍", "👍"},
		{strings.Repeat("é", 2048), strings.Repeat("é", 2048)},
		{strings.Repeat("é", 2049), "!"},
		{strings.Repeat("a", 1<<20), "!"},
		{"", "!"},
		{"\n \t", "!"},
		{"\u200b", "!"},
		{"a\rb", "!"},
		{"a\x1b[1m", "!"},
		{"a\u2028b", "!"},
		{"a\xff", "!"},
		{"\ue000", "!"},
	} {
		kept, err := Text("text", c.typed, MaxText)
		if (err != nil) != (c.kept == "!") || err == nil && kept != c.kept {
			t.Errorf("%.20q was kept as %.20q, %v; want %.20q", c.typed, kept, err, c.kept)
		}
	}
}
