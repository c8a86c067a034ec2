package web

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"aparte/web/brand"
)

//go:embed src/ui/tokens.css
var tokens string

//go:embed scripts/pairs.json
var pairs []byte

// LoadBrand reads the operator's brand pack, see [brand.Load]; nil when there is none.
func LoadBrand(folder string) (*brand.Pack, error) { return brand.Load(folder, tokens, pairs) }

// wear puts a brand pack on: its style and files are assets, every page loads the style
// after its own and names the texts, and each text is a page.
func wear(assets map[string]*asset, pack *brand.Pack) error {
	folder := strings.TrimPrefix(brand.Folder, "/")
	assets[folder+"style.css"] = newAsset("text/css; charset=utf-8", pack.Style)
	for name, f := range pack.Files {
		assets[folder+name] = newAsset(f.Type, f.Body)
	}
	link := `<link rel="stylesheet" href="` + brand.Folder + `style.css">`
	for name, a := range assets {
		if path.Ext(name) != ".html" {
			continue
		}
		lang := "fr" // the pages' source
		if found := pageLanguage.FindSubmatch(a.body[""]); found != nil {
			lang = string(found[1])
		}
		texts, err := linksTo(pack, lang)
		if err != nil {
			return err
		}
		body := bytes.Replace(a.body[""], []byte("</head>"), []byte(link+"</head>"), 1)
		body = bytes.Replace(body, []byte("</body>"), append(texts, "</body>"...), 1)
		if !bytes.Contains(body, []byte(link)) {
			return fmt.Errorf("%s has no head to put the brand pack in", name)
		}
		worn := newAsset(a.contentType, body)
		var small bytes.Buffer
		out := gzip.NewWriter(&small)
		if _, err := out.Write(body); err != nil {
			return err
		}
		if err := out.Close(); err != nil {
			return err
		}
		worn.body["gzip"] = small.Bytes()
		assets[name] = worn
	}
	styles := bytes.Join(stylesheet.FindAll(assets["guest.html"].body[""], -1), nil)
	for name, pages := range pack.Texts {
		for lang, page := range pages {
			body, err := textPage(lang, page, styles)
			if err != nil {
				return err
			}
			assets[name+"."+lang+".html"] = newAsset("text/html; charset=utf-8", body)
		}
	}
	return nil
}

var (
	stylesheet   = regexp.MustCompile(`<link rel="stylesheet"[^>]*>`)
	pageLanguage = regexp.MustCompile(`<html lang="([a-z]+)"`)
)

func newAsset(contentType string, body []byte) *asset {
	return &asset{body: map[string][]byte{"": body}, contentType: contentType, etag: etagOf(body)}
}

var footer = template.Must(template.New("").Parse(
	`<footer class="brand-texts">{{range .}}<a href="{{.Address}}" lang="{{.Lang}}" target="_blank" rel="noopener">{{.Title}}</a>{{end}}</footer>`))

type textLink struct{ Address, Lang, Title string }

// linksTo are the links to the texts, in the language of the page as far as there is one.
func linksTo(pack *brand.Pack, lang string) ([]byte, error) {
	var links []textLink
	for _, name := range []string{brand.Legal, brand.Accessibility} {
		if pages := pack.Texts[name]; len(pages) > 0 {
			found := nearest(slices.Sorted(maps.Keys(pages)), lang, "en", "fr")
			links = append(links, textLink{"/" + name + "?lang=" + lang, found, pages[found].Title})
		}
	}
	if links == nil {
		return nil, nil
	}
	var out bytes.Buffer
	err := footer.Execute(&out, links)
	return out.Bytes(), err
}

// nearest is the first wish that there is, or the first there is.
func nearest(there []string, wishes ...string) string {
	for _, wish := range wishes {
		if slices.Contains(there, wish) {
			return wish
		}
	}
	return there[0]
}

var text = template.Must(template.New("").Parse(`<!doctype html>
<html lang="{{.Lang}}" dir="{{.Dir}}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark"><link rel="icon" href="/icon.svg" type="image/svg+xml"><title>{{.Title}}</title>{{.Styles}}</head>
<body><header class="top"><div class="brand"></div></header><main id="main" class="plain-page"><div class="card"><h1>{{.Title}}</h1>{{range .Paragraphs}}<p class="lines" dir="auto">{{.}}</p>{{end}}</div></main></body>
</html>
`))

func textPage(lang string, p brand.Page, styles []byte) ([]byte, error) {
	dir := "ltr"
	if slices.Contains([]string{"ar", "fa", "he", "ur"}, lang) {
		dir = "rtl"
	}
	var out bytes.Buffer
	err := text.Execute(&out, struct {
		brand.Page
		Lang, Dir string
		Styles    template.HTML // from our own page
	}{p, lang, dir, template.HTML(styles)})
	return out.Bytes(), err
}

// textFor names the page of a text that is asked for at an address, if there is one, in
// the language that the browser prefers.
func (h handler) textFor(r *http.Request) (page string, ok bool) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name != brand.Legal && name != brand.Accessibility {
		return "", false
	}
	var there []string
	for file := range h.assets {
		if rest, found := strings.CutPrefix(file, name+"."); found {
			there = append(there, strings.TrimSuffix(rest, ".html"))
		}
	}
	if len(there) == 0 {
		return "", false
	}
	slices.Sort(there)
	return name + "." + nearest(there, append(preferred(r), "en", "fr")...) + ".html", true
}
