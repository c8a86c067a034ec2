package api_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/post"
	"aparte/signaling/profile"
)

// admin signs an administrator of the post in.
func (s *server) admin() *person {
	s.t.Helper()
	return s.member(strings.ToLower(rand.Text())+"@aparte.example", s.as(post.Administrator))
}

func draftOf(id string, rules profile.Rules) api.ProfileDraft {
	text := api.Text{French: "Nominatif", English: "Named"}
	return api.ProfileDraft{ID: id, Name: text, Sentence: text, Rules: api.ProfileRules(rules)}
}

// editOf is an edit of the standard profile.
func editOf(version int, change func(*api.ProfileRules)) api.ProfileEdit {
	rules := api.ProfileRules(profile.Defaults()[0].Rules)
	change(&rules)
	text := api.Text{French: "Standard", English: "Standard"}
	return api.ProfileEdit{Version: version, Name: text, Sentence: text, Rules: rules}
}

// change puts another version of the standard profile in force, and checks that its
// preview says what it does.
func (p *person) change(version int, rules func(*api.ProfileRules)) api.ProfileEffects {
	p.s.t.Helper()
	edit := editOf(version, rules)
	preview := do[api.ProfileEffects](p, http.StatusOK, "POST", "/profiles/standard/preview", edit)
	done := do[api.ProfileChange](p, http.StatusOK, "PUT", "/profiles/standard", edit)
	if done.Profile.Version != version+1 {
		p.s.t.Errorf("version %d after %d", done.Profile.Version, version)
	}
	if was, is := mustJSON(p.s.t, preview), mustJSON(p.s.t, done.Effects); was != is {
		p.s.t.Errorf("the preview said\n%s\nbut it did\n%s", was, is)
	}
	return done.Effects
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestProfilesAreVersioned(t *testing.T) {
	s := newServer(t)
	admin, agent := s.admin(), s.agent("anne@aparte.example")
	all := do[api.ProfileList](agent, http.StatusOK, "GET", "/profiles", nil).Profiles
	if len(all) != 3 || all[0].ID != "standard" || len(all[0].Needs) != 0 || len(all[1].Needs) == 0 || len(all[2].Needs) == 0 {
		t.Fatalf("profiles %+v", all)
	}
	edit := editOf(1, func(r *api.ProfileRules) { r.GuestShare = profile.Granted })
	agent.refused("forbidden", http.StatusForbidden, "PUT", "/profiles/standard", edit)
	agent.refused("forbidden", http.StatusForbidden, "POST", "/profiles/standard/preview", edit)
	agent.refused("forbidden", http.StatusForbidden, "POST", "/profiles", draftOf("named", profile.Defaults()[0].Rules))
	do[api.ProfileChange](admin, http.StatusOK, "PUT", "/profiles/standard", edit)
	admin.refused("conflict", http.StatusConflict, "PUT", "/profiles/standard", edit) // a lost update
	history := do[api.ProfileHistory](agent, http.StatusOK, "GET", "/profiles/standard", nil)
	if v := history.Versions; len(v) != 2 || v[0].Rules.GuestShare != profile.Granted || v[1].Rules.GuestShare != profile.Allowed ||
		v[0].ChangedBy != "Anne Bernard" || v[0].ChangedAt == nil || v[1].ChangedAt != nil {
		t.Errorf("versions %+v", v)
	}
	s.restart()
	if got := do[api.ProfileHistory](agent, http.StatusOK, "GET", "/profiles/standard", nil); mustJSON(t, got) != mustJSON(t, history) {
		t.Errorf("after a restart %+v", got)
	}
	do[api.Profile](admin, http.StatusCreated, "POST", "/profiles", draftOf("named", profile.Defaults()[0].Rules))
	if p := admin.refused("conflict", http.StatusConflict, "POST", "/profiles", draftOf("named", profile.Defaults()[0].Rules)); len(p.Errors) != 1 || p.Errors[0].Location != "body.id" || p.Errors[0].Code != "taken" {
		t.Errorf("an id that is taken: %+v", p.Errors)
	}
	admin.refused("conflict", http.StatusConflict, "POST", "/profiles", draftOf("standard", profile.Defaults()[0].Rules))
	admin.refused("not-found", http.StatusNotFound, "PUT", "/profiles/nowhere", edit)
	agent.refused("not-found", http.StatusNotFound, "GET", "/profiles/nowhere", nil)
}

// What a profile says wrong is named by its field; nothing unknown is taken.
func TestProfilesAreChecked(t *testing.T) {
	admin := newServer(t).admin()
	noGuests := func(r *api.ProfileRules) { r.Guests, r.SharedLinks, r.PersonalLinks = false, false, false }
	type edit = api.ProfileEdit
	for _, c := range []struct {
		at, code string
		change   func(*edit)
	}{
		{"rules.recording", "encrypted-recording", func(e *edit) { e.Rules.Encryption = profile.EncryptionRequired }},
		{"rules.shared_links", "spoken-code-shared", func(e *edit) { e.Rules.SpokenCode = true }},
		{"rules.personal_links", "no-way-in", func(e *edit) { e.Rules.SharedLinks, e.Rules.PersonalLinks = false, false }},
		{"rules.shared_links", "no-guests", func(e *edit) { e.Rules.Guests = false }},
		{"rules.pin", "no-guests", func(e *edit) { noGuests(&e.Rules); e.Rules.PIN = true }},
		{"rules.last_host_delay", "delay-without-end", func(e *edit) { e.Rules.LastHostDelay = 10 }},
		{"rules.link_hours", "form", func(e *edit) { e.Rules.LinkHours = 2161 }},
		{"rules.lobby", "form", func(e *edit) { e.Rules.Lobby = "nobody" }},
		{"name.fr", "required", func(e *edit) { e.Name.French = "  " }},
		{"name.en", "too-long", func(e *edit) { e.Name.English = strings.Repeat("x", 81) }},
		{"sentence.fr", "unshowable", func(e *edit) { e.Sentence.French = "un\u0007deux" }},
		{"sentence.en", "form", func(e *edit) { e.Sentence.English = strings.Repeat("x", 401) }},
	} {
		wrong := editOf(1, func(*api.ProfileRules) {})
		c.change(&wrong)
		for _, call := range []string{"PUT /profiles/standard", "POST /profiles/standard/preview"} {
			method, path, _ := strings.Cut(call, " ")
			p := admin.refused("invalid", http.StatusUnprocessableEntity, method, path, wrong)
			if len(p.Errors) != 1 || p.Errors[0].Location != "body."+c.at || p.Errors[0].Code != c.code {
				t.Errorf("%s: %+v, want %s %s", call, p.Errors, c.at, c.code)
			}
		}
	}
	body := mustJSON(t, editOf(1, func(*api.ProfileRules) {}))
	if status, _, answer := admin.raw("PUT", "/profiles/standard", strings.Replace(body, `"guests":`, `"weaker":true,"guests":`, 1)); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
		t.Errorf("an unknown line: %d %s", status, answer)
	}
}

// What this version lacks is refused with the reason, however it is asked for.
func TestAProfileThatLacksSomethingCannotBeHad(t *testing.T) {
	s := newServer(t)
	admin, host := s.admin(), s.agent("anne@aparte.example")
	m := host.meeting()
	for _, id := range []string{"protected", "sensitive"} {
		for _, p := range []api.Problem{
			host.refused("profile-unavailable", http.StatusConflict, "POST", "/meetings", map[string]any{"title": "T", "profile": id}),
			host.refused("profile-unavailable", http.StatusConflict, "PUT", "/meetings/"+m.ID+"/profile", api.ProfileChoice{Profile: id}),
			host.refused("profile-unavailable", http.StatusConflict, "POST", "/meetings/"+m.ID+"/profile/preview", api.ProfileChoice{Profile: id}),
		} {
			if !slices.Contains(p.Needs, "end-to-end-encryption") {
				t.Errorf("%s needs %q", id, p.Needs)
			}
		}
	}
	lacking := editOf(1, func(r *api.ProfileRules) { r.Encryption = profile.EncryptionOn })
	if e := do[api.ProfileEffects](admin, http.StatusOK, "POST", "/profiles/standard/preview", lacking); len(e.Needs) != 1 || e.InUse != 1 {
		t.Errorf("the preview says %+v", e)
	}
	admin.refused("profile-unavailable", http.StatusConflict, "PUT", "/profiles/standard", lacking) // a meeting has it
	if got := do[api.Meeting](host, http.StatusOK, "GET", "/meetings/"+m.ID, nil); got.Profile != "standard" {
		t.Errorf("the meeting has %s", got.Profile)
	}
	p := host.refused("invalid", http.StatusUnprocessableEntity, "POST", "/meetings", map[string]any{"title": "T", "profile": "nowhere"})
	if p.Errors[0].Location != "body.profile" {
		t.Errorf("%+v", p.Errors)
	}
	host.refused("not-found", http.StatusNotFound, "PUT", "/meetings/"+m.ID+"/profile", api.ProfileChoice{Profile: "nowhere"})
}

// Each line at each way in, over the API: before the line everything is possible.
func TestEachLineHoldsAtEachWayIn(t *testing.T) {
	const pin = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"
	for _, c := range []struct {
		line   string
		rules  func(*api.ProfileRules)
		draft  api.LinkDraft // that the line refuses
		at     string        // the field at fault
		admits bool          // who waits may still be let in: an end closes the way to the lobby
		closed string        // what opening and asking anew answers
		status int
	}{
		{line: "shared_links", rules: func(r *api.ProfileRules) { r.SharedLinks = false }, draft: api.LinkDraft{Kind: "shared"}, at: "kind", closed: "profile-refuses", status: http.StatusForbidden},
		{line: "personal_links", rules: func(r *api.ProfileRules) { r.PersonalLinks = false }, draft: api.LinkDraft{Kind: "personal", GuestName: "Inês"}, at: "kind", closed: "profile-refuses", status: http.StatusForbidden},
		{line: "guests", rules: func(r *api.ProfileRules) { r.Guests, r.SharedLinks, r.PersonalLinks = false, false, false }, draft: api.LinkDraft{Kind: "shared"}, at: "kind", closed: "profile-refuses", status: http.StatusForbidden},
		{line: "pin", rules: func(r *api.ProfileRules) { r.PIN = true }, draft: api.LinkDraft{Kind: "shared"}, at: "pin_hash", closed: "profile-refuses", status: http.StatusForbidden},
		{line: "link_hours", rules: func(r *api.ProfileRules) { r.LinkHours = 1 }, draft: api.LinkDraft{Kind: "shared"}, at: "expires_at", admits: true, closed: "link-expired", status: http.StatusGone},
		{line: "link_hours", rules: func(r *api.ProfileRules) { r.LinkHours = 0 }, draft: api.LinkDraft{Kind: "shared"}, at: "expires_at", closed: "profile-refuses", status: http.StatusForbidden},
	} {
		t.Run(c.line, func(t *testing.T) {
			s := newServer(t)
			admin, host := s.admin(), s.agent("anne@aparte.example")
			m := host.meeting()
			at := "/meetings/" + m.ID
			l := host.link(m.ID, c.draft)
			other := host.link(m.ID, c.draft) // a personal link is one person's
			waiting, opened := s.guest(l), s.guest(other)
			waiting.knock("Inês")
			knock := host.knocks(m.ID)[0].ID
			s.clock.add(2 * time.Hour)
			admin.change(1, c.rules)

			body := api.LinkDraft{Kind: c.draft.Kind, GuestName: c.draft.GuestName, ExpiresAt: s.clock.Now().Add(48 * time.Hour), CodeHash: strings.Repeat("A", 43)}
			for where, call := range map[string]struct {
				method, path string
				body         any
				prefix       string
			}{
				"create": {"POST", at + "/links", body, "body."},
				"bulk":   {"POST", at + "/links/bulk", api.LinkDrafts{Links: []api.LinkDraft{body}}, "body.links[0]."},
				"anew":   {"POST", at + "/links/" + l.ID + "/reissue", api.Reissue{CodeHash: strings.Repeat("C", 42) + "A", ExpiresAt: &body.ExpiresAt}, "body."},
			} {
				if p := host.refused("invalid", http.StatusUnprocessableEntity, call.method, call.path, call.body); p.Errors[0].Location != call.prefix+c.at {
					t.Errorf("%s: %+v, want %s", where, p.Errors, c.at)
				}
			}
			if c.line == "link_hours" {
				if p := host.refused("invalid", http.StatusUnprocessableEntity, "POST", at+"/links/"+l.ID+"/extend", api.Extend{ExpiresAt: body.ExpiresAt}); p.Errors[0].Location != "body.expires_at" {
					t.Errorf("extend: %+v", p.Errors)
				}
			}
			if c.line == "pin" {
				do[api.Link](host, http.StatusOK, "PUT", at+"/links/"+l.ID+"/pin", api.LinkPIN{PINHash: pin})
				if p := host.refused("invalid", http.StatusUnprocessableEntity, "PUT", at+"/links/"+l.ID+"/pin", api.LinkPIN{}); p.Errors[0].Location != "body.pin_hash" {
					t.Errorf("take the PIN away: %+v", p.Errors)
				}
			}
			p := s.person().refused(c.closed, c.status, "POST", "/guest/redeem", redeemOf(other))
			if c.closed == "profile-refuses" && (p.Line != c.line || p.Host != "Anne Bernard" || p.Profile == nil || p.Profile.French != "Standard") {
				t.Errorf("opening: line %q, host %q, profile %v", p.Line, p.Host, p.Profile)
			}
			forged := redeemOf(other)
			forged.Code = redeemOf(l).Code // of another link
			if p := s.person().refused("link-unknown", http.StatusNotFound, "POST", "/guest/redeem", forged); p.Line != "" || p.Host != "" || p.Profile != nil {
				t.Errorf("a wrong secret learns %+v", p)
			}
			opened.refused(c.closed, c.status, "POST", "/guest/knock", map[string]any{"name": "Rui"})
			if c.admits {
				return
			}
			if p := host.refused("profile-refuses", http.StatusForbidden, "POST", at+"/knocks/"+knock+"/admit", map[string]any{}); p.Line != c.line {
				t.Errorf("admit: line %q", p.Line)
			}
			all := do[api.KnockList](host, http.StatusOK, "POST", at+"/knocks/admit-all", map[string]any{}).Knocks
			if all[0].Status == "admitted" {
				t.Error("let in together with everybody")
			}
		})
	}
}

// The share of guests: as a matter of course, by a host's word, or never; and an edit
// takes it away at once from those who are in.
func TestTheShareOfGuests(t *testing.T) {
	s := newServer(t)
	admin, host := s.admin(), s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	at := "/meetings/" + m.ID
	let := func(called string, body any) api.Knock {
		t.Helper()
		s.guest(l).knock(called)
		all := host.knocks(m.ID)
		return do[api.Knock](host, http.StatusOK, "POST", at+"/knocks/"+all[len(all)-1].ID+"/admit", body)
	}
	shares := func(what string, k api.Knock, want bool) {
		t.Helper()
		if *k.Permissions.Share != want {
			t.Errorf("%s: share %t, want %t", what, *k.Permissions.Share, want)
		}
		for _, now := range host.knocks(m.ID) {
			if now.ID == k.ID && *now.Permissions.Share != want {
				t.Errorf("%s: later share %t, want %t", what, *now.Permissions.Share, want)
			}
		}
	}
	permit := func(k api.Knock, body map[string]bool) api.Knock {
		t.Helper()
		return *do[api.Permitted](host, http.StatusOK, "PUT", at+"/participants/"+k.Identity+"/permissions", body).Knock
	}
	first := let("Inês", map[string]any{})
	shares("allowed", first, true)
	e := admin.change(1, func(r *api.ProfileRules) { r.GuestShare = profile.Granted })
	if len(e.Meetings) != 1 || len(e.Meetings[0].Guests) != 1 || !e.Meetings[0].Guests[0].LosesShare {
		t.Fatalf("effects %+v", e)
	}
	if p := s.call.permitted[first.Identity]; p == nil || slices.Contains(p.CanPublishSources, livekit.TrackSource_SCREEN_SHARE) {
		t.Errorf("in the call %v", p)
	}
	second := let("Rui", map[string]any{})
	shares("let in", second, false)
	shares("granted at the door", let("Ana", map[string]any{"permissions": map[string]bool{"share": true}}), true)
	first = permit(first, map[string]bool{"share": true})
	shares("granted", first, true)
	shares("not spoken of", permit(first, map[string]bool{"camera": false}), true)
	shares("not granted", permit(second, map[string]bool{"camera": false}), false)
	// An edit of another line leaves what a host granted.
	if e := admin.change(2, func(r *api.ProfileRules) { r.GuestShare, r.Watermark = profile.Granted, true }); len(e.Meetings) != 0 {
		t.Errorf("effects of another line %+v", e)
	}
	shares("after an edit of another line", permit(first, map[string]bool{}), true)
	admin.change(3, func(r *api.ProfileRules) { r.GuestShare = profile.Off })
	shares("off", permit(first, map[string]bool{"camera": true}), false)
	if p := host.refused("profile-refuses", http.StatusForbidden, "PUT", at+"/participants/"+first.Identity+"/permissions", map[string]bool{"share": true}); p.Line != "guest_share" {
		t.Errorf("line %q", p.Line)
	}
	s.guest(l).knock("Zoé")
	all := host.knocks(m.ID)
	last := all[len(all)-1].ID
	host.refused("profile-refuses", http.StatusForbidden, "POST", at+"/knocks/"+last+"/admit", map[string]any{"permissions": map[string]bool{"share": true}})
	shares("let in while off", do[api.Knock](host, http.StatusOK, "POST", at+"/knocks/"+last+"/admit", map[string]any{}), false)
}

// A meeting that was not in memory takes up an edit when it is loaded, before anything
// else happens in it; everybody is told the sentence in force.
func TestAnEditReachesMeetingsThatAreNotInMemory(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	guest := s.guest(l)
	guest.knock("Inês")
	k := host.decide(m.ID, host.knocks(m.ID)[0].ID, "admit")
	if _, err := s.database().ExecContext(t.Context(), `INSERT INTO profiles SELECT ?, 'standard', 2, 'Sobre', 'Sober', 'Pas de partage.', 'No sharing.',
		replace(?, '"allowed"', '"off"'), 0, 'x', 'Adèle'`, s.post.ID, mustJSON(t, profile.Defaults()[0].Rules)); err != nil {
		t.Fatal(err)
	}
	s.restart()
	if got := lookOf(guest); got.Meeting.Sentence.French != "Pas de partage." || got.Meeting.ProfileName.English != "Sober" {
		t.Errorf("the guest is told %+v", got.Meeting)
	}
	if now := host.knocks(m.ID)[0]; *now.Permissions.Share || now.Identity != k.Identity {
		t.Errorf("the guest %+v", now)
	}
	if got := acts(s.events()); !slices.Contains(got, audit.ProfileApplied) {
		t.Errorf("acts %q", got)
	}
}

// In its own hours a meeting's links lead in from its start to its end.
func TestLinksLiveForTheMeetingsOwnHours(t *testing.T) {
	s := newServer(t)
	admin, host := s.admin(), s.agent("anne@aparte.example")
	rules := profile.Defaults()[0].Rules
	rules.LinkHours = 0
	do[api.Profile](admin, http.StatusCreated, "POST", "/profiles", draftOf("own", rules))
	p := host.refused("invalid", http.StatusUnprocessableEntity, "POST", "/meetings", map[string]any{"title": "T", "profile": "own"})
	if p.Errors[0].Location != "body.ends_at" {
		t.Errorf("%+v", p.Errors)
	}
	p = host.refused("invalid", http.StatusUnprocessableEntity, "PUT", "/meetings/"+host.meeting().ID+"/profile", api.ProfileChoice{Profile: "own"})
	if p.Errors[0].Location != "body.profile" {
		t.Errorf("%+v", p.Errors)
	}
	from, to := s.clock.Now().Add(time.Hour).UTC(), s.clock.Now().Add(2*time.Hour).UTC()
	m := do[api.Meeting](host, http.StatusCreated, "POST", "/meetings", map[string]any{"title": "T", "profile": "own", "starts_at": from, "ends_at": to})
	p = host.refused("invalid", http.StatusUnprocessableEntity, "POST", "/meetings/"+m.ID+"/links", api.LinkDraft{Kind: "shared", ExpiresAt: to.Add(time.Second), CodeHash: strings.Repeat("A", 43)})
	if p.Errors[0].Location != "body.expires_at" || !strings.Contains(p.Errors[0].Message, to.Format(time.RFC3339)) {
		t.Errorf("%+v", p.Errors)
	}
	l := host.link(m.ID, api.LinkDraft{ExpiresAt: to})
	if p := s.person().refused("link-early", http.StatusForbidden, "POST", "/guest/redeem", redeemOf(l)); p.ValidFrom == nil || !p.ValidFrom.Equal(from) {
		t.Errorf("early: %+v", p)
	}
	s.clock.add(time.Hour)
	s.guest(l).knock("Inês")
	s.clock.add(time.Hour)
	s.person().refused("link-expired", http.StatusGone, "POST", "/guest/redeem", redeemOf(l))
}

// The profile is the host's business, before and during a meeting, and the choice is
// what its preview said.
func TestAHostChoosesTheProfile(t *testing.T) {
	s := newServer(t)
	admin, host := s.admin(), s.agent("anne@aparte.example")
	rules := profile.Defaults()[0].Rules
	rules.SharedLinks, rules.GuestShare = false, profile.Off
	do[api.Profile](admin, http.StatusCreated, "POST", "/profiles", draftOf("named", rules))
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	s.guest(l).knock("Inês")
	host.decide(m.ID, host.knocks(m.ID)[0].ID, "admit")
	waiting := s.guest(l)
	waiting.knock("Rui")
	at, choice := "/meetings/"+m.ID+"/profile", api.ProfileChoice{Profile: "named"}
	s.agent("luc@aparte.example").refused("not-found", http.StatusNotFound, "PUT", at, choice)
	preview := do[api.MeetingEffects](host, http.StatusOK, "POST", at+"/preview", choice)
	done := do[api.MeetingEffects](host, http.StatusOK, "PUT", at, choice)
	if mustJSON(t, preview) != mustJSON(t, done) {
		t.Errorf("the preview said %+v, but it did %+v", preview, done)
	}
	if len(done.Links) != 1 || done.Links[0].Line != "shared_links" || done.Links[0].Until != nil ||
		len(done.Waiting) != 1 || done.Waiting[0].Name != "Rui" ||
		len(done.Guests) != 1 || !done.Guests[0].LosesShare || done.Guests[0].Stays != "shared_links" {
		t.Errorf("effects %+v", done)
	}
	if got := do[api.Meeting](host, http.StatusOK, "GET", "/meetings/"+m.ID, nil); got.Profile != "named" {
		t.Errorf("the meeting has %s", got.Profile)
	}
	if got := lookOf(waiting); got.Meeting.Profile != "named" || got.Meeting.Sentence.French != "Nominatif" {
		t.Errorf("who waits is told %+v", got.Meeting)
	}
}

// An edit concerns the meetings of its own post, and tells of no others.
func TestAnEditIsOfOnePost(t *testing.T) {
	s := newServer(t)
	rome := s.newPost("Rome")
	admin, elsewhere := s.admin(), s.member("luca@aparte.example", post.Membership{Post: rome, Role: post.Agent})
	own := s.agent("anne@aparte.example").meeting()
	other := elsewhere.meeting()
	if got := admin.change(1, func(r *api.ProfileRules) { r.GuestShare = profile.Off }); got.InUse != 1 || got.More {
		t.Errorf("in use %+v, want the meeting of this post alone", got)
	}
	if own.Profile != other.Profile {
		t.Fatalf("meetings of %s and %s show nothing", own.Profile, other.Profile)
	}
	if got := do[api.ProfileHistory](elsewhere, http.StatusOK, "GET", "/profiles/standard", nil); len(got.Versions) != 1 {
		t.Errorf("the other post has %d versions", len(got.Versions))
	}
}
