package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"aparte/signaling/api"
	"aparte/signaling/post"
)

// realm is two posts and the people of whom some act for one of them, for both or for
// none, with what the model believes of them. Each post has an administrator besides, who
// stays.
type realm struct {
	*rapid.T
	s      *server
	posts  []post.Post
	admins []*person
	people []*person
	emails []string
	ids    []string
	roles  map[belonging]string
	held   []*held
}

// belonging is a person at a post, by their places.
type belonging struct{ who, at int }

// held is a meeting.
type held struct {
	id    string
	at    int
	host  int
	as    map[int]string // who is named, whether or not they act for the post now
	ended bool
}

func (r *realm) acts(who, at int) bool {
	role := r.roles[belonging{who, at}]
	return role == "agent" || role == "administrator"
}

func (r *realm) roleIn(who int, m *held) string {
	switch {
	case !r.acts(who, m.at):
		return ""
	case m.host == who:
		return "host"
	}
	return m.as[who]
}

func (r *realm) orphaned(m *held) bool {
	for who := range r.people {
		if role := r.roleIn(who, m); role == "host" || role == "cohost" {
			return false
		}
	}
	return !m.ended
}

// asks makes a call and checks how it is answered.
func (r *realm) asks(p *person, want int, method, path string, body any) []byte {
	r.Helper()
	text := ""
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			r.Fatal(err)
		}
		text = string(data)
	}
	status, _, answer := p.raw(method, path, text)
	if status != want {
		r.Fatalf("%s %s %s: %d %s, want %d; roles %v", method, path, text, status, answer, want, r.roles)
	}
	return answer
}

func (r *realm) someone() int { return rapid.IntRange(0, len(r.people)-1).Draw(r.T, "who") }

func (r *realm) someMeeting() *held {
	if len(r.held) == 0 {
		r.Skip("no meeting yet")
	}
	return rapid.SampledFrom(r.held).Draw(r.T, "meeting")
}

// mostlyHost is the host, whose acts lead further, or anybody.
func (r *realm) mostlyHost(m *held) int {
	if rapid.IntRange(0, 3).Draw(r.T, "anybody") == 0 {
		return r.someone()
	}
	return m.host
}

func (r *realm) membership(*rapid.T) {
	b := belonging{r.someone(), rapid.IntRange(0, 1).Draw(r.T, "post")}
	role := rapid.SampledFrom([]string{"agent", "agent", "administrator", "auditor", "", ""}).Draw(r.T, "role")
	path, admin := "/posts/"+r.posts[b.at].ID+"/members", r.admins[b.at]
	one := path + "/" + r.ids[b.who]
	switch before := r.roles[b]; {
	case role == "" && before == "":
		r.asks(admin, http.StatusNotFound, "DELETE", one, nil)
	case role == "":
		r.asks(admin, http.StatusNoContent, "DELETE", one, nil)
	case before == "":
		r.asks(admin, http.StatusCreated, "POST", path, api.PostMemberDraft{Email: r.emails[b.who], Role: role})
	default:
		r.asks(admin, http.StatusOK, "PUT", one, api.PostMemberRole{Role: role})
	}
	r.roles[b] = role
	if role == "" {
		delete(r.roles, b)
	}
}

func (r *realm) meeting(*rapid.T) {
	who, at := r.someone(), rapid.IntRange(0, 1).Draw(r.T, "post")
	body := map[string]any{"title": "Visas", "post": r.posts[at].ID}
	switch {
	case r.acts(who, at):
		var made api.Meeting
		if err := json.Unmarshal(r.asks(r.people[who], http.StatusCreated, "POST", "/meetings", body), &made); err != nil {
			r.Fatal(err)
		}
		r.held = append(r.held, &held{id: made.ID, at: at, host: who, as: map[int]string{}})
	case r.acts(who, 1-at):
		r.asks(r.people[who], http.StatusUnprocessableEntity, "POST", "/meetings", body)
	default:
		r.asks(r.people[who], http.StatusForbidden, "POST", "/meetings", body)
	}
}

func (r *realm) name(*rapid.T) {
	m, whom := r.someMeeting(), r.someone()
	by := r.mostlyHost(m)
	as := rapid.SampledFrom([]string{"cohost", "cohost", "participant", "observer"}).Draw(r.T, "as")
	want := http.StatusOK
	switch role := r.roleIn(by, m); {
	case role == "":
		want = http.StatusNotFound
	case role != "host":
		want = http.StatusForbidden
	case m.ended:
		want = http.StatusGone
	case !r.acts(whom, m.at):
		want = http.StatusUnprocessableEntity
	case whom == m.host:
		want = http.StatusConflict
	}
	r.asks(r.people[by], want, "POST", "/meetings/"+m.id+"/members", api.MemberDraft{Email: r.emails[whom], Role: as})
	if want == http.StatusOK {
		m.as[whom] = as
	}
}

func (r *realm) handOver(*rapid.T) {
	m, to := r.someMeeting(), r.someone()
	by := r.mostlyHost(m)
	want := http.StatusOK
	switch role := r.roleIn(by, m); {
	case role == "":
		want = http.StatusNotFound
	case role != "host":
		want = http.StatusForbidden
	case m.ended:
		want = http.StatusGone
	case r.roleIn(to, m) == "":
		want = http.StatusNotFound
	case r.roleIn(to, m) != "cohost":
		want = http.StatusConflict
	}
	r.asks(r.people[by], want, "POST", "/meetings/"+m.id+"/members/"+r.ids[to]+"/hand-over", nil)
	if want == http.StatusOK {
		delete(m.as, to)
		m.as[m.host], m.host = "cohost", to
	}
}

func (r *realm) end(*rapid.T) {
	m, by := r.someMeeting(), r.someone()
	want := http.StatusOK
	switch r.roleIn(by, m) {
	case "":
		want = http.StatusNotFound
	case "participant", "observer":
		want = http.StatusForbidden
	}
	r.asks(r.people[by], want, "POST", "/meetings/"+m.id+"/end", nil)
	m.ended = m.ended || want == http.StatusOK
}

// appoint gives an orphan another host, if it is one, by somebody who may.
func (r *realm) appoint(*rapid.T) {
	m, to, at := r.someMeeting(), r.someone(), rapid.IntRange(0, 1).Draw(r.T, "post")
	by := rapid.IntRange(-1, len(r.people)-1).Draw(r.T, "by") // -1: the administrator who stays
	caller, role := r.admins[at], "administrator"
	if by >= 0 {
		caller, role = r.people[by], r.roles[belonging{by, at}]
	}
	want := http.StatusOK
	switch {
	case role == "":
		want = http.StatusNotFound
	case role != "administrator":
		want = http.StatusForbidden
	case m.at != at:
		want = http.StatusNotFound
	case m.ended:
		want = http.StatusGone
	case !r.orphaned(m):
		want = http.StatusConflict
	case !r.acts(to, at):
		want = http.StatusUnprocessableEntity
	}
	r.asks(caller, want, "POST", "/posts/"+r.posts[at].ID+"/orphans/"+m.id+"/host", api.HostAppointment{Email: r.emails[to]})
	if want == http.StatusOK {
		delete(m.as, to)
		m.host = to
	}
}

// check compares what everybody sees with the model.
func (r *realm) check(*rapid.T) {
	for who, p := range r.people {
		var want []string
		for _, m := range r.held {
			status := http.StatusNotFound
			if role := r.roleIn(who, m); role != "" {
				status = http.StatusOK
				want = append(want, m.id+" "+role)
			}
			r.asks(p, status, "GET", "/meetings/"+m.id, nil)
		}
		var list api.MeetingList
		if err := json.Unmarshal(r.asks(p, http.StatusOK, "GET", "/meetings", nil), &list); err != nil {
			r.Fatal(err)
		}
		var got []string
		for _, m := range list.Meetings {
			got = append(got, m.ID+" "+m.Role)
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			r.Fatalf("person %d lists %q, want %q", who, got, want)
		}
		for at, of := range r.posts {
			role := r.roles[belonging{who, at}]
			for path, may := range map[string][]string{
				"/orphans": {"administrator"}, "/members": {"administrator"},
				"/audit": {"auditor"}, "/figures": {"administrator", "auditor"},
			} {
				status := http.StatusForbidden
				switch {
				case role == "":
					status = http.StatusNotFound
				case slices.Contains(may, role):
					status = http.StatusOK
				}
				r.asks(p, status, "GET", "/posts/"+of.ID+path, nil)
			}
		}
	}
	for at, admin := range r.admins {
		var list api.OrphanList
		if err := json.Unmarshal(r.asks(admin, http.StatusOK, "GET", "/posts/"+r.posts[at].ID+"/orphans", nil), &list); err != nil {
			r.Fatal(err)
		}
		got, want := map[string]bool{}, map[string]bool{}
		for _, m := range list.Meetings {
			got[m.ID] = true
		}
		for _, m := range r.held {
			if m.at == at && r.orphaned(m) {
				want[m.id] = true
			}
		}
		if !maps.Equal(got, want) {
			r.Fatalf("orphans of post %d: %v, want %v", at, got, want)
		}
	}
}

// Whatever is given and taken in whatever order, nobody reads or changes anything of a
// post beyond what they are there at that moment.
func TestNobodyIsMoreThanTheirPostMakesThem(t *testing.T) {
	s := newServer(t)
	run := 0 // keeps their addresses apart: one server has them all
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := flag.Set("rapid.checks", "10"); err != nil { // each step commits to the disk
			t.Fatal(err)
		}
		defer func() { _ = flag.Set("rapid.checks", checks.DefValue) }()
	}
	rapid.Check(t, func(rt *rapid.T) {
		run++
		r := &realm{T: rt, s: s, roles: make(map[belonging]string)}
		for at := range 2 {
			r.posts = append(r.posts, s.newPost(fmt.Sprintf("Post %d of %d", at, run)))
			r.admins = append(r.admins, s.member(fmt.Sprintf("admin%d-%d@aparte.example", at, run), post.Membership{Post: r.posts[at], Role: post.Administrator}))
		}
		for i := range 3 {
			r.emails = append(r.emails, fmt.Sprintf("p%d-%d@aparte.example", i, run))
			r.people = append(r.people, s.member(r.emails[i], post.Membership{Post: r.posts[i%2], Role: post.Agent}))
			r.ids = append(r.ids, r.people[i].id())
			r.roles[belonging{i, i % 2}] = "agent"
		}
		rt.Repeat(map[string]func(*rapid.T){
			"": r.check, "membership": r.membership, "meeting": r.meeting, "name": r.name,
			"hand over": r.handOver, "end": r.end, "appoint": r.appoint,
		})
	})
}
