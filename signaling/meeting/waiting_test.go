package meeting_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
	"aparte/signaling/profile"
	"aparte/signaling/role"
)

// closed is a house whose meeting has everybody but hosts wait: luc and marc are named,
// and the host is in.
func closed(t *testing.T) *house {
	t.Helper()
	return closedWith(t, nil)
}

func closedWith(t *testing.T, change func(*meeting.Config)) *house {
	t.Helper()
	h := newHouse(t, change).withAgents()
	h.name(marc, role.Participant)
	h.name(luc, role.Observer)
	h.lobbyFor(profile.LobbyAllButHosts)
	h.in(anne)
	return h
}

// lobbyFor puts the meeting under a profile with that lobby, and says what it did.
func (h *house) lobbyFor(who profile.Lobby) meeting.Effects {
	h.t.Helper()
	rules := profile.Defaults()[0].Rules
	rules.Lobby = who
	text := profile.Text{French: "Essai", English: "Trial"}
	if _, err := h.AddProfile(h.t.Context(), anne, profile.Profile{Post: dakar.ID, ID: string(who), Name: text, Sentence: text, Rules: rules}); err != nil && !errors.Is(err, profile.ErrExists) {
		h.t.Fatal(err)
	}
	preview, err := h.PreviewChoice(h.t.Context(), anne, h.id, string(who))
	if err != nil {
		h.t.Fatal(err)
	}
	done, err := h.ChooseProfile(h.t.Context(), anne, h.id, string(who))
	if err != nil {
		h.t.Fatal(err)
	}
	if len(preview.Lobby) != len(done.Lobby) || len(preview.Freed) != len(done.Freed) {
		h.t.Errorf("the preview said %+v, but it did %+v", preview, done)
	}
	return done
}

// waits has an agent knock, and returns the row that hosts see.
func (h *house) waits(a meeting.Agent) meeting.KnockView {
	h.t.Helper()
	v, err := h.KnockAsAgent(h.t.Context(), a, h.id)
	if err != nil || v.Screen != meeting.ScreenWaiting {
		h.t.Fatalf("%s knocks: %q, %v", a.Name, v.Screen, err)
	}
	return h.rowOf(a)
}

func (h *house) rowOf(a meeting.Agent) meeting.KnockView {
	h.t.Helper()
	for _, k := range h.knocks() {
		if k.Account == a.Account {
			return k
		}
	}
	h.t.Fatalf("hosts see no knock of %s", a.Name)
	return meeting.KnockView{}
}

func (h *house) letIn(a meeting.Agent) meeting.Grant {
	h.t.Helper()
	k := h.waits(a)
	if _, err := h.AdmitAsUsual(h.t.Context(), anne, h.id, k.ID, lobby.Everything(), meeting.Usual{Share: true, Files: true}); err != nil {
		h.t.Fatal(err)
	}
	return h.in(a)
}

func (h *house) screen(a meeting.Agent) meeting.Screen {
	h.t.Helper()
	v, err := h.LookAsAgent(h.t.Context(), a, h.id)
	if err != nil {
		h.t.Fatal(err)
	}
	return v.Screen
}

func (h *house) refusedToJoin(a meeting.Agent, want error) {
	h.t.Helper()
	if _, err := h.Join(h.t.Context(), a, h.id); !errors.Is(err, want) {
		h.t.Errorf("%s joins: %v, want %v", a.Name, err, want)
	}
}

func (h *house) grantIs(g meeting.Grant, want error) {
	h.t.Helper()
	if _, err := h.Grant(h.t.Context(), h.id, g.ID); !errors.Is(err, want) {
		h.t.Errorf("the grant of %s: %v, want %v", g.Name, err, want)
	}
}

func TestAnAgentWaitsAndIsLetIn(t *testing.T) {
	h := closed(t)
	h.refusedToJoin(marc, meeting.ErrMustKnock)
	if s := h.screen(marc); s != meeting.ScreenEntry {
		t.Errorf("before knocking: %q", s)
	}
	guest := h.link()()
	h.knock(guest, "Inês")
	k := h.waits(marc)
	if k.Role != role.Participant || k.Known != lobby.ByAccount || k.Suspicious || k.Differs || k.Name != marc.Name || k.Link != "" || k.Admission != "" {
		t.Errorf("hosts see %+v", k)
	}
	if all := h.knocks(); len(all) != 2 || all[0].Name != "Inês" || all[1].Account != marc.Account || all[1].Place <= all[0].Place {
		t.Errorf("the queue is %+v", all)
	}
	h.refusedToJoin(marc, meeting.ErrMustKnock)
	if again, err := h.KnockAsAgent(t.Context(), marc, h.id); err != nil || again.Knock.Place != k.Place {
		t.Errorf("knocking again: %+v, %v", again, err)
	}
	if _, err := h.AdmitAsUsual(t.Context(), anne, h.id, k.ID, lobby.Permissions{Speak: true, Chat: true}, meeting.Usual{}); err != nil {
		t.Fatal(err)
	}
	g := h.in(marc)
	if g.Role != role.Participant || g.Permissions != (lobby.Permissions{Speak: true, Chat: true}) {
		t.Errorf("comes in with %+v", g)
	}
	h.grantIs(g, nil)
	// The agent's other device follows.
	elsewhere := marc
	elsewhere.Session = "phone"
	if _, err := h.Join(t.Context(), elsewhere, h.id); err != nil {
		t.Errorf("by another session: %v", err)
	}
	h.refusedToJoin(luc, meeting.ErrMustKnock)
	// What is admitted opens nothing by itself: a knock is no grant.
	if _, err := h.Grant(t.Context(), h.id, k.ID); !errors.Is(err, meeting.ErrNotAdmitted) {
		t.Errorf("a knock as a grant: %v", err)
	}
}

func TestHostsActOnAnAgentAsOnAGuest(t *testing.T) {
	ctx := t.Context()
	h := closed(t)
	k := h.waits(marc)
	if _, err := h.Write(ctx, anne, h.id, k.ID, "Deux minutes"); err != nil {
		t.Fatal(err)
	}
	if v, err := h.ReplyAsAgent(ctx, marc, h.id, "Bien"); err != nil || len(v.Thread.Messages) != 2 {
		t.Errorf("answers: %+v, %v", v.Thread, err)
	}
	if _, err := h.Deny(ctx, anne, h.id, k.ID, "Plus tard"); err != nil {
		t.Fatal(err)
	}
	h.refusedToJoin(marc, lobby.ErrDenied)
	if _, err := h.KnockAsAgent(ctx, marc, h.id); !errors.Is(err, lobby.ErrDenied) {
		t.Errorf("knocks after the denial: %v", err)
	}
	if s := h.screen(marc); s != meeting.ScreenDenied {
		t.Errorf("the page is %q", s)
	}
	if _, err := h.Lift(ctx, anne, h.id, k.ID); err != nil {
		t.Fatal(err)
	}
	g := h.letIn(marc)

	back, err := h.SendBack(ctx, anne, h.id, g.Identity)
	if err != nil || back.Status != lobby.Waiting || back.SentBackAt.IsZero() {
		t.Fatalf("sent back: %+v, %v", back, err)
	}
	h.grantIs(g, meeting.ErrNotAdmitted)
	h.refusedToJoin(marc, meeting.ErrMustKnock)
	if !slices.Contains(h.call.left, g.Identity) {
		t.Error("the call did not let go of who was sent back")
	}
	h.Left(h.id, g.Identity, "PA_marc")

	if _, err := h.AdmitAsUsual(ctx, anne, h.id, k.ID, lobby.Everything(), meeting.Usual{Share: true, Files: true}); err != nil {
		t.Fatal(err)
	}
	g = h.in(marc)
	if _, err := h.Permit(ctx, anne, h.id, g.Identity, lobby.Permissions{Chat: true}); err != nil {
		t.Fatal(err)
	}
	if now, err := h.Grant(ctx, h.id, g.ID); err != nil || now.Permissions != (lobby.Permissions{Chat: true}) {
		t.Errorf("permitted: %+v, %v", now, err)
	}
	if err := h.Remove(ctx, anne, h.id, g.Identity); err != nil {
		t.Fatal(err)
	}
	h.grantIs(g, meeting.ErrNotAdmitted)
	h.refusedToJoin(marc, meeting.ErrMustKnock)
	if s := h.screen(marc); s != meeting.ScreenRemoved {
		t.Errorf("the page of who was removed is %q", s)
	}
	g = h.letIn(marc) // anew
	if _, err := h.Ban(ctx, anne, h.id, k.ID, ""); err != nil {
		t.Fatal(err)
	}
	h.grantIs(g, meeting.ErrNotAdmitted)
	h.refusedToJoin(marc, lobby.ErrBanned)
	if h.waits(luc).Status != lobby.Waiting {
		t.Error("the ban of one agent concerns another")
	}
	var acts []audit.Act
	for _, e := range h.trail() {
		if e.Subjects[audit.Account] == marc.Account && e.Subjects[audit.Knock] == k.ID {
			acts = append(acts, e.Act)
		}
	}
	want := []audit.Act{
		audit.KnockWaiting, audit.KnockDenied, audit.KnockLifted, audit.KnockWaiting, audit.KnockAdmitted, audit.ParticipantSentBack,
		audit.KnockAdmitted, audit.ParticipantRemoved, audit.KnockWaiting, audit.KnockAdmitted, audit.KnockBanned,
	}
	if !slices.Equal(acts, want) {
		t.Errorf("the trail has %v, want %v", acts, want)
	}
}

// Who has no role any more has neither knock nor seat, at once.
func TestAnAdmissionEndsWithTheRole(t *testing.T) {
	for name, end := range map[string]func(*house) error{
		"named no more":            func(h *house) error { return h.UnnameMember(t.Context(), anne, h.id, marc.Account) },
		"no member of the post":    func(h *house) error { return h.MemberChanged(t.Context(), marc.Account, dakar.ID, false) },
		"no member, out of memory": func(h *house) error { return h.forgotten().MemberChanged(t.Context(), marc.Account, dakar.ID, false) },
	} {
		t.Run(name, func(t *testing.T) {
			h := closed(t)
			w, err := h.WatchAsAgent(t.Context(), marc, h.id)
			if err != nil {
				t.Fatal(err)
			}
			g := h.letIn(marc)
			if err := end(h); err != nil {
				t.Fatal(err)
			}
			h.grantIs(g, meeting.ErrNotAdmitted)
			h.refusedToJoin(marc, meeting.ErrNotFound)
			if _, err := h.KnockAsAgent(t.Context(), marc, h.id); !errors.Is(err, meeting.ErrNotFound) {
				t.Errorf("knocks: %v", err)
			}
			if k := h.rowOf(marc); k.Status != lobby.Expired {
				t.Errorf("the knock is %s", k.Status)
			}
			if name != "no member, out of memory" {
				for {
					if _, open := <-w.Views; !open {
						break
					}
				}
			}
		})
	}
}

// forgotten is the house with nothing of it in memory, as after a restart.
func (h *house) forgotten() *house {
	h.t.Helper()
	cfg := meeting.Config{Store: h.store, Media: h.call, Now: func() time.Time { return start }, Random: rand.Reader, Log: quiet}
	h.Close()
	h.Meetings = meeting.NewMeetings(cfg)
	h.t.Cleanup(h.Close)
	return h
}

func TestAWaitingAgentSurvivesARestart(t *testing.T) {
	h := closed(t)
	guest := h.link()()
	before := h.waits(marc)
	h.knock(guest, "Inês")
	h.forgotten()
	after := h.rowOf(marc)
	if after.Knock != before.Knock || h.knocks()[0].Account != marc.Account {
		t.Errorf("after the restart %+v, before %+v", after.Knock, before.Knock)
	}
	h.refusedToJoin(marc, meeting.ErrMustKnock)
	if _, err := h.AdmitAsUsual(t.Context(), anne, h.id, after.ID, lobby.Everything(), meeting.Usual{Share: true, Files: true}); err != nil {
		t.Fatal(err)
	}
	g := h.in(marc)
	h.forgotten()
	h.grantIs(g, nil)
}

// Hosts who are elsewhere are told of an agent who waits as of a guest.
func TestNoticesCountAgents(t *testing.T) {
	h := closed(t)
	w, err := h.WatchNotices(t.Context(), anne)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Unwatch()
	<-w.Notices
	h.waits(marc)
	if n := <-w.Notices; len(n) != 1 || n[0].Waiting != 1 || n[0].Newest.IsZero() {
		t.Errorf("told %+v", n)
	}
	later, err := h.forgotten().WatchNotices(t.Context(), anne)
	if err != nil {
		t.Fatal(err)
	}
	defer later.Unwatch()
	if n := <-later.Notices; len(n) != 1 || n[0].Waiting != 1 {
		t.Errorf("stored is %+v", n)
	}
}

func TestAChangeOfProfileWhileAgentsAreIn(t *testing.T) {
	h := newHouse(t, nil).withAgents()
	h.name(marc, role.Participant)
	h.name(luc, role.Participant)
	h.in(anne)
	g := h.in(marc)
	h.Knocks(t.Context(), anne, h.id) //nolint:errcheck // after it
	if e := h.lobbyFor(profile.LobbyAllButHosts); len(e.Lobby) != 1 || e.Lobby[0].Identity != g.Identity {
		t.Errorf("effects %+v", e)
	}
	h.grantIs(g, nil) // stays, and gets back after a cut
	h.refusedToJoin(luc, meeting.ErrMustKnock)
	if k := h.rowOf(marc); k.Status != lobby.Admitted || !k.UntilLeft {
		t.Errorf("who stays has %+v", k)
	}
	h.forgotten()
	h.grantIs(g, nil)
	h.Joined(h.id, g.Identity, "PA_marc")
	h.Left(h.id, g.Identity, "PA_marc")
	h.knocks()
	h.grantIs(g, meeting.ErrNotAdmitted)
	h.refusedToJoin(marc, meeting.ErrMustKnock)

	h.waits(marc)
	w, err := h.WatchAsAgent(t.Context(), marc, h.id)
	if err != nil {
		t.Fatal(err)
	}
	if v := <-w.Views; v.Screen != meeting.ScreenWaiting {
		t.Errorf("waits at %q", v.Screen)
	}
	if e := h.lobbyFor(profile.LobbyGuests); len(e.Freed) != 1 || e.Freed[0].Account != marc.Account {
		t.Errorf("effects %+v", e)
	}
	if v := <-w.Views; v.Screen != meeting.ScreenFree {
		t.Errorf("afterwards at %q", v.Screen)
	}
	if k := h.rowOf(marc); k.Status != lobby.Expired {
		t.Errorf("the knock is %s", k.Status)
	}
	h.in(marc)
}

func TestACohostWhoBecomesParticipantStaysUntilTheyLeave(t *testing.T) {
	h := newHouse(t, nil).withAgents()
	h.lobbyFor(profile.LobbyAllButHosts)
	h.name(marc, role.Cohost)
	h.in(anne)
	g := h.in(marc)
	h.knocks()
	h.name(marc, role.Participant)
	h.grantIs(g, nil)
	if _, err := h.SendBack(t.Context(), anne, h.id, g.Identity); err != nil {
		t.Errorf("such an agent cannot be sent back: %v", err)
	}
	h.Left(h.id, g.Identity, "PA_marc")
	h.name(marc, role.Cohost) // who waits and hosts now comes in at once
	if s := h.screen(marc); s != meeting.ScreenFree {
		t.Errorf("a co-host is at %q", s)
	}
	if h.rowOf(marc).Status != lobby.Expired {
		t.Error("a co-host waits")
	}
	g = h.in(marc)
	h.knocks()
	h.name(marc, role.Participant)
	h.Left(h.id, g.Identity, "PA_marc")
	h.knocks()
	h.grantIs(g, meeting.ErrNotAdmitted)
	h.refusedToJoin(marc, meeting.ErrMustKnock)
}

func TestLockAndAbsenceOfHostsHoldForAgents(t *testing.T) {
	ctx := t.Context()
	h := closed(t)
	if err := h.Lock(ctx, anne, h.id, true); err != nil {
		t.Fatal(err)
	}
	k := h.waits(marc)
	if _, err := h.AdmitAsUsual(ctx, anne, h.id, k.ID, lobby.Everything(), meeting.Usual{Share: true, Files: true}); !errors.Is(err, meeting.ErrLocked) {
		t.Errorf("let into a locked meeting: %v", err)
	}
	if err := h.Lock(ctx, anne, h.id, false); err != nil {
		t.Fatal(err)
	}
	host, err := h.Join(ctx, anne, h.id)
	if err != nil {
		t.Fatal(err)
	}
	h.Left(h.id, host.Identity, "PA_anne")
	h.waits(luc) // without a host, too
	if _, err := h.AdmitAsUsual(ctx, anne, h.id, k.ID, lobby.Everything(), meeting.Usual{Share: true, Files: true}); err != nil {
		t.Errorf("a host who is not in the call lets somebody in: %v", err)
	}
	if _, err := h.Join(ctx, marc, h.id); err != nil {
		t.Errorf("who was let in cannot enter: %v", err)
	}
	if err := h.Lock(ctx, anne, h.id, true); err != nil {
		t.Fatal(err)
	}
	elsewhere := marc
	elsewhere.Session = "phone"
	if _, err := h.Join(ctx, elsewhere, h.id); err != nil {
		t.Errorf("who was let in before the lock cannot come back: %v", err)
	}
}

// Whoever closes the page keeps the place for the life of a session, and no longer.
func TestAnAgentsWaitingExpires(t *testing.T) {
	c := new(clock)
	h := closedWith(t, func(cfg *meeting.Config) { cfg.Now = c.now })
	h.waits(marc)
	w, err := h.WatchAsAgent(t.Context(), luc, h.id)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Unwatch()
	h.waits(luc)
	for range 3 {
		c.pass(lobby.SessionLife/2 + time.Minute)
		h.Sweep(t.Context())
	}
	if gone, here := h.rowOf(marc).Status, h.rowOf(luc).Status; gone != lobby.Expired || here != lobby.Waiting {
		t.Errorf("who is gone is %s, who is here %s", gone, here)
	}
}
