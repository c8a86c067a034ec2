package threats

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"

	"aparte/signaling/api"
)

// Tokens that nobody of us made, and those that were made for something else.
func TestForgedTokensOpenNothing(t *testing.T) {
	t.Parallel()
	p := start(t)
	host := p.administrator()
	m, elsewhere := host.meeting(), host.meeting()
	guest, _ := host.admitted(m.ID, host.link(m.ID, api.LinkDraft{}), "Inês Duarte")
	outside := p.open(host.link(elsewhere.ID, api.LinkDraft{}))
	do[api.GuestView](outside, "POST", "/guest/knock", api.GuestName{Name: "Luc"})
	do[api.MediaToken](host, "POST", "/meetings/"+elsewhere.ID+"/join", nil)
	good := do[api.MediaToken](guest, "POST", "/guest/token", nil).Token
	if ws, got := p.wire(good, false, ""); ws == nil {
		t.Fatalf("a good token: %d %s", got.status, got.body)
	}
	parts := strings.Split(good, ".")
	header, claims := decoded(t, parts[0]), decoded(t, parts[1])
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public := base64.StdEncoding.EncodeToString(private.N.Bytes())
	signed := func(method jwt.SigningMethod, key any, head, body map[string]any) string {
		token := jwt.NewWithClaims(method, jwt.MapClaims(body))
		for k, v := range head {
			if k != "alg" {
				token.Header[k] = v
			}
		}
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	changed := func(of map[string]any, key string, value any) map[string]any {
		out := maps.Clone(of)
		out[key] = value
		return out
	}
	unsigned := func(head, body map[string]any) string { return encoded(t, head) + "." + encoded(t, body) + "." }
	otherRoom := map[string]any{"roomJoin": true, "room": elsewhere.ID}
	// Tokens of the other space, for a room named like the meeting.
	integration := func(edit func(map[string]any)) string {
		body := map[string]any{
			"iss": apiKey, "sub": "eve", "nbf": time.Now().Add(-time.Hour).Unix(), "exp": time.Now().Add(time.Hour).Unix(),
			"video": map[string]any{"roomJoin": true, "room": m.ID},
		}
		edit(body)
		return signed(jwt.SigningMethodHS256, []byte(apiSecret), nil, body)
	}
	forgeries := map[string]string{
		"alg none":                      unsigned(changed(header, "alg", "none"), claims),
		"alg None":                      unsigned(changed(header, "alg", "None"), claims),
		"alg none with a signature":     encoded(t, changed(header, "alg", "none")) + "." + parts[1] + "." + parts[2],
		"no alg":                        unsigned(map[string]any{"typ": "JWT"}, claims),
		"no signature":                  parts[0] + "." + parts[1] + ".",
		"half a signature":              parts[0] + "." + parts[1] + "." + parts[2][:20],
		"RS256":                         signed(jwt.SigningMethodRS256, private, header, claims),
		"HS256 keyed by a public key":   signed(jwt.SigningMethodHS256, []byte(public), header, claims),
		"HS384":                         signed(jwt.SigningMethodHS384, []byte("x"), header, claims),
		"an empty key":                  signed(jwt.SigningMethodHS256, []byte{}, header, claims),
		"the name of the key":           signed(jwt.SigningMethodHS256, []byte("aparte-meeting"), header, claims),
		"the API key's secret":          signed(jwt.SigningMethodHS256, []byte(apiSecret), header, claims),
		"a key id with a path":          signed(jwt.SigningMethodHS256, []byte{}, changed(header, "kid", "../../dev/null"), claims),
		"a key brought along":           signed(jwt.SigningMethodHS256, []byte("x"), changed(header, "jwk", map[string]any{"kty": "oct", "k": "eA"}), claims),
		"another issuer":                parts[0] + "." + encoded(t, changed(claims, "iss", apiKey)) + "." + parts[2],
		"an issuer that is nobody":      signed(jwt.SigningMethodHS256, []byte(apiSecret), header, changed(claims, "iss", "nobody")),
		"another subject":               parts[0] + "." + encoded(t, changed(claims, "sub", "p_other")) + "." + parts[2],
		"another room":                  parts[0] + "." + encoded(t, changed(claims, "video", otherRoom)) + "." + parts[2],
		"a longer life":                 parts[0] + "." + encoded(t, changed(claims, "exp", time.Now().Add(time.Hour).Unix()+1)) + "." + parts[2],
		"an audience":                   parts[0] + "." + encoded(t, changed(claims, "aud", "somebody else")) + "." + parts[2],
		"another grant":                 parts[0] + "." + encoded(t, changed(claims, "jti", "AAAAAAAAAAAAAAAAAAAAAA")) + "." + parts[2],
		"signed twice over":             good + "." + parts[2],
		"a lobby session":               guest.bearer,
		"another meeting's lobby":       outside.bearer,
		"an agent's cookie":             host.cookie(),
		"expired, by the API key":       integration(func(c map[string]any) { c["exp"] = time.Now().Add(-2 * time.Minute).Unix() }),
		"no right to join, by API key":  integration(func(c map[string]any) { c["video"] = map[string]any{"room": m.ID} }),
		"not valid yet, by the API key": integration(func(c map[string]any) { c["nbf"] = time.Now().Add(2 * time.Minute).Unix() }),
		"an API key not known":          integration(func(c map[string]any) { c["iss"] = "other" }),
		"a token of 60 kB":              strings.Repeat("A", 60<<10),
		"three dots":                    "...",
		"nothing":                       "",
	}
	for what, token := range forgeries {
		for _, path := range []string{"/rtc/validate", "/rtc/v1/validate", "/rtc", "/rtc/v1"} {
			query := "?protocol=16&access_token=" + token
			if strings.Contains(path, "v1") {
				query += "&join_request=" + joinRequest(t, "")
			}
			ws, got := p.person().socket(path+query, nil)
			if ws != nil || got.status != http.StatusUnauthorized && (what != "a token of 60 kB" || got.status != http.StatusRequestURITooLong) {
				t.Errorf("%s: %s answers %d %s", what, path, got.status, got.body)
			}
			if len(token) > 20 && bytes.Contains(got.body, []byte(token)) {
				t.Errorf("%s: %s repeats the token", what, path)
			}
		}
		thief := p.person()
		thief.bearer = token
		if got := thief.raw("POST", "/twirp/livekit.RoomService/ListParticipants", `{"room":"`+m.ID+`"}`); got.status != http.StatusUnauthorized && got.status != http.StatusForbidden {
			t.Errorf("%s: RoomService answers %d %s", what, got.status, got.body)
		}
	}
	// The lobby of one meeting is no way into another.
	outside.refused("conflict", "POST", "/guest/token", nil)
	host.refused("not-found", "POST", "/meetings/"+elsewhere.ID+"/knocks/"+host.knockOf(m.ID, "Inês Duarte").ID+"/admit", map[string]any{})
}

func decoded(t *testing.T, part string) map[string]any {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	var out map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func encoded(t *testing.T, part map[string]any) string {
	t.Helper()
	raw, err := json.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func TestCrossSiteSocketsAreRefused(t *testing.T) {
	t.Parallel()
	p := start(t)
	host := p.administrator()
	m := host.meeting()
	guest, _ := host.waiting(m.ID, host.link(m.ID, api.LinkDraft{}), "Inês Duarte")
	port := p.url[strings.LastIndex(p.url, ":"):]
	for _, origins := range [][]string{
		nil,
		{""},
		{"null"},
		{"https://evil.example"},
		{"http://sub.127.0.0.1" + port},
		{"http://127.0.0.2" + port},
		{"http://127.0.0.1"},
		{"http://127.0.0.1:1"},
		{"http://127.0.0.1" + port + ".evil.example"},
		{"http://evil.example#" + p.url},
		{"https" + strings.TrimPrefix(p.url, "http")},
		{p.url + "/"},
		{p.url + " "},
		{"http://user@127.0.0.1" + port},
		{p.url, "https://evil.example"},
		{"https://evil.example", p.url},
		{p.url + ", https://evil.example"},
		{"file://"},
	} {
		header := http.Header{}
		if origins != nil {
			header["Origin"] = origins
		}
		for path, who := range map[string]*person{"/meetings/" + m.ID + "/host": host, "/meetings/" + m.ID + "/lobby": host, "/guest/lobby": guest} {
			// net/http trims a value's blanks on the way, so that one of ours stays ours.
			if ws, got := who.socket(api.Prefix+path, header); len(origins) == 1 && strings.TrimSpace(origins[0]) == p.url {
				if ws == nil {
					t.Errorf("%s from %q: %d", path, origins, got.status)
				}
			} else if ws != nil || got.status != http.StatusForbidden || got.code() != "forbidden" {
				t.Errorf("%s from %q: %d %s, want 403", path, origins, got.status, got.body)
			}
		}
	}
	for _, origin := range []string{p.url, "http://localhost" + port} {
		if ws, got := guest.dial("/guest/lobby", origin); ws == nil {
			t.Errorf("from our own page at %s: %d", origin, got.status)
		}
	}
	// The LiveKit endpoints take any page's token, and nobody's cookie.
	if ws, got := host.socket("/rtc?protocol=16", http.Header{"Origin": {"https://evil.example"}}); ws != nil || got.status != http.StatusUnauthorized {
		t.Errorf("/rtc with a cookie: %d", got.status)
	}
}

func TestCrossSiteWritesAreRefused(t *testing.T) {
	t.Parallel()
	p := start(t)
	host := p.administrator()
	m := host.meeting()
	for _, c := range []http.Header{
		{"Origin": {"https://evil.example"}}, {"Origin": {"null"}}, {"Origin": {p.url + ".evil.example"}}, {"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}},
	} {
		host.header = c
		for _, route := range []string{"POST /meetings", "POST /meetings/" + m.ID + "/end", "POST /accounts", "PUT /account/password", "DELETE /session", "POST /session", "POST /setup", "POST /guest/redeem"} {
			method, path, _ := strings.Cut(route, " ")
			host.refused("forbidden", method, path, map[string]any{})
		}
	}
	// What a form can send without asking is no JSON.
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		host.header = http.Header{"Content-Type": {kind}, "Origin": {p.url}}
		if got := host.raw("POST", "/api/v1/meetings", `{"title":"x"}`); got.status < 400 {
			t.Errorf("%s: %d %s", kind, got.status, got.body)
		}
	}
	host.header = http.Header{"Origin": {p.url}, "Sec-Fetch-Site": {"same-origin"}}
	if got := do[api.MeetingList](host, "GET", "/meetings", nil).Meetings; len(got) != 1 || got[0].State != "scheduled" {
		t.Errorf("meetings after all this: %+v", got)
	}
	signIn := p.person().call("POST", "/session", api.Credentials{Email: "anne@aparte.example", Password: password})
	cookie := signIn.header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie has no %s: %s", want, strings.Split(cookie, "=")[0])
		}
	}
}

// JSA-2023-0001 and its kin: what two readers would read differently is read by none.
func TestMalformedBodiesAreRefused(t *testing.T) {
	t.Parallel()
	p := start(t)
	host := p.administrator()
	for what, body := range map[string]string{
		"a key twice":            `{"title":"a","title":"b"}`,
		"a key in another case":  `{"Title":"a"}`,
		"both":                   `{"title":"a","TITLE":"b"}`,
		"an escaped twin":        `{"title":"a","\u0074itle":"b"}`,
		"an unknown key":         `{"title":"a","organiser":"me"}`,
		"deep nesting":           `{"title":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`,
		"deep objects":           strings.Repeat(`{"title":`, 5000) + `1` + strings.Repeat(`}`, 5000),
		"a huge number":          `{"title":1e999999}`,
		"a long number":          `{"title":` + strings.Repeat("9", 50_000) + `}`,
		"invalid UTF-8":          "{\"title\":\"\xff\"}",
		"invalid UTF-8 in a key": "{\"title\":\"a\",\"\xff\":1}",
		"half a surrogate":       `{"title":"\udc00"}`,
		"a byte order mark":      "\xef\xbb\xbf{\"title\":\"a\"}",
		"UTF-16":                 "\xff\xfe{\x00}\x00",
		"two values":             `{"title":"a"}{"title":"b"}`,
		"rubbish behind":         `{"title":"a"} x`,
		"a comment":              `{"title":"a"/**/}`,
		"a comma":                `{"title":"a",}`,
		"NaN":                    `{"title":NaN}`,
		"another type":           `{"title":{}}`,
		"null":                   `null`,
		"a list":                 `[]`,
		"a string":               `"title"`,
		"a prototype":            `{"title":"a","__proto__":{"admin":true}}`,
		"nothing":                ` `,
		"NUL":                    "\x00",
	} {
		if got := host.raw("POST", "/api/v1/meetings", body); got.code() != "invalid" || got.status != 400 && got.status != 422 {
			t.Errorf("%s: %d %.200s", what, got.status, got.body)
		}
	}
	if got := do[api.MeetingList](host, "GET", "/meetings", nil).Meetings; len(got) != 0 {
		t.Errorf("%d meetings were made", len(got))
	}
	m := host.meeting()
	socket := host.hostSocket(m.ID)
	socket.next()
	for what, frame := range map[string]string{
		"a key twice": `{"type":"seen","type":"seen"}`, "another case": `{"Type":"seen"}`, "unknown": `{"type":"seen","x":1}`,
		"deep": strings.Repeat("[", 1000), "a huge number": `{"type":"seen","seq":1e400}`, "negative": `{"type":"seen","seq":-1}`, "another": `{"type":"admit"}`,
	} {
		ws, _ := host.dial("/meetings/"+m.ID+"/host", p.url)
		if err := ws.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
			t.Fatal(err)
		}
		if code := closed(t, ws); code != 4400 {
			t.Errorf("%s on the host socket: %d, want 4400", what, code)
		}
	}
	// Whoever sent nothing wrong notices nothing.
	host.waiting(m.ID, host.link(m.ID, api.LinkDraft{}), "Inês Duarte")
	socket.until("the knock", func(v api.HostMessage) bool { return v.Knock != nil })
}

// Nothing starts with a secret that can be guessed, nor for others with the one that all know.
func TestWeakSecretsAndOpenDevelopmentServersDoNotStart(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		config string
		flags  []string
		says   string
	}{
		"the known secret":      {"integration:\n  keys:\n    devkey: secret\n", nil, "integration.keys"},
		"a short secret":        {"integration:\n  keys:\n    mine: " + strings.Repeat("x", 31) + "\n", nil, "integration.keys"},
		"an empty secret":       {"integration:\n  keys:\n    mine: ''\n", nil, "integration.keys"},
		"the server's own name": {"integration:\n  keys:\n    aparte-meeting: " + apiSecret + "\n", nil, "integration.keys"},
		"--dev for everybody":   {"", []string{"--dev", "--listen", "0.0.0.0:0"}, "--dev"},
		"--dev over IPv6":       {"", []string{"--dev", "--listen", "[::]:0"}, "--dev"},
		"--dev on no address":   {"", []string{"--dev", "--listen", ":0"}, "--dev"},
		"an unknown setting":    {"session_secret: x\n", nil, "session_secret"},
	} {
		dir := t.TempDir()
		config := filepath.Join(dir, "aparte.yaml")
		if err := os.WriteFile(config, []byte(c.config), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := command(t, append([]string{
			"serve", "--config", config, "--listen", "127.0.0.1:0", "--admin-listen", "", "--media-udp-port", "0", "--media-addresses", "127.0.0.1",
			"--data-dir", filepath.Join(dir, "data"),
		}, c.flags...)...)
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != 2 {
			t.Errorf("%s: %v\n%s", what, err, out)
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if len(lines) != 1 || !strings.Contains(lines[0], c.says) || strings.Contains(string(out), apiSecret) {
			t.Errorf("%s is refused with %q, want one line about %s", what, out, c.says)
		}
		if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
			t.Errorf("%s: data was made all the same", what)
		}
	}
}
