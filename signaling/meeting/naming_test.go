package meeting_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"aparte/signaling/lobby"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/name"
	"aparte/signaling/role"
)

var (
	luc  = meeting.Agent{Account: "luc", Name: "Luc Petit", Session: "ls"}
	marc = meeting.Agent{Account: "marc", Name: "Marc Adam", Session: "ms"}
)

// withAgents adds the accounts of luc and marc.
func (h *house) withAgents() *house {
	h.t.Helper()
	for _, a := range []meeting.Agent{luc, marc} {
		if err := h.store.AddAccount(h.t.Context(), login.Account{ID: a.Account, Name: a.Name, Email: a.Account + "@aparte.example", Posts: inDakar, CreatedAt: start},
			login.Code{Hash: [32]byte{a.Account[0]}, Account: a.Account, CreatedAt: start, ExpiresAt: start}); err != nil {
			h.t.Fatal(err)
		}
		if err := h.MemberChanged(h.t.Context(), a.Account, dakar.ID, true); err != nil { // a meeting that runs knows it, too
			h.t.Fatal(err)
		}
	}
	return h
}

func (h *house) name(a meeting.Agent, as role.Role) {
	h.t.Helper()
	if _, err := h.NameByEmail(h.t.Context(), anne, h.id, " "+a.Account+"@APARTE.example", as); err != nil {
		h.t.Fatal(err)
	}
}

// in has an agent come into the call.
func (h *house) in(a meeting.Agent) meeting.Grant {
	h.t.Helper()
	g, err := h.Join(h.t.Context(), a, h.id)
	if err != nil {
		h.t.Fatal(err)
	}
	h.Joined(h.id, g.Identity, "PA_"+a.Account)
	return g
}

// refusedRole is the role that a command was refused to; "" if it was not refused for that.
func refusedRole(err error) role.Role {
	if refused, ok := errors.AsType[*role.RefusedError](err); ok {
		return refused.Role
	}
	return ""
}

func TestWhoIsNamedBeforehandComesInAsThat(t *testing.T) {
	h := newHouse(t, nil).withAgents()
	if _, err := h.Get(t.Context(), luc, h.id); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("a stranger looks: %v", err)
	}
	h.name(luc, role.Cohost)
	h.name(marc, role.Observer)
	if _, err := h.Join(t.Context(), marc, h.id); !errors.Is(err, meeting.ErrNotOpen) {
		t.Errorf("an observer opens the meeting: %v", err)
	}
	cohost, err := h.Join(t.Context(), luc, h.id)
	if err != nil || cohost.Role != role.Cohost || !cohost.Permission().CanPublish {
		t.Errorf("%+v, %v", cohost, err)
	}
	observer, err := h.Join(t.Context(), marc, h.id)
	if err != nil || observer.Role != role.Observer {
		t.Fatalf("%+v, %v", observer, err)
	}
	if p := observer.Permission(); p.CanPublish || len(p.CanPublishSources) > 0 || p.CanPublishData || !p.CanSubscribe {
		t.Errorf("an observer may %v", p)
	}
	// Both see the meeting in their lists; the observer is not told who waits.
	guest := h.link()()
	h.knock(guest, "Inês")
	for _, c := range []struct {
		who     meeting.Agent
		role    role.Role
		waiting int
	}{{anne, role.Host, 1}, {luc, role.Cohost, 1}, {marc, role.Observer, 0}} {
		all, err := h.List(t.Context(), c.who, "")
		if err != nil || len(all) != 1 || all[0].Role != c.role || all[0].Waiting != c.waiting {
			t.Errorf("%s: %+v, %v", c.who.Name, all, err)
		}
		one, err := h.Get(t.Context(), c.who, h.id)
		if err != nil || one.Role != c.role || one.Waiting != c.waiting {
			t.Errorf("%s: %+v, %v", c.who.Name, one, err)
		}
	}
	if _, err := h.Knocks(t.Context(), marc, h.id); refusedRole(err) != role.Observer {
		t.Errorf("an observer sees the lobby: %v", err)
	}
	// Only where one moderates is one told where guests wait.
	for _, c := range []struct {
		who  meeting.Agent
		want int
	}{{luc, 1}, {marc, 0}} {
		w, err := h.WatchNotices(t.Context(), c.who)
		if err != nil {
			t.Fatal(err)
		}
		if got := <-w.Notices; len(got) != c.want {
			t.Errorf("%s is told of %v", c.who.Name, got)
		}
		w.Unwatch()
	}
}

func TestNamingIsTheHostsAndSaysWhyNot(t *testing.T) {
	h := newHouse(t, nil).withAgents()
	h.name(luc, role.Cohost)
	ctx := t.Context()
	if _, err := h.NameByEmail(ctx, luc, h.id, "marc@aparte.example", role.Participant); refusedRole(err) != role.Cohost {
		t.Errorf("a co-host names: %v", err)
	}
	// Who may not name learns nothing about accounts.
	if _, err := h.NameByEmail(ctx, marc, h.id, "luc@aparte.example", role.Cohost); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("a stranger names: %v", err)
	}
	if _, err := h.NameByEmail(ctx, anne, h.id, "nobody@aparte.example", role.Cohost); !field(err, "email") {
		t.Errorf("an unknown address: %v", err)
	}
	for _, as := range []role.Role{role.Host, role.Guest, role.Server, ""} {
		if _, err := h.NameByEmail(ctx, anne, h.id, "marc@aparte.example", as); !field(err, "role") {
			t.Errorf("named %q: %v", as, err)
		}
	}
	if _, err := h.NameMember(ctx, anne, h.id, anne.Account, role.Participant); !errors.Is(err, meeting.ErrOfHost) {
		t.Errorf("the host becomes a participant: %v", err)
	}
	if _, err := h.NameMember(ctx, anne, h.id, marc.Account, role.Participant); !errors.Is(err, meeting.ErrNoMember) {
		t.Errorf("somebody who was never named: %v", err)
	}
	if err := h.UnnameMember(ctx, luc, h.id, anne.Account); refusedRole(err) != role.Cohost {
		t.Errorf("a co-host takes the host's role away: %v", err)
	}
	if err := h.UnnameMember(ctx, anne, h.id, anne.Account); !errors.Is(err, meeting.ErrOfHost) {
		t.Errorf("the host goes: %v", err)
	}
	if _, err := h.HandOver(ctx, luc, h.id, luc.Account); refusedRole(err) != role.Cohost {
		t.Errorf("a co-host takes over: %v", err)
	}
	h.name(marc, role.Participant)
	if _, err := h.HandOver(ctx, anne, h.id, marc.Account); !errors.Is(err, meeting.ErrNotCohost) {
		t.Errorf("handed over to a participant: %v", err)
	}
}

func field(err error, at string) bool {
	e, ok := errors.AsType[*name.Error](err)
	return ok && e.At == at
}

func TestARoleChangesInTheCallAtOnce(t *testing.T) {
	h := newHouse(t, nil).withAgents()
	ctx := t.Context()
	h.in(anne)
	h.name(luc, role.Participant)
	g := h.in(luc)
	if _, err := h.WatchAsHost(ctx, luc, h.id); refusedRole(err) != role.Participant {
		t.Fatalf("a participant follows the lobby: %v", err)
	}
	if _, err := h.NameParticipant(ctx, anne, h.id, g.Identity, role.Cohost); err != nil {
		t.Fatal(err)
	}
	if got := h.call.said[g.Identity]["aparte.role"]; got != "cohost" {
		t.Errorf("the others are told %q", got)
	}
	watch, err := h.WatchAsHost(ctx, luc, h.id)
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Unwatch()
	if _, err := h.NameParticipant(ctx, anne, h.id, g.Identity, role.Observer); err != nil {
		t.Fatal(err)
	}
	for open := true; open; { // the socket has ended before the answer
		select {
		case _, open = <-watch.Events:
		default:
			t.Fatal("the socket of somebody who is no co-host any more goes on")
		}
	}
	if p := h.call.allowed[g.Identity]; p == nil || p.CanPublish {
		t.Errorf("an observer may %v", p)
	}
	if got := h.call.said[g.Identity]["aparte.role"]; got != "observer" {
		t.Errorf("the others are told %q", got)
	}
	if _, err := h.Grant(ctx, h.id, g.ID); err != nil {
		t.Errorf("out of the call: %v", err)
	}
	if err := h.UnnameMember(ctx, anne, h.id, luc.Account); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(h.call.left, g.Identity) {
		t.Error("who is named no more stays in the call")
	}
	if _, err := h.Grant(ctx, h.id, g.ID); !errors.Is(err, meeting.ErrNotAdmitted) {
		t.Errorf("the grant of who is named no more: %v", err)
	}
}

func TestTheHostHandsOverAndStaysAsCohost(t *testing.T) {
	h := newHouse(t, nil).withAgents()
	ctx := t.Context()
	host := h.in(anne)
	h.name(luc, role.Cohost)
	cohost := h.in(luc)
	if _, err := h.HandOverTo(ctx, anne, h.id, cohost.Identity); err != nil {
		t.Fatal(err)
	}
	if a, l := h.call.said[host.Identity]["aparte.role"], h.call.said[cohost.Identity]["aparte.role"]; a != "cohost" || l != "host" {
		t.Errorf("the others are told: %s, %s", a, l)
	}
	h.Close() // and it is stored
	again := meeting.NewMeetings(meeting.Config{Store: h.store, Media: h.call, Now: func() time.Time { return start }, Random: rand.Reader, Log: quiet})
	t.Cleanup(again.Close)
	members, err := again.Members(ctx, anne, h.id)
	want := []meeting.Member{{Person: meeting.Person{Account: "luc", Name: "Luc Petit"}, Role: role.Host}, {Person: meeting.Person{Account: "anne", Name: "Anne Bernard"}, Role: role.Cohost}}
	if err != nil || !slices.Equal(members, want) {
		t.Errorf("%v, %v", members, err)
	}
	if _, err := again.HandOver(ctx, anne, h.id, luc.Account); refusedRole(err) != role.Cohost {
		t.Errorf("the former host hands over again: %v", err)
	}
}

func TestAGuestNeverBecomesHost(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	guest := h.link()()
	h.knock(guest, "Inês")
	if _, err := h.Admit(ctx, anne, h.id, h.knocks()[0].ID, lobby.Everything()); err != nil {
		t.Fatal(err)
	}
	g, err := h.Claim(ctx, guest)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.NameParticipant(ctx, anne, h.id, g.Identity, role.Cohost); !errors.Is(err, meeting.ErrOfGuest) {
		t.Errorf("named: %v", err)
	}
	if _, err := h.HandOverTo(ctx, anne, h.id, g.Identity); !errors.Is(err, meeting.ErrOfGuest) {
		t.Errorf("handed over: %v", err)
	}
	if _, err := h.NameParticipant(ctx, anne, h.id, "p_nobody", role.Cohost); !errors.Is(err, meeting.ErrNoMember) {
		t.Errorf("nobody named: %v", err)
	}
}

func TestWhoComesByALinkForObserversPublishesNothing(t *testing.T) {
	h := newHouse(t, nil)
	ctx := t.Context()
	guest := h.linkOf(role.Observer)()
	h.knock(guest, "Inês")
	k := h.knocks()[0]
	if k.Via.Role != role.Observer {
		t.Errorf("hosts are told %q", k.Via.Role)
	}
	if _, err := h.Admit(ctx, anne, h.id, k.ID, lobby.Everything()); err != nil {
		t.Fatal(err)
	}
	g, err := h.Claim(ctx, guest)
	if err != nil || g.Role != role.Observer || g.Permissions != (lobby.Permissions{}) || g.Permission().CanPublish {
		t.Errorf("%+v, %v", g, err)
	}
	if v, err := h.Permit(ctx, anne, h.id, g.Identity, lobby.Everything()); err != nil || v.Permissions != (lobby.Permissions{Chat: true}) {
		t.Errorf("permitted everything: %+v, %v", v.Permissions, err)
	}
	if p := h.call.allowed[g.Identity]; p == nil || p.CanPublish || len(p.CanPublishSources) > 0 {
		t.Errorf("in the call: %v", p)
	}
}
