// Package name judges what people type about themselves and their meetings:
// names, organisations, titles, labels.
//
// What is typed is kept (in Unicode's composed form, trimmed), because a name is
// its bearer's business. Control characters are refused, because nothing shows
// them. Everything else that can deceive the eye is marked, never hidden: the
// host decides, knowing. Showing a name isolated (bdi) is the screen's duty.
package name

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Error says which field cannot be kept as typed and why.
type Error struct {
	// At is the field's name in the API, such as "guest_name".
	At string
	// Reason completes "the field ...".
	Reason string
	// Code is the kind of reason, for programs; "" where none has asked for it yet.
	Code Code
}

// Code is a kind of reason for which a field cannot be kept. A screen has words for it
// in every language; it never changes.
type Code string

// What can be wrong with any text.
const (
	CodeRequired   Code = "required"
	CodeTooLong    Code = "too-long"
	CodeUnshowable Code = "unshowable" // invalid UTF-8, control characters and the like
)

func (e *Error) Error() string { return e.At + " " + e.Reason }

// Field is the name of the field at fault.
func (e *Error) Field() string { return e.At }

// Limits of length, in runes.
const (
	MaxName    = 80
	MaxTitle   = 120
	MaxMessage = 500
)

// Required is Optional for a field that must hold something visible.
func Required(field, typed string, maxRunes int) (string, error) {
	kept, err := Optional(field, typed, maxRunes)
	if err != nil {
		return "", err
	}
	if !strings.ContainsFunc(kept, visible) {
		return "", &Error{field, "is required", CodeRequired}
	}
	return kept, nil
}

// Optional returns typed as it is kept: composed (NFC) and trimmed. It refuses
// invalid UTF-8, control characters, line and paragraph separators,
// noncharacters, private use, and more than maxRunes.
func Optional(field, typed string, maxRunes int) (string, error) {
	// Composition can shrink text a little; what is far too long is not worth it.
	if len(typed) > 16*maxRunes {
		return "", &Error{field, fmt.Sprintf("is longer than %d characters", maxRunes), CodeTooLong}
	}
	if !utf8.ValidString(typed) {
		return "", &Error{field, "is not valid UTF-8", CodeUnshowable}
	}
	for _, r := range typed {
		if refused(r) {
			return "", &Error{field, fmt.Sprintf("holds a character that cannot be shown (U+%04X)", r), CodeUnshowable}
		}
	}
	kept := strings.TrimSpace(norm.NFC.String(typed))
	if utf8.RuneCountInString(kept) > maxRunes {
		return "", &Error{field, fmt.Sprintf("is longer than %d characters", maxRunes), CodeTooLong}
	}
	return kept, nil
}

func refused(r rune) bool {
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) ||
		unicode.Is(unicode.Co, r) || unicode.Is(unicode.Noncharacter_Code_Point, r) || r == utf8.RuneError
}

func visible(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsPunct(r) || unicode.IsSymbol(r)
}

// Differs reports whether the typed name is another than the invited one.
// Case, accents, punctuation and the order of the words do not count.
func Differs(typed, invited string) bool {
	return !slices.Equal(words(typed), words(invited))
}

// Folded is equal for names that do not differ.
func Folded(s string) string { return strings.Join(words(s), " ") }

func words(s string) []string {
	folded := strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsLetter(r) || unicode.IsNumber(r):
			return unicode.ToLower(unicode.ToUpper(r))
		default:
			return ' '
		}
	}, norm.NFKD.String(s))
	w := strings.Fields(folded)
	slices.Sort(w)
	return w
}
