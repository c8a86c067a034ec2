package meeting_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
	"aparte/signaling/role"
)

// clock is a time that a test moves.
type clock struct{ passed atomic.Int64 }

func (c *clock) now() time.Time          { return start.Add(time.Duration(c.passed.Load())) }
func (c *clock) pass(more time.Duration) { c.passed.Add(int64(more)) }

// deserted is an open meeting that a guest and two agents are in and that its host has left.
type deserted struct {
	*house
	*clock
	cfg               meeting.Config
	host, guest       meeting.Grant
	agent, latecoming meeting.Grant
}

func desert(t *testing.T, then meeting.LastHost) *deserted {
	t.Helper()
	d := &deserted{clock: new(clock)}
	d.house = newHouse(t, func(c *meeting.Config) {
		c.Now, c.LastHost, c.LastHostAfter = d.now, then, 3*time.Minute
		d.cfg = *c
	}).withAgents()
	d.name(luc, role.Participant)
	d.name(marc, role.Participant)
	d.host = d.in(anne)
	visitor := d.link()()
	d.knock(visitor, "Inês")
	if _, err := d.Admit(t.Context(), anne, d.id, d.knocks()[0].ID, lobby.Everything()); err != nil {
		t.Fatal(err)
	}
	var err error
	if d.guest, err = d.Claim(t.Context(), visitor); err != nil {
		t.Fatal(err)
	}
	d.Joined(d.id, d.guest.Identity, "PA_guest")
	d.agent = d.in(marc)
	d.settled()
	d.pass(time.Second)
	d.latecoming = d.in(luc)
	d.settled()
	if d.noHost() != nil {
		t.Fatalf("a host is in: %s", d.state())
	}
	d.Left(d.id, d.host.Identity, "PA_anne")
	d.settled()
	return d
}

func (d *deserted) state() string {
	d.Sweep(d.t.Context()) // whose answer comes after the call was told
	d.call.mu.Lock()
	defer d.call.mu.Unlock()
	return d.call.state
}

func (d *deserted) noHost() *meeting.NoHost {
	d.t.Helper()
	text := d.state()
	if text == "" {
		return nil
	}
	var s meeting.CallState
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		d.t.Fatal(err)
	}
	return s.NoHost
}

// restart is the server after it was stopped and started.
func (d *deserted) restart() {
	d.Close()
	d.call.state = ""
	d.Meetings = meeting.NewMeetings(d.cfg)
	d.t.Cleanup(d.Close)
}

func (d *deserted) stateIs(want meeting.State) {
	d.t.Helper()
	v, err := d.Get(d.t.Context(), anne, d.id)
	if err != nil || v.State != want {
		d.t.Errorf("the meeting is %s, want %s (%v)", v.State, want, err)
	}
}

func TestTheMeetingEndsWhenItsLastHostStaysAway(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		d := desert(t, meeting.EndWithoutHost)
		told := d.noHost()
		if told == nil || told.Then != meeting.EndWithoutHost || told.At == nil || !told.At.Equal(d.now().Add(3*time.Minute)) {
			t.Fatalf("the call is told %+v", told)
		}
		d.pass(3*time.Minute - time.Millisecond)
		if restarted {
			d.restart() // and nobody asks for the meeting
		}
		d.SweepDue(t.Context())
		d.Sweep(t.Context())
		d.stateIs(meeting.Open)
		d.pass(time.Millisecond)
		if restarted {
			d.restart()
			d.Sweep(t.Context())
		} else {
			d.SweepDue(t.Context())
		}
		if closed := "everybody in " + d.id; !slices.Contains(d.call.left, closed) {
			t.Errorf("restarted %t: the call goes on: %v", restarted, d.call.left)
		}
		d.stateIs(meeting.Ended)
		if _, err := d.Grant(t.Context(), d.id, d.guest.ID); !errors.Is(err, meeting.ErrEnded) {
			t.Errorf("a guest's grant: %v", err)
		}
	}
}

func TestAHostWhoComesBackInTimeStopsIt(t *testing.T) {
	for _, then := range []meeting.LastHost{meeting.WaitForHost, meeting.EndWithoutHost, meeting.PromoteAgent} {
		d := desert(t, then)
		if d.noHost() == nil {
			t.Fatalf("%s: nobody is told", then)
		}
		d.pass(2 * time.Minute)
		d.Joined(d.id, d.host.Identity, "PA_again")
		if v := d.noHost(); v != nil {
			t.Errorf("%s: still told %+v", then, v)
		}
		d.pass(time.Hour)
		d.SweepDue(t.Context())
		d.Sweep(t.Context())
		d.stateIs(meeting.Open)
		if g, err := d.Grant(t.Context(), d.id, d.agent.ID); err != nil || g.Role != role.Participant {
			t.Errorf("%s: %+v, %v", then, g, err)
		}
	}
}

func TestWithoutAHostNobodyNewComesIn(t *testing.T) {
	d := desert(t, meeting.WaitForHost)
	if v := d.noHost(); v == nil || v.At != nil {
		t.Errorf("the call is told %+v", v)
	}
	late := luc
	late.Session = "another"
	if _, err := d.Join(t.Context(), late, d.id); !errors.Is(err, meeting.ErrNoHost) {
		t.Errorf("an agent comes in: %v", err)
	}
	if _, err := d.Join(t.Context(), luc, d.id); err != nil {
		t.Errorf("who was in does not come back: %v", err)
	}
	d.pass(24 * time.Hour)
	d.Sweep(t.Context())
	d.stateIs(meeting.Open)
}

func TestTheLongestPresentAgentBecomesCohost(t *testing.T) {
	d := desert(t, meeting.PromoteAgent)
	d.pass(3 * time.Minute)
	d.SweepDue(t.Context())
	if v := d.noHost(); v != nil {
		t.Errorf("a co-host is there, and the call is told %+v", v)
	}
	if g, err := d.Grant(t.Context(), d.id, d.agent.ID); err != nil || g.Role != role.Cohost {
		t.Errorf("who came first is %s (%v)", g.Role, err)
	}
	if g, err := d.Grant(t.Context(), d.id, d.latecoming.ID); err != nil || g.Role != role.Participant {
		t.Errorf("who came later is %s (%v)", g.Role, err)
	}
	if got := d.call.said[d.agent.Identity]["aparte.role"]; got != "cohost" {
		t.Errorf("the others are told %q", got)
	}
	if _, err := d.Knocks(t.Context(), marc, d.id); err != nil {
		t.Errorf("the new co-host sees no lobby: %v", err)
	}
}

func TestWithGuestsAloneNobodyIsPromoted(t *testing.T) {
	d := desert(t, meeting.PromoteAgent)
	d.Left(d.id, d.agent.Identity, "PA_marc")
	d.Left(d.id, d.latecoming.Identity, "PA_luc")
	d.pass(time.Hour)
	d.SweepDue(t.Context())
	d.Sweep(t.Context())
	d.stateIs(meeting.Open)
	if g, err := d.Grant(t.Context(), d.id, d.guest.ID); err != nil || g.Role != role.Guest {
		t.Errorf("%+v, %v", g, err)
	}
	if d.noHost() == nil {
		t.Error("the call is told that a host is there")
	}
}

// A server that was stopped with a host in the call does not know when the host left.
func TestAHostWhoWasInWhenTheServerStoppedHasAllTheTimeToComeBack(t *testing.T) {
	d := desert(t, meeting.EndWithoutHost)
	d.Joined(d.id, d.host.Identity, "PA_again")
	d.settled()
	d.restart()
	d.pass(time.Hour)
	d.Joined(d.id, d.guest.Identity, "PA_guest2")
	v := d.noHost()
	if v == nil || v.At == nil || !v.At.Equal(d.now().Add(3*time.Minute)) {
		t.Fatalf("the call is told %+v", v)
	}
	d.pass(3 * time.Minute)
	d.SweepDue(t.Context())
	d.stateIs(meeting.Ended)
}

// What cannot be stored is not done, and is done when it can.
func TestTheEndWithoutAHostIsDurableFirst(t *testing.T) {
	d := desert(t, meeting.EndWithoutHost)
	d.pass(3 * time.Minute)
	d.store.failSave.Store(true)
	d.SweepDue(t.Context())
	if slices.ContainsFunc(d.call.left, func(who string) bool { return strings.HasPrefix(who, "everybody") }) {
		t.Error("the call was ended, and it was not stored")
	}
	d.store.failSave.Store(false)
	d.Sweep(t.Context())
	d.stateIs(meeting.Ended)
}

func TestCohostsAreHosts(t *testing.T) {
	d := desert(t, meeting.EndWithoutHost)
	d.Joined(d.id, d.host.Identity, "PA_again")
	if _, err := d.NameMember(t.Context(), anne, d.id, luc.Account, role.Cohost); err != nil {
		t.Fatal(err)
	}
	d.Left(d.id, d.host.Identity, "PA_again")
	if v := d.noHost(); v != nil {
		t.Errorf("a co-host is there, and the call is told %+v", v)
	}
	// Taking the last co-host's role away leaves the call without one.
	if _, err := d.NameMember(t.Context(), anne, d.id, luc.Account, role.Participant); err != nil {
		t.Fatal(err)
	}
	if d.noHost() == nil {
		t.Error("no host is there, and nobody is told")
	}
}

// Whoever no longer acts for the post has left the call, and the rule holds as if they
// had left by themselves.
func TestTheOnlyHostIsTakenFromThePost(t *testing.T) {
	for _, then := range []meeting.LastHost{meeting.EndWithoutHost, meeting.PromoteAgent} {
		d := desert(t, then)
		d.Joined(d.id, d.host.Identity, "PA_again")
		if v := d.noHost(); v != nil {
			t.Fatalf("%s: a host is in, and the call is told %+v", then, v)
		}
		if err := d.MemberChanged(t.Context(), anne.Account, dakar.ID, false); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(d.call.left, d.host.Identity) {
			t.Errorf("%s: the host is in the call still", then)
		}
		d.Left(d.id, d.host.Identity, "PA_again")
		d.Sweep(t.Context())
		if v := d.noHost(); v == nil || v.At == nil || v.Then != then {
			t.Fatalf("%s: the call is told %+v", then, v)
		}
		d.pass(3 * time.Minute)
		d.SweepDue(t.Context())
		d.Sweep(t.Context())
		if ended := slices.Contains(d.call.left, "everybody in "+d.id); ended != (then == meeting.EndWithoutHost) {
			t.Errorf("%s: the call has ended: %t", then, ended)
		}
		if g, err := d.Grant(t.Context(), d.id, d.agent.ID); then == meeting.PromoteAgent && (err != nil || g.Role != role.Cohost) {
			t.Errorf("%s: who came first is %q (%v)", then, g.Role, err)
		}
	}
}
