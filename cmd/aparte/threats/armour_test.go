package threats

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aparte/signaling/api"
)

// Every kind of answer, not only pages: an error, a refused socket or a health check
// that can be framed, sniffed or read by another page is a hole too.
func TestEveryAnswerWearsTheArmour(t *testing.T) {
	t.Parallel()
	p := startPublic(t, "https://meet.example")
	nobody := p.person()
	upgrade := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="},
	}
	for _, c := range []struct {
		name, method, path, body string
		header                   http.Header
		status                   int
	}{
		{name: "the start page", path: "/", status: 200},
		{name: "a guest link", path: "/i/AAAAAAAAAAAAAAAAAAAAAA", status: 200},
		{name: "an unknown page", path: "/nothing", status: 404},
		{name: "another method", method: "POST", path: "/", status: 405},
		{name: "an icon", path: "/icon.svg", status: 200},
		{name: "what was not built", path: "/assets/none.js", status: 404},
		{name: "the contract", path: "/api/v1/openapi.json", status: 200},
		{name: "no such call", path: "/api/v1/nothing", status: 404},
		{name: "a call without a session", path: "/api/v1/meetings", status: 401},
		{name: "a malformed call", method: "POST", path: "/api/v1/session", body: `{"email":`, status: 400},
		{name: "a call that is not valid", method: "POST", path: "/api/v1/session", body: `{}`, status: 422},
		{name: "a call that is too long", method: "POST", path: "/api/v1/session", body: strings.Repeat(" ", 100<<10), status: 413},
		{name: "an unknown link", method: "POST", path: "/api/v1/guest/redeem", body: `{"link_id":"x","code":"y"}`, status: 404},
		{name: "another method of a call", method: "PUT", path: "/api/v1/session", body: `{}`, status: 404},
		{name: "a call from another site", method: "POST", path: "/api/v1/session", body: `{}`, header: http.Header{"Sec-Fetch-Site": {"cross-site"}}, status: 403},
		{name: "the host socket, plainly", path: "/api/v1/meetings/x/host", status: 403},
		{name: "the lobby socket from nowhere", path: "/api/v1/guest/lobby", header: upgrade, status: 403},
		{name: "the lobby socket from another site", path: "/api/v1/guest/lobby", header: with(upgrade, "Origin", "https://evil.example"), status: 403},
		{name: "the lobby socket, plainly", path: "/api/v1/guest/lobby", header: http.Header{"Origin": {"https://meet.example"}}, status: 400},
		{name: "the host socket without a session", path: "/api/v1/meetings/x/host", header: with(upgrade, "Origin", "https://meet.example"), status: 401},
		{name: "/rtc without a token", path: "/rtc", header: upgrade, status: 401},
		{name: "/rtc/v1 without a token", path: "/rtc/v1", header: upgrade, status: 401},
		{name: "/rtc, plainly", path: "/rtc", status: 404},
		{name: "/rtc/validate without a token", path: "/rtc/validate", status: 401},
		{name: "/rtc, asked before", method: "OPTIONS", path: "/rtc/validate", status: 204},
		{name: "regions", path: "/settings/regions", status: 404},
		{name: "RoomService without a token", method: "POST", path: "/twirp/livekit.RoomService/ListRooms", body: `{}`, status: 401},
		{name: "another service without a token", method: "POST", path: "/twirp/livekit.Egress/ListEgress", body: `{}`, status: 401},
		{name: "health", path: "/healthz", status: 200},
		{name: "health, another method", method: "POST", path: "/healthz", status: 405},
		{name: "metrics, which are not here", path: "/metrics", status: 404},
		{name: "profiles, which are not here", path: "/debug/pprof/", status: 404},
	} {
		if c.method == "" {
			c.method = "GET"
		}
		nobody.header = c.header
		got := nobody.raw(c.method, c.path, c.body)
		if got.status != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, got.status, got.body, c.status)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "frame-ancestors 'none'", "Strict-Transport-Security": "max-age=31536000",
		} {
			if v := got.header.Values(name); len(v) != 1 || !strings.Contains(v[0], want) {
				t.Errorf("%s: %s is %q, want one with %q", c.name, name, v, want)
			}
		}
		csp := got.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "unsafe-inline") || strings.Contains(csp, "unsafe-eval'") && !strings.Contains(csp, "wasm-unsafe-eval'") || strings.Contains(csp, "//") {
			t.Errorf("%s: policy %q", c.name, csp)
		}
		if strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
			if !strings.Contains(csp, "require-trusted-types-for 'script'; trusted-types 'none'") || got.header.Get("Permissions-Policy") == "" || got.header.Get("Cross-Origin-Opener-Policy") != "same-origin" {
				t.Errorf("%s: a page with half its armour: %v", c.name, got.header)
			}
			if bytes.Contains(got.body, []byte("https://")) || bytes.Contains(got.body, []byte("<script>")) || bytes.Contains(got.body, []byte("style=")) {
				t.Errorf("%s: the page names another origin or holds a script or style of its own", c.name)
			}
		}
		shared := strings.HasPrefix(c.path, "/rtc") || strings.HasPrefix(c.path, "/settings") || strings.HasPrefix(c.path, "/twirp")
		if origin := got.header.Get("Access-Control-Allow-Origin"); shared != (origin == "*") {
			t.Errorf("%s: Access-Control-Allow-Origin is %q", c.name, origin)
		}
		if got.header.Get("Access-Control-Allow-Credentials")+got.header.Get("Server")+got.header.Get("X-Powered-By") != "" {
			t.Errorf("%s: %v", c.name, got.header)
		}
		if len(got.body) > 0 && got.header.Get("Content-Type") == "" {
			t.Errorf("%s: a body of no type", c.name)
		}
		if strings.HasPrefix(c.path, "/api/") && c.name != "the contract" && got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: may be kept: %q", c.name, got.header.Get("Cache-Control"))
		}
		if strings.HasPrefix(c.path, "/api/") && got.status >= 400 && got.code() == "" {
			t.Errorf("%s: no problem: %s", c.name, got.body)
		}
	}
}

func with(h http.Header, name, value string) http.Header {
	h = h.Clone()
	h.Set(name, value)
	return h
}

// The contract that is published is the one that the web client was made from; that it
// is OpenAPI 3.1 is said by the web client's tests of the same file.
func TestThePublishedContractIsTheChecked(t *testing.T) {
	t.Parallel()
	p := start(t)
	got := p.person().raw("GET", api.Prefix+"/openapi.json", "")
	kept, err := os.ReadFile(filepath.Join("..", "..", "..", "web", "src", "api", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	var served, checked bytes.Buffer
	if err := json.Compact(&served, got.body); err != nil {
		t.Fatalf("%d: %v: %.200s", got.status, err, got.body)
	}
	if err := json.Compact(&checked, kept); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(served.Bytes(), checked.Bytes()) {
		t.Error("what is served at /api/v1/openapi.json is not web/src/api/openapi.json: run 'make generate'")
	}
	if kind := got.header.Get("Content-Type"); kind != "application/openapi+json" {
		t.Errorf("Content-Type %q", kind)
	}
	// No other form of it, which nobody checks.
	for _, path := range []string{"/openapi.yaml", "/openapi-3.0.json", "/openapi-3.0.yaml", "/docs", "/schemas/Meeting.json"} {
		if got := p.person().raw("GET", api.Prefix+path, ""); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}
