package brand

import (
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const png = "\x89PNG\r\n\x1a\n and so on"

func clientColours(t *testing.T) (css string, pairs []byte) {
	t.Helper()
	text, err := os.ReadFile("../src/ui/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	pairs, err = os.ReadFile("../scripts/pairs.json")
	if err != nil {
		t.Fatal(err)
	}
	return string(text), pairs
}

// folder has the files of a good pack, but for those that are given otherwise; "" takes one away.
func folder(t *testing.T, but map[string]string) string {
	t.Helper()
	files := map[string]string{
		Manifest: `
colours:
  light: { accent: "#5B2A86", accent-hover: "#43206a", focus: "#5b2a86" }
  dark: { accent: "#cdb4e8" }
logo: seal.svg
logo_dark: seal-dark.png
font:
  family: Marianne Libre
  files:
    - { file: text.woff2, weight: 400 }
    - { file: strong.woff2, weight: 600, italic: true }
legal: { fr: legal.fr.txt, ar: legal.ar.txt }
accessibility: { fr: access.txt }
`,
		"seal.svg":      `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>`,
		"seal-dark.png": png,
		"text.woff2":    "wOF2 text",
		"strong.woff2":  "wOF2 strong",
		"legal.fr.txt":  "\ufeffMentions légales\r\n\r\nÉditeur : l’ambassade.\r\nHébergement : elle-même.\r\n\r\n\r\nContact : <accueil>\r\n",
		"legal.ar.txt":  "إشعار قانوني\n\nالناشر: السفارة.\n",
		"access.txt":    "Accessibilité : non conforme\n\nTexte.",
		"unused.exe":    "MZ",
	}
	maps.Copy(files, but)
	dir := t.TempDir()
	for name, body := range files {
		if body == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAGoodPack(t *testing.T) {
	css, pairs := clientColours(t)
	p, err := Load(folder(t, nil), css, pairs)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`@media (prefers-color-scheme: light) and (not (prefers-contrast: more)) { :root:not([data-theme="dark"]) { --accent: #5b2a86; --accent-hover: #43206a; --focus: #5b2a86; } }`,
		`@media not (prefers-contrast: more) { :root[data-theme="light"] { --accent: #5b2a86;`,
		`@media (prefers-color-scheme: dark) and (not (prefers-contrast: more)) { :root:not([data-theme="light"])`,
		`:root:not([data-theme="light"]) { --accent: #cdb4e8; }`, `:root[data-theme="dark"] { --accent: #cdb4e8; }`,
		`url(/brand/seal.svg)`, `@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) .brand .logo { display: none; } }`, `:root[data-theme="dark"] .brand::before {`, `url(/brand/seal-dark.png)`,
		`font-family: "Marianne Libre"; font-weight: 600; font-style: italic; font-display: swap; src: url(/brand/strong.woff2)`,
		`--font: "Marianne Libre", "Segoe UI"`,
	} {
		if !strings.Contains(string(p.Style), want) {
			t.Errorf("the style lacks %s:\n%s", want, p.Style)
		}
	}
	if got, want := slices.Sorted(maps.Keys(p.Files)), []string{"seal-dark.png", "seal.svg", "strong.woff2", "text.woff2"}; !slices.Equal(got, want) {
		t.Errorf("served are %v, want %v", got, want)
	}
	legal := p.Texts[Legal]["fr"]
	if legal.Title != "Mentions légales" || !slices.Equal(legal.Paragraphs, []string{"Éditeur : l’ambassade.\nHébergement : elle-même.", "Contact : <accueil>"}) {
		t.Errorf("the legal notice is %+v", legal)
	}
	if p.Texts[Legal]["ar"].Title != "إشعار قانوني" || p.Texts[Accessibility]["fr"].Title == "" {
		t.Errorf("texts: %+v", p.Texts)
	}
}

func TestNoPackAndAnEmptyOne(t *testing.T) {
	css, pairs := clientColours(t)
	if p, err := Load(filepath.Join(t.TempDir(), "brand"), css, pairs); p != nil || err != nil {
		t.Errorf("no folder: %v, %v", p, err)
	}
	if p, err := Load(folder(t, map[string]string{Manifest: "# nothing yet\n"}), css, pairs); err != nil || len(p.Files)+len(p.Texts) > 0 {
		t.Errorf("nothing in the manifest: %+v, %v", p, err)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	css, pairs := clientColours(t)
	link := folder(t, nil)
	if err := os.Remove(filepath.Join(link, "access.txt")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(link, "access.txt")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		dir    string
		at     string
		reason string
	}{
		{"no manifest", folder(t, map[string]string{Manifest: ""}), Manifest, "no such file"},
		{"no YAML", folder(t, map[string]string{Manifest: "colours: ["}), Manifest, "yaml"},
		{"an unknown field", folder(t, map[string]string{Manifest: "color: {}"}), Manifest, "field color not found"},
		{"a pale accent", folder(t, map[string]string{Manifest: `colours: { light: { accent: "#7cc6d5" } }`}), "colours.light", "accent on bg has a contrast of 1.7, needs 4.5"},
		{"a dim accent", folder(t, map[string]string{Manifest: `colours: { dark: { accent: "#0b5563" } }`}), "colours.dark", "accent on bg has a contrast of 2."},
		{"words on it", folder(t, map[string]string{Manifest: `colours: { light: { on-accent: "#0b5563" } }`}), "colours.light", "on-accent on accent has a contrast of 1.0"},
		{"no colour", folder(t, map[string]string{Manifest: `colours: { light: { accent: "red; } body { display: none" } }`}), "colours.light.accent", "no colour"},
		{"a colour with a meaning", folder(t, map[string]string{Manifest: `colours: { light: { danger: "#000000" } }`}), "colours.light", "danger is none of"},
		{"a way out", folder(t, map[string]string{Manifest: "logo: ../../etc/passwd"}), "logo", "no plain file name"},
		{"a link out", link, "accessibility.fr", "access.txt"},
		{"no such logo", folder(t, map[string]string{"seal.svg": ""}), "logo", "no such file"},
		{"a page as a logo", folder(t, map[string]string{"seal.svg": "<html><script>1</script></html>"}), "logo", "begins with html"},
		{"no XML", folder(t, map[string]string{"seal.svg": "<svg><g></svg>"}), "logo", "no well-formed SVG"},
		{"a program as a logo", folder(t, map[string]string{Manifest: "logo: unused.exe"}), "logo", "neither"},
		{"other inside than outside", folder(t, map[string]string{"seal-dark.png": "GIF89a"}), "logo_dark", "is image/gif inside"},
		{"no font", folder(t, map[string]string{"text.woff2": "OTTO"}), "font.files[0]", "no WOFF2"},
		{"a family that is a rule", folder(t, map[string]string{Manifest: "font: { family: 'x\"; } * { display: none' }"}), "font.family", "other signs"},
		{"a font without a family", folder(t, map[string]string{Manifest: "font: { files: [ { file: text.woff2, weight: 400 } ] }"}), "font.family", "is missing"},
		{"no weight", folder(t, map[string]string{Manifest: "font: { family: X, files: [ { file: text.woff2 } ] }"}), "font.files[0]", "weight 0"},
		{"no language", folder(t, map[string]string{Manifest: "legal: { French: legal.fr.txt }"}), "legal.French", "no language"},
		{"a title alone", folder(t, map[string]string{"legal.fr.txt": "Mentions légales\n"}), "legal.fr", "no text"},
		{"not UTF-8", folder(t, map[string]string{"legal.fr.txt": "L\xe9gal\n\nTexte"}), "legal.fr", "not UTF-8"},
		{"control characters", folder(t, map[string]string{"legal.fr.txt": "Légal\n\n\x1b[31mTexte"}), "legal.fr", "control character"},
		{"too large", folder(t, map[string]string{"text.woff2": "wOF2" + strings.Repeat("x", maxFile)}), "font.files[0]", "larger than 1024 kB"},
	} {
		p, err := Load(c.dir, css, pairs)
		wrong, ok := errors.AsType[*Error](err)
		if p != nil || !ok || wrong.At != c.at || !strings.Contains(wrong.Reason, c.reason) {
			t.Errorf("%s: %v, want %s: … %s …", c.name, err, c.at, c.reason)
		}
	}
}

// The figures of WCAG's own examples, and the client's.
func TestContrast(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{{"#000000", "#ffffff", 21}, {"#777777", "#ffffff", 4.48}, {"#0b5563", "#ffffff", 8.4}, {"#123456", "#123456", 1}} {
		if got := contrast(c.a, c.b); math.Abs(got-c.want) > 0.05 {
			t.Errorf("%s on %s: %.2f, want %.2f", c.a, c.b, got, c.want)
		}
	}
}

// What a pack may replace is there, and the client's own colours are enough.
func TestOwnColours(t *testing.T) {
	css, _ := clientColours(t)
	themes, err := themesOf(css)
	if err != nil {
		t.Fatal(err)
	}
	for theme, all := range themes {
		for _, name := range tokens {
			if all[name] == "" {
				t.Errorf("%s has no %s", theme, name)
			}
		}
	}
	if themes[light]["accent"] == themes[dark]["accent"] {
		t.Error("the dark theme was not found")
	}
}
