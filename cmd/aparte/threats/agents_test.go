package threats

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"

	"aparte/signaling/api"
	"aparte/signaling/profile"
)

// closedLobby puts a meeting under a profile in which everybody but hosts waits.
func (p *person) closedLobby(meeting string) {
	p.p.t.Helper()
	rules := profile.Defaults()[0].Rules
	rules.Lobby = profile.LobbyAllButHosts
	text := api.Text{French: "Tous attendent", English: "Everybody waits"}
	post := do[api.Meeting](p, "GET", "/meetings/"+meeting, nil).Post
	do[api.Profile](p, "POST", "/profiles?post="+post, api.ProfileDraft{ID: "closed", Name: text, Sentence: text, Rules: api.ProfileRules(rules)})
	do[api.MeetingEffects](p, "PUT", "/meetings/"+meeting+"/profile", api.ProfileChoice{Profile: "closed"})
}

// An account is no admission: a colleague who was named and has to wait gets nothing of the
// call by any token or socket, until a host admits, and nothing again after.
func TestAWaitingAgentGetsNothing(t *testing.T) {
	t.Parallel()
	p := start(t)
	host := p.administrator()
	agent := host.agent("Marc Adam", "marc@aparte.example")
	m := host.meeting()
	at := "/meetings/" + m.ID
	do[api.Member](host, "POST", at+"/members", api.MemberDraft{Email: "marc@aparte.example", Role: "participant"})
	seat := do[api.MediaToken](host, "POST", at+"/join", nil)
	anne := p.join(seat.Token)
	// A seat of before, with all its tokens: the agent was in, and has left when the lobby is closed.
	before := do[api.MediaToken](agent, "POST", at+"/join", nil)
	early := p.join(before.Token)
	anne.heard("Marc", func(m *livekit.SignalResponse) bool { return participant(m, before.Identity) != nil })
	early.leave()
	anne.heard("Marc leaves", func(m *livekit.SignalResponse) bool {
		v := participant(m, before.Identity)
		return v != nil && v.State == livekit.ParticipantInfo_DISCONNECTED
	})
	host.closedLobby(m.ID)
	guest, k := host.admitted(m.ID, host.link(m.ID, api.LinkDraft{Label: "Presse"}), "Maria Oliveira")
	mate := do[api.MediaToken](guest, "POST", "/guest/token", nil)
	p.join(mate.Token)

	var told [][]byte
	outside := func(when string, tokens ...string) {
		t.Helper()
		for _, token := range tokens {
			for _, path := range []string{"/rtc", "/rtc/v1", "/rtc/validate", "/rtc/v1/validate"} {
				for _, query := range []string{"", "&reconnect=1&sid=" + early.sid} {
					ws, got := agent.socket(path+"?protocol=16&auto_subscribe=1&access_token="+token+query, http.Header{"Authorization": {"Bearer " + token}})
					if ws != nil || got.status != http.StatusUnauthorized {
						t.Errorf("%s, %s%s: %d %s", when, path, query, got.status, got.body)
					}
					told = append(told, got.body)
				}
			}
		}
		for _, route := range []string{"GET " + at + "/knocks", "GET " + at + "/members", "GET " + at + "/links", "POST " + at + "/knocks/admit-all", "POST " + at + "/knocks/" + k.ID + "/admit", "POST " + at + "/end"} {
			method, path, _ := strings.Cut(route, " ")
			got := agent.call(method, path, map[string]any{})
			if got.code() != "forbidden" {
				t.Errorf("%s, %s: %d %s", when, route, got.status, got.body)
			}
			told = append(told, got.body)
		}
		for _, route := range []string{"GET " + at + "/call/messages", "POST " + at + "/call/messages", "PUT " + at + "/call/hand"} {
			method, path, _ := strings.Cut(route, " ")
			body := any(nil)
			if method == "POST" {
				body = api.CallText{Text: "Bonjour"}
			}
			if got := agent.call(method, path, body); got.status < 400 {
				t.Errorf("%s, %s: %d %s", when, route, got.status, got.body)
			}
		}
		if ws, got := agent.dial(at+"/host", p.url); ws != nil || got.status != http.StatusForbidden {
			t.Errorf("%s, the host socket: %d", when, got.status)
		}
	}
	agent.refused("must-knock", "POST", at+"/join", nil)
	outside("before knocking", before.Token, agent.cookie())
	do[api.AgentView](agent, "POST", at+"/knock", nil)
	agent.refused("must-knock", "POST", at+"/join", nil)
	outside("waiting", before.Token, agent.cookie())

	ws, got := agent.dial(at+"/lobby", p.url)
	if ws == nil {
		t.Fatalf("the lobby socket: %d %s", got.status, got.body)
	}
	lobby := messages[api.AgentMessage]{t, ws}
	host.admitted(m.ID, host.link(m.ID, api.LinkDraft{}), "Luc Petit") // people come and go
	own := func(status string) {
		t.Helper()
		last, between := lobby.until(status, func(v api.AgentMessage) bool { return v.Agent.Status == status })
		for _, v := range append(between, last) {
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			told = append(told, raw)
		}
	}
	own("waiting")
	for _, text := range told {
		for _, secret := range []string{tokenHead(seat.Token), seat.Identity, mate.Identity, k.ID, "Maria Oliveira", "Luc Petit", "Presse", `"identity"`, `"participants"`, `"knocks"`, `"label"`} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("the waiting agent is told %q: %s", secret, text)
			}
		}
	}

	row := host.knockOf(m.ID, "Marc Adam")
	if row.Agent == nil || row.Agent.Role != "participant" || row.NameSuspicious || row.Link != nil {
		t.Errorf("hosts see %+v", row)
	}
	host.decide(m.ID, row, "admit")
	own("admitted")
	// Each way out ends the call and everything that was handed out for it.
	for _, way := range []struct{ how, then string }{{"send-back", "waiting"}, {"remove", "removed"}} {
		in := do[api.MediaToken](agent, "POST", at+"/join", nil)
		call := p.join(in.Token)
		anne.heard("Marc", func(m *livekit.SignalResponse) bool { return participant(m, in.Identity) != nil })
		if got := host.call("POST", at+"/participants/"+in.Identity+"/"+way.how, nil); got.status >= 300 {
			t.Fatalf("%s: %d %s", way.how, got.status, got.body)
		}
		call.heard("the end", func(m *livekit.SignalResponse) bool {
			return m.GetLeave() != nil && m.GetLeave().Reason == livekit.DisconnectReason_PARTICIPANT_REMOVED
		})
		own(way.then)
		agent.refused("must-knock", "POST", at+"/join", nil)
		early = call
		outside(way.how, in.Token, before.Token)
		do[api.AgentView](agent, "POST", at+"/knock", nil)
		host.decide(m.ID, host.knockOf(m.ID, "Marc Adam"), "admit")
	}
	// Named no more: neither knock nor token nor socket is left.
	in := do[api.MediaToken](agent, "POST", at+"/join", nil)
	var marc string
	for _, one := range do[api.MemberList](host, "GET", at+"/members", nil).Members {
		if one.Name == "Marc Adam" {
			marc = one.ID
		}
	}
	do[struct{}](host, "DELETE", at+"/members/"+marc, nil)
	if code := closed(t, lobby.ws); code != 4401 {
		t.Errorf("the lobby socket of who is named no more is closed with %d", code)
	}
	if ws, _ := p.wire(in.Token, false, ""); ws != nil {
		t.Error("the token of who is named no more leads in")
	}
	agent.refused("not-found", "POST", at+"/knock", nil)

	// The cookie opens the socket only to our own pages.
	for _, origin := range []string{"", "null", "https://evil.example"} {
		if ws, got := host.dial(at+"/lobby", origin); ws != nil || got.status != http.StatusForbidden {
			t.Errorf("the lobby socket for origin %q: %d", origin, got.status)
		}
	}
	ws, _ = host.dial(at+"/lobby", p.url)
	if ws == nil || ws.WriteMessage(websocket.BinaryMessage, offerFrame(t)) != nil {
		t.Fatal("no socket to send an offer on")
	}
	if code := closed(t, ws); code != 4400 {
		t.Errorf("an offer on the lobby socket: closed with %d, want 4400", code)
	}
}
