package compose

import (
	"strings"
	"unicode"
)

// nameMost is how many characters of a name are shown.
const nameMost = 60

// displayed is a name as it may be written into a picture or a list: on one line, without
// what controls a terminal or turns the direction of writing of what follows. The joiners
// without which Persian and some scripts of India cannot be written stay.
func displayed(name string) string { return shown(name, nameMost) }

// shown is any text in that way, of at most so many characters.
func shown(text string, most int) string {
	const nonJoiner, joiner = '\u200c', '\u200d'
	text = strings.Map(func(r rune) rune {
		switch {
		case r == nonJoiner, r == joiner:
			return r
		case unicode.IsSpace(r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return ' '
		case unicode.Is(unicode.C, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, text)
	return Shortened(strings.Join(strings.Fields(text), " "), most)
}

// Shortened has at most so many characters, the last of them an ellipsis where some were
// left out.
func Shortened(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return strings.TrimRight(string(runes[:max(most-1, 0)]), " ") + "…"
}
