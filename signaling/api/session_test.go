package api_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"aparte/signaling/api"
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
	if got := do[api.SignedIn](p, http.StatusOK, "GET", "/session", nil); got != made {
		t.Errorf("signed in as %+v", got)
	}
	s.person().refused("conflict", http.StatusConflict, "POST", "/setup", draft)
	if again, err := s.login.SetupCode(t.Context()); again != "" || err != nil {
		t.Errorf("another set-up code %q, %v", again, err)
	}
}

func TestInvitedPersonSetsAPasswordAndSignsIn(t *testing.T) {
	s := newServer(t)
	_, code, err := s.login.InviteAdmin(t.Context(), "Anne Bernard", "anne@aparte.example")
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
	for range 10 {
		s.person().refused("unauthenticated", http.StatusUnauthorized, "POST", "/session", api.Credentials{Email: right.Email, Password: "wrong"})
	}
	status, header, _ := s.person().raw("POST", "/session", `{"email":"anne@aparte.example","password":"wrong"}`)
	if status != http.StatusTooManyRequests || header.Get("Retry-After") != "30" {
		t.Errorf("eleventh guess: %d, Retry-After %q; want 429, 30", status, header.Get("Retry-After"))
	}
	// Somewhere else nobody is locked out.
	if _, _, err := s.login.SignIn(t.Context(), right.Email, right.Password, "203.0.113.9"); err != nil {
		t.Errorf("the owner is locked out elsewhere: %v", err)
	}
	s.clock.add(30 * time.Second)
	do[api.SignedIn](s.person(), http.StatusOK, "POST", "/session", right)
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
