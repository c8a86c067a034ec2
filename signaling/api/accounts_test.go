package api_test

import (
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/login"
	"aparte/signaling/post"
)

func (p *person) account(id string) api.AdministeredAccount {
	p.s.t.Helper()
	all := do[api.AccountList](p, http.StatusOK, "GET", "/accounts", nil).Accounts
	i := slices.IndexFunc(all, func(a api.AdministeredAccount) bool { return a.ID == id })
	if i < 0 {
		p.s.t.Fatalf("no account %s among %+v", id, all)
	}
	return all[i]
}

// Whoever is disabled is out of calls and sockets before the answer, and nothing that
// they held opens anything; what they host goes on with its other hosts.
func TestADisabledAccountIsOut(t *testing.T) {
	s := newStage(t)
	admin := s.administrator()
	anne := s.host.id()
	do[struct{}](s.host, http.StatusNoContent, "PUT", "/account/password", api.PasswordChange{Password: goodPassword})
	invite := do[api.InvitedAccount](admin, http.StatusOK, "POST", "/accounts/"+anne+"/reset", nil)
	luc := s.agent("luc@aparte.example")
	do[api.Member](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/members", api.MemberDraft{Email: "luc@aparte.example", Role: "cohost"})
	alone := s.host.meeting()
	in := do[api.MediaToken](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/join", nil)
	sockets := make(map[string]*websocket.Conn)
	for _, path := range []string{"/agent/notices", "/meetings/" + s.meeting.ID + "/host"} {
		ws, status := s.host.dial(path, s.http.URL)
		if status != http.StatusSwitchingProtocols {
			t.Fatalf("%s: %d", path, status)
		}
		sockets[path] = ws
	}
	if got := admin.account(anne); got.State != "active" || got.SeenAt == nil || got.DisabledAt != nil {
		t.Errorf("before: %+v", got)
	}

	got := do[api.AdministeredAccount](admin, http.StatusOK, "POST", "/accounts/"+anne+"/disable", nil)
	if got.State != "disabled" || got.DisabledAt == nil || !reflect.DeepEqual(got, admin.account(anne)) {
		t.Errorf("answered %+v, listed %+v", got, admin.account(anne))
	}
	s.call.mu.Lock()
	left := slices.Clone(s.call.removed)
	s.call.mu.Unlock()
	if !slices.Contains(left, in.Identity) {
		t.Errorf("out of the call: %v, want %s", left, in.Identity)
	}
	for path, ws := range sockets {
		if err := ws.SetReadDeadline(time.Now().Add(hang)); err != nil {
			t.Fatal(err)
		}
		for err := error(nil); err == nil; {
			if _, _, err = ws.ReadMessage(); err != nil && !websocket.IsCloseError(err, 4410) {
				t.Errorf("the socket %s: %v, want that of who was signed out", path, err)
			}
		}
	}
	s.host.refused("unauthenticated", http.StatusUnauthorized, "GET", "/session", nil)
	if sessions := do[api.OwnSessions](admin, http.StatusOK, "GET", "/accounts/"+anne+"/sessions", nil).Sessions; len(sessions) != 0 {
		t.Errorf("sessions left: %+v", sessions)
	}

	// To sign in says nothing: right password, wrong password and nobody are one answer.
	type said struct {
		Status int
		Body   string
	}
	try := func(email, password string) said {
		status, _, body := s.person().raw("POST", "/session", `{"email":"`+email+`","password":"`+password+`"}`)
		return said{status, string(body)}
	}
	want := try("nobody@aparte.example", goodPassword)
	for what, got := range map[string]said{"the right password": try("anne@aparte.example", goodPassword), "a wrong one": try("anne@aparte.example", "une autre phrase que celle-là")} {
		if got != want || got.Status != http.StatusUnauthorized {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	code := invite.InviteURL[len(s.http.URL+"/signin#"):]
	s.person().refused("unauthenticated", http.StatusUnauthorized, "POST", "/session/one-time", api.OneTimeCode{Code: code})
	admin.refused("account-disabled", http.StatusConflict, "POST", "/accounts/"+anne+"/reset", nil)

	// The co-host goes on; what nobody hosts any more is the post's to give away.
	if m := do[api.Meeting](luc, http.StatusOK, "GET", "/meetings/"+s.meeting.ID, nil); m.State != "open" || m.Role != "cohost" {
		t.Errorf("the meeting is %s to its %s", m.State, m.Role)
	}
	luc.decide(s.meeting.ID, s.knock, "admit")
	orphans := do[api.OrphanList](admin, http.StatusOK, "GET", "/posts/"+s.post.ID+"/orphans", nil).Meetings
	if len(orphans) != 1 || orphans[0].ID != alone.ID {
		t.Errorf("without a host: %+v, want %s alone", orphans, alone.ID)
	}
	if got := luc.refused("invalid", http.StatusUnprocessableEntity, "POST", "/meetings/"+luc.meeting().ID+"/members", api.MemberDraft{Email: "anne@aparte.example", Role: "cohost"}); got.Errors[0].Location != "body.email" {
		t.Errorf("naming who is disabled is a problem at %s", got.Errors[0].Location)
	}

	// Again is no second act; enabled they come in as they were.
	do[api.AdministeredAccount](admin, http.StatusOK, "POST", "/accounts/"+anne+"/disable", nil)
	if got := do[api.AdministeredAccount](admin, http.StatusOK, "POST", "/accounts/"+anne+"/enable", nil); got.State != "active" {
		t.Errorf("enabled: %+v", got)
	}
	s.host.refused("unauthenticated", http.StatusUnauthorized, "GET", "/session", nil)
	again := s.person()
	do[api.SignedIn](again, http.StatusOK, "POST", "/session", api.Credentials{Email: "anne@aparte.example", Password: goodPassword})
	if m := do[api.Meeting](again, http.StatusOK, "GET", "/meetings/"+s.meeting.ID, nil); m.Role != "host" {
		t.Errorf("is %s again", m.Role)
	}
	var acts []audit.Act
	for _, e := range s.everyEvent() {
		if e.Subjects[audit.Account] == anne && e.Actor.ID == admin.id() && e.Post == s.post.ID && e.Act != audit.CallRefused {
			acts = append(acts, e.Act)
		}
	}
	if want := []audit.Act{audit.AccountReset, audit.AccountDisabled, audit.AccountEnabled}; !slices.Equal(acts, want) {
		t.Errorf("the trail has %v, want %v", acts, want)
	}
}

// Who looks at a password while the account is being disabled gets no session by it.
func TestASessionIsNotBegunOnADisabledAccount(t *testing.T) {
	s := newStage(t)
	admin := s.administrator()
	anne := s.host.id()
	do[api.AdministeredAccount](admin, http.StatusOK, "POST", "/accounts/"+anne+"/disable", nil)
	err := s.store.AddSession(t.Context(), login.Session{ID: "late", Account: anne, TokenHash: [32]byte{1}, CreatedAt: s.clock.Now(), UsedAt: s.clock.Now()})
	if err == nil || err.Error() != login.ErrRefused.Error() {
		t.Errorf("a session that comes late: %v, want %v", err, login.ErrRefused)
	}
}

func TestWhoMayChangeAnAccount(t *testing.T) {
	s := newServer(t)
	rome := s.newPost("Rome")
	at := func(p post.Post, role post.Role) post.Membership { return post.Membership{Post: p, Role: role} }
	root := s.person()
	_, code, err := s.login.InviteAdmin(t.Context(), "Root", "root@aparte.example", s.as(post.Administrator))
	if err != nil {
		t.Fatal(err)
	}
	do[api.SignedIn](root, http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: code})
	admin := s.member("adele@aparte.example", s.as(post.Administrator))
	agent := s.member("luc@aparte.example", s.as(post.Agent))
	both := s.member("ines@aparte.example", s.as(post.Agent), at(rome, post.Agent))
	elsewhere := s.member("rui@aparte.example", at(rome, post.Administrator))
	loose := s.member("ana@aparte.example", s.as(post.Agent)) // of no post any more
	do[struct{}](admin, http.StatusNoContent, "DELETE", "/posts/"+s.post.ID+"/members/"+loose.id(), nil)

	for _, c := range []struct {
		what   string
		by, on *person
		status int
		code   string
	}{
		{"oneself", admin, admin, http.StatusConflict, "own-account"},
		{"an agent by an agent", agent, both, http.StatusNotFound, "not-found"},
		{"somebody of another post", admin, elsewhere, http.StatusNotFound, "not-found"},
		{"somebody of no post", admin, loose, http.StatusNotFound, "not-found"},
		{"somebody of another post, too", admin, both, http.StatusForbidden, "other-posts"},
		{"an administrator of the installation", admin, root, http.StatusForbidden, "forbidden"},
		{"somebody of another post by the installation's", root, elsewhere, http.StatusNotFound, "not-found"},
	} {
		for _, act := range []string{"disable", "reset"} {
			if got := c.by.refused(c.code, c.status, "POST", "/accounts/"+c.on.id()+"/"+act, nil); got.Title == "" {
				t.Errorf("%s: %s has no title", c.what, act)
			}
		}
		if c.by != c.on {
			c.by.refused(c.code, c.status, "GET", "/accounts/"+c.on.id()+"/sessions", nil)
			c.by.refused(c.code, c.status, "DELETE", "/accounts/"+c.on.id()+"/sessions", nil)
			c.by.refused(c.code, c.status, "POST", "/accounts/"+c.on.id()+"/enable", nil)
		}
	}
	// Those that may: each of these answers what the account is at the posts one administers.
	for _, c := range []struct {
		by, on *person
		posts  int
	}{{admin, agent, 1}, {root, both, 2}, {root, loose, 0}, {root, admin, 1}} {
		id := c.on.id()
		if got := do[api.AdministeredAccount](c.by, http.StatusOK, "POST", "/accounts/"+id+"/disable", nil); len(got.Posts) != c.posts {
			t.Errorf("answered %+v", got.Posts)
		}
		if got := c.by.account(id); got.State != "disabled" {
			t.Errorf("listed %+v", got)
		}
	}
	// The last who can sign in and administer stays: Adèle is disabled.
	second, code, err := s.login.InviteAdmin(t.Context(), "Root 2", "root2@aparte.example", s.as(post.Agent))
	if err != nil {
		t.Fatal(err)
	}
	other := s.person()
	do[api.SignedIn](other, http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: code})
	do[api.PostMember](root, http.StatusOK, "PUT", "/posts/"+s.post.ID+"/members/"+second.ID, api.PostMemberRole{Role: "administrator"})
	do[api.AdministeredAccount](root, http.StatusOK, "POST", "/accounts/"+second.ID+"/disable", nil)
	root.refused("last-administrator", http.StatusConflict, "DELETE", "/posts/"+s.post.ID+"/members/"+root.id(), nil)
	root.refused("last-administrator", http.StatusConflict, "PUT", "/posts/"+s.post.ID+"/members/"+root.id(), api.PostMemberRole{Role: "agent"})
}

// A post keeps an administrator who can sign in, also when one of the installation
// disables theirs.
func TestThePostKeepsAnAdministrator(t *testing.T) {
	s := newServer(t)
	rome := s.newPost("Rome")
	root := s.person()
	_, code, err := s.login.InviteAdmin(t.Context(), "Root", "root@aparte.example", s.as(post.Administrator))
	if err != nil {
		t.Fatal(err)
	}
	do[api.SignedIn](root, http.StatusOK, "POST", "/session/one-time", api.OneTimeCode{Code: code})
	rui := s.member("rui@aparte.example", s.as(post.Agent), post.Membership{Post: rome, Role: post.Administrator})
	root.refused("last-administrator", http.StatusConflict, "POST", "/accounts/"+rui.id()+"/disable", nil)
	if got := root.account(rui.id()); got.State != "active" {
		t.Errorf("refused, and yet %+v", got)
	}
}

func TestAnAdministratorEndsSessions(t *testing.T) {
	s := newStage(t)
	admin := s.administrator()
	anne := s.host.id()
	do[struct{}](s.host, http.StatusNoContent, "PUT", "/account/password", api.PasswordChange{Password: goodPassword})
	var more []*person
	for range 2 {
		s.clock.add(time.Second)
		p := s.person()
		do[api.SignedIn](p, http.StatusOK, "POST", "/session", api.Credentials{Email: "anne@aparte.example", Password: goodPassword})
		more = append(more, p)
	}
	path := "/accounts/" + anne + "/sessions"
	all := do[api.OwnSessions](admin, http.StatusOK, "GET", path, nil).Sessions
	if len(all) != 3 || all[0].Current || all[0].Place != "127.0.0.0/24" {
		t.Fatalf("sessions %+v", all)
	}
	own := do[api.OwnSessions](more[1], http.StatusOK, "GET", "/account/sessions", nil).Sessions
	i := slices.IndexFunc(own, func(o api.OwnSession) bool { return o.Current })
	do[struct{}](admin, http.StatusNoContent, "DELETE", path+"/"+own[i].ID, nil)
	admin.refused("not-found", http.StatusNotFound, "DELETE", path+"/"+own[i].ID, nil)
	more[1].refused("unauthenticated", http.StatusUnauthorized, "GET", "/session", nil)
	do[api.SignedIn](more[0], http.StatusOK, "GET", "/session", nil)
	do[struct{}](admin, http.StatusNoContent, "DELETE", path, nil)
	more[0].refused("unauthenticated", http.StatusUnauthorized, "GET", "/session", nil)
	s.host.refused("unauthenticated", http.StatusUnauthorized, "GET", "/session", nil)
	ended := 0
	for _, e := range s.everyEvent() {
		if e.Act == audit.SessionEnded && e.Actor.ID == admin.id() && e.Subjects[audit.Account] == anne && e.Subjects[audit.Session] != "" {
			ended++
		}
	}
	if ended != 3 {
		t.Errorf("%d ends in the trail, want 3", ended)
	}
}

// A reset gives a way in that sets another password without the old one, once.
func TestAResetIsAnotherWayIn(t *testing.T) {
	s := newStage(t)
	admin := s.administrator()
	anne := s.host.id()
	first := do[api.InvitedAccount](admin, http.StatusOK, "POST", "/accounts/"+anne+"/reset", nil)
	second := do[api.InvitedAccount](admin, http.StatusOK, "POST", "/accounts/"+anne+"/reset", nil)
	codeOf := func(v api.InvitedAccount) api.OneTimeCode {
		return api.OneTimeCode{Code: v.InviteURL[len(s.http.URL+"/signin#"):]}
	}
	p := s.person()
	p.refused("unauthenticated", http.StatusUnauthorized, "POST", "/session/one-time", codeOf(first))
	do[api.SignedIn](p, http.StatusOK, "POST", "/session/one-time", codeOf(second))
	do[struct{}](p, http.StatusNoContent, "PUT", "/account/password", api.PasswordChange{Password: goodPassword})
	p.refused("unauthenticated", http.StatusUnauthorized, "POST", "/session/one-time", codeOf(second))
	do[api.SignedIn](s.person(), http.StatusOK, "POST", "/session", api.Credentials{Email: "anne@aparte.example", Password: goodPassword})
}
