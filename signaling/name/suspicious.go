package name

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxMarks is how many combining marks may stack on one letter. Vietnamese and
// vocalised Hebrew need three.
const maxMarks = 3

// Suspicious reports whether s can deceive the eye: characters that reorder or
// that nobody sees, letters of scripts that do not meet inside one word,
// typographic stand-ins for letters, towers of marks.
func Suspicious(s string) bool {
	marks := 0
	for i, r := range s {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
			if marks++; marks > maxMarks {
				return true
			}
			continue
		}
		marks = 0
		if hidden(r) && !joins(s, i, r) || standIn(r) {
			return true
		}
	}
	for word := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		if mixed(word) {
			return true
		}
	}
	return false
}

// Imitates reports whether typed looks like the invited name though it is
// written with other letters.
func Imitates(typed, invited string) bool {
	if typed == "" || typed == invited {
		return false
	}
	return skeleton(typed) == skeleton(invited) && strings.Join(words(typed), " ") != strings.Join(words(invited), " ")
}

// hidden are characters without a picture of their own: bidi controls, zero
// width, soft hyphen, variation selectors, fillers, tags.
func hidden(r rune) bool {
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) ||
		unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) || r == 0x2800
}

// joins reports whether r is a joiner where its script needs one: U+200C and
// U+200D between letters of Arabic or an Indic script.
func joins(s string, i int, r rune) bool {
	if r != 0x200C && r != 0x200D {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
	return needsJoiner(before) && needsJoiner(after)
}

func needsJoiner(r rune) bool {
	return unicode.In(r, unicode.Arabic, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati,
		unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala)
}

// standIn reports letters and digits that are another one in costume:
// mathematical, full-width, enclosed. Spanish and Portuguese write ª and º.
func standIn(r rune) bool {
	if r < 0x80 || r == 'ª' || r == 'º' || !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.Is(unicode.So, r) {
		return false
	}
	for _, c := range norm.NFKC.String(string(r)) {
		return c != r && c < 0x80
	}
	return false
}

// mixed reports whether a word takes letters from scripts that are not written
// together. Japanese, Korean and Chinese mix by nature, also with Latin.
func mixed(word string) bool {
	var first *unicode.RangeTable
	for _, r := range word {
		script := scriptOf(r)
		if script == nil {
			continue
		}
		if first == nil {
			first = script
		} else if first != script {
			return true
		}
	}
	return false
}

// scriptOf returns nil for what goes with every script.
func scriptOf(r rune) *unicode.RangeTable {
	if unicode.In(r, unicode.Common, unicode.Inherited, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo) {
		return nil
	}
	for _, script := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Arabic, unicode.Hebrew, unicode.Armenian, unicode.Devanagari} {
		if unicode.Is(script, r) {
			return script
		}
	}
	for _, script := range unicode.Scripts {
		if unicode.Is(script, r) {
			return script
		}
	}
	return nil
}

// lookAlike are Cyrillic, Greek and Armenian letters drawn like Latin ones, in
// lower case.
var lookAlike = map[rune]rune{
	'а': 'a', 'е': 'e', 'о': 'o', 'р': 'p', 'с': 'c', 'у': 'y', 'х': 'x', 'і': 'i', 'ј': 'j', 'ѕ': 's', 'ԁ': 'd', 'һ': 'h', 'ӏ': 'l', 'ԛ': 'q', 'ԝ': 'w',
	'в': 'b', 'н': 'h', 'к': 'k', 'м': 'm', 'т': 't',
	'α': 'a', 'ο': 'o', 'ν': 'v', 'ι': 'i', 'κ': 'k', 'ρ': 'p', 'τ': 't', 'υ': 'u', 'χ': 'x', 'ε': 'e', 'η': 'n', 'β': 'b', 'γ': 'y', 'μ': 'm', 'ζ': 'z',
	'օ': 'o', 'ս': 'u', 'հ': 'h', 'ո': 'n', 'ց': 'g',
	'ı': 'i', '0': 'o', '1': 'l', '|': 'l', 'ɑ': 'a', 'ɡ': 'g', 'ｌ': 'l',
}

// skeleton maps a name to what it looks like at a glance.
func skeleton(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || hidden(r) || unicode.IsSpace(r) {
			return -1
		}
		r = unicode.ToLower(r)
		if l, ok := lookAlike[r]; ok {
			return l
		}
		return r
	}, norm.NFKD.String(s))
}
