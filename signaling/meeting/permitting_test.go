package meeting_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/audit"
	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
	"aparte/signaling/role"
)

const (
	mic    = livekit.TrackSource_MICROPHONE
	camera = livekit.TrackSource_CAMERA
	screen = livekit.TrackSource_SCREEN_SHARE
	sound  = livekit.TrackSource_SCREEN_SHARE_AUDIO
)

// sends checks what a grant lets somebody send, and what the call lets them.
func (f *floor) sends(when string, g meeting.Grant, want ...livekit.TrackSource) {
	f.t.Helper()
	now, err := f.Grant(f.t.Context(), f.id, g.ID)
	f.must(err)
	if got := now.Permission().CanPublishSources; !slices.Equal(got, want) {
		f.t.Errorf("%s: the next token lets %s send %v, want %v", when, g.Name, got, want)
	}
	if got := f.room.may(g.Identity); !slices.Equal(got, want) {
		f.t.Errorf("%s: in the call %s may send %v, want %v", when, g.Name, got, want)
	}
}

func (f *floor) permit(g meeting.Grant, p lobby.Permissions) {
	f.t.Helper()
	given, err := f.Permit(f.t.Context(), anne, f.id, g.Identity, p)
	f.must(err)
	if given.Identity != g.Identity {
		f.t.Errorf("%s is answered for %s", given.Identity, g.Identity)
	}
}

// restart begins anew with what is stored.
func (f *floor) restart() {
	f.t.Helper()
	f.Close()
	f.Meetings = meeting.NewMeetings(meeting.Config{Store: f.store, Media: f.room, Now: func() time.Time { return start }, Random: rand.Reader, Log: quiet})
	f.t.Cleanup(f.Close)
}

// What a host forbids an agent holds for the agent, by whatever connection, session or
// process they come, until it is allowed or the agent moderates.
func TestRightsOfOneAgent(t *testing.T) {
	f := newFloor(t, 0)
	f.withAgents()
	f.name(luc, role.Participant)
	g := f.in(luc)
	f.settled()
	f.sends("at first", g, mic, camera, screen, sound)

	f.room.heard()
	f.permit(g, lobby.Permissions{Camera: true, Files: true})
	f.sends("forbidden", g, camera)
	if got, want := f.room.heard(), `tell [`+g.Identity+`] aparte.moderated {"what":"forbidden","by":"Anne Bernard","rights":["speak","share","chat"]}`; len(got) != 1 || got[0] != want {
		t.Errorf("the call was told %q, want %q", got, want)
	}
	if _, err := f.Say(t.Context(), meeting.AsAgent(luc, f.id), "Bonjour", meeting.ToEveryone); !errors.Is(err, meeting.ErrChatClosed) {
		t.Errorf("who may not write wrote: %v", err)
	}
	events := f.trail()
	last := events[len(events)-1]
	if last.Act != audit.ParticipantPermitted || last.Actor.ID != anne.Account || last.Detail["camera"] != "yes" || last.Detail["speak"] != "no" {
		t.Errorf("the trail says %+v", last)
	}
	f.room.heard()
	f.permit(g, lobby.Permissions{Camera: true, Files: true})
	if got := len(f.trail()); got != len(events) || len(f.room.heard()) > 0 {
		t.Errorf("the same again: %d events after %d", got, len(events))
	}

	f.Left(f.id, g.Identity, "PA_luc")
	g = f.in(luc)
	f.settled()
	f.sends("back", g, camera)
	other := luc
	other.Session = "ls2"
	twin := f.in(other)
	f.settled()
	if twin.Identity == g.Identity {
		t.Fatal("two sessions are one participant")
	}
	f.sends("by another session", twin, camera)
	f.restart()
	g = f.in(luc)
	twin = f.in(other)
	f.settled()
	f.sends("after a restart", g, camera)

	// Both sessions are the agent's.
	f.permit(twin, lobby.Permissions{Speak: true, Camera: true, Chat: true})
	f.sends("allowed", g, mic, camera)
	f.sends("allowed", twin, mic, camera)

	// As an observer nothing, and afterwards what it was.
	rename := func(as role.Role) { f.must(second(f.NameMember(t.Context(), anne, f.id, luc.Account, as))) }
	rename(role.Observer)
	f.sends("observer", g)
	rename(role.Participant)
	f.sends("participant again", g, mic, camera)
	rename(role.Cohost)
	f.sends("co-host", g, mic, camera, screen, sound)
	rename(role.Participant)
	f.sends("participant after co-host", g, mic, camera, screen, sound)
	f.permit(g, lobby.Permissions{})
	f.sends("nothing", g)
	rename(role.Cohost)
	f.sends("co-host for good", g, mic, camera, screen, sound)
	f.restart()
	g = f.in(luc)
	f.settled()
	f.sends("co-host after a restart", g, mic, camera, screen, sound)
}

// An observer may be given the chat, and nothing else.
func TestAnObserverMayBeGivenTheChat(t *testing.T) {
	f := newFloor(t, 0)
	f.withAgents()
	f.name(marc, role.Observer)
	g := f.in(marc)
	say := func(when string, may bool) {
		t.Helper()
		_, err := f.Say(t.Context(), meeting.AsAgent(marc, f.id), "Bonjour", meeting.ToEveryone)
		if (err == nil) != may || err != nil && !errors.Is(err, meeting.ErrChatClosed) {
			t.Errorf("%s: %v", when, err)
		}
	}
	f.settled()
	say("at first", false)
	f.permit(g, lobby.Everything())
	say("given", true)
	f.sends("given everything", g)
	f.restart()
	g = f.in(marc)
	f.settled()
	say("after a restart", true)
	f.permit(g, lobby.Permissions{})
	say("taken", false)
	f.must(second(f.NameMember(t.Context(), anne, f.id, marc.Account, role.Participant)))
	f.sends("participant", g, mic, camera, screen, sound)
	say("participant", true)
	f.permit(g, lobby.Permissions{Speak: true})
	f.must(second(f.NameMember(t.Context(), anne, f.id, marc.Account, role.Observer)))
	say("observer again", false)
	f.must(second(f.NameMember(t.Context(), anne, f.id, marc.Account, role.Participant)))
	f.sends("participant again", g, mic)
	say("participant to whom the chat was forbidden", false)
}

func TestHostsKeepTheirRights(t *testing.T) {
	f := newFloor(t, 0)
	f.withAgents()
	f.name(luc, role.Cohost)
	f.name(marc, role.Participant)
	co, part := f.in(luc), f.in(marc)
	f.settled()
	for _, identity := range []string{f.host, co.Identity} {
		if _, err := f.Permit(t.Context(), luc, f.id, identity, lobby.Permissions{}); !errors.Is(err, meeting.ErrOfModerator) {
			t.Errorf("%s: %v", identity, err)
		}
	}
	f.sends("co-host", co, mic, camera, screen, sound)
	if _, err := f.Permit(t.Context(), marc, f.id, part.Identity, lobby.Everything()); refusedRole(err) != role.Participant {
		t.Errorf("a participant permits: %v", err)
	}
	if _, err := f.Permit(t.Context(), luc, f.id, part.Identity, lobby.Permissions{}); err != nil {
		t.Errorf("a co-host forbids a participant: %v", err)
	}
	if _, err := f.Permit(t.Context(), anne, f.id, "p_nobody", lobby.Permissions{}); !errors.Is(err, lobby.ErrNoKnock) {
		t.Errorf("nobody: %v", err)
	}
}

// Hosts see what each was given.
func TestHostsSeeWhatWasGiven(t *testing.T) {
	f := newFloor(t, 1)
	f.withAgents()
	f.name(luc, role.Participant)
	g := f.in(luc)
	f.settled()
	w, err := f.WatchAsHost(t.Context(), anne, f.id)
	f.must(err)
	defer w.Unwatch()
	given := func(e meeting.HostEvent) map[string]lobby.Permissions {
		all := make(map[string]lobby.Permissions)
		for _, p := range e.Participants {
			all[p.Identity] = p.Permissions
		}
		return all
	}
	if all := given(<-w.Events); all[g.Identity] != lobby.Everything() || all[f.guests[0]] != lobby.Everything() || all[f.host] != lobby.Everything() {
		t.Errorf("at first %+v", all)
	}
	no := false
	f.must(f.PermitAll(t.Context(), anne, f.id, meeting.RightsChange{Camera: &no})) // is not what was given to one
	f.permit(g, lobby.Permissions{Camera: true})
	for e := range w.Events {
		if !e.Roster {
			continue
		}
		if all := given(e); all[g.Identity] != (lobby.Permissions{Camera: true}) || all[f.guests[0]] != lobby.Everything() {
			t.Errorf("then %+v", all)
		}
		break
	}
}

// What takes away is done even if it cannot be stored, what gives is not; the host is
// told to repeat, and what was taken holds until it is decided anew.
func TestSilencingNeedsNoDisk(t *testing.T) {
	f := newFloor(t, 1)
	f.withAgents()
	f.name(luc, role.Participant)
	agent := f.in(luc)
	f.settled()
	guest := meeting.Grant{ID: f.knocks()[0].Admission, Identity: f.guests[0], Name: "the guest"}
	ctx, id := t.Context(), f.id
	one := guest.Identity
	yes, no := true, false
	for _, c := range []struct {
		what string
		act  func() error
		want []string // beginnings of what is asked of the call
	}{
		{"mute", func() error { return f.Mute(ctx, anne, id, one) }, []string{"silence " + one + " [MICROPHONE]", "tell [" + one + "] aparte.moderated"}},
		{"stop camera", func() error { return f.StopCamera(ctx, anne, id, one) }, []string{"silence " + one + " [CAMERA]", "tell [" + one + "]"}},
		{"stop share", func() error { return f.StopShare(ctx, anne, id, one) }, []string{"silence " + one + " [SCREEN_SHARE SCREEN_SHARE_AUDIO]", "tell [" + one + "]"}},
		{"mute all", func() error { return f.MuteAll(ctx, anne, id) }, []string{"silence ", "silence ", "tell ["}},
		{"forbid a guest", func() error {
			return second(f.Permit(ctx, anne, id, one, lobby.Permissions{Camera: true, Share: true, Chat: true, Files: true}))
		}, []string{"tell [" + one + `] aparte.moderated {"what":"forbidden","by":"Anne Bernard","rights":["speak"]}`}},
		{"forbid an agent", func() error {
			return second(f.Permit(ctx, anne, id, agent.Identity, lobby.Permissions{Speak: true, Share: true, Files: true}))
		}, []string{"tell [" + agent.Identity + `] aparte.moderated {"what":"forbidden","by":"Anne Bernard","rights":["camera","chat"]}`}},
		{"forbid all", func() error { return f.PermitAll(ctx, anne, id, meeting.RightsChange{Share: &no, Hand: &no}) }, []string{"tell ["}},
	} {
		f.room.heard()
		f.store.failSave.Store(true)
		err := c.act()
		f.store.failSave.Store(false)
		if !errors.Is(err, meeting.ErrNotStored) || !errors.Is(err, meeting.ErrUnavailable) {
			t.Errorf("%s: %v", c.what, err)
		}
		got := f.room.heard()
		if len(got) != len(c.want) || !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s: the call was asked for %q, want %q", c.what, got, c.want)
		}
	}
	taken := func(when string) {
		t.Helper()
		f.sends(when, guest, camera)
		f.sends(when, agent, mic)
		if _, err := f.Say(ctx, meeting.AsAgent(luc, id), "Bonjour", meeting.ToEveryone); !errors.Is(err, meeting.ErrChatClosed) {
			t.Errorf("%s: who may not write wrote: %v", when, err)
		}
		if err := f.RaiseHand(ctx, meeting.AsAgent(luc, id)); !errors.Is(err, meeting.ErrForbidden) {
			t.Errorf("%s: who may raise no hand raised it: %v", when, err)
		}
	}
	taken("not stored")
	for identity, sid := range map[string]string{guest.Identity: "PA_" + guest.Identity, agent.Identity: "PA_luc"} {
		f.Left(id, identity, sid)
		f.Joined(id, identity, "PA_back")
	}
	f.settled()
	taken("back in the call")

	// What gives is not done, also where the same act takes something else.
	f.permit(guest, lobby.Permissions{Camera: true})
	f.permit(agent, lobby.Permissions{Speak: true})
	trail := len(f.trail())
	f.store.failSave.Store(true)
	for _, c := range []struct {
		what string
		err  error
		done bool
	}{
		{"allow", second(f.Permit(ctx, anne, id, one, lobby.Everything())), false},
		{"give and take", second(f.Permit(ctx, anne, id, agent.Identity, lobby.Permissions{Camera: true, Chat: true})), true},
		{"a lock", f.Lock(ctx, anne, id, true), false},
		{"a question", f.AskUnmuteAll(ctx, anne, id), false},
		{"the front row", f.Spotlight(ctx, anne, id, []string{one}), false},
	} {
		if !errors.Is(c.err, meeting.ErrUnavailable) || errors.Is(c.err, meeting.ErrNotStored) != c.done {
			t.Errorf("%s without a disk: %v", c.what, c.err)
		}
	}
	f.store.failSave.Store(false)
	f.sends("given without a disk", guest, camera)
	f.sends("given and taken without a disk", agent)
	if got := len(f.trail()); got != trail {
		t.Errorf("%d events were stored", got-trail)
	}

	// Repeated, it is stored; and decided anew, it is over.
	f.must(f.PermitAll(ctx, anne, id, meeting.RightsChange{Share: &no, Hand: &no}))
	f.must(second(f.Permit(ctx, anne, id, one, lobby.Permissions{Camera: true, Share: true, Chat: true})))
	f.permit(agent, lobby.Permissions{Camera: true, Share: true, Chat: true})
	f.sends("repeated", guest, camera)
	f.sends("repeated", agent, camera)
	f.must(f.PermitAll(ctx, anne, id, meeting.RightsChange{Share: &yes, Hand: &yes}))
	f.sends("allowed to all", guest, camera, screen, sound)
	f.permit(agent, lobby.Everything())
	f.sends("allowed", agent, mic, camera, screen, sound)

	// What is not spoken of again ends by saying that it is allowed.
	f.store.failSave.Store(true)
	_ = f.PermitAll(ctx, anne, id, meeting.RightsChange{Camera: &no})
	_ = second(f.Permit(ctx, anne, id, agent.Identity, lobby.Permissions{Camera: true}))
	f.store.failSave.Store(false)
	f.sends("not stored again", agent)
	f.must(f.PermitAll(ctx, anne, id, meeting.RightsChange{Camera: &yes}))
	f.sends("the camera allowed to all", agent, camera)
	f.must(second(f.NameMember(ctx, anne, id, luc.Account, role.Cohost)))
	f.must(second(f.NameMember(ctx, anne, id, luc.Account, role.Participant)))
	f.sends("after having moderated", agent, mic, camera, screen, sound)
}
