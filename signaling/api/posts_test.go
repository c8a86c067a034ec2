package api_test

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/post"
)

// The first account administers the first post and may make others; each belongs to
// whom its administrators say.
func TestPostsAndTheirPeople(t *testing.T) {
	s := newServer(t)
	code, err := s.login.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	anne := s.person()
	dakar := api.PostDraft{
		Name: "Ambassade à Dakar", TimeZone: "Africa/Dakar", Languages: []string{"fr", "wo"},
		Contact: api.Contact{Address: "1 rue Assane Ndoye\nDakar", Phone: "+221 33 839 51 00", Email: "dakar@aparte.example", Web: "https://dakar.aparte.example"},
	}
	setup := api.Setup{Code: code, Name: "Anne", Email: "anne@aparte.example", Password: goodPassword, Post: &dakar}
	wrong := dakar
	wrong.TimeZone = "Africa/Atlantis"
	setup.Post = &wrong
	if got := anne.refused("invalid", http.StatusUnprocessableEntity, "POST", "/setup", setup); got.Errors[0].Location != "body.post.time_zone" {
		t.Errorf("an unknown zone is a problem at %s", got.Errors[0].Location)
	}
	setup.Post = &dakar
	me := do[api.SignedIn](anne, http.StatusOK, "POST", "/setup", setup).Account
	if !me.Admin || len(me.Posts) != 1 || me.Posts[0].Role != "administrator" || me.Posts[0].Name != dakar.Name {
		t.Fatalf("the first account is %+v", me)
	}
	list := do[api.PostList](anne, http.StatusOK, "GET", "/posts", nil).Posts
	if len(list) != 1 || list[0].ID != me.Posts[0].ID || list[0].TimeZone != dakar.TimeZone || list[0].Contact != dakar.Contact || !slices.Equal(list[0].Languages, dakar.Languages) {
		t.Errorf("posts %+v", list)
	}
	rome := do[api.CreatedPost](anne, http.StatusCreated, "POST", "/posts", api.PostDraft{Name: "Rome", TimeZone: "Europe/Rome", Languages: []string{"fr"}})
	edited := do[api.Post](anne, http.StatusOK, "PUT", "/posts/"+rome.ID, api.PostDraft{Name: "Ambassade à Rome", TimeZone: "Europe/Rome", Languages: []string{"it"}})
	if edited.Name != "Ambassade à Rome" || edited.Role != "administrator" || !edited.CreatedAt.Equal(rome.CreatedAt) {
		t.Errorf("edited %+v", edited)
	}
	// With several posts one says which.
	if got := anne.refused("invalid", http.StatusUnprocessableEntity, "POST", "/accounts", api.AccountDraft{Name: "Luc", Email: "luc@aparte.example"}); got.Errors[0].Location != "body.post" {
		t.Errorf("no post is a problem at %s", got.Errors[0].Location)
	}
	luc := do[api.InvitedAccount](anne, http.StatusCreated, "POST", "/accounts", api.AccountDraft{Name: "Luc", Email: "luc@aparte.example", Post: rome.ID, Role: "auditor"}).Account
	if want := []api.PostRole{{ID: rome.ID, Name: edited.Name, Role: "auditor"}}; !slices.Equal(luc.Posts, want) {
		t.Errorf("Luc is %+v", luc.Posts)
	}
	if got := anne.refused("invalid", http.StatusUnprocessableEntity, "POST", "/posts/"+rome.ID+"/members", api.PostMemberDraft{Email: "nobody@aparte.example", Role: "agent"}); got.Errors[0].Location != "body.email" {
		t.Errorf("an unknown email is a problem at %s", got.Errors[0].Location)
	}
	anne.refused("conflict", http.StatusConflict, "POST", "/posts/"+rome.ID+"/members", api.PostMemberDraft{Email: "luc@aparte.example", Role: "agent"})
	anne.refused("last-administrator", http.StatusConflict, "DELETE", "/posts/"+rome.ID+"/members/"+me.ID, nil)
	anne.refused("last-administrator", http.StatusConflict, "PUT", "/posts/"+rome.ID+"/members/"+me.ID, api.PostMemberRole{Role: "agent"})
	do[api.PostMember](anne, http.StatusOK, "PUT", "/posts/"+rome.ID+"/members/"+luc.ID, api.PostMemberRole{Role: "administrator"})
	do[struct{}](anne, http.StatusNoContent, "DELETE", "/posts/"+rome.ID+"/members/"+me.ID, nil)
	anne.refused("not-found", http.StatusNotFound, "GET", "/posts/"+rome.ID+"/members", nil)
	if got := do[api.AccountList](anne, http.StatusOK, "GET", "/accounts", nil).Accounts; len(got) != 1 || got[0].ID != me.ID {
		t.Errorf("Anne still sees %+v", got)
	}
	// Whoever is no administrator of the installation makes no post.
	s.member("marc@aparte.example", s.as(post.Administrator)).refused("forbidden", http.StatusForbidden, "POST", "/posts", dakar)
}

// Whoever makes a post for others names its first administrator, and is nothing there:
// only that administrator goes on.
func TestThePostOfOthersHasItsFirstAdministrator(t *testing.T) {
	s := newServer(t)
	code, err := s.login.SetupCode(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	anne := s.person()
	do[api.SignedIn](anne, http.StatusOK, "POST", "/setup", api.Setup{Code: code, Name: "Anne", Email: "anne@aparte.example", Password: goodPassword})
	luc := s.member("luc@aparte.example", s.as(post.Agent))
	draft := api.NewPost{PostDraft: api.PostDraft{Name: "Rome", TimeZone: "Europe/Rome", Languages: []string{"fr"}}, Administrator: "nobody@aparte.example"}
	if got := anne.refused("invalid", http.StatusUnprocessableEntity, "POST", "/posts", draft); got.Errors[0].Location != "body.administrator" {
		t.Errorf("an address of nobody is a problem at %s", got.Errors[0].Location)
	}
	draft.Administrator = " LUC@aparte.example"
	rome := do[api.CreatedPost](anne, http.StatusCreated, "POST", "/posts", draft)
	if rome.Own {
		t.Error("whoever made it for another administers it")
	}
	anne.refused("not-found", http.StatusNotFound, "GET", "/posts/"+rome.ID+"/members", nil)
	members := do[api.PostMemberList](luc, http.StatusOK, "GET", "/posts/"+rome.ID+"/members", nil).Members
	if len(members) != 1 || members[0].Account != luc.id() || members[0].Role != "administrator" {
		t.Fatalf("the people of the new post are %+v", members)
	}
	luc.refused("last-administrator", http.StatusConflict, "DELETE", "/posts/"+rome.ID+"/members/"+luc.id(), nil)
	var acts []audit.Act
	for _, e := range s.everyEvent() {
		if e.Post == rome.ID && e.Act != audit.CallRefused {
			acts = append(acts, e.Act)
		}
	}
	if want := []audit.Act{audit.PostCreated, audit.PostMemberAdded}; !slices.Equal(acts, want) {
		t.Errorf("the chain of the post has %v, want %v", acts, want)
	}
	draft.Administrator = "anne@aparte.example"
	if own := do[api.CreatedPost](anne, http.StatusCreated, "POST", "/posts", draft); !own.Own {
		t.Error("whoever names themself does not administer it")
	}
	luc.refused("forbidden", http.StatusForbidden, "POST", "/posts", draft)
}

// Each administrator sees of an account what it is at the own posts.
func TestAnAccountOfTwoPostsIsSeenByEachForItself(t *testing.T) {
	s := newServer(t)
	rome := s.newPost("Rome")
	luc := s.member("luc@aparte.example", s.as(post.Agent), post.Membership{Post: rome, Role: post.Auditor}).id()
	for _, c := range []struct {
		at   post.Post
		role string
	}{{s.post, "agent"}, {rome, "auditor"}} {
		admin := s.member("admin-"+c.at.Name+"@aparte.example", post.Membership{Post: c.at, Role: post.Administrator})
		accounts := do[api.AccountList](admin, http.StatusOK, "GET", "/accounts", nil).Accounts
		i := slices.IndexFunc(accounts, func(a api.AdministeredAccount) bool { return a.ID == luc })
		if want := []api.PostRole{{ID: c.at.ID, Name: c.at.Name, Role: c.role}}; i < 0 || !reflect.DeepEqual(accounts[i].Posts, want) {
			t.Errorf("at %s: %+v", c.at.Name, accounts)
		}
	}
}

func TestFiguresOfAPost(t *testing.T) {
	s := newStage(t)
	admin := s.administrator()
	identity := s.admitted()
	s.guest(s.link).knock("Rui")
	s.host.decide(s.meeting.ID, s.host.knocks(s.meeting.ID)[1].ID, "deny")
	do[struct{}](s.host, http.StatusNoContent, "POST", "/meetings/"+s.meeting.ID+"/participants/"+identity+"/remove", nil)
	s.clock.add(25*time.Minute + 30*time.Second)
	do[api.Meeting](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/end", nil)
	got := do[api.Figures](admin, http.StatusOK, "GET", "/posts/"+s.post.ID+"/figures?from=2027-03-02&to=2027-03-02", nil)
	want := api.Figures{
		Since: time.Date(2027, 3, 2, 0, 0, 0, 0, time.UTC), Until: time.Date(2027, 3, 3, 0, 0, 0, 0, time.UTC), // Dakar's day is UTC's
		Held: 1, Minutes: 25, Admitted: 1, Refused: 1, Removed: 1,
	}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := do[api.Figures](admin, http.StatusOK, "GET", "/posts/"+s.post.ID+"/figures?to=2027-03-01", nil); got.Held != 0 || got.Admitted != 0 {
		t.Errorf("before: %+v", got)
	}
	if got := admin.refused("invalid", http.StatusUnprocessableEntity, "GET", "/posts/"+s.post.ID+"/figures?from=hier", nil); got.Errors[0].Location != "query.from" {
		t.Errorf("no day is a problem at %s", got.Errors[0].Location)
	}
	s.host.refused("forbidden", http.StatusForbidden, "GET", "/posts/"+s.post.ID+"/figures", nil)
}

func TestAnAuditorReadsTheTrailOfThePost(t *testing.T) {
	s := newStage(t)
	s.admitted()
	s.clock.add(time.Hour)
	do[api.Meeting](s.host, http.StatusOK, "POST", "/meetings/"+s.meeting.ID+"/end", nil)
	auditor := s.member("aude@aparte.example", s.as(post.Auditor))
	read := func(query string) api.AuditPage {
		return do[api.AuditPage](auditor, http.StatusOK, "GET", "/posts/"+s.post.ID+"/audit?"+query, nil)
	}
	// All of it, page by page, is what the command exports.
	var all []api.AuditEvent
	for page := read("limit=3"); ; page = read("limit=3&before=" + strconv.FormatUint(page.Next, 10)) {
		if len(page.Events) > 3 {
			t.Fatalf("a page of %d", len(page.Events))
		}
		all = append(all, page.Events...)
		if page.Next == 0 {
			break
		}
	}
	var want []audit.Event
	for _, e := range s.everyEvent() {
		if e.Post == s.post.ID {
			want = append(want, e)
		}
	}
	slices.Reverse(want)
	if len(all) != len(want) {
		t.Fatalf("%d events, want %d", len(all), len(want))
	}
	for i, e := range all {
		if e.Seq != want[i].Seq || e.Act != string(want[i].Act) || e.Meeting != want[i].Meeting || len(e.Texts) != len(want[i].Personal) {
			t.Errorf("%+v, want %+v", e, want[i])
		}
	}
	knocked := read("act=knock.waiting").Events
	if len(knocked) != 1 || knocked[0].Texts["name"] != "Inês" || knocked[0].Actor.Kind != "guest" || knocked[0].Subjects["link"] != s.link.ID {
		t.Errorf("the knock is told as %+v", knocked)
	}
	late := read("since=2027-03-02T10:00:00Z&act=meeting.ended").Events
	if len(late) != 1 || len(read("until=2027-03-02T10:00:00Z&act=meeting.ended").Events) != 0 {
		t.Errorf("within the hour: %+v", late)
	}
	for _, who := range []*person{s.host, s.administrator()} {
		who.refused("forbidden", http.StatusForbidden, "GET", "/posts/"+s.post.ID+"/audit", nil)
	}
}
