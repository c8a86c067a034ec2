package meeting_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/livekit/protocol/livekit"
	"pgregory.net/rapid"

	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
	"aparte/signaling/meeting/meetingtest"
	"aparte/signaling/name"
	"aparte/signaling/role"
)

// obedient is a call that does and notes what it is told.
type obedient struct {
	meetingtest.Deaf
	mu      sync.Mutex
	said    []string // what was asked of it but for permissions and state, in order
	allowed map[string]*livekit.ParticipantPermission
	state   meeting.CallState
}

func (c *obedient) note(format string, args ...any) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = append(c.said, fmt.Sprintf(format, args...))
	return true
}

func (c *obedient) Silence(_, identity string, sources ...livekit.TrackSource) bool {
	return c.note("silence %s %v", identity, sources)
}

func (c *obedient) Tell(_, topic string, payload []byte, identities ...string) bool {
	slices.Sort(identities)
	return c.note("tell %v %s %s", identities, topic, payload)
}

func (c *obedient) SetPermission(_, identity string, p *livekit.ParticipantPermission) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.allowed == nil {
		c.allowed = make(map[string]*livekit.ParticipantPermission)
	}
	c.allowed[identity] = p
	return true
}

func (c *obedient) Describe(_, text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = meeting.CallState{}
	return json.Unmarshal([]byte(text), &c.state) == nil
}

// heard is what was asked since the last time.
func (c *obedient) heard() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.said
	c.said = nil
	return all
}

func (c *obedient) now() meeting.CallState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// may is what somebody is allowed to send now.
func (c *obedient) may(identity string) []livekit.TrackSource {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.allowed[identity].GetCanPublishSources()
}

// floor is a meeting with its host and guests in the call.
type floor struct {
	*house
	room   *obedient
	host   string // identity
	guests []string
}

func newFloor(t *testing.T, guests int) *floor {
	t.Helper()
	f := &floor{room: new(obedient)}
	f.house = newHouse(t, func(c *meeting.Config) { c.Media = f.room })
	g, err := f.Join(t.Context(), anne, f.id)
	if err != nil {
		t.Fatal(err)
	}
	f.host = g.Identity
	f.Joined(f.id, f.host, "PA_host")
	in := f.link()
	for i := range guests {
		c := in()
		f.knock(c, fmt.Sprint("Guest ", i))
		f.must(second(f.AdmitAll(t.Context(), anne, f.id, nil)))
		g, err := f.Claim(t.Context(), c)
		f.must(err)
		f.guests = append(f.guests, g.Identity)
		f.Joined(f.id, g.Identity, "PA_"+g.Identity)
	}
	f.settled()
	return f
}

func second[T any](_ T, err error) error { return err }

func (f *floor) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// Each act reaches the call before it is answered, and whom it concerns.
func TestActsInTheCall(t *testing.T) {
	f := newFloor(t, 2)
	one, both := f.guests[0], slices.Sorted(slices.Values(f.guests))
	ctx, id := t.Context(), f.id
	for _, c := range []struct {
		what string
		act  func() error
		want []string
	}{
		{"mute", func() error { return f.Mute(ctx, anne, id, one) }, []string{
			"silence " + one + " [MICROPHONE]", `tell [` + one + `] aparte.moderated {"what":"muted","by":"Anne Bernard"}`,
		}},
		{"stop camera", func() error { return f.StopCamera(ctx, anne, id, one) }, []string{
			"silence " + one + " [CAMERA]", `tell [` + one + `] aparte.moderated {"what":"camera_stopped","by":"Anne Bernard"}`,
		}},
		{"stop share", func() error { return f.StopShare(ctx, anne, id, one) }, []string{
			"silence " + one + " [SCREEN_SHARE SCREEN_SHARE_AUDIO]", `tell [` + one + `] aparte.moderated {"what":"share_stopped","by":"Anne Bernard"}`,
		}},
		{"ask", func() error { return f.AskUnmute(ctx, anne, id, one) }, []string{
			`tell [` + one + `] aparte.ask {"what":"unmute","by":"Anne Bernard"}`,
		}},
		{"ask all", func() error { return f.AskUnmuteAll(ctx, anne, id) }, []string{
			`tell [` + strings.Join(both, " ") + `] aparte.ask {"what":"unmute","by":"Anne Bernard"}`,
		}},
		{"mute all", func() error { return f.MuteAll(ctx, anne, id) }, []string{
			"silence " + both[0] + " [MICROPHONE]", "silence " + both[1] + " [MICROPHONE]",
			`tell [` + strings.Join(both, " ") + `] aparte.moderated {"what":"muted","by":"Anne Bernard","all":true}`,
		}},
		{"spotlight", func() error { return f.Spotlight(ctx, anne, id, []string{one}) }, []string{
			`tell [` + one + `] aparte.moderated {"what":"spotlit","by":"Anne Bernard"}`,
		}},
		{"spotlight again", func() error { return f.Spotlight(ctx, anne, id, []string{one}) }, nil},
		{"no share for one", func() error {
			return second(f.Permit(ctx, anne, id, one, lobby.Permissions{Speak: true, Camera: true, Chat: true, Files: true}))
		}, []string{`tell [` + one + `] aparte.moderated {"what":"forbidden","by":"Anne Bernard","rights":["share"]}`}},
	} {
		f.room.heard()
		if err := c.act(); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		got := f.room.heard()
		slices.Sort(got)
		slices.Sort(c.want)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: the call was told\n%s\nwant\n%s", c.what, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	if got := f.room.now().Spotlight; !slices.Equal(got, []string{one}) {
		t.Errorf("in front: %v", got)
	}
	for what, err := range map[string]error{
		"mute": f.Mute(ctx, anne, id, "p_nobody"), "camera": f.StopCamera(ctx, anne, id, "p_nobody"), "share": f.StopShare(ctx, anne, id, "p_nobody"),
		"ask": f.AskUnmute(ctx, anne, id, "p_nobody"), "spotlight": f.Spotlight(ctx, anne, id, []string{"p_nobody"}),
	} {
		if !errors.Is(err, meeting.ErrNobody) {
			t.Errorf("%s of nobody: %v", what, err)
		}
	}
	for _, four := range [][]string{{one, one}, {"a", "b", "c", "d"}} {
		if _, ok := errors.AsType[*name.Error](f.Spotlight(ctx, anne, id, four)); !ok {
			t.Errorf("spotlight on %v was not refused for itself", four)
		}
	}
	stranger := meeting.Agent{Account: "luc", Name: "Luc", Session: "ls"}
	if err := f.Mute(ctx, stranger, id, one); !errors.Is(err, meeting.ErrNotFound) {
		t.Errorf("mute by a stranger: %v", err)
	}
}

func TestWhoLeavesIsInFrontNoMore(t *testing.T) {
	f := newFloor(t, 2)
	f.must(f.Spotlight(t.Context(), anne, f.id, f.guests))
	f.Left(f.id, f.guests[0], "PA_"+f.guests[0])
	f.must(f.Lock(t.Context(), anne, f.id, true)) // after it; what follows a departure follows before the next answer
	if got := f.room.now(); !slices.Equal(got.Spotlight, f.guests[1:]) || !got.Locked {
		t.Errorf("the call is told %+v", got)
	}
	f.store.failSave.Store(true)
	if err := f.Spotlight(t.Context(), anne, f.id, nil); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("without a disk: %v", err)
	}
	f.store.failSave.Store(false)
	f.must(f.Lock(t.Context(), anne, f.id, false))
	if got := f.room.now(); !slices.Equal(got.Spotlight, f.guests[1:]) {
		t.Errorf("what could not be stored was done: %+v", got)
	}
}

// A locked meeting lets nobody new in, and keeps whoever is in.
func TestLocked(t *testing.T) {
	f := newFloor(t, 1)
	in := f.link()
	waits, after := in(), in()
	f.knock(waits, "Rui")
	f.must(f.Lock(t.Context(), anne, f.id, true))
	if v, err := f.Look(t.Context(), waits); err != nil || !v.Locked || v.Screen != meeting.ScreenWaiting {
		t.Errorf("who waits is told %+v, %v", v, err)
	}
	if v := f.knock(after, "Luc"); v.Screen != meeting.ScreenWaiting {
		t.Errorf("who knocks at a locked meeting sees %s", v.Screen)
	}
	all := f.knocks()
	if _, err := f.Admit(t.Context(), anne, f.id, all[1].ID, lobby.Everything()); !errors.Is(err, meeting.ErrLocked) {
		t.Errorf("admission: %v", err)
	}
	if _, err := f.AdmitAll(t.Context(), anne, f.id, nil); !errors.Is(err, meeting.ErrLocked) {
		t.Errorf("admission of all: %v", err)
	}
	if _, err := f.Admit(t.Context(), anne, f.id, all[0].ID, lobby.Everything()); err != nil {
		t.Errorf("who is in already: %v", err)
	}
	if _, err := f.Grant(t.Context(), f.id, all[0].Admission); err != nil {
		t.Errorf("who was let in before comes back: %v", err)
	}
	if _, err := f.Join(t.Context(), anne, f.id); err != nil {
		t.Errorf("the host: %v", err)
	}
	f.must(f.Lock(t.Context(), anne, f.id, false))
	if _, err := f.Admit(t.Context(), anne, f.id, all[1].ID, lobby.Everything()); err != nil {
		t.Errorf("unlocked: %v", err)
	}
}

func TestNobodyIsAskedForWhatIsForbidden(t *testing.T) {
	f := newFloor(t, 1)
	no := false
	f.must(f.PermitAll(t.Context(), anne, f.id, meeting.RightsChange{Speak: &no}))
	if err := f.AskUnmute(t.Context(), anne, f.id, f.guests[0]); !errors.Is(err, meeting.ErrMayNotNow) {
		t.Errorf("asked: %v", err)
	}
	f.room.heard()
	f.must(f.AskUnmuteAll(t.Context(), anne, f.id))
	if got := f.room.heard(); len(got) > 0 {
		t.Errorf("the call was told %q", got)
	}
}

// What somebody may do is always what is allowed to them and to all, whatever hosts ask in
// whatever order, also of two at the same time; and hosts may everything.
func TestRightsAreThoseOfThePersonAndOfAll(t *testing.T) {
	f := newFloor(t, 2)
	yes, no := true, false
	answers := []*bool{nil, &yes, &no}
	apply := func(into, may *bool) {
		if may != nil {
			*into = !*may
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		var forbidden meeting.Rights
		f.must(f.PermitAll(t.Context(), anne, f.id, meeting.RightsChange{Speak: &yes, Camera: &yes, Share: &yes, Chat: &yes, React: &yes, Hand: &yes}))
		own := make(map[string]lobby.Permissions)
		for _, who := range f.guests {
			f.must(second(f.Permit(t.Context(), anne, f.id, who, lobby.Everything())))
			own[who] = lobby.Everything()
		}
		for range rapid.IntRange(1, 6).Draw(r, "steps") {
			who := rapid.SampledFrom(f.guests).Draw(r, "who")
			switch rapid.SampledFrom([]string{"one", "all", "two at once", "back"}).Draw(r, "step") {
			case "one":
				p := lobby.Permissions{Speak: rapid.Bool().Draw(r, "speak"), Camera: rapid.Bool().Draw(r, "camera"), Share: rapid.Bool().Draw(r, "share"), Chat: rapid.Bool().Draw(r, "chat")}
				f.must(second(f.Permit(t.Context(), anne, f.id, who, p)))
				own[who] = p
			case "all":
				may := func(right string) *bool { return rapid.SampledFrom(answers).Draw(r, right) }
				c := meeting.RightsChange{Speak: may("speak"), Camera: may("camera"), Share: may("share"), Chat: may("chat"), React: may("react"), Hand: may("hand")}
				f.must(f.PermitAll(t.Context(), anne, f.id, c))
				apply(&forbidden.Speak, c.Speak)
				apply(&forbidden.Camera, c.Camera)
				apply(&forbidden.Share, c.Share)
				apply(&forbidden.Chat, c.Chat)
				apply(&forbidden.React, c.React)
				apply(&forbidden.Hand, c.Hand)
			case "two at once":
				var both sync.WaitGroup
				for _, may := range []bool{true, false} {
					both.Go(func() {
						if err := f.PermitAll(t.Context(), anne, f.id, meeting.RightsChange{Camera: &may}); err != nil {
							t.Error(err)
						}
					})
				}
				both.Wait()
				forbidden.Camera = slices.Contains(f.room.now().Forbidden, "camera") // whichever was the later
			case "back":
				f.Joined(f.id, who, "PA_again")
				f.settled()
			}
			f.hold(r, own, forbidden)
		}
	})
}

// hold checks what everybody may, in the grants and in the call.
func (f *floor) hold(r *rapid.T, own map[string]lobby.Permissions, forbidden meeting.Rights) {
	if got := f.room.now().Forbidden; !slices.Equal(got, forbidden.Names()) {
		r.Fatalf("the call is told that %v is forbidden, want %v", got, forbidden.Names())
	}
	for _, k := range f.knocks() {
		var want []livekit.TrackSource
		p := own[k.Identity]
		if p.Speak && !forbidden.Speak {
			want = append(want, livekit.TrackSource_MICROPHONE)
		}
		if p.Camera && !forbidden.Camera {
			want = append(want, livekit.TrackSource_CAMERA)
		}
		if p.Share && !forbidden.Share {
			want = append(want, livekit.TrackSource_SCREEN_SHARE, livekit.TrackSource_SCREEN_SHARE_AUDIO)
		}
		g, err := f.Grant(f.t.Context(), f.id, k.Admission)
		if err != nil {
			r.Fatal(err)
		}
		if got := g.Permission().CanPublishSources; !slices.Equal(got, want) {
			r.Fatalf("%s may send %v, want %v", k.Identity, got, want)
		}
		if got := f.room.may(k.Identity); !slices.Equal(got, want) {
			r.Fatalf("in the call %s may send %v, want %v", k.Identity, got, want)
		}
	}
	host, err := f.Join(f.t.Context(), anne, f.id)
	if err != nil || len(host.Permission().CanPublishSources) != 4 {
		r.Fatalf("the host may send %v, %v", host.Permission().CanPublishSources, err)
	}
}

// Who loses a host's role is under what is forbidden to all again, at once; who gets it is not.
func TestARoleBringsAndTakesWhatIsForbiddenToAll(t *testing.T) {
	f := newFloor(t, 0)
	f.withAgents()
	f.name(luc, role.Participant)
	f.name(marc, role.Participant)
	g := f.in(luc)
	no := false
	f.must(f.PermitAll(t.Context(), anne, f.id, meeting.RightsChange{Share: &no}))
	may := func(when string, want bool) {
		t.Helper()
		if got := slices.Contains(f.room.may(g.Identity), livekit.TrackSource_SCREEN_SHARE); got != want {
			t.Errorf("%s: may share %t", when, got)
		}
	}
	may("participant", false)
	f.must(second(f.NameMember(t.Context(), anne, f.id, luc.Account, role.Cohost)))
	may("co-host", true)
	f.must(second(f.NameMember(t.Context(), anne, f.id, luc.Account, role.Participant)))
	may("participant again", false)

	f.must(f.Lock(t.Context(), anne, f.id, true))
	if _, err := f.Join(t.Context(), luc, f.id); err != nil {
		t.Errorf("whoever has a seat comes back to a locked meeting: %v", err)
	}
	if _, err := f.Join(t.Context(), marc, f.id); !errors.Is(err, meeting.ErrLocked) {
		t.Errorf("an agent comes into a locked meeting: %v", err)
	}
	f.must(second(f.NameMember(t.Context(), anne, f.id, marc.Account, role.Cohost)))
	if _, err := f.Join(t.Context(), marc, f.id); err != nil {
		t.Errorf("a host comes into a locked meeting: %v", err)
	}
}
