package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aparte/signaling/api"
	"aparte/signaling/login"
	"aparte/signaling/post"
)

const goodPassword = "une phrase que personne ne devine"

func TestSetUpMakesTheFirstAccountOnce(t *testing.T) {
	s := newServer(t)
	code, err := s.login.SetupCode(t.Context())
	if err != nil || code == "" {
		t.Fatalf("set-up code %q, %v", code, err)
	}
	p := s.person()
	draft := api.Setup{Code: code, Name: "Anne Bernard", Email: "Anne@Aparte.example", Password: "short"}
	if got := p.refused("invalid", http.StatusUnprocessableEntity, "POST", "/setup", draft); got.Errors[0].Location != "body.password" {
		t.Errorf("a short password is a problem at %s", got.Errors[0].Location)
	}
	draft.Password = goodPassword
	wrong := draft
	wrong.Code = strings.Repeat("A", 43)
	p.refused("unauthenticated", http.StatusUnauthorized, "POST", "/setup", wrong)
	// The set-up code signs nobody in by itself.
	p.refused("unauthenticated", http.StatusUnauthorized, "POST", "/session/one-time", api.OneTimeCode{Code: code})
	made := do[api.SignedIn](p, http.StatusOK, "POST", "/setup", draft)
	if !made.Account.Admin || made.Account.Email != "anne@aparte.example" {
		t.Errorf("first account %+v", made.Account)
	}
	if got := do[api.SignedIn](p, http.StatusOK, "GET", "/session", nil); !reflect.DeepEqual(got, made) {
		t.Errorf("signed in as %+v", got)
	}
	s.person().refused("conflict", http.StatusConflict, "POST", "/setup", draft)
	if again, err := s.login.SetupCode(t.Context()); again != "" || err != nil {
		t.Errorf("another set-up code %q, %v", again, err)
	}
}

func TestInvitedPersonSetsAPasswordAndSignsIn(t *testing.T) {
	s := newServer(t)
	_, code, err := s.login.InviteAdmin(t.Context(), "Anne Bernard", "anne@aparte.example", s.as(post.Administrator))
	if err != nil {
		t.Fatal(err)
	}
	admin := s.person()
	do[api.SignedIn](admin, http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: code})
	admin.refused("unauthenticated", http.StatusUnauthorized, "POST", "/session/one-time", api.OneTimeCode{Code: code})

	invited := do[api.InvitedAccount](admin, http.StatusCreated, "POST", "/accounts", api.AccountDraft{Name: "Luc", Email: "luc@aparte.example"})
	admin.refused("conflict", http.StatusConflict, "POST", "/accounts", api.AccountDraft{Name: "Luc", Email: "LUC@aparte.example"})
	admin.refused("invalid", http.StatusUnprocessableEntity, "POST", "/accounts", api.AccountDraft{Name: "Luc", Email: "luc\r\nBcc: x@y.z"})
	base, luckyCode, ok := strings.Cut(invited.InviteURL, "#")
	if !ok || base != s.http.URL+"/signin" {
		t.Fatalf("invite URL %s", invited.InviteURL)
	}
	luc := s.person()
	do[api.SignedIn](luc, http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: luckyCode})
	do[struct{}](luc, http.StatusNoContent, "PUT", "/account/password", api.PasswordChange{Password: goodPassword})

	elsewhere := s.person()
	do[api.SignedIn](elsewhere, http.StatusOK, "POST", "/session", api.Credentials{Email: "Luc@aparte.example", Password: goodPassword})
	if got := elsewhere.refused("invalid", http.StatusUnprocessableEntity, "PUT", "/account/password", api.PasswordChange{Password: goodPassword + "!", Current: "wrong"}); got.Errors[0].Location != "body.current" {
		t.Errorf("a wrong current password is a problem at %s", got.Errors[0].Location)
	}
	do[struct{}](elsewhere, http.StatusNoContent, "PUT", "/account/password", api.PasswordChange{Password: goodPassword + "!", Current: goodPassword})
	luc.refused("unauthenticated", http.StatusUnauthorized, "GET", "/session", nil) // other sessions end
	do[api.SignedIn](elsewhere, http.StatusOK, "GET", "/session", nil)
	if got := do[api.AccountList](admin, http.StatusOK, "GET", "/accounts", nil); len(got.Accounts) != 2 {
		t.Errorf("accounts %+v", got)
	}
}

func TestUnknownEmailAndWrongPasswordAreOneAnswer(t *testing.T) {
	s := newServer(t)
	code, err := s.login.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do[api.SignedIn](s.person(), http.StatusOK, "POST", "/setup", api.Setup{Code: code, Name: "Anne", Email: "anne@aparte.example", Password: goodPassword})
	if _, _, err := s.login.Invite(t.Context(), "Luc", "luc@aparte.example"); err != nil {
		t.Fatal(err)
	}
	var first []byte
	for _, email := range []string{"anne@aparte.example", "nobody@aparte.example", "luc@aparte.example"} { // wrong, unknown, none set yet
		status, _, body := s.person().raw("POST", "/session", `{"email":"`+email+`","password":"not the password"}`)
		if first == nil {
			first = body
		}
		if status != http.StatusUnauthorized || !bytes.Equal(body, first) {
			t.Errorf("%s: %d %s, want what all others get", email, status, body)
		}
	}
}

func TestGuessingPasswordsIsThrottledPerAccountAndSource(t *testing.T) {
	s := newServer(t)
	code, err := s.login.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	do[api.SignedIn](s.person(), http.StatusOK, "POST", "/setup", api.Setup{Code: code, Name: "Anne", Email: "anne@aparte.example", Password: goodPassword})
	right := api.Credentials{Email: "anne@aparte.example", Password: goodPassword}
	for range 12 { // honest sign-ins do not count
		do[api.SignedIn](s.person(), http.StatusOK, "POST", "/session", right)
	}
	wrong := `{"email":"anne@aparte.example","password":"wrong"}`
	for range 4 {
		s.person().raw("POST", "/session", wrong)
	}
	for _, pause := range []int{1, 2, 4, 8, 16} {
		s.person().refused("unauthenticated", http.StatusUnauthorized, "POST", "/session", api.Credentials{Email: right.Email, Password: "wrong"})
		for range 3 { // asking makes it no longer
			status, header, _ := s.person().raw("POST", "/session", wrong)
			if want := fmt.Sprint(pause); status != http.StatusTooManyRequests || header.Get("Retry-After") != want {
				t.Errorf("guess: %d, Retry-After %q; want 429, %s", status, header.Get("Retry-After"), want)
			}
		}
		s.clock.add(time.Duration(pause) * time.Second)
	}
	s.person().raw("POST", "/session", wrong)
	// Somewhere else nobody is locked out.
	if _, _, err := s.login.SignIn(t.Context(), right.Email, right.Password, login.From{Source: "203.0.113.9"}); err != nil {
		t.Errorf("the owner is locked out elsewhere: %v", err)
	}
	s.clock.add(5 * time.Minute) // no pause is longer
	do[api.SignedIn](s.person(), http.StatusOK, "POST", "/session", right)
}

// An office behind one address, or everybody behind one proxy: what somebody
// there does wrong locks nobody else out.
func TestNeighboursLockNobodyOut(t *testing.T) {
	s := newServer(t)
	setUp, err := s.login.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	body := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	noCode := strings.Repeat("A", 43)
	// guessing fails until it is slowed, and says how.
	guessing := func(path string, guess any) {
		t.Helper()
		for i := range 100 {
			status, header, _ := s.person().raw("POST", path, body(guess))
			switch {
			case status == http.StatusTooManyRequests && header.Get("Retry-After") != "":
				if i < 10 {
					t.Errorf("%s is slowed after %d failures", path, i)
				}
				return
			case status != http.StatusUnauthorized && status != http.StatusNotFound:
				t.Fatalf("%s: %d", path, status)
			}
		}
		t.Errorf("%s is never slowed", path)
	}
	anne := api.Setup{Code: setUp, Name: "Anne", Email: "anne@aparte.example", Password: goodPassword}
	wrong := anne
	wrong.Code = noCode
	guessing("/setup", wrong)
	host := s.person()
	do[api.SignedIn](host, http.StatusOK, "POST", "/setup", anne)

	l := host.link(host.meeting().ID, api.LinkDraft{})
	guessing("/guest/redeem", api.Redeem{LinkID: l.ID, Code: noCode})
	s.guest(l).knock("Inês")

	_, code, err := s.login.Invite(t.Context(), "Luc", "luc@aparte.example")
	if err != nil {
		t.Fatal(err)
	}
	s.clock.add(5 * time.Minute) // the set-up forgotten
	guessing("/session/one-time", api.OneTimeCode{Code: noCode})
	do[api.SignedIn](s.person(), http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: code})

	for i := range 70 { // passwords of whomever
		s.person().refused("unauthenticated", http.StatusUnauthorized, "POST", "/session",
			api.Credentials{Email: fmt.Sprintf("somebody%d@aparte.example", i), Password: "wrong"})
	}
	do[api.SignedIn](s.person(), http.StatusOK, "POST", "/session", api.Credentials{Email: anne.Email, Password: goodPassword})
}

func TestAFullDiskSignsNobodyOut(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	s.accounts.failWrites.Store(true)
	s.clock.add(6 * time.Minute) // the use of the session is to be noted
	do[api.SignedIn](host, http.StatusOK, "GET", "/session", nil)
	s.clock.add(12 * time.Hour) // it was not, and nobody is signed in for longer than agreed
	host.refused("unauthenticated", http.StatusUnauthorized, "GET", "/session", nil)
}

func TestSigningOutWithoutADatabaseIsNotDone(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	s.accounts.failReads.Store(true)
	status, header, body := host.raw("DELETE", "/session", "")
	if status != http.StatusServiceUnavailable || header.Get("Set-Cookie") != "" || bytes.Contains(body, []byte("disk")) {
		t.Errorf("%d %q %s; want 503 and the cookie kept", status, header.Get("Set-Cookie"), body)
	}
	s.accounts.failReads.Store(false)
	do[api.SignedIn](host, http.StatusOK, "GET", "/session", nil)
	do[struct{}](host, http.StatusNoContent, "DELETE", "/session", nil)
	do[struct{}](host, http.StatusNoContent, "DELETE", "/session", nil) // it is done already
}

func TestSessionsEndWhenIdleAndAfterAWeek(t *testing.T) {
	s := newServer(t)
	idle := s.agent("idle@aparte.example")
	s.clock.add(12 * time.Hour)
	idle.refused("unauthenticated", http.StatusUnauthorized, "GET", "/session", nil)
	busy := s.agent("busy@aparte.example")
	for range 16 {
		do[api.SignedIn](busy, http.StatusOK, "GET", "/session", nil)
		s.clock.add(10 * time.Hour)
	}
	do[api.SignedIn](busy, http.StatusOK, "GET", "/session", nil)
	s.clock.add(9 * time.Hour)
	busy.refused("unauthenticated", http.StatusUnauthorized, "GET", "/session", nil)
}

func TestTheCookieIsBound(t *testing.T) {
	s := newServer(t)
	_, code, err := s.login.Invite(t.Context(), "Anne", "anne@aparte.example")
	if err != nil {
		t.Fatal(err)
	}
	status, header, _ := s.person().raw("POST", "/session/one-time", `{"code":"`+code+`"}`)
	cookie := header.Get("Set-Cookie")
	if status != http.StatusOK || !strings.HasPrefix(cookie, "aparte=") {
		t.Fatalf("%d %s", status, cookie)
	}
	for _, part := range []string{"; Path=/", "; HttpOnly", "; SameSite=Lax", "; Max-Age=604800"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("cookie %s lacks %s", cookie, part)
		}
	}
}

// Where one is signed in is told to nobody else; who is signed out leaves calls and
// sockets before the answer, and a session of somebody else cannot be ended.
func TestOwnSessionsAreListedAndEnded(t *testing.T) {
	s := newStage(t)
	do[struct{}](s.host, http.StatusNoContent, "PUT", "/account/password", api.PasswordChange{Password: goodPassword})
	email := do[api.SignedIn](s.host, http.StatusOK, "GET", "/session", nil).Account.Email
	s.clock.add(time.Minute)
	elsewhere := s.person()
	elsewhere.header.Set("User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0")
	do[api.SignedIn](elsewhere, http.StatusOK, "POST", "/session", api.Credentials{Email: email, Password: goodPassword})
	stranger := s.agent("luc@aparte.example")

	list := func(p *person) []api.OwnSession {
		return do[api.OwnSessions](p, http.StatusOK, "GET", "/account/sessions", nil).Sessions
	}
	own := list(s.host)
	if len(own) != 2 || own[0].Current || !own[1].Current || own[0].ByCode || !own[1].ByCode {
		t.Fatalf("sessions %+v, want the newer one by password and one's own by a code", own)
	}
	if want := own[0].UsedAt.Add(login.SessionIdle); !own[0].EndsAt.Equal(want) {
		t.Errorf("ends %v, want %v", own[0].EndsAt, want)
	}
	if own[0].Browser != "Firefox" || own[0].System != "Windows" || own[0].Place != "127.0.0.0/24" {
		t.Errorf("signed in by %q on %q from %q", own[0].Browser, own[0].System, own[0].Place)
	}
	if own[1].Browser != "" || own[1].System != "" {
		t.Errorf("a client that is no browser is %q on %q", own[1].Browser, own[1].System)
	}
	stranger.refused("not-found", http.StatusNotFound, "DELETE", "/account/sessions/"+own[0].ID, nil)
	if theirs := list(stranger); len(theirs) != 1 || !theirs[0].Current {
		t.Errorf("somebody else reads %+v", theirs)
	}

	// What is told is the last use: a cookie that somebody took elsewhere shows.
	s.clock.add(6 * time.Minute)
	elsewhere.header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36")
	elsewhere.header.Set("Sec-CH-UA", `"Chromium";v="131", "Not_A Brand";v="24"`)
	do[api.SignedIn](elsewhere, http.StatusOK, "GET", "/session", nil)
	for _, now := range list(s.host) {
		if now.ID == own[0].ID && (now.Browser != "Chromium" || now.System != "Linux" || !now.UsedAt.After(own[0].UsedAt)) {
			t.Errorf("used by another browser: %+v", now)
		}
	}

	in := do[api.MediaToken](elsewhere, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/join", nil)
	ws, status := elsewhere.dial("/agent/notices", s.http.URL)
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("notices: %d", status)
	}
	do[struct{}](s.host, http.StatusNoContent, "DELETE", "/account/sessions/"+own[0].ID, nil)
	s.call.mu.Lock()
	left := slices.Clone(s.call.removed)
	s.call.mu.Unlock()
	if !slices.Contains(left, in.Identity) {
		t.Errorf("out of the call: %v, want %s", left, in.Identity)
	}
	if err := ws.SetReadDeadline(time.Now().Add(hang)); err != nil {
		t.Fatal(err)
	}
	for err := error(nil); err == nil; {
		if _, _, err = ws.ReadMessage(); err != nil && !websocket.IsCloseError(err, 4410) {
			t.Errorf("the socket: %v, want that of who was signed out", err)
		}
	}
	elsewhere.refused("unauthenticated", http.StatusUnauthorized, "GET", "/session", nil)
	s.host.refused("not-found", http.StatusNotFound, "DELETE", "/account/sessions/"+own[0].ID, nil)
	if left := list(s.host); len(left) != 1 || !left[0].Current {
		t.Errorf("left: %+v", left)
	}
}
