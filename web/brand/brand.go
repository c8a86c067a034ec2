// Package brand reads an operator's brand pack: colours, logo, font, legal notice and
// accessibility statement, from a folder. Everything in it is checked when it is read,
// the contrast of the colours too; what is wrong is named, and nothing of the pack is
// used then.
package brand

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Manifest is the file of the folder that says what is in it.
const Manifest = "brand.yaml"

// Most bytes of a file of a pack.
const (
	maxManifest = 64 << 10
	maxText     = 256 << 10
	maxFile     = 1 << 20
)

// Error says what is wrong with a pack.
type Error struct {
	At     string // where in the manifest, or which file
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("brand pack: %s: %s", e.At, e.Reason) }

// File is a file that pages load.
type File struct {
	Type string // media type
	Body []byte
}

// Page is a text of the operator's: its first line is the title.
type Page struct {
	Title      string
	Paragraphs []string
}

// Pages are a text by language (ISO 639).
type Pages map[string]Page

// Pack is a checked brand pack. It does not change.
type Pack struct {
	// Style replaces colours, logo and font of the client's pages.
	Style []byte
	// Files are what Style names, below Folder.
	Files map[string]File
	// Texts by the name of their address; those that there are.
	Texts map[string]Pages
}

// Folder is where the pages find a pack's files.
const Folder = "/brand/"

// Texts that a pack may have, in the order in which pages name them.
const (
	Legal         = "legal"
	Accessibility = "accessibility"
)

type manifest struct {
	Colours struct {
		Light colours `yaml:"light"`
		Dark  colours `yaml:"dark"`
	} `yaml:"colours"`
	Logo     string `yaml:"logo"`
	LogoDark string `yaml:"logo_dark"`
	Font     struct {
		Family string `yaml:"family"`
		Files  []face `yaml:"files"`
	} `yaml:"font"`
	Legal         map[string]string `yaml:"legal"`
	Accessibility map[string]string `yaml:"accessibility"`
}

type face struct {
	File   string `yaml:"file"`
	Weight int    `yaml:"weight"`
	Italic bool   `yaml:"italic"`
}

// tokens that a pack may replace. The others carry meanings (danger, recording) that are
// the same everywhere.
var tokens = []string{"accent", "accent-hover", "on-accent", "accent-soft", "on-accent-soft", "focus"}

var (
	colour   = regexp.MustCompile(`^#[0-9a-f]{6}$`)
	family   = regexp.MustCompile(`^[\p{L}\p{N}][\p{L}\p{N} -]{0,59}$`)
	fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)
	language = regexp.MustCompile(`^[a-z]{2,3}$`)
)

// Load reads the pack in a folder; nil when there is no such folder. css are the client's
// own tokens, pairs what of them must be told apart (pairs.json). A refusal is an *Error.
func Load(folder, css string, pairs []byte) (*Pack, error) {
	root, err := os.OpenRoot(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open brand pack: %w", err)
	}
	defer root.Close()
	l := loader{root: root, pack: &Pack{Files: make(map[string]File), Texts: make(map[string]Pages)}}
	m, err := l.manifest()
	if err != nil {
		return nil, err
	}
	var style bytes.Buffer
	for _, step := range []func() error{
		func() error { return l.colours(&style, m, css, pairs) },
		func() error { return l.logos(&style, m) },
		func() error { return l.fonts(&style, m) },
		func() error { return l.text(Legal, m.Legal) },
		func() error { return l.text(Accessibility, m.Accessibility) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	style.WriteString(footer)
	l.pack.Style = style.Bytes()
	return l.pack, nil
}

// footer places the links to the texts: below every page, not in a call.
const footer = `.brand-texts { display: flex; flex-wrap: wrap; gap: 0 1.5rem; padding: .5rem var(--sp-5); font-size: .875rem; }
.brand-texts a { color: var(--text-2); padding: .75rem 0; }
#root:has([data-region="bar"]) ~ .brand-texts { display: none; }
.plain-page .lines { white-space: pre-line; }
`

type loader struct {
	root *os.Root
	pack *Pack
}

func (l *loader) manifest() (m manifest, err error) {
	body, err := l.read(Manifest, Manifest, maxManifest)
	if err != nil {
		return m, err
	}
	in := yaml.NewDecoder(bytes.NewReader(body))
	in.KnownFields(true)
	if err := in.Decode(&m); err != nil && !errors.Is(err, io.EOF) {
		return m, &Error{Manifest, err.Error()}
	}
	return m, nil
}

// read takes a file of the folder and of nowhere else.
func (l *loader) read(at, name string, most int64) ([]byte, error) {
	if !fileName.MatchString(name) {
		return nil, &Error{at, fmt.Sprintf("%q is no plain file name", name)}
	}
	f, err := l.root.Open(name)
	if err != nil {
		return nil, &Error{at, fmt.Sprintf("%s: %v", name, reason(err))}
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, &Error{at, name + " is not a regular file"}
	}
	body, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, &Error{at, fmt.Sprintf("%s: %v", name, reason(err))}
	}
	if int64(len(body)) > most {
		return nil, &Error{at, fmt.Sprintf("%s is larger than %d kB", name, most>>10)}
	}
	return body, nil
}

// reason leaves out the path, which the message names already.
func reason(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

func (l *loader) colours(style *bytes.Buffer, m manifest, css string, list []byte) error {
	themes, err := themesOf(css)
	if err != nil {
		return err
	}
	var pairs []pair
	if err := json.Unmarshal(list, &pairs); err != nil {
		return fmt.Errorf("read the pairs of colours: %w", err)
	}
	for _, t := range []struct {
		name string
		own  colours
	}{{light, m.Colours.Light}, {dark, m.Colours.Dark}} {
		at := "colours." + t.name
		for name, value := range t.own {
			if !slices.Contains(tokens, name) {
				return &Error{at, fmt.Sprintf("%s is none of %s", name, strings.Join(tokens, ", "))}
			}
			value = strings.ToLower(value)
			if !colour.MatchString(value) {
				return &Error{at + "." + name, `is no colour such as "#0b5563"`}
			}
			t.own[name], themes[t.name][name] = value, value
		}
		if err := shortfall(t.own, themes[t.name], pairs); err != nil {
			return &Error{at, err.Error()}
		}
	}
	// Each theme by the system's choice and by the reader's own, and never where the other
	// one shows. What the reader's settings ask for (more contrast, forced colours) stays.
	for _, t := range []struct {
		name, other string
		own         colours
	}{{light, dark, m.Colours.Light}, {dark, light, m.Colours.Dark}} {
		if len(t.own) > 0 {
			fmt.Fprintf(style, "@media (prefers-color-scheme: %s) and (not (prefers-contrast: more)) { :root:not([data-theme=%q]) {%s } }\n", t.name, t.other, rules(t.own))
			fmt.Fprintf(style, "@media not (prefers-contrast: more) { :root[data-theme=%q] {%s } }\n", t.name, rules(t.own))
		}
	}
	return nil
}

// rules are the colours as declarations, in the order of tokens.
func rules(own colours) (out string) {
	for _, name := range tokens {
		if value, ok := own[name]; ok {
			out += " --" + name + ": " + value + ";"
		}
	}
	return out
}

var imageTypes = map[string]string{".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}

func (l *loader) logos(style *bytes.Buffer, m manifest) error {
	for _, logo := range []struct {
		at, name string
		under    []string // rules around, with the place of the style's own
	}{
		{"logo", m.Logo, []string{":root %s"}},
		{"logo_dark", m.LogoDark, []string{"@media (prefers-color-scheme: dark) { :root:not([data-theme=\"light\"]) %s }", ":root[data-theme=\"dark\"] %s"}},
	} {
		if logo.name == "" {
			continue
		}
		body, err := l.read(logo.at, logo.name, maxFile)
		if err != nil {
			return err
		}
		kind, ok := imageTypes[strings.ToLower(filepath.Ext(logo.name))]
		if !ok {
			return &Error{logo.at, logo.name + " is neither .svg, .png nor .webp"}
		}
		if kind == "image/svg+xml" {
			err = drawing(body)
		} else if got := http.DetectContentType(body); got != kind {
			err = fmt.Errorf("is %s inside", got)
		}
		if err != nil {
			return &Error{logo.at, fmt.Sprintf("%s: %v", logo.name, err)}
		}
		l.pack.Files[logo.name] = File{kind, body}
		// As a picture it runs nothing and loads nothing, whatever is in it.
		for _, under := range logo.under {
			fmt.Fprintf(style, under+"\n", ".brand .logo { display: none; }")
			fmt.Fprintf(style, under+"\n", fmt.Sprintf(".brand::before { content: \"\"; flex: none; inline-size: 3.5rem; block-size: 2.25rem; background: url(%s%s) center / contain no-repeat; }", Folder, logo.name))
		}
	}
	return nil
}

// drawing looks whether a file is well-formed and an svg element.
func drawing(body []byte) error {
	in := xml.NewDecoder(bytes.NewReader(body))
	first := true
	for {
		t, err := in.Token()
		if errors.Is(err, io.EOF) && !first {
			return nil
		}
		if err != nil {
			return errors.New("is no well-formed SVG")
		}
		if start, ok := t.(xml.StartElement); ok && first {
			if start.Name.Local != "svg" {
				return fmt.Errorf("begins with %s, not svg", start.Name.Local)
			}
			first = false
		}
	}
}

func (l *loader) fonts(style *bytes.Buffer, m manifest) error {
	if m.Font.Family == "" {
		if len(m.Font.Files) > 0 {
			return &Error{"font.family", "is missing"}
		}
		return nil
	}
	if !family.MatchString(m.Font.Family) {
		return &Error{"font.family", "has other signs than letters, digits, spaces and hyphens"}
	}
	for i, f := range m.Font.Files {
		at := fmt.Sprintf("font.files[%d]", i)
		body, err := l.read(at, f.File, maxFile)
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(body, []byte("wOF2")) {
			return &Error{at, f.File + " is no WOFF2 font"}
		}
		if f.Weight < 1 || f.Weight > 1000 {
			return &Error{at, fmt.Sprintf("weight %d is not within 1 and 1000", f.Weight)}
		}
		slope := "normal"
		if f.Italic {
			slope = "italic"
		}
		l.pack.Files[f.File] = File{"font/woff2", body}
		// Nobody waits for it to read.
		fmt.Fprintf(style, "@font-face { font-family: %q; font-weight: %d; font-style: %s; font-display: swap; src: url(%s%s) format(\"woff2\"); }\n", m.Font.Family, f.Weight, slope, Folder, f.File)
	}
	fmt.Fprintf(style, ":root { --font: %q, \"Segoe UI\", Roboto, \"Noto Sans\", \"Liberation Sans\", Arial, \"Noto Sans Arabic\", \"Noto Sans SC\", sans-serif; }\n", m.Font.Family)
	return nil
}

func (l *loader) text(name string, byLanguage map[string]string) error {
	for lang, file := range byLanguage {
		at := name + "." + lang
		if !language.MatchString(lang) {
			return &Error{at, "is no language such as fr"}
		}
		body, err := l.read(at, file, maxText)
		if err != nil {
			return err
		}
		page, err := paragraphs(string(body))
		if err != nil {
			return &Error{at, fmt.Sprintf("%s: %v", file, err)}
		}
		if l.pack.Texts[name] == nil {
			l.pack.Texts[name] = make(Pages)
		}
		l.pack.Texts[name][lang] = page
	}
	return nil
}

// paragraphs reads plain text: a title in the first line, then paragraphs between empty lines.
func paragraphs(text string) (p Page, err error) {
	text = strings.ReplaceAll(strings.TrimPrefix(text, "\ufeff"), "\r\n", "\n")
	if !utf8.ValidString(text) {
		return p, errors.New("is not UTF-8")
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }); i >= 0 {
		return p, fmt.Errorf("has a control character at byte %d", i)
	}
	title, rest, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n")
	if p.Title = strings.TrimSpace(title); p.Title == "" || utf8.RuneCountInString(p.Title) > 100 {
		return p, errors.New("needs a title of at most 100 characters in its first line")
	}
	for part := range strings.SplitSeq(rest, "\n\n") {
		if part = strings.TrimSpace(part); part != "" {
			p.Paragraphs = append(p.Paragraphs, part)
		}
	}
	if len(p.Paragraphs) == 0 {
		return p, errors.New("has a title and no text")
	}
	return p, nil
}
