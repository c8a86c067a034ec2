package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func built() fstest.MapFS {
	return fstest.MapFS{
		".keep":                {Data: []byte("x")},
		"index.html":           {Data: []byte("<!doctype html>agent")},
		"guest.html":           {Data: []byte("<!doctype html>guest")},
		"guest.html.br":        {Data: []byte("guest in brotli")},
		"guest.fr.html":        {Data: []byte("<!doctype html>invité")},
		"guest.ar.html":        {Data: []byte("<!doctype html>ضيف")},
		"assets/call-1a.js":    {Data: []byte("call()")},
		"assets/call-1a.js.gz": {Data: []byte("call in gzip")},
		"assets/orphan.js.br":  {Data: []byte("no plain file beside it")},
	}
}

func TestPagesAndAssets(t *testing.T) {
	h, err := newHandler(built(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, method, path, accept string
		status                     int
		body, encoding, cache      string
	}{
		{"the start page", "GET", "/", "", 200, "agent", "", "no-cache"},
		{"a head request", "HEAD", "/", "", 200, "", "", "no-cache"},
		{"a guest link", "GET", "/i/AAAA", "gzip", 200, "guest", "", "no-cache"},
		{"a guest link in brotli", "GET", "/i/AAAA", "gzip, br", 200, "in brotli", "br", "no-cache"},
		{"brotli refused", "GET", "/i/AAAA", "br;q=0, gzip", 200, "<!doctype html>guest", "", "no-cache"},
		{"brotli with a small quality", "GET", "/i/AAAA", "br;q=0.1", 200, "in brotli", "br", "no-cache"},
		{"a call page", "GET", "/m/AAAA", "", 200, "agent", "", "no-cache"},
		{"the accounts", "GET", "/accounts", "", 200, "agent", "", "no-cache"},
		{"the recordings", "GET", "/recordings", "", 200, "agent", "", "no-cache"},
		{"the server's health", "GET", "/health", "", 200, "agent", "", "no-cache"},
		{"the audit trail", "GET", "/audit", "", 200, "agent", "", "no-cache"},
		{"a post", "GET", "/posts/AAAA", "", 200, "agent", "", "no-cache"},
		{"below a page that has nothing below", "GET", "/accounts/AAAA", "", 404, "agent", "", "no-cache"},
		{"a hashed asset", "GET", "/assets/call-1a.js", "", 200, "call()", "", "public, max-age=31536000, immutable"},
		{"a hashed asset in gzip", "GET", "/assets/call-1a.js", "gzip", 200, "in gzip", "gzip", "public, max-age=31536000, immutable"},
		{"an encoded twin is no address", "GET", "/assets/call-1a.js.gz", "", 404, "agent", "", "no-cache"},
		{"an orphan is not served", "GET", "/assets/orphan.js", "br", 404, "agent", "", "no-cache"},
		{"a hidden file is not served", "GET", "/.keep", "", 404, "agent", "", "no-cache"},
		{"an unknown page", "GET", "/nothing", "", 404, "agent", "", "no-cache"},
		{"a way out of the folder", "GET", "/assets/../../etc/passwd", "", 404, "agent", "", "no-cache"},
		{"another method", "POST", "/", "", 405, "only GET", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest(tc.method, "http://host"+tc.path, nil)
			r.Header.Set("Accept-Encoding", tc.accept)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.body) {
				t.Errorf("got %d %q, want %d with %q", w.Code, w.Body, tc.status, tc.body)
			}
			if got := w.Header().Get("Content-Encoding"); got != tc.encoding {
				t.Errorf("encoding %q, want %q", got, tc.encoding)
			}
			if got := w.Header().Get("Cache-Control"); got != tc.cache {
				t.Errorf("cache %q, want %q", got, tc.cache)
			}
			csp := w.Header().Get("Content-Security-Policy")
			if !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe-inline") || strings.Contains(csp, "http") {
				t.Errorf("page without its armour: %q", csp)
			}
			if !strings.Contains(csp, "require-trusted-types-for 'script'; trusted-types 'none'") {
				t.Errorf("text may become a script: %q", csp)
			}
			if w.Header().Get("Referrer-Policy") != "no-referrer" {
				t.Error("a referrer could leak")
			}
		})
	}
}

// One page may make one policy of Trusted Types, which starts its worker; everything else
// of the armour it has as well.
func TestThePageThatOpensRecordings(t *testing.T) {
	h, err := newHandler(built(), nil)
	if err != nil {
		t.Fatal(err)
	}
	policy := func(path string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Header().Get("Content-Security-Policy")
	}
	_, usual := policy("/meetings")
	want := strings.Replace(usual, "trusted-types 'none'", "trusted-types opener", 1)
	for _, path := range []string{"/recordings/open", "/recordings/open/"} {
		if code, csp := policy(path); code != http.StatusOK || csp != want || csp == usual {
			t.Errorf("%s: %d %s, want %s", path, code, csp, want)
		}
	}
	for _, path := range []string{"/recordings/opened", "/recordings/open/x", "/opener/opener.wasm", "/"} {
		if _, csp := policy(path); csp != usual {
			t.Errorf("%s: %s", path, csp)
		}
	}
}

func TestGuestPageInTheReadersLanguage(t *testing.T) {
	h, err := newHandler(built(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ query, accept, body string }{
		{"", "", "guest"},
		{"", "ar", "ضيف"},
		{"", "ar-MA,ar;q=0.9,fr;q=0.8", "ضيف"},
		{"", "de-DE, fr;q=0.5, ar;q=0.7", "ضيف"},
		{"", "ar;q=0, fr;q=0.1", "invité"},
		{"", "de, zh", "guest"},
		{"", "*", "guest"},
		{"", "ar;;q=,,,\x00", "guest"},
		{"?lang=ar", "fr", "ضيف"},
		{"?lang=../../secret", "fr", "invité"},
	} {
		r := httptest.NewRequest("GET", "http://host/i/AAAA"+tc.query, nil)
		r.Header.Set("Accept-Language", tc.accept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK || w.Body.String() != "<!doctype html>"+tc.body {
			t.Errorf("%q with %q: %d %s, want %s", tc.query, tc.accept, w.Code, w.Body, tc.body)
		}
		if vary := w.Header().Values("Vary"); !slices.Contains(vary, "Accept-Language") {
			t.Errorf("a cache would show one reader's page to another: Vary is %q", vary)
		}
	}
}

func TestUnchangedPageIsNotSentAgain(t *testing.T) {
	h, err := newHandler(built(), nil)
	if err != nil {
		t.Fatal(err)
	}
	first := httptest.NewRecorder()
	h.ServeHTTP(first, httptest.NewRequest("GET", "http://host/", nil))
	r := httptest.NewRequest("GET", "http://host/", nil)
	r.Header.Set("If-None-Match", first.Header().Get("ETag"))
	second := httptest.NewRecorder()
	h.ServeHTTP(second, r)
	if second.Code != http.StatusNotModified || second.Body.Len() != 0 {
		t.Errorf("got %d with %d bytes, want 304 without a body", second.Code, second.Body.Len())
	}
}

func TestMissingBuildIsNamed(t *testing.T) {
	if _, err := newHandler(fstest.MapFS{".keep": {Data: []byte("x")}}, nil); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("got %v, want ErrNotBuilt", err)
	}
}
