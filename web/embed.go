// Package web embeds the browser client's build and serves it.
//
// Start with [Handler]: it is the whole of what a browser loads before it
// talks to the API. The client itself is TypeScript under src.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"golang.org/x/text/language"

	"aparte/web/brand"
)

//go:embed all:dist
var dist embed.FS

// ErrNotBuilt says that the binary was built before the web client was.
var ErrNotBuilt = errors.New("the web client is not in this binary: build it with 'make build'")

// pageFor names the HTML file that answers a page address. The guest's entry
// is a page of its own because it must stay light on a bad link.
func pageFor(urlPath string) (file string, known bool) {
	place, below, _ := strings.Cut(strings.TrimPrefix(urlPath, "/"), "/")
	switch place {
	case "i":
		return "guest.html", below != ""
	case "", "signin", "setup", "account", "password", "accounts", "audit", "health":
		return "index.html", below == ""
	case "meetings", "m", "posts", "profiles":
		return "index.html", true
	case "recordings":
		below = strings.TrimRight(below, "/")
		return "index.html", below == "" || below == "open" || strings.Count(below, "/") == 1 // of a meeting, one
	}
	return "index.html", false
}

// encodings are tried in this order; the build writes them beside each file.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

type asset struct {
	body        map[string][]byte // by content encoding, "" is the plain file
	contentType string
	etag        string
}

// Handler serves the embedded build of the web client with the page's armour
// (Content-Security-Policy and its kin), in the operator's brand if pack is not
// nil. It returns [ErrNotBuilt] when the build is missing from the binary.
func Handler(pack *brand.Pack) (http.Handler, error) {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	return newHandler(sub, pack)
}

func newHandler(files fs.FS, pack *brand.Pack) (http.Handler, error) {
	assets, err := load(files)
	if err != nil {
		return nil, fmt.Errorf("read web client: %w", err)
	}
	if assets["index.html"] == nil {
		return nil, ErrNotBuilt
	}
	if assets["guest.html"] == nil {
		assets["guest.html"] = assets["index.html"]
	}
	if pack != nil {
		if err := wear(assets, pack); err != nil {
			return nil, fmt.Errorf("put the brand pack on: %w", err)
		}
	}
	return handler{assets}, nil
}

func load(files fs.FS) (map[string]*asset, error) {
	assets := make(map[string]*asset)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		encoding, plain := "", name
		for _, e := range encodings {
			if base, found := strings.CutSuffix(name, e.suffix); found {
				encoding, plain = e.name, base
			}
		}
		a := assets[plain]
		if a == nil {
			a = &asset{body: make(map[string][]byte)}
			assets[plain] = a
		}
		a.body[encoding] = body
		if encoding == "" {
			a.etag = etagOf(body)
			a.contentType = contentType(plain)
		}
		return nil
	})
	for name, a := range assets {
		if a.body[""] == nil {
			delete(assets, name)
		}
	}
	return assets, err
}

// etagOf tells bodies apart; the content encoding is added to it.
func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// contentType does not ask the machine's mime tables first, which differ.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".wasm":
		return "application/wasm"
	case ".webmanifest":
		return "application/manifest+json"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

type handler struct{ assets map[string]*asset }

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	armour(w.Header())
	if strings.TrimRight(r.URL.Path, "/") == openingPage {
		oneWorker(w.Header())
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are answered here", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if a := h.assets[name]; a != nil && path.Ext(name) != ".html" {
		cache := "no-cache"
		if strings.HasPrefix(name, "assets/") { // the build puts a hash of the content in these names
			cache = "public, max-age=31536000, immutable"
		}
		serve(w, r, a, cache)
		return
	}
	if page, ok := h.textFor(r); ok {
		w.Header().Add("Vary", "Accept-Language")
		serve(w, r, h.assets[page], "no-cache")
		return
	}
	page, known := pageFor(r.URL.Path)
	if !known {
		// The page itself says that there is nothing at this address.
		w = &notFound{ResponseWriter: w}
	}
	if page == "guest.html" {
		w.Header().Add("Vary", "Accept-Language")
		page = h.inLanguage(r)
	}
	serve(w, r, h.assets[page], "no-cache")
}

// inLanguage names the guest's page in the language that it will open with once
// its script runs: by ?lang=, then the browser's list, as far as the build has it
// (preferredLang in src/i18n). What the browser keeps, and the link's own
// language, which nobody learns before the link is redeemed, come after that.
func (h handler) inLanguage(r *http.Request) string {
	for _, lang := range preferred(r) {
		if page := "guest." + lang + ".html"; h.assets[page] != nil {
			return page
		}
	}
	return "guest.html"
}

// preferred are the languages that a request asks for, best first.
func preferred(r *http.Request) (out []string) {
	wanted, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language")) // what cannot be read prefers nothing
	if asked, err := language.Parse(r.URL.Query().Get("lang")); err == nil {
		wanted = append([]language.Tag{asked}, wanted...)
	}
	for _, tag := range wanted {
		base, _ := tag.Base()
		out = append(out, base.String())
	}
	return out
}

func serve(w http.ResponseWriter, r *http.Request, a *asset, cache string) {
	header := w.Header()
	header.Set("Cache-Control", cache)
	header.Set("Content-Type", a.contentType)
	header.Add("Vary", "Accept-Encoding")
	encoding := choose(r.Header.Get("Accept-Encoding"), a)
	etag := `"` + a.etag + `"`
	if encoding != "" {
		header.Set("Content-Encoding", encoding)
		etag = `"` + a.etag + "-" + encoding + `"`
	}
	header.Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body[encoding]))
}

// choose returns the best content encoding that the client named and the
// build has. A quality of zero is a refusal; other qualities are not weighed.
func choose(accept string, a *asset) string {
	for _, e := range encodings {
		if a.body[e.name] == nil {
			continue
		}
		for part := range strings.SplitSeq(accept, ",") {
			name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
			q := strings.ReplaceAll(params, " ", "")
			refused := strings.HasPrefix(q, "q=0") && strings.Trim(q[3:], ".0") == ""
			if strings.EqualFold(strings.TrimSpace(name), e.name) && !refused {
				return e.name
			}
		}
	}
	return ""
}

type notFound struct{ http.ResponseWriter }

func (w *notFound) WriteHeader(status int) {
	if status == http.StatusOK {
		status = http.StatusNotFound
	}
	w.ResponseWriter.WriteHeader(status)
}

// openingPage opens recordings, in a worker.
const openingPage = "/recordings/open"

// oneWorker lets a page start the script of a worker, which is a sink of Trusted Types:
// by one policy, which can be made once and is (src/features/opening/engine.ts), and which
// knows a single address of ours. Markup and scripts remain refused: it makes neither.
func oneWorker(h http.Header) {
	h.Set("Content-Security-Policy", strings.Replace(h.Get("Content-Security-Policy"), "trusted-types 'none'", "trusted-types opener", 1))
}

// armour sets what keeps other people's pages and scripts away from ours.
// The Content-Security-Policy names no other origin: nothing is ever fetched
// from one. Trusted Types without any policy mean that no text ever becomes
// markup or a script, whoever wrote it; browsers that do not know the directive
// ignore it (CSP3, section 2.2.1).
func armour(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "+
		"img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; font-src 'self'; worker-src 'self' blob:; "+
		"manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "+
		"require-trusted-types-for 'script'; trusted-types 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), fullscreen=(self), "+
		"picture-in-picture=(self), screen-wake-lock=(self), speaker-selection=(self), geolocation=(), payment=(), usb=(), midi=(), serial=(), hid=()")
}
