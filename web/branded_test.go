package web

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestBranded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "brand")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"brand.yaml": "colours: { light: { accent: '#5b2a86' } }\nlogo: seal.svg\nlegal: { fr: fr.txt, ar: ar.txt }\n",
		"seal.svg":   "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
		"fr.txt":     "Mentions <b>légales</b>\n\nÉditeur & hébergeur.\n",
		"ar.txt":     "إشعار قانوني\n\nالناشر.\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pack, err := LoadBrand(dir)
	if err != nil {
		t.Fatal(err)
	}
	page := func(lang string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(`<html lang="` + lang + `"><head><link rel="stylesheet" crossorigin href="/assets/main.css"></head><body>` + lang + `</body></html>`)}
	}
	files := fstest.MapFS{"index.html": page("fr"), "index.html.br": {Data: []byte("without the pack")}, "guest.html": page("fr"), "guest.ar.html": page("ar")}
	h, err := newHandler(files, pack)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := newHandler(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, accept string
		want         []string
	}{
		{"/", "", []string{`main.css"><link rel="stylesheet" href="/brand/style.css"></head>`, `<a href="/legal?lang=fr" lang="fr"`, "Mentions &lt;b&gt;légales&lt;/b&gt;</a></footer></body>"}},
		{"/i/AAAA", "ar", []string{`href="/brand/style.css"`, `<a href="/legal?lang=ar" lang="ar"`, "إشعار قانوني"}},
		{"/legal", "ar,fr;q=0.5", []string{`<html lang="ar" dir="rtl">`, "الناشر.", `href="/assets/main.css"`, `href="/brand/style.css"`}},
		{"/legal?lang=fr", "ar", []string{`<html lang="fr" dir="ltr">`, "<h1>Mentions &lt;b&gt;légales&lt;/b&gt;</h1>", "Éditeur &amp; hébergeur."}},
		{"/legal", "de", []string{`<html lang="fr"`}},
		{"/brand/style.css", "", []string{"--accent: #5b2a86;"}},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		r.Header.Set("Accept-Language", c.accept)
		r.Header.Set("Accept-Encoding", "br")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		for _, want := range c.want {
			if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s: %d, lacks %s:\n%s", c.path, w.Code, want, w.Body)
			}
		}
	}
	for path, status := range map[string]int{"/accessibility": 404, "/legal.fr.html": 404, "/brand/brand.yaml": 404, "/brand/seal.svg": 200} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		policy := w.Header().Get("Content-Security-Policy")
		if w.Code != status || !strings.Contains(policy, "script-src 'self'") || strings.Contains(policy, "unsafe-inline") {
			t.Errorf("%s: %d with the policy %q", path, w.Code, policy)
		}
	}
	for _, path := range []string{"/legal", "/brand/style.css"} {
		w := httptest.NewRecorder()
		plain.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != 404 {
			t.Errorf("without a pack, %s: %d", path, w.Code)
		}
	}
	// In gzip it is the same page.
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Header().Get("Content-Encoding") != "gzip" || w.Header().Get("Etag") == "" {
		t.Errorf("headers: %v", w.Header())
	}
}
