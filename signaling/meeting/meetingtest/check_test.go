package meetingtest

import (
	"strings"
	"testing"

	"aparte/signaling/lobby"
)

// script writes histories of one guest: each call ends before the next begins,
// unless it is left open.
type script struct{ *History }

func (s script) done(act Act, status lobby.Status, identity string) script {
	s.Begin(act, "guest", "").Done(status, identity)
	return s
}

func (s script) refused(act Act) script      { s.Begin(act, "guest", "").Refused(); return s }
func (s script) open(act Act) script         { s.Begin(act, "guest", ""); return s }
func (s script) of(i string, act Act) script { s.Begin(act, "guest", i).Done("", ""); return s }
func (s script) revoke() script              { s.Begin(Revoke, "link", "").Done("", ""); return s }
func (s script) reissue() script             { s.Begin(Reissue, "link", "").Done("", ""); return s }
func (s script) claim(admission string) script {
	s.Begin(Claim, "guest", "").Claimed("p1", admission)
	return s
}

func (s script) ban() script { return s.done(Ban, lobby.Denied, "") }
func (s script) back(i string) script {
	s.Begin(SendBack, "guest", i).Done(lobby.Waiting, "")
	return s
}

func (s script) banned() script {
	return s.sawAll(State{Known: true, Status: lobby.Denied, Banned: true})
}
func (s script) end() script { s.Begin(End, "", "").Done("", ""); return s }

func (s script) saw(status lobby.Status, identity string) script {
	return s.sawAll(State{Known: true, Status: status, Identity: identity})
}

func (s script) sawAll(state State) script {
	s.Begin(Look, "guest", "").Saw(state)
	return s
}

func (s script) theLink(state State) script {
	s.Begin(Look, "link", "").Saw(state)
	return s
}

func begin() script {
	h := NewHistory()
	h.Add("guest", "link", State{})
	h.Add("link", "link", State{Known: true})
	return script{h}.done(Enter, "", "")
}

func waiting() script  { return begin().done(Knock, lobby.Waiting, "") }
func admitted() script { return waiting().done(Admit, lobby.Admitted, "p1") }

func TestWhatCanBeExplained(t *testing.T) {
	for name, s := range map[string]script{
		"nothing":                   begin().saw("", ""),
		"admitted":                  admitted().claim("a1").of("a1", Join).saw(lobby.Admitted, "p1"),
		"admitted twice":            admitted().done(Admit, lobby.Admitted, "p1").saw(lobby.Admitted, "p1"),
		"removed":                   admitted().of("p1", Remove).refused(Claim).refused(Knock).saw(lobby.Denied, ""),
		"lifted and in again":       admitted().of("p1", Remove).done(Lift, "", "").done(Knock, lobby.Waiting, "").done(Admit, "", "p2").saw(lobby.Admitted, "p2"),
		"revoked":                   admitted().revoke().refused(Claim).sawAll(State{Known: true, Status: lobby.Expired, Revoked: true}),
		"revoked after the denial":  waiting().done(Deny, lobby.Denied, "").revoke().sawAll(State{Known: true, Status: lobby.Denied, Revoked: true}),
		"issued anew":               admitted().reissue().refused(Knock).sawAll(State{Known: true, Status: lobby.Expired, Revoked: true}).theLink(State{Known: true}),
		"ended":                     admitted().end().refused(Knock).sawAll(State{Known: true, Status: lobby.Expired, Ended: true}),
		"banned while waiting":      waiting().ban().refused(Knock).refused(Admit).banned(),
		"banned from the call":      admitted().claim("a1").ban().ban().refused(Claim).banned(),
		"banned after the denial":   waiting().done(Deny, lobby.Denied, "").ban().done(Deny, lobby.Denied, "").banned(),
		"banned after it was over":  waiting().revoke().ban().sawAll(State{Known: true, Status: lobby.Denied, Banned: true, Revoked: true}),
		"nobody to ban":             begin().refused(Ban).saw("", ""),
		"banned, lifted, in again":  waiting().ban().done(Lift, "", "").done(Knock, lobby.Waiting, "").done(Admit, "", "p1").saw(lobby.Admitted, "p1"),
		"sent back":                 admitted().back("p1").refused(Claim).saw(lobby.Waiting, ""),
		"sent back, in again":       admitted().claim("a1").back("p1").done(Admit, lobby.Admitted, "p1").claim("a2").of("a2", Join).saw(lobby.Admitted, "p1"),
		"sent back, and anew":       admitted().back("p1").done(Withdraw, lobby.Withdrawn, "").done(Knock, lobby.Waiting, "").done(Admit, "", "p2").saw(lobby.Admitted, "p2"),
		"unanswered, carried out":   waiting().open(Admit).saw(lobby.Admitted, "p7"),
		"unanswered, not done":      waiting().open(Admit).saw(lobby.Waiting, ""),
		"done late":                 waiting().open(Admit).saw(lobby.Waiting, "").saw(lobby.Admitted, "p1"),
		"unanswered withdrawal":     waiting().open(Withdraw).open(Knock).saw(lobby.Waiting, ""),
		"an entry nobody heard of":  script{begin().History}.open(Enter).saw("", ""),
		"withdrawn, and said again": waiting().done(Withdraw, lobby.Withdrawn, "").done(Withdraw, lobby.Withdrawn, "").saw(lobby.Withdrawn, ""),
	} {
		if got := s.Check(); got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What the checker is for: each of these is a broken promise.
func TestViolationsAreFound(t *testing.T) {
	for name, s := range map[string]script{
		"session lost":                        begin().sawAll(State{}),
		"knock lost":                          waiting().saw("", ""),
		"admission lost":                      admitted().saw(lobby.Waiting, ""),
		"admission by nobody":                 waiting().saw(lobby.Admitted, "p1"),
		"admission of another identity":       admitted().saw(lobby.Admitted, "p2"),
		"denial lost":                         waiting().done(Deny, lobby.Denied, "").saw(lobby.Waiting, ""),
		"removal lost":                        admitted().of("p1", Remove).saw(lobby.Admitted, "p1"),
		"lift lost":                           admitted().of("p1", Remove).done(Lift, "", "").saw(lobby.Denied, ""),
		"revocation lost":                     admitted().revoke().saw(lobby.Admitted, "p1"),
		"revocation by half: the link alone":  admitted().revoke().sawAll(State{Known: true, Status: lobby.Admitted, Identity: "p1", Revoked: true}),
		"revocation by half: the knock alone": admitted().revoke().saw(lobby.Expired, ""),
		"unanswered, by half":                 admitted().open(End).sawAll(State{Known: true, Status: lobby.Expired}),
		"new issue lost":                      admitted().reissue().saw(lobby.Admitted, "p1"),
		"token of an older issue":             admitted().claim("a1").reissue().of("a1", Join).sawAll(State{Known: true, Status: lobby.Expired, Revoked: true}),
		"end lost":                            admitted().end().saw(lobby.Admitted, "p1"),
		"refused and done":                    waiting().done(Deny, lobby.Denied, "").refused(Admit).saw(lobby.Admitted, "p1"),
		"refused without a reason":            waiting().refused(Admit).saw(lobby.Waiting, ""),
		"token for who waits":                 waiting().done(Claim, "", "").saw(lobby.Waiting, ""),
		"token of the removed":                admitted().claim("a1").of("p1", Remove).of("a1", Join).saw(lobby.Denied, ""),
		"token of the revoked":                admitted().claim("a1").revoke().of("a1", Join).sawAll(State{Known: true, Status: lobby.Expired, Revoked: true}),
		"token of an earlier admission":       admitted().claim("a1").of("p1", Remove).done(Lift, "", "").done(Knock, "", "").done(Admit, "", "p2").of("a1", Join).saw(lobby.Admitted, "p2"),
		"ban lost":                            admitted().ban().saw(lobby.Admitted, "p1"),
		"ban turned into a denial":            waiting().ban().saw(lobby.Denied, ""),
		"ban lifted by nobody":                waiting().ban().saw(lobby.Expired, ""),
		"ban that lets knock":                 waiting().ban().done(Knock, "", "").banned(),
		"ban by half: in, and banned":         admitted().open(Ban).sawAll(State{Known: true, Status: lobby.Admitted, Identity: "p1", Banned: true}),
		"ban that a lift left":                waiting().ban().done(Lift, "", "").sawAll(State{Known: true, Status: lobby.Expired, Banned: true}),
		"token of the banned":                 admitted().claim("a1").ban().of("a1", Join).banned(),
		"token for the banned":                admitted().ban().claim("a1").banned(),
		"sending back lost":                   admitted().back("p1").saw(lobby.Admitted, "p1"),
		"sent out instead of back":            admitted().back("p1").saw(lobby.Denied, ""),
		"token of the sent back":              admitted().claim("a1").back("p1").of("a1", Join).saw(lobby.Waiting, ""),
		"token of before sending back":        admitted().claim("a1").back("p1").done(Admit, "", "p1").of("a1", Join).saw(lobby.Admitted, "p1"),
		"somebody else comes back":            admitted().back("p1").done(Admit, "", "p2").saw(lobby.Admitted, "p2"),
		"two admissions at a time":            admitted().claim("a1").claim("a2").saw(lobby.Admitted, "p1"),
		"token refused to the admitted":       admitted().refused(Claim).saw(lobby.Admitted, "p1"),
		"seen and gone":                       waiting().open(Admit).saw(lobby.Admitted, "p1").saw(lobby.Waiting, ""),
		"in without a knock":                  begin().open(Admit).saw(lobby.Admitted, "p1"),
		"back from denial by knocking":        waiting().done(Deny, "", "").open(Knock).saw(lobby.Waiting, ""),
	} {
		if got := s.Check(); len(got) != 1 || !strings.HasPrefix(got[0].Error(), "guest: no order explains") {
			t.Errorf("%s: found %v", name, got)
		}
	}
	links := begin()
	links.Begin(Revoke, "link", "").Done("", "")
	links.Begin(Look, "link", "").Saw(State{Known: true})
	if got := links.Check(); len(got) != 1 || !strings.HasPrefix(got[0].Error(), "link: ") {
		t.Errorf("a link's revocation lost: found %v", got)
	}
	unmade := NewHistory()
	unmade.Add("link", "link", State{})
	unmade.Begin(MakeLink, "link", "").Done("", "")
	unmade.Begin(Look, "link", "").Saw(State{})
	if got := unmade.Check(); len(got) != 1 {
		t.Errorf("a link lost: found %v", got)
	}
}

// Two hosts press at once: one order or the other, but one.
func TestConcurrentDecisions(t *testing.T) {
	press := func(admitWins bool) script {
		s := waiting()
		admit, deny := s.Begin(Admit, "guest", ""), s.Begin(Deny, "guest", "")
		if admitWins {
			deny.Refused()
			admit.Done(lobby.Admitted, "p1")
		} else {
			admit.Refused()
			deny.Done(lobby.Denied, "")
		}
		return s
	}
	for _, good := range []script{press(true).saw(lobby.Admitted, "p1"), press(false).saw(lobby.Denied, "")} {
		if got := good.Check(); got != nil {
			t.Error(got)
		}
	}
	for _, bad := range []script{press(true).saw(lobby.Denied, ""), press(false).saw(lobby.Admitted, "p1")} {
		if got := bad.Check(); len(got) != 1 {
			t.Errorf("found %v", got)
		}
	}
	both := waiting()
	a, b := both.Begin(Admit, "guest", ""), both.Begin(Deny, "guest", "")
	a.Done(lobby.Admitted, "p1")
	b.Done(lobby.Denied, "")
	both.saw(lobby.Denied, "")
	if got := both.Check(); len(got) != 1 {
		t.Errorf("both acknowledged: found %v", got)
	}
}
