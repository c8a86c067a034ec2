package api_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aparte/signaling/api"
)

// What hosts decide besides letting in and refusing, and what is written in the
// lobby; each with the ways in which it could be abused.

func (p *person) look() api.GuestView {
	p.s.t.Helper()
	return do[api.GuestView](p, http.StatusOK, "GET", "/guest", nil)
}

func (p *person) say(path, text string) (int, http.Header, []byte) {
	p.s.t.Helper()
	return p.raw("POST", path, `{"text":"`+text+`"}`)
}

// admitted is a guest who was let in, and their token.
func (p *person) admitted(host *person, meetingID, called string) api.MediaToken {
	p.s.t.Helper()
	p.knock(called)
	host.decide(meetingID, host.named(meetingID, called).ID, "admit")
	return do[api.MediaToken](p, http.StatusOK, "POST", "/guest/token", nil)
}

func (p *person) named(meetingID, called string) api.Knock {
	p.s.t.Helper()
	for _, k := range p.knocks(meetingID) {
		if k.Name == called {
			return k
		}
	}
	p.s.t.Fatalf("%s has not knocked", called)
	panic("unreachable")
}

func TestAGuestIsSentBackAndLetInAgain(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	first, guest := s.guest(l), s.guest(l)
	media := guest.admitted(host, m.ID, "Inês")
	first.knock("Luc") // after her: she was here before
	grant, err := s.tokens.Authorize(t.Context(), media.Token)
	if err != nil {
		t.Fatal(err)
	}
	lobby, desk := guest.lobbySocket(), host.hostSocket(m.ID)
	desk.next()

	back := do[api.Knock](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/participants/"+media.Identity+"/send-back", nil)
	if back.Status != "waiting" || !back.SentBack || back.Identity != media.Identity || back.Permissions != nil || !s.call.wasRemoved(media.Identity) {
		t.Errorf("sent back: %+v, the call was told: %t", back, s.call.wasRemoved(media.Identity))
	}
	if k := desk.until("the knock", func(m api.HostMessage) bool { return m.Type == "knock" && m.Knock.SentBack }).Knock; k.Status != "waiting" {
		t.Errorf("hosts see %+v", k)
	}
	if v := lobby.until("the lobby again", func(m api.GuestMessage) bool { return m.Guest.Status == "waiting" }).Guest; !v.Knock.SentBack || v.HostKnows {
		t.Errorf("the guest sees %+v, %+v", v, v.Knock)
	}
	if _, err := s.tokens.Authorize(t.Context(), media.Token); err == nil {
		t.Error("the old token still opens the door")
	}
	if _, err := s.tokens.Refresh(t.Context(), grant); err == nil {
		t.Error("the token can still be refreshed")
	}
	guest.refused("conflict", http.StatusConflict, "POST", "/guest/token", nil)
	host.refused("conflict", http.StatusConflict, "POST", "/meetings/"+m.ID+"/participants/"+media.Identity+"/send-back", nil)

	s.restart()
	host.refused("conflict", http.StatusConflict, "PUT", "/meetings/"+m.ID+"/participants/"+media.Identity+"/permissions", map[string]bool{"chat": true})
	if all := host.knocks(m.ID); all[0].Name != "Inês" || all[0].Status != "waiting" || !all[0].SentBack {
		t.Errorf("after a restart hosts see %+v", all)
	}
	host.decide(m.ID, back.ID, "admit")
	again := do[api.MediaToken](guest, http.StatusOK, "POST", "/guest/token", nil)
	if again.Identity != media.Identity {
		t.Errorf("comes back as %s, was %s", again.Identity, media.Identity)
	}
	if _, err := s.tokens.Authorize(t.Context(), again.Token); err != nil {
		t.Errorf("the new token: %v", err)
	}
	if _, err := s.tokens.Authorize(t.Context(), media.Token); err == nil {
		t.Error("being let in again has revived the old token")
	}
}

func TestPermissionsAreInTheTokenAndChangeInTheCall(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	guest := s.guest(host.link(m.ID, api.LinkDraft{}))
	guest.knock("Inês")
	k := do[api.Knock](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/knocks/"+host.waiting(m.ID).ID+"/admit",
		map[string]any{"permissions": map[string]bool{"camera": false, "share": false, "chat": false}})
	if p := k.Permissions; p == nil || !*p.Speak || *p.Camera || *p.Share || *p.Chat {
		t.Fatalf("admitted with %+v", p)
	}
	media := do[api.MediaToken](guest, http.StatusOK, "POST", "/guest/token", nil)
	grant, err := s.tokens.Authorize(t.Context(), media.Token)
	if err != nil {
		t.Fatal(err)
	}
	if got := grant.Video.ToPermission(); len(got.CanPublishSources) != 1 || got.CanPublishData || !got.CanPublish || !got.CanSubscribe {
		t.Errorf("the token says %+v", got)
	}
	path := "/meetings/" + m.ID + "/participants/" + media.Identity + "/permissions"
	do[api.Permitted](host, http.StatusOK, "PUT", path, map[string]bool{"speak": false, "camera": false, "share": false})
	if p := s.call.permitted[media.Identity]; p == nil || p.CanPublish || len(p.CanPublishSources) != 0 || p.CanPublishData {
		t.Errorf("the call was told %+v", p)
	}
	if grant, err = s.tokens.Authorize(t.Context(), media.Token); err != nil || grant.Video.GetCanPublish() || grant.Video.GetCanPublishData() {
		t.Errorf("the old token now gives %+v, %v", grant, err)
	}
	host.refused("not-found", http.StatusNotFound, "PUT", "/meetings/"+m.ID+"/participants/p_x/permissions", map[string]bool{})
	s.agent("eve@aparte.example").refused("not-found", http.StatusNotFound, "PUT", path, map[string]bool{})
}

func TestABannedBrowserStaysOutOfASharedLink(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	inside, opened, other, unknown := s.guest(l), s.guest(l), s.guest(l), s.guest(l)
	karim, ines := s.browser(), s.browser()
	karim.knocks(inside, l, inside.look(), "Karim")
	ines.knocks(other, l, other.look(), "Inês")
	k := host.named(m.ID, "Karim")
	host.decide(m.ID, k.ID, "admit")
	media := do[api.MediaToken](inside, http.StatusOK, "POST", "/guest/token", nil)
	lobby := inside.lobbySocket()
	if k.KnownBy != "browser" || inside.look().RecognisedBy != "browser" || unknown.look().RecognisedBy != "tab" {
		t.Errorf("known by %q", k.KnownBy)
	}
	banned := do[api.Knock](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/knocks/"+k.ID+"/ban", map[string]any{"message": "Non."})
	if banned.Status != "denied" || !banned.Banned || !banned.Removed || !s.call.wasRemoved(media.Identity) {
		t.Errorf("banned: %+v", banned)
	}
	if _, err := s.tokens.Authorize(t.Context(), media.Token); err == nil {
		t.Error("the token still opens the door")
	}
	lobby.until("the guest is told", func(m api.GuestMessage) bool { return m.Guest.Status == "banned" && m.Guest.Knock.Message == "Non." })
	for _, when := range []string{"at once", "after a restart"} {
		inside.refused("banned", http.StatusForbidden, "POST", "/guest/token", nil)
		inside.refused("banned", http.StatusForbidden, "POST", "/guest/knock", map[string]any{"name": "Karim"})
		for _, tab := range []*person{opened, s.guest(l)} { // open since before, and new
			tab.refused("banned", http.StatusForbidden, "POST", "/guest/knock", api.GuestName{Name: "Karim", Proof: karim.knockProof(l.ID, tab.look())})
		}
		if v := other.look(); v.Status != "waiting" {
			t.Errorf("%s somebody else by the link is %s", when, v.Status)
		}
		unknown.knock("Luc")
		s.restart()
	}
	host.decide(m.ID, k.ID, "lift")
	if v := inside.look(); v.Status != "entry" {
		t.Errorf("lifted: the guest is %s", v.Status)
	}
	if v := karim.knocks(opened, l, opened.look(), "Karim"); v.Status != "waiting" {
		t.Errorf("lifted: another tab is %s", v.Status)
	}
}

// wrongly is another code of the same form. A letter from the front: the last one has
// few values, and the first that comes to mind may be the right one.
func wrongly(code string) string {
	if code[0] == 'A' {
		return "B" + code[1:]
	}
	return "A" + code[1:]
}

func TestABannedPersonalLinkOpensForNobody(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{Kind: "personal", GuestName: "Karim"})
	guest, opened := s.guest(l), s.guest(l)
	guest.knock("Karim")
	k := host.waiting(m.ID)
	do[api.Knock](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/knocks/"+k.ID+"/ban", map[string]any{})
	s.restart()
	if v := guest.look(); v.Status != "banned" || v.RecognisedBy != "link" {
		t.Errorf("the guest sees %+v", v)
	}
	if v := opened.look(); v.Status != "banned" {
		t.Errorf("who opened the link elsewhere sees %s", v.Status)
	}
	opened.refused("banned", http.StatusForbidden, "POST", "/guest/knock", map[string]any{"name": "Karim"})
	s.person().refused("banned", http.StatusForbidden, "POST", "/guest/redeem", api.Redeem{LinkID: l.ID, Code: l.code})
	s.person().refused("link-unknown", http.StatusNotFound, "POST", "/guest/redeem", api.Redeem{LinkID: l.ID, Code: wrongly(l.code)})
	host.decide(m.ID, k.ID, "lift")
	if v := guest.knock("Karim"); v.Status != "waiting" {
		t.Errorf("lifted: the guest is %s", v.Status)
	}
}

func TestMessagesReachTheirReaderAndSurviveARestart(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	guest, other := s.guest(l), s.guest(l)
	guest.knock("Inês")
	other.knock("Luc")
	lobby, desk := guest.lobbySocket(), host.hostSocket(m.ID)
	desk.next()
	k := host.named(m.ID, "Inês")

	// A guest has nothing to say before a host has.
	guest.refused("conflict", http.StatusConflict, "POST", "/guest/messages", api.LobbyText{Text: "Bonjour"})
	got := do[api.Knock](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/knocks/"+k.ID+"/messages", api.LobbyText{Text: "Deux minutes"})
	if len(got.Messages) != 1 || !got.Messages[0].ByHost || got.Messages[0].ByName != "Anne Bernard" {
		t.Fatalf("the thread is %+v", got.Messages)
	}
	lobby.until("the host's words", func(m api.GuestMessage) bool {
		return len(m.Guest.Knock.Messages) == 1 && m.Guest.Knock.Messages[0].Text == "Deux minutes"
	})
	inert := "<img src=x onerror=alert(1)>"
	do[api.GuestView](guest, http.StatusOK, "POST", "/guest/messages", api.LobbyText{Text: inert})
	desk.until("the answer", func(m api.HostMessage) bool {
		return m.Knock != nil && m.Knock.ID == k.ID && len(m.Knock.Messages) == 2 && m.Knock.Messages[1].Text == inert
	})
	told := do[api.KnockList](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/knocks/messages", api.LobbyText{Text: "À tous"})
	if len(told.Knocks) != 2 {
		t.Errorf("%d were written to", len(told.Knocks))
	}
	s.restart()
	if v := guest.look(); len(v.Knock.Messages) != 3 || v.Knock.Messages[1].Text != inert || v.Knock.Messages[1].ByHost || v.Knock.Messages[2].Seq != 3 {
		t.Errorf("after a restart the guest reads %+v", v.Knock.Messages)
	}
	if v := other.look(); len(v.Knock.Messages) != 1 || v.Knock.Messages[0].Text != "À tous" {
		t.Errorf("another guest reads %+v", v.Knock.Messages)
	}
	host.decide(m.ID, k.ID, "deny")
	guest.refused("conflict", http.StatusConflict, "POST", "/guest/messages", api.LobbyText{Text: "Pourquoi"})
	host.refused("conflict", http.StatusConflict, "POST", "/meetings/"+m.ID+"/knocks/"+k.ID+"/messages", api.LobbyText{Text: "Désolée"})
}

func TestMessagesAreBoundedAndBelongToTheirThread(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m, elsewhere := host.meeting(), host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	guest, other := s.guest(l), s.guest(l)
	guest.knock("Inês")
	other.knock("Luc")
	k := host.named(m.ID, "Inês")
	path := "/meetings/" + m.ID + "/knocks/" + k.ID + "/messages"
	do[api.Knock](host, http.StatusOK, "POST", path, api.LobbyText{Text: "Bonjour"})

	// Nobody else writes there: not another guest, nor an agent who is no host, nor
	// a host by another meeting of theirs. A guest's call takes no id at all.
	if status, _, body := other.raw("POST", "/guest/messages", `{"text":"x","knock":"`+k.ID+`"}`); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
		t.Errorf("a knock named by a guest: %d %s", status, body)
	}
	other.refused("conflict", http.StatusConflict, "POST", "/guest/messages", api.LobbyText{Text: "x"})
	other.refused("unauthenticated", http.StatusUnauthorized, "POST", path, api.LobbyText{Text: "x"})
	s.agent("eve@aparte.example").refused("not-found", http.StatusNotFound, "POST", path, api.LobbyText{Text: "x"})
	host.refused("not-found", http.StatusNotFound, "POST", "/meetings/"+elsewhere.ID+"/knocks/"+k.ID+"/messages", api.LobbyText{Text: "x"})

	for text, want := range map[string]int{
		strings.Repeat("é", 500): http.StatusOK, strings.Repeat("é", 501): http.StatusUnprocessableEntity,
		"": http.StatusUnprocessableEntity, "   ": http.StatusUnprocessableEntity, `a\u0000b`: http.StatusUnprocessableEntity,
	} {
		if status, _, body := guest.say("/guest/messages", text); status != want || want != http.StatusOK && !bytes.Contains(body, []byte(`"location":"body.text"`)) {
			t.Errorf("%.10q: %d %s, want %d", text, status, body, want)
		}
	}
	flooded := false
	for range 20 {
		status, header, _ := guest.say("/guest/messages", "encore")
		flooded = flooded || status == http.StatusTooManyRequests && header.Get("Retry-After") != ""
	}
	if n := len(guest.look().Knock.Messages); !flooded || n != 6 {
		t.Errorf("a flood leaves %d messages, refused: %t", n, flooded)
	}
	s.clock.add(10 * time.Second)
	if status, _, body := guest.say("/guest/messages", "plus tard"); status != http.StatusOK {
		t.Errorf("after the wait: %d %s", status, body)
	}
	flooded = false
	for range 20 {
		status, _, _ := host.say(path, "encore")
		flooded = flooded || status == http.StatusTooManyRequests
	}
	if !flooded {
		t.Error("a host writes without end")
	}
	for range 60 {
		s.clock.add(time.Second)
		do[api.Knock](host, http.StatusOK, "POST", path, api.LobbyText{Text: "encore"})
	}
	if all := guest.look().Knock.Messages; len(all) != 50 || all[49].Seq < 60 {
		t.Errorf("the thread keeps %d messages up to %d", len(all), all[len(all)-1].Seq)
	}
}

func TestNobodyIsDroppedWhileTheyWait(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{ExpiresAt: s.clock.Now().Add(time.Hour)})
	here, gone := s.guest(l), s.guest(l)
	here.knock("Inês")
	gone.knock("Luc")
	lobby := here.lobbySocket()
	if v := lobby.next().Guest; !v.Link.ExpiresAt.Equal(l.ExpiresAt) {
		t.Errorf("the page is told %s", v.Link.ExpiresAt)
	}
	for range 40 {
		s.clock.add(time.Hour)
		s.meetings.Sweep(t.Context())
		do[api.SignedIn](host, http.StatusOK, "GET", "/session", nil) // or the host's own session ends
	}
	if v := here.look(); v.Status != "waiting" {
		t.Errorf("who is there is %s after 40 hours and the link's end", v.Status)
	}
	gone.refused("unauthenticated", http.StatusUnauthorized, "GET", "/guest", nil)
	host.decide(m.ID, host.named(m.ID, "Inês").ID, "admit")
	do[api.MediaToken](here, http.StatusOK, "POST", "/guest/token", nil)
}

func TestTheGuestReadsWhoKnowsAndThatHostsHaveGone(t *testing.T) {
	s := newServer(t)
	host := s.agent("anne@aparte.example")
	m := host.meeting()
	guest := s.guest(host.link(m.ID, api.LinkDraft{}))
	guest.knock("Inês")
	lobby := guest.lobbySocket()
	if v := lobby.next().Guest; v.HostWatching || v.KnownBy != "" {
		t.Errorf("at first %+v", v)
	}
	desk := host.hostSocket(m.ID)
	desk.next()
	lobby.until("a host watches", func(m api.GuestMessage) bool { return m.Guest.HostWatching && !m.Guest.HostKnows })
	if err := desk.ws.WriteJSON(api.HostCommand{Type: "seen"}); err != nil {
		t.Fatal(err)
	}
	lobby.until("a host knows", func(m api.GuestMessage) bool { return m.Guest.HostKnows && m.Guest.KnownBy == "Anne Bernard" })
	desk.ws.Close()
	if v := lobby.until("hosts have gone", func(m api.GuestMessage) bool { return !m.Guest.HostWatching }).Guest; !v.HostKnows || v.Status != "waiting" {
		t.Errorf("afterwards %+v", v)
	}
}

func (p *person) noticeSocket() socket[api.NoticeMessage] {
	p.s.t.Helper()
	ws, status := p.dial("/agent/notices", p.s.http.URL)
	if ws == nil {
		p.s.t.Fatalf("notice socket: %d", status)
	}
	return socket[api.NoticeMessage]{p.s.t, ws}
}

func waiting(meetingID string, n int) func(api.NoticeMessage) bool {
	return func(m api.NoticeMessage) bool {
		for _, v := range m.Notices {
			if v.Meeting == meetingID {
				return v.Waiting == n
			}
		}
		return n == 0
	}
}

func TestAbsentHostsAreTold(t *testing.T) {
	s := newServer(t)
	host, eve := s.agent("anne@aparte.example"), s.agent("eve@aparte.example")
	m, second := host.meeting(), host.meeting()
	theirs := eve.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	early := s.guest(l)
	early.knock("Inês")
	page, evesPage := host.noticeSocket(), eve.noticeSocket()
	if first := page.next(); len(first.Notices) != 1 || first.Notices[0].Waiting != 1 || first.Notices[0].Title != m.Title || first.Notices[0].Newest == nil {
		t.Errorf("at first %+v", first)
	}
	if first := evesPage.next(); len(first.Notices) != 0 {
		t.Errorf("who hosts nothing of it is told %+v", first)
	}
	s.clock.add(time.Second)
	s.guest(host.link(second.ID, api.LinkDraft{})).knock("Luc")
	if got := page.until("the second meeting", waiting(second.ID, 1)); len(got.Notices) != 2 || got.Notices[0].Meeting != second.ID {
		t.Errorf("whoever knocked last is not first: %+v", got)
	}
	early.knock("Inês") // again: nothing new
	host.decide(m.ID, host.waiting(m.ID).ID, "admit")
	page.until("handled", waiting(m.ID, 0))
	media := do[api.MediaToken](early, http.StatusOK, "POST", "/guest/token", nil)
	do[api.Knock](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/participants/"+media.Identity+"/send-back", nil)
	page.until("sent back: no new knock", func(n api.NoticeMessage) bool {
		return waiting(m.ID, 1)(n) && n.Notices[1].Meeting == m.ID && n.Notices[1].Newest == nil
	})
	do[api.Meeting](host, http.StatusOK, "POST", "/meetings/"+m.ID+"/end", nil)
	page.until("ended", waiting(m.ID, 0))
	s.guest(eve.link(theirs.ID, api.LinkDraft{})).knock("Paul")
	if got := evesPage.next(); len(got.Notices) != 1 || got.Notices[0].Meeting != theirs.ID {
		t.Errorf("the other host is told %+v", got)
	}

	s.restart()
	if first := host.noticeSocket().next(); len(first.Notices) != 1 || !waiting(second.ID, 1)(first) {
		t.Errorf("after a restart %+v", first)
	}
}

func TestNoticesAreForTheSignedInOnly(t *testing.T) {
	s := newServer(t)
	s.timing.Ping = 50 * time.Millisecond
	s.restart()
	host := s.agent("anne@aparte.example")
	for _, origin := range []string{"", "null", "https://evil.example", s.http.URL + ".evil.example"} {
		if ws, status := host.dial("/agent/notices", origin); ws != nil || status != http.StatusForbidden {
			t.Errorf("origin %q: %d", origin, status)
		}
	}
	if ws, status := s.person().dial("/agent/notices", s.http.URL); ws != nil || status != http.StatusUnauthorized {
		t.Errorf("nobody: %d", status)
	}
	page := host.noticeSocket()
	page.next()
	if err := page.ws.WriteMessage(websocket.TextMessage, []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	if code := page.closed(); code != 4400 {
		t.Errorf("a page that speaks is closed with %d", code)
	}
	page = host.noticeSocket()
	page.next()
	do[struct{}](host, http.StatusNoContent, "DELETE", "/session", nil)
	if code := page.closed(); code != 4410 {
		t.Errorf("signing out closes with %d", code)
	}

	host = s.agent("luc@aparte.example")
	var last socket[api.NoticeMessage]
	for range 20 {
		last = host.noticeSocket()
		last.next()
	}
	if ws, status := host.dial("/agent/notices", s.http.URL); ws != nil || status != http.StatusTooManyRequests {
		t.Errorf("the 21st page: %d", status)
	}
}
