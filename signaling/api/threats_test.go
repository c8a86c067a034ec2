package api_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aparte/signaling/api"
)

// The lines of threats.md, "Lobby and links" and "Sessions and web", that the
// signalling can show without a browser.

func TestUnknownLinkAndWrongSecretAreOneAnswer(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	revoked := host.link(m.ID, api.LinkDraft{})
	do[api.Link](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/links/"+revoked.ID+"/revoke", nil)
	wrong := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	var first []byte
	for _, c := range []struct{ id, code string }{
		{l.ID, wrong},
		{revoked.ID, wrong},
		{"AAAAAAAAAAAAAAAAAAAAAA", wrong},
		{"AAAAAAAAAAAAAAAAAAAAAA", l.code},
		{"", ""},
		{l.ID, l.code[:42]},
		{l.ID, l.code + "A"},
		{strings.ToLower(l.ID) + "x", l.code},
		{"' OR 1=1 --", "../../x"},
	} {
		p := s.person()
		status, header, body := p.raw("POST", "/guest/redeem", fmt.Sprintf(`{"link_id":%q,"code":%q}`, c.id, c.code))
		if first == nil {
			first = body
		}
		if status != http.StatusNotFound || !bytes.Equal(body, first) || header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("link %q: %d %s, want what all others get: %s", c.id, status, body, first)
		}
		if strings.Contains(string(body), m.Title) {
			t.Error("the title is told before the secret is right")
		}
	}
}

func TestOnlyTheHolderOfTheRightSecretLearnsEarlyExpiredFullOrInUse(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	now := s.clock.Now()
	from := now.Add(time.Hour)
	early := host.link(m.ID, api.LinkDraft{ValidFrom: &from})
	short := host.link(m.ID, api.LinkDraft{ExpiresAt: now.Add(time.Minute)})
	single := host.link(m.ID, api.LinkDraft{MaxUses: 1})
	redeem := func(l madeLink) api.Redeem { return api.Redeem{LinkID: l.ID, Code: l.code} }

	p := s.person().refused("link-early", http.StatusForbidden, "POST", "/guest/redeem", redeem(early))
	if p.ValidFrom == nil || !p.ValidFrom.Equal(from) {
		t.Errorf("early link says %v, want %v", p.ValidFrom, from)
	}
	waitsInTab := s.guest(single)
	s.guest(single).knock("Premier")
	s.person().refused("link-full", http.StatusConflict, "POST", "/guest/redeem", redeem(single))
	waitsInTab.refused("link-full", http.StatusConflict, "POST", "/guest/knock", map[string]any{"name": "Deuxième"})
	s.clock.add(2 * time.Minute)
	if p := s.person().refused("link-expired", http.StatusGone, "POST", "/guest/redeem", redeem(short)); p.Host != "Anne Bernard" {
		t.Errorf("expired link names %q as host", p.Host)
	}
	if got := do[api.LinkList](host, http.StatusOK, "GET", "/meetings/"+m.ID+"/links", nil); len(got.Links) != 3 {
		t.Errorf("%d links, want 3", len(got.Links))
	}
}

func TestEnumerationIsThrottledButHonestGuestsAreNot(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	for range 50 {
		s.guest(l)
	}
	p := s.person()
	for i := range 100 {
		status, header, _ := p.raw("POST", "/guest/redeem", `{"link_id":"AAAAAAAAAAAAAAAAAAAAAA","code":"x"}`)
		if status == http.StatusTooManyRequests {
			if i < 10 || header.Get("Retry-After") == "" {
				t.Errorf("refused after %d guesses, Retry-After %q", i, header.Get("Retry-After"))
			}
			return
		}
	}
	t.Error("100 guesses were not slowed")
}

// Ringing at the hosts without end is an attack.
func TestKnockingAgainIsSlowed(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	guest := s.guest(host.link(m.ID, api.LinkDraft{}))
	desk := host.hostSocket(m.ID)
	desk.next()
	for range 20 {
		status, header, body := guest.raw("POST", "/guest/knock", `{"name":"Luc"}`)
		if status == http.StatusTooManyRequests {
			if header.Get("Retry-After") != "30" || !bytes.Contains(body, []byte("urn:aparte:problem:too-many")) {
				t.Errorf("Retry-After %q, %s", header.Get("Retry-After"), body)
			}
			continue
		}
		do[api.GuestView](guest, http.StatusOK, "POST", "/guest/withdraw", nil)
	}
	if v := do[api.GuestView](guest, http.StatusOK, "GET", "/guest", nil); v.Status != "withdrawn" {
		t.Errorf("the guest is %s", v.Status)
	}
	other := s.guest(host.link(m.ID, api.LinkDraft{}))
	other.knock("Inês")
	rings := 0
	desk.until("the other guest knocks", func(m api.HostMessage) bool {
		if m.Type == "knock" && m.Knock.Status == "waiting" {
			rings++
		}
		return m.Knock != nil && m.Knock.Name == "Inês"
	})
	if rings != 4 {
		t.Errorf("%d rings, want three of the guest and the other's", rings)
	}
	s.clock.add(30 * time.Second)
	if v := guest.knock("Luc"); v.Status != "waiting" {
		t.Errorf("after the wait the guest is %s", v.Status)
	}
}

func TestOpeningALinkUsesNothingUp(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{Kind: "personal", GuestName: "Luc"})
	for range 5 { // mail scanners, in-app browsers
		s.guest(l)
	}
	if v := s.guest(l).knock("Luc"); v.Status != "waiting" {
		t.Errorf("the sixth opener is %s, want waiting", v.Status)
	}
	if got := do[api.LinkList](host, http.StatusOK, "GET", "/meetings/"+m.ID+"/links", nil); got.Links[0].Uses != 1 {
		t.Errorf("%d uses, want 1", got.Links[0].Uses)
	}
}

func TestTheHostsArrivalAdmitsNobody(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	guest := s.guest(host.link(m.ID, api.LinkDraft{}))
	lobby := guest.lobbySocket()
	guest.knock("Tôt")
	token := do[api.MediaToken](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/join", nil)
	s.meetings.Joined(m.ID, token.Identity, "PA_host")
	lobby.until("host present", func(m api.GuestMessage) bool { return m.Guest.HostPresent })
	s.meetings.Left(m.ID, token.Identity, "PA_old") // an older connection of the same host
	s.meetings.Left(m.ID, token.Identity, "PA_host")
	if v := lobby.until("host gone", func(m api.GuestMessage) bool { return !m.Guest.HostPresent }).Guest; v.Status != "waiting" || v.HostKnows {
		t.Errorf("guest is %s, host knows %t; want waiting, false", v.Status, v.HostKnows)
	}
	guest.refused("conflict", http.StatusConflict, "POST", "/guest/token", nil)
}

func TestIdsFromClientsAreNotBelieved(t *testing.T) {
	s := newServer(t)
	host, stranger := s.agent("anne@aparte.example"), s.agent("other@aparte.example")
	m, foreign := host.meeting(), stranger.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	guest := s.guest(l)
	guest.knock("Inês")
	k := host.waiting(m.ID)
	for _, path := range []string{"", "/links", "/knocks"} {
		stranger.refused("not-found", http.StatusNotFound, "GET", "/meetings/"+m.ID+path, nil)
	}
	for _, path := range []string{"/join", "/end", "/links/" + l.ID + "/revoke", "/knocks/" + k.ID + "/lift", "/participants/p_x/remove"} {
		stranger.refused("not-found", http.StatusNotFound, "POST", "/meetings/"+m.ID+path, nil)
	}
	for _, id := range []string{m.ID, foreign.ID} { // somebody else's meeting; one's own with somebody else's knock
		stranger.refused("not-found", http.StatusNotFound, "POST", "/meetings/"+id+"/knocks/"+k.ID+"/admit", map[string]any{})
		stranger.refused("not-found", http.StatusNotFound, "POST", "/meetings/"+id+"/links/"+l.ID+"/revoke", nil)
	}
	if got := host.waiting(m.ID); got.ID != k.ID {
		t.Errorf("knock is now %+v", got)
	}
	// Ids that guests can see are no credentials.
	admitted := host.decide(m.ID, k.ID, "admit")
	for _, bearer := range []string{admitted.Identity, k.ID, l.ID, m.ID, l.code, ""} {
		thief := s.person()
		thief.bearer = bearer
		thief.refused("unauthenticated", http.StatusUnauthorized, "POST", "/guest/token", nil)
	}
	_ = do[api.MediaToken](guest, http.StatusOK, "POST", "/guest/token", nil)
}

func TestOneMeetingsSessionOpensNoOther(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	first, second := host.meeting(), host.meeting()
	guest := s.guest(host.link(first.ID, api.LinkDraft{}))
	guest.knock("Luc")
	host.decide(first.ID, host.waiting(first.ID).ID, "admit")
	token := do[api.MediaToken](guest, http.StatusOK, "POST", "/guest/token", nil)
	g, err := s.tokens.Authorize(t.Context(), token.Token)
	if err != nil || g.Room != first.ID {
		t.Fatalf("grant %+v, %v", g, err)
	}
	g.Room = second.ID
	if _, err := s.tokens.Refresh(t.Context(), g); err == nil {
		t.Error("a grant of one meeting is refreshed for another")
	}
}

func TestCrossSiteSocketsAreRefused(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	guest := s.guest(host.link(m.ID, api.LinkDraft{}))
	port := s.http.URL[strings.LastIndex(s.http.URL, ":"):]
	for _, origin := range []string{"", "null", "https://evil.example", "http://sub.127.0.0.1" + port, "http://localhost" + port, s.http.URL + ".evil.example", "https" + strings.TrimPrefix(s.http.URL, "http")} {
		for path, p := range map[string]*person{"/meetings/" + m.ID + "/host": host, "/guest/lobby": guest} {
			if _, status := p.dial(path, origin); status != http.StatusForbidden {
				t.Errorf("%s from origin %q: %d, want 403", path, origin, status)
			}
		}
	}
	if _, status := s.person().dial("/meetings/"+m.ID+"/host", s.http.URL); status != http.StatusUnauthorized {
		t.Errorf("host socket without a cookie: %d", status)
	}
	if _, status := s.agent("other@aparte.example").dial("/meetings/"+m.ID+"/host", s.http.URL); status != http.StatusNotFound {
		t.Errorf("host socket of somebody else's meeting: %d", status)
	}
}

func TestCrossSiteWritesAreRefused(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	for _, header := range []http.Header{{"Origin": {"https://evil.example"}}, {"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"null"}}} {
		host.header = header
		host.refused("forbidden", http.StatusForbidden, "POST", "/meetings", map[string]any{"title": "x"})
	}
	host.header = http.Header{"Origin": {s.http.URL}, "Sec-Fetch-Site": {"same-origin"}}
	host.meeting()
}

func TestSocketsWithoutAValidFirstFrameAreClosed(t *testing.T) {
	s := newServer(t)
	unknown := make([]byte, 32)
	_, _ = rand.Read(unknown)
	for name, c := range map[string]struct {
		frames []string
		kind   int
		want   int
	}{
		"nothing":        {nil, 0, 4408},
		"not JSON":       {[]string{"hello"}, websocket.TextMessage, 4400},
		"unknown key":    {[]string{`{"session":"x","x":1}`}, websocket.TextMessage, 4400},
		"twice the key":  {[]string{`{"session":"x","session":"y"}`}, websocket.TextMessage, 4400},
		"other case":     {[]string{`{"Session":"x"}`}, websocket.TextMessage, 4400},
		"binary":         {[]string{`{"session":"x"}`}, websocket.BinaryMessage, 4400},
		"not a session":  {[]string{`{"session":"x"}`}, websocket.TextMessage, 4401},
		"another secret": {[]string{`{"session":"` + base64.RawURLEncoding.EncodeToString(unknown) + `"}`}, websocket.TextMessage, 4401},
	} {
		t.Run(name, func(t *testing.T) {
			if len(c.frames) == 0 { // whoever says something has the time to
				s.timing.Hello = 50 * time.Millisecond
				s.restart()
				s.timing.Hello = 0
				defer s.restart()
			}
			ws, status := s.person().dial("/guest/lobby", s.http.URL)
			if ws == nil {
				t.Fatalf("refused with %d", status)
			}
			for _, f := range c.frames {
				if err := ws.WriteMessage(c.kind, []byte(f)); err != nil {
					t.Fatal(err)
				}
			}
			if got := (socket[api.GuestMessage]{t, ws}).closed(); got != c.want {
				t.Errorf("close code %d, want %d", got, c.want)
			}
		})
	}
}

func TestSocketsEndForOversizedUnexpectedAndSignedOut(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	chatty := s.guest(l).lobbySocket()
	chatty.next()
	if err := chatty.ws.WriteMessage(websocket.TextMessage, []byte(`{"status":"admitted"}`)); err != nil {
		t.Fatal(err)
	}
	if got := chatty.closed(); got != 4400 {
		t.Errorf("a guest's second message: close code %d, want 4400", got)
	}
	big := host.hostSocket(m.ID)
	_ = big.ws.WriteMessage(websocket.TextMessage, bytes.Repeat([]byte(" "), 1<<20))
	if err := big.ws.SetReadDeadline(time.Now().Add(hang)); err != nil {
		t.Fatal(err)
	}
	for {
		if _, _, err := big.ws.ReadMessage(); err != nil {
			break
		}
	}
	desk := host.hostSocket(m.ID)
	desk.next()
	host.raw("DELETE", "/session", "")
	if got := desk.closed(); got != 4410 {
		t.Errorf("after signing out: close code %d, want 4410", got)
	}
	host.refused("unauthenticated", http.StatusUnauthorized, "GET", "/meetings", nil)
}

func TestSigningOutEndsTheHostsSeat(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	token := do[api.MediaToken](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/join", nil)
	again := do[api.MediaToken](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/join", nil)
	if token.Identity != again.Identity {
		t.Errorf("a reload made %s of %s", again.Identity, token.Identity)
	}
	cookies := host.client.Jar
	host.raw("DELETE", "/session", "")
	if _, err := s.tokens.Authorize(t.Context(), token.Token); err == nil {
		t.Error("a token of a session that has ended opens the door")
	}
	if !s.call.wasRemoved(token.Identity) {
		t.Error("the agent is still in the call")
	}
	host.client.Jar = cookies
	host.refused("unauthenticated", http.StatusUnauthorized, "GET", "/session", nil)
}

func TestProblemsNameTheField(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	guest := s.guest(host.link(m.ID, api.LinkDraft{}))
	for _, c := range []struct {
		p                    *person
		method, path, body   string
		status               int
		location, notInReply string
	}{
		{host, "POST", "/meetings", `{"title":""}`, 422, "body.title", ""},
		{host, "POST", "/meetings", `{}`, 422, "body.title", ""},
		{host, "POST", "/meetings", `{"title":"  "}`, 422, "body.title", ""},
		{host, "POST", "/meetings", `{"title":"a\u0007b"}`, 422, "body.title", ""},
		{host, "POST", "/meetings", `{"title":7}`, 422, "body.title", ""},
		{host, "POST", "/meetings", `{"title":"x","starts_at":"yesterday"}`, 422, "body.starts_at", ""},
		{host, "POST", "/meetings", `{"title":"x","ends_at":"2027-03-02T10:00:00Z"}`, 422, "body.starts_at", ""},
		{host, "POST", "/meetings", `{"title":"x","organiser":"me"}`, 422, "body.organiser", ""},
		{host, "POST", "/meetings", `{"title":"x","title":"y"}`, 400, "body", ""},
		{host, "POST", "/meetings", `{"Title":"x"}`, 400, "body", ""},
		{host, "POST", "/meetings", `{"title":"x"} {}`, 400, "body", ""},
		{host, "POST", "/meetings", `{"title":"x`, 400, "body", ""},
		{host, "POST", "/meetings", "{\"title\":\"\xff\"}", 400, "body", ""},
		{host, "POST", "/meetings", `[[[[[[[[[[[[]]]]]]]]]]]]`, 400, "body", ""},
		{host, "POST", "/meetings/" + m.ID + "/links", `{"kind":"shared","expires_at":"2027-03-03T10:00:00Z","code_hash":"` + strings.Repeat("!", 43) + `"}`, 422, "body.code_hash", ""},
		{host, "POST", "/meetings/" + m.ID + "/links", `{"kind":"personal","expires_at":"2027-03-03T10:00:00Z","code_hash":"` + strings.Repeat("A", 43) + `"}`, 422, "body.guest_name", ""},
		{host, "POST", "/meetings/" + m.ID + "/links", `{"kind":"shared","expires_at":"2037-03-03T10:00:00Z","code_hash":"` + strings.Repeat("A", 43) + `"}`, 422, "body.expires_at", ""},
		{host, "POST", "/meetings/" + m.ID + "/links", `{"kind":"shared","max_uses":1e999,"expires_at":"2027-03-03T10:00:00Z"}`, 400, "body", ""},
		{guest, "POST", "/guest/knock", `{"name":"\u200b\u200b"}`, 422, "body.name", ""},
		{guest, "POST", "/guest/knock", `{"name":"x","organisation":"a\nb"}`, 422, "body.organisation", ""},
		{s.person(), "POST", "/session", `{"email":"a@b.c","password":"hunter2-hunter2","x":1}`, 422, "body.x", "hunter2"},
		{s.person(), "POST", "/session", `{"email":"a@b.c","password":"hunter2-hunter2"`, 400, "body", "hunter2"},
	} {
		status, header, body := c.p.raw(c.method, c.path, c.body)
		if status != c.status || header.Get("Content-Type") != "application/problem+json" ||
			!bytes.Contains(body, []byte(`"location":"`+c.location+`"`)) || !bytes.Contains(body, []byte(`"urn:aparte:problem:invalid"`)) {
			t.Errorf("%s %s %q: %d %s, want %d at %s", c.method, c.path, c.body, status, body, c.status, c.location)
		}
		if c.notInReply != "" && bytes.Contains(body, []byte(c.notInReply)) {
			t.Errorf("%s %s: the answer repeats a secret: %s", c.method, c.path, body)
		}
	}
	status, _, body := host.raw("POST", "/meetings", `{"title":"`+strings.Repeat("x", 100<<10)+`"}`)
	if status != http.StatusRequestEntityTooLarge || !bytes.Contains(body, []byte("urn:aparte:problem:invalid")) {
		t.Errorf("100 KiB of title: %d %s", status, body)
	}
	if status, _, body := host.raw("GET", "/nothing", ""); status != 404 || !bytes.Contains(body, []byte("urn:aparte:problem:not-found")) {
		t.Errorf("unknown path: %d %s", status, body)
	}
}

func TestEveryAgentCallNeedsASession(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	guest := s.guest(host.link(m.ID, api.LinkDraft{}))
	guest.knock("Luc")
	for _, p := range []*person{s.person(), guest} { // nobody; a guest's bearer is no agent's cookie
		for _, route := range []string{
			"GET /session", "GET /accounts", "POST /accounts", "PUT /account/password", "GET /meetings", "POST /meetings",
			"GET /meetings/" + m.ID, "POST /meetings/" + m.ID + "/join", "POST /meetings/" + m.ID + "/end",
			"GET /meetings/" + m.ID + "/links", "POST /meetings/" + m.ID + "/links", "POST /meetings/" + m.ID + "/links/x/revoke",
			"GET /meetings/" + m.ID + "/knocks", "POST /meetings/" + m.ID + "/knocks/x/admit", "POST /meetings/" + m.ID + "/knocks/x/deny",
			"POST /meetings/" + m.ID + "/knocks/x/lift", "POST /meetings/" + m.ID + "/knocks/admit-all", "POST /meetings/" + m.ID + "/participants/x/remove",
			"POST /meetings/" + m.ID + "/knocks/x/ban", "POST /meetings/" + m.ID + "/knocks/x/messages", "POST /meetings/" + m.ID + "/knocks/messages",
			"POST /meetings/" + m.ID + "/participants/x/send-back", "PUT /meetings/" + m.ID + "/participants/x/permissions",
		} {
			method, path, _ := strings.Cut(route, " ")
			p.refused("unauthenticated", http.StatusUnauthorized, method, path, nil)
		}
	}
	for _, route := range []string{"GET /guest", "POST /guest/knock", "POST /guest/withdraw", "POST /guest/messages", "POST /guest/token"} {
		method, path, _ := strings.Cut(route, " ")
		host.refused("unauthenticated", http.StatusUnauthorized, method, path, nil) // an agent's cookie is no guest's session
	}
	_, code, err := s.login.Invite(t.Context(), "Luc", "luc@aparte.example")
	if err != nil {
		t.Fatal(err)
	}
	plain := s.person()
	do[api.SignedIn](plain, http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: code})
	plain.refused("forbidden", http.StatusForbidden, "GET", "/accounts", nil)
}

func TestLobbySessionsExpire(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	guest := s.guest(host.link(m.ID, api.LinkDraft{}))
	guest.knock("Luc")
	lobby := guest.lobbySocket()
	lobby.next()
	s.clock.add(25 * time.Hour)
	s.meetings.Sweep(t.Context())
	if got := lobby.closed(); got != 4401 {
		t.Errorf("socket of an expired session: close code %d, want 4401", got)
	}
	guest.refused("unauthenticated", http.StatusUnauthorized, "GET", "/guest", nil)
}

func TestSecretsAreNotStored(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	guest := s.guest(l)
	guest.knock("Luc")
	if err := s.store.Healthy(t.Context()); err != nil {
		t.Fatal(err)
	}
	cookie := ""
	req, _ := http.NewRequest("GET", s.http.URL, nil)
	for _, c := range host.client.Jar.Cookies(req.URL) {
		cookie = c.Value
	}
	if cookie == "" {
		t.Fatal("no cookie")
	}
	for _, file := range []string{"aparte.db", "aparte.db-wal"} {
		data := readFile(t, s.dir+"/"+file)
		for what, secret := range map[string]string{"cookie": cookie, "lobby session": guest.bearer, "redemption code": l.code} {
			raw, err := base64.RawURLEncoding.DecodeString(secret)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(data, []byte(secret)) || bytes.Contains(data, raw) {
				t.Errorf("%s holds the %s", file, what)
			}
		}
	}
}

func TestAnswersAreNotCached(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	status, header, _ := host.raw("GET", "/meetings", "")
	if status != http.StatusOK || header.Get("Cache-Control") != "no-store" || header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", status, header)
	}
	if header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the API answers other origins")
	}
	// The contract alone is the same for everybody: it is asked whether it still holds.
	status, header, body := host.raw("GET", "/openapi.json", "")
	if status != http.StatusOK || header.Get("Cache-Control") != "no-cache" || !bytes.HasPrefix(body, []byte("{")) {
		t.Errorf("the contract: %d %v %.40s", status, header, body)
	}
	host.header = http.Header{"If-None-Match": {header.Get("ETag")}}
	if status, _, body := host.raw("GET", "/openapi.json", ""); status != http.StatusNotModified || len(body) > 0 {
		t.Errorf("the contract again: %d with %d bytes", status, len(body))
	}
}
