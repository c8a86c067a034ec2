package meeting_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"aparte/signaling/audit"
	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
	"aparte/signaling/store"
)

// trail is what the audit trail holds, which must verify.
func (h *house) trail() []audit.Event {
	h.t.Helper()
	trail, err := store.OpenTrail(h.t.Context(), h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	defer trail.Close()
	var out bytes.Buffer
	if _, err := trail.Export(h.t.Context(), &out, store.Range{}); err != nil {
		h.t.Fatal(err)
	}
	var all []audit.Event
	for line := range strings.Lines(out.String()) {
		var l struct {
			Event *audit.Event `json:"event"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			h.t.Fatal(err)
		}
		if l.Event != nil {
			all = append(all, *l.Event)
		}
	}
	return all
}

// inOrder has the meeting do all that was told to it before.
func (h *house) inOrder() {
	h.t.Helper()
	if _, err := h.Get(h.t.Context(), anne, h.id); err != nil {
		h.t.Fatal(err)
	}
}

// admitted lets a guest in.
func (h *house) admitted(called string) meeting.Grant {
	h.t.Helper()
	guest := h.link()()
	h.knock(guest, called)
	all := h.knocks()
	if _, err := h.Admit(h.t.Context(), anne, h.id, all[len(all)-1].ID, lobby.Everything()); err != nil {
		h.t.Fatal(err)
	}
	g, err := h.Claim(h.t.Context(), guest)
	if err != nil {
		h.t.Fatal(err)
	}
	return g
}

func TestTheTrailTellsWhoWasInTheCall(t *testing.T) {
	h := newHouse(t, nil)
	host, err := h.Join(t.Context(), anne, h.id)
	if err != nil {
		t.Fatal(err)
	}
	guest := h.admitted("Inês")
	before := len(h.trail())
	h.Joined(h.id, host.Identity, "PA_1")
	h.Joined(h.id, guest.Identity, "PA_2")
	h.Joined(h.id, guest.Identity, "PA_3") // came back before the old connection was gone
	h.Left(h.id, guest.Identity, "PA_2")
	h.inOrder()
	if err := h.EndSession(t.Context(), anne.Session); err != nil {
		t.Fatal(err)
	}
	h.Left(h.id, host.Identity, "PA_1")
	h.Left(h.id, guest.Identity, "PA_3")
	h.inOrder()
	type told struct {
		act  audit.Act
		kind audit.ActorKind
		who  string
	}
	var got []told
	for _, e := range h.trail()[before:] {
		got = append(got, told{e.Act, e.Actor.Kind, e.Subjects[audit.Participant]})
	}
	want := []told{
		{audit.ParticipantJoined, audit.Agent, host.Identity},
		{audit.ParticipantJoined, audit.Guest, guest.Identity},
		{audit.HostUnseated, audit.Server, host.Identity},
		{audit.ParticipantLeft, audit.Agent, host.Identity},
		{audit.ParticipantLeft, audit.Guest, guest.Identity},
		{audit.HostsGone, audit.Server, ""},
	}
	if !slices.Equal(got, want) {
		t.Errorf("told\n%v\nwant\n%v", got, want)
	}
}

// Who comes and goes does so whether or not the disk takes it: it is told later,
// and until then nobody else's requests fail for it.
func TestComingsAndGoingsAreOwedToTheTrail(t *testing.T) {
	h := newHouse(t, nil)
	guest := h.admitted("Inês")
	before := len(h.trail())
	h.store.failSave.Store(true)
	h.Joined(h.id, guest.Identity, "PA_1")
	h.inOrder()
	if _, err := h.Open(t.Context(), anne, h.id); err != nil { // changes nothing
		t.Error(err)
	}
	if _, err := h.End(t.Context(), anne, h.id); err == nil {
		t.Error("a decision that could not be stored was acknowledged")
	}
	h.Left(h.id, guest.Identity, "PA_1")
	h.inOrder()
	if got := h.trail()[before:]; len(got) > 0 {
		t.Errorf("told without a disk: %v", got)
	}
	h.store.failSave.Store(false)
	h.inOrder()
	var got []audit.Act
	for _, e := range h.trail()[before:] {
		got = append(got, e.Act)
	}
	if want := []audit.Act{audit.ParticipantJoined, audit.ParticipantLeft}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// A link can be opened without end; the trail is not filled with that.
func TestOpeningsOfALinkAreBounded(t *testing.T) {
	h := newHouse(t, nil)
	in := h.link()
	before := len(h.trail())
	for range 300 {
		in()
	}
	if told := len(h.trail()) - before; told != 200 {
		t.Errorf("%d of 300 openings are told", told)
	}
}
