package name

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxText is the longest text of several lines, in bytes of UTF-8.
const MaxText = 4 << 10

// Text is Required for a text of several lines, bounded in bytes: lines end in "\n", and
// a tab stays. Whatever else Optional refuses is refused here too.
func Text(field, typed string, maxBytes int) (string, error) {
	if len(typed) > 2*maxBytes {
		return "", &Error{field, fmt.Sprintf("is longer than %d bytes", maxBytes), CodeTooLong}
	}
	if !utf8.ValidString(typed) {
		return "", &Error{field, "is not valid UTF-8", CodeUnshowable}
	}
	lines := strings.ReplaceAll(typed, "\r\n", "\n")
	for _, r := range lines {
		if refused(r) && r != '\n' && r != '\t' {
			return "", &Error{field, fmt.Sprintf("holds a character that cannot be shown (U+%04X)", r), CodeUnshowable}
		}
	}
	kept := strings.TrimSpace(norm.NFC.String(lines))
	switch {
	case len(kept) > maxBytes:
		return "", &Error{field, fmt.Sprintf("is longer than %d bytes", maxBytes), CodeTooLong}
	case !strings.ContainsFunc(kept, visible):
		return "", &Error{field, "is required", CodeRequired}
	}
	return kept, nil
}
