package export

import (
	"fmt"
	"strings"
	"unicode"
)

// maxPart is how many characters of a name a file name has.
const maxPart = 40

// fileName is the name of a file of the nth track: "03-anne-martin-camera.webm". What somebody
// typed becomes letters, digits and dashes.
func fileName(n int, person, source, extension string) string {
	parts := []string{fmt.Sprintf("%02d", n)}
	for _, s := range []string{person, source} {
		if s = plain(s); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "-") + "." + extension
}

// plain keeps letters and digits, in lower case, and makes one dash of whatever else
// stands between them.
func plain(s string) string {
	var b strings.Builder
	n, dash := 0, false
	for _, r := range strings.ToLower(s) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			dash = b.Len() > 0
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		b.WriteRune(r)
		if n++; n == maxPart {
			break
		}
	}
	return b.String()
}
