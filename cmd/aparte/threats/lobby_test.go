package threats

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	_ "modernc.org/sqlite" // to look at the data of a server that has stopped

	"aparte/signaling/api"
)

// Zoom 2020. The guest holds a lobby session and nothing else; here it tries every door
// of the running meeting with it, and reads all that it is told while the meeting goes on
// around it. That a socket is opened to nobody means: no offer, no subscription, no RTP.
func TestAWaitingGuestGetsNothing(t *testing.T) {
	t.Parallel()
	p := start(t)
	host := p.administrator()
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{Label: "Presse", MaxUses: 5})
	inside, k := host.admitted(m.ID, l, "Maria Oliveira")
	seat := do[api.MediaToken](host, "POST", "/meetings/"+m.ID+"/join", nil)
	mate := do[api.MediaToken](inside, "POST", "/guest/token", nil)
	anne, maria := p.join(seat.Token), p.join(mate.Token)

	guest, _ := host.waiting(m.ID, l, "Inês Duarte")
	lobby := guest.lobbySocket()
	told := [][]byte{}
	note := func(v any) {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, raw)
	}
	first := lobby.next()
	note(first)

	// Every door, with what the guest has for a key, as bearer, cookie and query.
	for _, path := range []string{"/rtc", "/rtc/v1", "/rtc/validate", "/rtc/v1/validate"} {
		query := "?protocol=16&auto_subscribe=1&access_token=" + guest.bearer
		ws, got := guest.socket(path+query, http.Header{"Authorization": {"Bearer " + guest.bearer}})
		if ws != nil || got.status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		told = append(told, got.body)
	}
	for _, route := range []string{
		"GET /meetings", "GET /meetings/" + m.ID, "GET /meetings/" + m.ID + "/knocks", "GET /meetings/" + m.ID + "/links",
		"POST /meetings/" + m.ID + "/join", "POST /meetings/" + m.ID + "/knocks/admit-all", "POST /meetings/" + m.ID + "/knocks/" + k.ID + "/admit",
		"POST /meetings/" + m.ID + "/end", "GET /session", "GET /accounts",
	} {
		method, path, _ := strings.Cut(route, " ")
		got := guest.call(method, path, nil)
		if got.code() != "unauthenticated" {
			t.Errorf("%s: %d %s", route, got.status, got.body)
		}
		told = append(told, got.body)
	}
	got := guest.call("POST", "/guest/token", nil)
	if got.code() != "conflict" {
		t.Errorf("a token before admission: %d %s", got.status, got.body)
	}
	told = append(told, got.body)
	if ws, got := guest.dial("/meetings/"+m.ID+"/host", p.url); ws != nil || got.status != http.StatusUnauthorized {
		t.Errorf("the host socket: %d %s", got.status, got.body)
	}

	// People come and go. The guest hears of its own state alone.
	anne.heard("Maria", func(m *livekit.SignalResponse) bool { return participant(m, mate.Identity) != nil })
	host.admitted(m.ID, l, "Luc Petit")
	maria.leave()
	do[api.Knock](host, "POST", "/meetings/"+m.ID+"/knocks/"+host.knockOf(m.ID, "Inês Duarte").ID+"/deny", map[string]any{})
	last, between := lobby.until("denied", func(v api.GuestMessage) bool { return v.Guest.Status == "denied" })
	note(last)
	for _, v := range between {
		note(v)
	}
	for _, text := range told {
		for _, secret := range []string{
			tokenHead(seat.Token), seat.Identity, mate.Identity, k.ID, "Maria Oliveira", "Luc Petit", "Presse", l.ID, `"identity"`, `"participants"`, `"knocks"`, `"label"`,
		} {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("the waiting guest is told %q: %s", secret, text)
			}
		}
	}

	// A hostile client offers and subscribes on the only socket it has.
	for name, frame := range map[string][]byte{"an offer": offerFrame(t), "a subscription": subscribeFrame(t)} {
		other, _ := host.waiting(m.ID, l, "Mallory, "+name)
		socket := other.lobbySocket()
		socket.next()
		if err := socket.ws.WriteMessage(websocket.BinaryMessage, frame); err != nil {
			t.Fatal(err)
		}
		if code := closed(t, socket.ws); code != 4400 {
			t.Errorf("%s on the lobby socket: closed with %d, want 4400", name, code)
		}
	}
}

// knockOf is the knock of a guest by name.
func (p *person) knockOf(meeting, called string) api.Knock {
	p.t.Helper()
	all := do[api.KnockList](p, "GET", "/meetings/"+meeting+"/knocks", nil).Knocks
	i := slices.IndexFunc(all, func(k api.Knock) bool { return k.Name == called })
	if i < 0 {
		p.t.Fatalf("%s does not knock", called)
	}
	return all[i]
}

// Jitsi #7676, BBB #9748: whatever happens around somebody who waits, only a host's
// decision about them lets them in.
func TestNobodyIsAdmittedByItself(t *testing.T) {
	t.Parallel()
	p := start(t)
	admin := p.administrator()
	host := admin.agent("Inès Caron", "ines@aparte.example")
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	other := host.link(m.ID, api.LinkDraft{})
	early, _ := host.waiting(m.ID, l, "Tôt")
	lobby := early.lobbySocket()

	waits := func(when string) {
		t.Helper()
		if v := do[api.GuestView](early, "GET", "/guest", nil); v.Status != "waiting" {
			t.Errorf("%s the guest is %s", when, v.Status)
		}
		early.refused("conflict", "POST", "/guest/token", nil)
	}
	waits("before any host")
	token := do[api.MediaToken](host, "POST", "/meetings/"+m.ID+"/join", nil)
	waits("when the meeting opens")
	anne := p.join(token.Token)
	lobby.until("the host is there", func(v api.GuestMessage) bool { return v.Guest.HostPresent })
	waits("when the host is in the call")
	socket := host.hostSocket(m.ID)
	socket.next()
	waits("when the host watches the lobby")
	if err := socket.ws.WriteJSON(api.HostCommand{Type: "seen"}); err != nil {
		t.Fatal(err)
	}
	lobby.until("the host knows", func(v api.GuestMessage) bool { return v.Guest.HostKnows })
	waits("when the host has seen the knock")
	anne.cut()
	anne.resume()
	waits("while the host reconnects")
	anne.leave()
	lobby.until("the host is gone", func(v api.GuestMessage) bool { return !v.Guest.HostPresent })
	waits("when the host has left")
	do[api.Link](host, "POST", "/meetings/"+m.ID+"/links/"+other.ID+"/revoke", nil)
	host.link(m.ID, api.LinkDraft{Kind: "personal", GuestName: "Tôt"})
	waits("when links come and go")
	_, k := host.admitted(m.ID, l, "Quelqu’un d’autre")
	waits("when somebody else with the same link is let in")
	host.call("POST", "/meetings/"+m.ID+"/participants/"+k.Identity+"/remove", nil)
	waits("when somebody else is removed")
	admin.refused("not-found", "POST", "/meetings/"+m.ID+"/knocks/admit-all", map[string]any{})
	waits("when an administrator who does not host says so")
	do[api.KnockList](host, "POST", "/meetings/"+m.ID+"/knocks/admit-all", api.AdmitAll{Except: []string{host.knockOf(m.ID, "Tôt").ID}})
	waits("when all others are let in")
	host.call("DELETE", "/session", nil)
	waits("when the host signs out")
}

// La Suite forgot who waited after seconds, #1727 made a new guest of each poll. The time
// away is made by moving what is stored into the past, while nothing runs.
func TestWaitingGuestsAreNotForgotten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := startOn(t, dir)
	host := p.administrator()
	m := host.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	desk := host.hostSocket(m.ID)
	desk.next()
	guest, first := host.waiting(m.ID, l, "Inês Duarte")
	_, second := host.waiting(m.ID, l, "Luc Petit")
	lobby := guest.lobbySocket()
	lobby.next()
	_ = lobby.ws.NetConn().Close() // as a phone that is locked: without a word
	rings := 0
	desk.until("Luc", func(v api.HostMessage) bool {
		if v.Knock != nil && v.Knock.ID == first.ID {
			rings++
		}
		return v.Knock != nil && v.Knock.ID == second.ID
	})
	if rings != 1 {
		t.Errorf("the hosts were told of one knock %d times", rings)
	}
	p.stop()
	const away = time.Minute
	setBack(t, filepath.Join(dir, "data"), away)

	p2 := startOn(t, dir)
	guest.p, host.p = p2, p2
	host.client.Jar = p2.moved(host)
	desk = host.hostSocket(m.ID)
	if v := desk.next(); len(v.Knocks) != 2 || v.Knocks[0].ID != first.ID || v.Knocks[1].ID != second.ID {
		t.Fatalf("after %s away: %+v", away, v.Knocks)
	}
	lobby = guest.lobbySocket()
	v := lobby.next().Guest
	if v.Status != "waiting" || v.Knock == nil || !v.Knock.Since.Equal(first.Since.Add(-away)) {
		t.Errorf("the guest comes back as %+v", v)
	}
	if again := do[api.GuestView](guest, "POST", "/guest/knock", api.GuestName{Name: "Inês Duarte"}); !again.Knock.Since.Equal(v.Knock.Since) {
		t.Errorf("knocking again made the wait begin anew: %v", again.Knock.Since)
	}
	_, third := host.waiting(m.ID, l, "Eva")
	_, before := desk.until("Eva", func(v api.HostMessage) bool { return v.Knock != nil && v.Knock.ID == third.ID })
	for _, v := range before {
		if v.Knock != nil {
			t.Errorf("coming back rang again: %+v", v.Knock)
		}
	}
	all := do[api.KnockList](host, "GET", "/meetings/"+m.ID+"/knocks", nil).Knocks
	if len(all) != 3 || all[0].ID != first.ID {
		t.Errorf("the place is lost: %+v", all)
	}
	if k := host.decide(m.ID, first, "admit"); k.Status != "admitted" {
		t.Errorf("admitted: %+v", k)
	}
}

// setBack moves all that is stored about the lobby into the past.
func setBack(t *testing.T, dir string, by time.Duration) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "aparte.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		"UPDATE knocks SET since = since - ?1",
		"UPDATE lobby_sessions SET created_at = created_at - ?1, expires_at = expires_at - ?1",
		"UPDATE guest_links SET created_at = created_at - ?1, expires_at = expires_at - ?1",
	} {
		if _, err := db.ExecContext(t.Context(), statement, by.Milliseconds()); err != nil {
			t.Fatal(err)
		}
	}
}

// CVE-2022-41960, JSA-2022-0004: what others can see of somebody is no key, and an id in
// a call is looked at in the light of who calls.
func TestTheIdentityIsNotTheCredential(t *testing.T) {
	t.Parallel()
	p := start(t)
	admin := p.administrator()
	host, stranger := admin.agent("Inès Caron", "ines@aparte.example"), admin.agent("Luc Petit", "luc@aparte.example")
	m, foreign := host.meeting(), stranger.meeting()
	l := host.link(m.ID, api.LinkDraft{})
	guest, k := host.admitted(m.ID, l, "Inês Duarte")
	seat := do[api.MediaToken](host, "POST", "/meetings/"+m.ID+"/join", nil)
	for what, id := range map[string]string{
		"a guest's identity": k.Identity, "a host's identity": seat.Identity, "a knock": k.ID, "a link": l.ID, "a meeting": m.ID,
		"the redemption code": l.code, "the link's secret": l.secret, "nothing": "",
	} {
		thief := p.person()
		thief.bearer = id
		for _, route := range []string{"GET /guest", "POST /guest/token", "POST /guest/withdraw", "POST /guest/knock"} {
			method, path, _ := strings.Cut(route, " ")
			thief.refused("unauthenticated", method, path, nil)
		}
		thief.header.Set("Cookie", "aparte="+id)
		thief.refused("unauthenticated", "GET", "/meetings", nil)
		for _, path := range []string{"/rtc", "/rtc/v1"} {
			if ws, got := thief.socket(path+"?access_token="+id, nil); ws != nil || got.status != http.StatusUnauthorized {
				t.Errorf("%s opens %s: %d", what, path, got.status)
			}
		}
		ws, _ := thief.dial("/guest/lobby", p.url)
		if err := ws.WriteJSON(api.GuestHello{Session: id}); err != nil {
			t.Fatal(err)
		}
		if code := closed(t, ws); code != 4401 {
			t.Errorf("%s on the lobby socket: %d, want 4401", what, code)
		}
	}
	// Somebody else's ids in one's own calls, and one's own with somebody else's.
	for _, c := range []struct{ meeting, knock, link, identity string }{
		{m.ID, k.ID, l.ID, k.Identity}, {foreign.ID, k.ID, l.ID, k.Identity}, {m.ID, "x", "x", seat.Identity}, {foreign.ID, "x", "x", seat.Identity},
	} {
		at := "/meetings/" + c.meeting
		for _, path := range []string{
			at + "/knocks/" + c.knock + "/admit", at + "/knocks/" + c.knock + "/deny", at + "/knocks/" + c.knock + "/lift",
			at + "/links/" + c.link + "/revoke", at + "/participants/" + c.identity + "/remove",
		} {
			var body any = map[string]any{}
			if strings.HasSuffix(path, "/lift") || strings.HasSuffix(path, "/revoke") || strings.HasSuffix(path, "/remove") {
				body = nil
			}
			stranger.refused("not-found", "POST", path, body)
		}
	}
	if again := host.knockOf(m.ID, "Inês Duarte"); !reflect.DeepEqual(again, k) {
		t.Errorf("the knock was changed: %+v, was %+v", again, k)
	}
	do[api.MediaToken](guest, "POST", "/guest/token", nil)
	if got := do[api.LinkList](host, "GET", "/meetings/"+m.ID+"/links", nil); got.Links[0].RevokedAt != nil {
		t.Error("the link was revoked")
	}
}

// Webex 2024: ids are random, of 128 bits at least, all of them.
func TestIdsCannotBeGuessed(t *testing.T) {
	t.Parallel()
	p := start(t)
	host := p.administrator()
	const many = 80
	ids := map[string][]string{}
	m := host.meeting()
	seat := do[api.MediaToken](host, "POST", "/meetings/"+m.ID+"/join", nil)
	ids["host identity"] = []string{strings.TrimPrefix(seat.Identity, "p_")}
	for range many {
		ids["meeting"] = append(ids["meeting"], host.meeting().ID)
	}
	for i := range many {
		l := host.link(m.ID, api.LinkDraft{})
		g, k := host.admitted(m.ID, l, fmt.Sprint("Guest ", i))
		ids["link"] = append(ids["link"], l.ID)
		ids["knock"] = append(ids["knock"], k.ID)
		ids["identity"] = append(ids["identity"], strings.TrimPrefix(k.Identity, "p_"))
		ids["session"] = append(ids["session"], g.bearer)
	}
	seen := map[string]string{}
	for kind, all := range ids {
		var ones [8 * 16]int
		for _, id := range all {
			raw, err := base64.RawURLEncoding.DecodeString(id)
			if err != nil || len(raw) < 16 {
				t.Fatalf("%s %q is no 128 bits: %v", kind, id, err)
			}
			if was := seen[id]; was != "" {
				t.Errorf("%s %q was a %s before", kind, id, was)
			}
			seen[id] = kind
			for bit := range ones {
				ones[bit] += int(raw[bit/8] >> (bit % 8) & 1)
			}
		}
		for bit, n := range ones {
			if len(all) >= many && (n == 0 || n == len(all)) { // once in 2^72 by chance
				t.Errorf("bit %d of every %s is the same", bit, kind)
			}
		}
	}
}
