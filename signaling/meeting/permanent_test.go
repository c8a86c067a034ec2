package meeting_test

import (
	"errors"
	"testing"
	"time"

	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
	"aparte/signaling/name"
	"aparte/signaling/role"
)

// permanent makes the house's meeting a permanent one.
func (h *house) permanent() {
	h.t.Helper()
	if _, err := h.Edit(h.t.Context(), anne, h.id, meeting.Said{Title: "Permanence", Permanent: true}); err != nil {
		h.t.Fatal(err)
	}
}

// admitted is a guest whom the host has let in.
func (h *house) enters(c meeting.Caller, called string) meeting.Grant {
	h.t.Helper()
	h.knock(c, called)
	all := h.knocks()
	if _, err := h.Admit(h.t.Context(), anne, h.id, all[len(all)-1].ID, lobby.Everything()); err != nil {
		h.t.Fatal(err)
	}
	g, err := h.Claim(h.t.Context(), c)
	if err != nil {
		h.t.Fatal(err)
	}
	return g
}

// What ends of a permanent meeting is the sitting: nobody has a way in any more, and
// everything is there for the next one.
func TestAPermanentMeetingIsOpenedAgain(t *testing.T) {
	h := newHouse(t, nil)
	h.permanent()
	in := h.link()
	host, err := h.Join(t.Context(), anne, h.id)
	if err != nil {
		t.Fatal(err)
	}
	inside, waits := in(), in()
	grant := h.enters(inside, "Inês")
	h.knock(waits, "Luc")

	if v, err := h.End(t.Context(), anne, h.id); err != nil || v.State != meeting.Scheduled || !v.EndedAt.IsZero() || v.Waiting != 1 {
		t.Errorf("the sitting ended: %+v, %v", v, err)
	}
	if len(h.call.left) != 1 {
		t.Errorf("left: %v, want everybody", h.call.left)
	}
	for who, id := range map[string]string{"host": host.ID, "guest": grant.ID} {
		if _, err := h.Grant(t.Context(), h.id, id); !errors.Is(err, meeting.ErrNotAdmitted) {
			t.Errorf("the %s's grant after the sitting: %v, want not admitted", who, err)
		}
	}
	if _, err := h.Claim(t.Context(), inside); !errors.Is(err, meeting.ErrNotAdmitted) {
		t.Errorf("the guest who was in: %v, want not admitted", err)
	}
	for want, c := range map[meeting.Screen]meeting.Caller{meeting.ScreenEntry: inside, meeting.ScreenWaiting: waits} {
		if v, err := h.Look(t.Context(), c); err != nil || v.Screen != want {
			t.Errorf("a guest sees %s, %v, want %s", v.Screen, err, want)
		}
	}

	again, err := h.Join(t.Context(), anne, h.id)
	if err != nil || again.Identity == host.Identity {
		t.Errorf("the next sitting: %+v, %v, want another seat", again, err)
	}
	if g := h.enters(inside, "Inês"); g.ID == grant.ID {
		t.Error("the admission of the sitting before is good again")
	}

	if v, err := h.EndForGood(t.Context(), anne, h.id); err != nil || v.State != meeting.Ended {
		t.Errorf("ended for good: %+v, %v", v, err)
	}
	if _, err := h.Join(t.Context(), anne, h.id); !errors.Is(err, meeting.ErrEnded) {
		t.Errorf("joining what has ended for good: %v", err)
	}
}

// What was kept of the chat has numbers; the next sitting goes on with them.
func TestTheNextSittingOverwritesNoKeptMessage(t *testing.T) {
	k := newKept(t, nil)
	k.permanent()
	for _, text := range []string{"premier", "second"} {
		host := k.in(anne)
		if _, err := k.Say(t.Context(), meeting.AsAgent(anne, k.id), text, meeting.ToEveryone); err != nil {
			t.Fatal(err)
		}
		if _, err := k.End(t.Context(), anne, k.id); err != nil {
			t.Fatal(err)
		}
		k.Left(k.id, host.Identity, "PA_anne")
		k.settled()
	}
	kept, err := k.ReadKept(t.Context(), anne, k.id, 0)
	if err != nil || len(kept.Messages) != 2 || kept.Messages[0].Text != "premier" || kept.Messages[1].Text != "second" {
		t.Errorf("kept: %+v, %v, want both", kept, err)
	}
}

func TestWhatIsSaidOfAMeetingIsChecked(t *testing.T) {
	h := newHouse(t, nil)
	at := func(hours int) time.Time { return start.Add(time.Duration(hours) * time.Hour) }
	for why, c := range map[string]struct {
		said  meeting.Said
		field string
	}{
		"no title":                  {meeting.Said{}, "title"},
		"end without start":         {meeting.Said{Title: "x", EndsAt: at(1)}, "starts_at"},
		"end before start":          {meeting.Said{Title: "x", StartsAt: at(2), EndsAt: at(1)}, "ends_at"},
		"past":                      {meeting.Said{Title: "x", StartsAt: at(-2), EndsAt: at(-1)}, "ends_at"},
		"permanent with a schedule": {meeting.Said{Title: "x", StartsAt: at(1), Permanent: true}, "permanent"},
		"in six years":              {meeting.Said{Title: "x", StartsAt: at(6 * 366 * 24)}, "starts_at"},
	} {
		_, err := h.Edit(t.Context(), anne, h.id, c.said)
		if wrong, ok := errors.AsType[*name.Error](err); !ok || wrong.At != c.field {
			t.Errorf("%s: %v, want one about %s", why, err, c.field)
		}
	}
	said := meeting.Said{Title: "Autre titre", StartsAt: at(1), EndsAt: at(2)}
	for i, want := range []int{1, 1, 2} { // the same twice is one change
		if i == 2 {
			said.EndsAt = at(3)
		}
		if v, err := h.Edit(t.Context(), anne, h.id, said); err != nil || v.Revision != want || v.Title != said.Title {
			t.Errorf("change %d: %+v, %v, want revision %d", i, v, err, want)
		}
	}
}

// Who came is told with the name and role of then, and who is in as present; a visit
// that could not be stored is stored with the next change.
func TestWhoCame(t *testing.T) {
	now := new(clock)
	h := newHouse(t, func(c *meeting.Config) { c.Now = now.now })
	in := h.link()
	guest := in()
	if _, err := h.Knock(t.Context(), guest, meeting.Asking{Name: "Inês", Organisation: "MNE"}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Join(t.Context(), anne, h.id); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Admit(t.Context(), anne, h.id, h.knocks()[0].ID, lobby.Everything()); err != nil {
		t.Fatal(err)
	}
	g, err := h.Claim(t.Context(), guest)
	if err != nil {
		t.Fatal(err)
	}
	h.store.failSave.Store(true)
	h.Joined(h.id, g.Identity, "PA_1")
	h.settled()
	if v, err := h.Attendance(t.Context(), anne, h.id, 0); err != nil || v.Total != 0 {
		t.Errorf("without a disk: %+v, %v", v, err)
	}
	h.store.failSave.Store(false)
	now.pass(time.Minute)
	h.Joined(h.id, g.Identity, "PA_2") // the same visit
	h.settled()
	v, err := h.Attendance(t.Context(), anne, h.id, 0)
	want := meeting.Visit{Identity: g.Identity, Name: "Inês", Organisation: "MNE", Role: role.Guest, CameAt: start, Present: true}
	if err != nil || len(v.Visits) != 1 || v.Visits[0] != want {
		t.Errorf("in the call: %+v, %v, want %+v", v, err, want)
	}
	h.Left(h.id, g.Identity, "PA_2")
	h.settled()
	want.LeftAt, want.Present = now.now(), false
	if v, err := h.Attendance(t.Context(), anne, h.id, 0); err != nil || len(v.Visits) != 1 || v.Visits[0] != want {
		t.Errorf("afterwards: %+v, %v, want %+v", v, err, want)
	}
	if v, err := h.Attendance(t.Context(), anne, h.id, 1); err != nil || len(v.Visits) != 0 || v.Total != 1 {
		t.Errorf("after the newest: %+v, %v", v, err)
	}
}
