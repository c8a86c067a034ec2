package name

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestFilesAreCalledSomethingThatCanBeKept(t *testing.T) {
	long := strings.Repeat("é", 200)
	for _, c := range []struct {
		typed, kept, kind string
		marked, risky     bool
	}{
		{"note.pdf", "note.pdf", "pdf", false, false},
		{"Procès-verbal n° 3 (signé).PDF", "Procès-verbal n° 3 (signé).PDF", "pdf", false, false},
		{"Capture d’écran 2026-11-26 à 14.03.22.png", "Capture d’écran 2026-11-26 à 14.03.22.png", "png", false, false},
		{"Screenshot at 2.03\u202fPM.png", "Screenshot at 2.03 PM.png", "png", false, false},
		{"Ine\u0302s.txt", "Inês.txt", "txt", false, false},
		{"تقرير.docx", "تقرير.docx", "docx", false, false},
		{"LICENSE", "LICENSE", "", false, false},
		{"archive.tar.gz", "archive.tar.gz", "gz", false, false},
		{"../../etc/passwd", "passwd", "", true, false},
		{`C:\Windows\system32\calc.exe`, "calc.exe", "exe", true, true},
		{".htaccess", "_.htaccess", "htaccess", true, false},
		{"a\x00b.pdf", "a_b.pdf", "pdf", true, false},
		{"a\r\nSet-Cookie: x.pdf", "a__Set-Cookie_ x.pdf", "pdf", true, false},
		{"invoice\u202efdp.exe", "invoice_fdp.exe", "exe", true, true},
		{"invoice.pdf      .exe", "invoice.pdf .exe", "exe", true, true},
		{"invoice.pdf.js", "invoice.pdf.js", "js", false, true},
		{"evil.exe.", "evil.exe", "exe", true, true},
		{"evil.exe   ", "evil.exe", "exe", true, true},
		{"setup.EXE", "setup.EXE", "exe", false, true},
		{"page.Html", "page.Html", "html", false, true},
		{"plan.docm", "plan.docm", "docm", false, true},
		{"photos.iso", "photos.iso", "iso", false, true},
		{"raccourci.lnk", "raccourci.lnk", "lnk", false, true},
		{"économiseur.scr", "économiseur.scr", "scr", false, true},
		{"nоte.pdf", "nоte.pdf", "pdf", true, false}, // a Cyrillic o
		{"con.txt", "_con.txt", "txt", true, false},
		{"NUL", "_NUL", "", true, false},
		{`a"b<c>|d?*.txt`, "a_b_c__d__.txt", "txt", true, false},
		{"\u200bnote.pdf", "_note.pdf", "pdf", true, false},
		{long + ".pdf", strings.Repeat("é", 88) + ".pdf", "pdf", true, false},
		{strings.Repeat("a", 300), strings.Repeat("a", MaxFile), "", true, false},
	} {
		got, err := File("name", c.typed)
		want := FileName{c.kept, c.kind, c.marked, c.risky}
		if err != nil || got != want {
			t.Errorf("%.60q is kept as %+v, %v; want %+v", c.typed, got, err, want)
		}
	}
	for _, typed := range []string{"", " ", ".", "..", "../", "a/", "___", "\u202e", "\x00", "a\xff.pdf", strings.Repeat("a", 5000)} {
		_, err := File("name", typed)
		if field, ok := errors.AsType[*Error](err); !ok || field.Field() != "name" {
			t.Errorf("%.20q: %v, want a refusal that names the field", typed, err)
		}
	}
}

func FuzzFileNames(f *testing.F) {
	for _, seed := range []string{"note.pdf", "../../x", "a\x00.exe", "\u202e.exe", "con", " . ", "é\xff", strings.Repeat("é.", 200), ".\u0301", "_._", strings.Repeat("\x17", 300) + "00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		got, err := File("name", typed)
		if err != nil {
			return
		}
		n := got.Name
		bad := func(r rune) bool { return unicode.IsControl(r) || hidden(r) || strings.ContainsRune(`/\<>:"|?*`, r) }
		switch {
		case n == "", len(n) > MaxFile, !utf8.ValidString(n), strings.ContainsFunc(n, bad):
			t.Fatalf("%q is kept as %q", typed, n)
		case n[0] == '.', strings.HasSuffix(n, "."), strings.HasSuffix(n, " "), strings.HasPrefix(n, " "), strings.Contains(n, "  "):
			t.Fatalf("%q is kept as %q, which systems read otherwise", typed, n)
		case !got.Suspicious && norm.NFC.String(strings.Join(strings.Fields(typed), " ")) != n:
			t.Fatalf("%q became %q unmarked", typed, n)
		}
		again, err := File("name", n)
		if err != nil || again.Name != n || again.Kind != got.Kind || again.Risky != got.Risky {
			t.Fatalf("%q is kept as %+v, and that as %+v, %v", typed, got, again, err)
		}
	})
}
