package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"aparte/sfu"
	"aparte/signaling/api"
)

func TestGuestIsAdmittedThroughTheLobby(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	desk := host.hostSocket(m.ID)
	if first := desk.next(); first.Type != "snapshot" || first.Meeting.ID != m.ID || first.Knocks == nil || first.Participants == nil {
		t.Fatalf("first message %+v, want a snapshot", first)
	}
	l := host.link(m.ID, api.LinkDraft{Kind: "personal", GuestName: "Samira Haddad", Label: "MNE"})
	guest := s.guest(l)
	lobby := guest.lobbySocket()
	if v := lobby.next().Guest; v.Status != "entry" || v.Knock != nil || v.Meeting.Title != m.Title || v.Link.GuestName != "Samira Haddad" {
		t.Fatalf("first state %+v, want entry", v)
	}
	guest.refused("conflict", http.StatusConflict, "POST", "/guest/token", nil)
	guest.knock("Maria Oliveira")
	if v := lobby.next().Guest; v.Status != "waiting" || v.HostKnows || v.HostPresent {
		t.Fatalf("after the knock %+v, want waiting, unknown to the host", v)
	}
	shown := desk.until("knock", func(m api.HostMessage) bool { return m.Type == "knock" })
	k := shown.Knock
	if k.Name != "Maria Oliveira" || !k.NameDiffers || k.NameSuspicious || k.Link.Label != "MNE" || k.Identity != "" {
		t.Fatalf("host is shown %+v", k)
	}
	guest.refused("conflict", http.StatusConflict, "POST", "/guest/token", nil)
	if err := desk.ws.WriteJSON(api.HostCommand{Type: "seen", Seq: shown.Seq}); err != nil {
		t.Fatal(err)
	}
	lobby.until("host knows", func(m api.GuestMessage) bool { return m.Guest.HostKnows && m.Guest.Status == "waiting" })

	admitted := host.decide(m.ID, k.ID, "admit")
	if admitted.Status != "admitted" || !strings.HasPrefix(admitted.Identity, "p_") || admitted.DecidedBy != "Anne Bernard" {
		t.Fatalf("admitted %+v", admitted)
	}
	lobby.until("admitted", func(m api.GuestMessage) bool { return m.Guest.Status == "admitted" })
	media := do[api.MediaToken](guest, http.StatusOK, "POST", "/guest/token", nil)
	if media.Identity != admitted.Identity || media.URL != "ws"+strings.TrimPrefix(s.http.URL, "http") {
		t.Fatalf("media token %+v", media)
	}
	g, err := s.tokens.Authorize(t.Context(), media.Token)
	if err != nil || g.Room != m.ID || g.Identity != admitted.Identity || g.Space != sfu.MeetingSpace || g.Attributes["aparte.role"] != "guest" {
		t.Fatalf("grant %+v, %v", g, err)
	}
	if got := do[api.Meeting](host, http.StatusOK, "GET", "/meetings/"+m.ID, nil); got.State != "open" {
		t.Errorf("meeting is %s after an admission, want open", got.State)
	}

	s.meetings.Joined(m.ID, media.Identity, "PA_1")
	roster := desk.until("roster", func(m api.HostMessage) bool { return m.Type == "participants" && len(m.Participants) == 1 })
	if p := roster.Participants[0]; p.Identity != media.Identity || p.Role != "guest" || p.Name != "Maria Oliveira" {
		t.Errorf("participant %+v", p)
	}
}

func TestDeniedGuestCannotGetInAgainThroughThatLinkUntilLifted(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	for _, kind := range []string{"personal", "shared"} {
		t.Run(kind, func(t *testing.T) {
			draft := api.LinkDraft{Kind: kind}
			if kind == "personal" {
				draft.GuestName = "Karim"
			}
			l := host.link(m.ID, draft)
			guest, other := s.guest(l), s.guest(l)
			guest.knock("Karim")
			k := host.waiting(m.ID)
			denied := do[api.Knock](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/knocks/"+k.ID+"/deny", api.Deny{Message: "Demain plutôt"})
			if denied.Status != "denied" || denied.Removed {
				t.Fatalf("denied %+v", denied)
			}
			if v := do[api.GuestView](guest, http.StatusOK, "GET", "/guest", nil); v.Status != "denied" || v.Knock.Message != "Demain plutôt" {
				t.Errorf("guest is told %+v", v)
			}
			guest.refused("denied", http.StatusForbidden, "POST", "/guest/knock", map[string]any{"name": "Karim"})
			guest.refused("denied", http.StatusForbidden, "POST", "/guest/token", nil)
			host.refused("conflict", http.StatusConflict, "POST", "/meetings/"+m.ID+"/knocks/"+k.ID+"/admit", map[string]any{})
			if kind == "personal" {
				other.refused("link-in-use", http.StatusConflict, "POST", "/guest/knock", map[string]any{"name": "Karim"})
				s.person().refused("link-in-use", http.StatusConflict, "POST", "/guest/redeem", api.Redeem{LinkID: l.ID, Code: l.code})
			} else if v := other.knock("Somebody else"); v.Status != "waiting" {
				t.Errorf("another guest of the shared link is %s, want waiting", v.Status)
			}
			if lifted := host.decide(m.ID, k.ID, "lift"); lifted.Status != "expired" {
				t.Errorf("lifted knock is %s", lifted.Status)
			}
			if v := do[api.GuestView](guest, http.StatusOK, "GET", "/guest", nil); v.Status != "entry" {
				t.Errorf("after the lift the guest sees %s, want entry", v.Status)
			}
			if v := guest.knock("Karim"); v.Status != "waiting" {
				t.Errorf("after the lift the guest is %s, want waiting", v.Status)
			}
			for _, left := range host.knocks(m.ID) {
				if left.Status == "waiting" {
					host.decide(m.ID, left.ID, "deny")
				}
			}
		})
	}
}

// waiting returns the knock that waits.
func (p *person) waiting(meetingID string) api.Knock {
	p.s.t.Helper()
	for _, k := range p.knocks(meetingID) {
		if k.Status == "waiting" {
			return k
		}
	}
	p.s.t.Fatal("nobody waits")
	panic("unreachable")
}

func TestRestartAndReloadKeepTheGuestsPlace(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	first, second, third := s.guest(l), s.guest(l), s.guest(l)
	before := first.knock("Première")
	s.clock.add(time.Second)
	second.knock("Deuxième")
	s.clock.add(time.Second)
	third.knock("Troisième")
	admitted := host.decide(m.ID, host.knocks(m.ID)[2].ID, "admit")
	media := do[api.MediaToken](third, http.StatusOK, "POST", "/guest/token", nil)

	s.restart()
	again := first.knock("Another name") // a reload, or a second tab
	if again.Knock.Since != before.Knock.Since || again.Knock.Name != "Première" || again.Status != "waiting" {
		t.Errorf("after the restart %+v, want the knock of %+v", again.Knock, before.Knock)
	}
	knocks := host.knocks(m.ID)
	if len(knocks) != 3 || knocks[0].Name != "Première" || knocks[1].Name != "Deuxième" {
		t.Errorf("order after the restart: %+v", knocks)
	}
	if _, err := s.tokens.Authorize(t.Context(), media.Token); err != nil {
		t.Errorf("an admitted guest cannot resume after the restart: %v", err)
	}
	if back := do[api.MediaToken](third, http.StatusOK, "POST", "/guest/token", nil); back.Identity != admitted.Identity {
		t.Errorf("identity %s after the restart, want %s", back.Identity, admitted.Identity)
	}
}

func TestRemovedGuestsTokenSessionAndSecondTabAllFail(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	guest := s.guest(l)
	lobby, secondTab := guest.lobbySocket(), guest.lobbySocket()
	guest.knock("Inês")
	host.decide(m.ID, host.waiting(m.ID).ID, "admit")
	media := do[api.MediaToken](guest, http.StatusOK, "POST", "/guest/token", nil)
	grant, err := s.tokens.Authorize(t.Context(), media.Token)
	if err != nil {
		t.Fatal(err)
	}
	status, _, _ := host.raw("POST", "/meetings/"+m.ID+"/participants/"+media.Identity+"/remove", "")
	if status != http.StatusNoContent || !s.call.wasRemoved(media.Identity) {
		t.Fatalf("remove answered %d, the call was told: %t", status, s.call.wasRemoved(media.Identity))
	}
	if _, err := s.tokens.Authorize(t.Context(), media.Token); err == nil {
		t.Error("the old token still opens the door")
	}
	if _, err := s.tokens.Refresh(t.Context(), grant); err == nil {
		t.Error("the token can still be refreshed")
	}
	guest.refused("denied", http.StatusForbidden, "POST", "/guest/token", nil)
	guest.refused("denied", http.StatusForbidden, "POST", "/guest/knock", map[string]any{"name": "Inês"})
	for _, tab := range []socket[api.GuestMessage]{lobby, secondTab} {
		tab.until("removed", func(m api.GuestMessage) bool { return m.Guest.Status == "removed" })
	}
	if k := host.knocks(m.ID)[0]; k.Status != "denied" || !k.Removed {
		t.Errorf("host sees %+v", k)
	}
	// A join that was under way when the removal came is undone.
	<-s.call.heard // the removal above
	s.meetings.Joined(m.ID, media.Identity, "PA_late")
	select {
	case <-s.call.heard:
	case <-time.After(hang):
		t.Error("a join that raced the removal stays in the call")
	}
}

func TestRevokingALinkRemovesWhoeverIsInThroughIt(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l, kept := host.link(m.ID, api.LinkDraft{}), host.link(m.ID, api.LinkDraft{})
	inside, waits, stays := s.guest(l), s.guest(l), s.guest(kept)
	inside.knock("Dedans")
	host.decide(m.ID, host.waiting(m.ID).ID, "admit")
	stays.knock("Reste")
	host.decide(m.ID, host.waiting(m.ID).ID, "admit")
	waits.knock("Attend")
	gone := do[api.MediaToken](inside, http.StatusOK, "POST", "/guest/token", nil)
	safe := do[api.MediaToken](stays, http.StatusOK, "POST", "/guest/token", nil)

	revoked := do[api.Link](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/links/"+l.ID+"/revoke", nil)
	if revoked.RevokedAt == nil || !s.call.wasRemoved(gone.Identity) || s.call.wasRemoved(safe.Identity) {
		t.Errorf("revoked %+v, removed %v", revoked, s.call.removed)
	}
	if _, err := s.tokens.Authorize(t.Context(), gone.Token); err == nil {
		t.Error("a token of the revoked link still opens the door")
	}
	if _, err := s.tokens.Authorize(t.Context(), safe.Token); err != nil {
		t.Errorf("a guest of another link is out: %v", err)
	}
	for _, p := range []*person{inside, waits} {
		if v := do[api.GuestView](p, http.StatusOK, "GET", "/guest", nil); v.Status != "revoked" {
			t.Errorf("guest sees %s, want revoked", v.Status)
		}
		p.refused("link-revoked", http.StatusGone, "POST", "/guest/token", nil)
		p.refused("link-revoked", http.StatusGone, "POST", "/guest/knock", map[string]any{"name": "X"})
	}
	s.person().refused("link-revoked", http.StatusGone, "POST", "/guest/redeem", api.Redeem{LinkID: l.ID, Code: l.code})
}

func TestEndForAll(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	mine := do[api.MediaToken](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/join", nil)
	if g, err := s.tokens.Authorize(t.Context(), mine.Token); err != nil || g.Attributes["aparte.role"] != "host" {
		t.Fatalf("host's grant %+v, %v", g, err)
	}
	guest := s.guest(l)
	lobby := guest.lobbySocket()
	guest.knock("Luc")
	ended := do[api.Meeting](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/end", nil)
	if ended.State != "ended" || ended.EndedAt == nil || ended.Waiting != 0 {
		t.Errorf("ended %+v", ended)
	}
	if len(s.call.closed) != 1 || s.call.closed[0] != m.ID {
		t.Errorf("rooms closed: %v", s.call.closed)
	}
	lobby.until("ended", func(m api.GuestMessage) bool { return m.Guest.Status == "ended" })
	if _, err := s.tokens.Authorize(t.Context(), mine.Token); err == nil {
		t.Error("a token of an ended meeting opens the door")
	}
	host.refused("meeting-ended", http.StatusGone, "POST", "/meetings/"+m.ID+"/join", nil)
	guest.refused("meeting-ended", http.StatusGone, "POST", "/guest/knock", map[string]any{"name": "Luc"})
	guest.refused("meeting-ended", http.StatusGone, "POST", "/guest/token", nil)
	s.person().refused("meeting-ended", http.StatusGone, "POST", "/guest/redeem", api.Redeem{LinkID: l.ID, Code: l.code})
}

func TestAdmitAllLeavesOutTheExceptions(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	for _, called := range []string{"Un", "Deux", "Trois"} {
		s.guest(l).knock(called)
	}
	doubtful := host.knocks(m.ID)[1].ID
	after := do[api.KnockList](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/knocks/admit-all", api.AdmitAll{Except: []string{doubtful}})
	got, err := json.Marshal([]string{after.Knocks[0].Status, after.Knocks[1].Status, after.Knocks[2].Status})
	if err != nil || string(got) != `["admitted","waiting","admitted"]` {
		t.Errorf("after admit-all: %s, %v", got, err)
	}
}
