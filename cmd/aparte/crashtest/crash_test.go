package crashtest

import (
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aparte/signaling/api"
	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/meeting/meetingtest"
)

// `make soak` makes it 500.
var (
	rounds = flag.Int("rounds", 20, "how often the program is killed")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random choices; which requests meet is up to the machine")
)

// chains is how many servers are killed at the same time, each on its own data.
const chains = 4

const password = "une phrase que personne ne devine"

// tick counts a request, and has the server killed soon after the chosen one has
// begun: while it and others are under way.
func (w *world) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun++; w.begun == w.killAt {
		server := w.server
		time.AfterFunc(time.Duration(mathrand.Int64N(int64(4*time.Millisecond))), func() { _ = server.cmd.Process.Kill() })
	}
}

// setUp makes the first account and signs its person in from two machines.
func (w *world) setUp() {
	w.t.Helper()
	w.server = start(w.t, w.data, w.args...)
	_, code, _ := strings.Cut(w.server.lines["setup"], "#")
	w.hosts = []*http.Client{browser(w.t), browser(w.t)}
	w.must(w.hosts[0], "", "POST", "/setup", api.Setup{Code: code, Name: "Anne Bernard", Email: "anne@aparte.example", Password: password}, nil)
	w.must(w.hosts[1], "", "POST", "/session", api.Credentials{Email: "anne@aparte.example", Password: password}, nil)
}

// furnish begins a history, in a new meeting if the old one has ended or has
// become too full to say much.
func (w *world) furnish() {
	w.t.Helper()
	w.history, w.killAt = meetingtest.NewHistory(), 0
	if w.meeting == "" || w.ended || len(w.guests) >= 30 {
		var made api.Meeting
		w.must(w.hosts[0], "", "POST", "/meetings", api.MeetingDraft{Title: "Coopération"}, &made)
		w.meeting, w.ended, w.links, w.guests = made.ID, false, nil, nil
	}
	for _, l := range w.links {
		w.history.Add(l.id, l.id, l.first)
	}
	for _, g := range w.guests {
		w.history.Add(g.name, g.link.id, g.first)
	}
	w.makeLink(w.hosts[0], link.Shared)
}

// life has everybody act at once until the server is killed. It returns the
// hosts' media token.
func (w *world) life() string {
	w.t.Helper()
	var seat api.MediaToken
	w.must(w.hosts[0], "", "POST", w.meetingPath("/join"), nil, &seat)
	w.mu.Lock()
	w.begun, w.killAt = 0, 1+w.random.IntN(250)
	w.mu.Unlock()
	w.unanswered.Store(false)
	var actors sync.WaitGroup
	for i := range 7 {
		random := mathrand.New(mathrand.NewPCG(w.random.Uint64(), uint64(i)))
		actors.Go(func() {
			// Whoever gets no answer stops: what is asked of a program that is dead would
			// only be one more that may have happened.
			for !w.unanswered.Load() {
				if i < len(w.hosts) {
					w.actAsHost(w.hosts[i], random)
				} else {
					w.actAsGuest(random)
				}
			}
		})
	}
	actors.Wait()
	_ = w.server.cmd.Process.Kill() // it is mostly dead already
	<-w.server.ended
	return seat.Token
}

// verify looks at everything there is and tries every token ever given out.
func (w *world) verify(seat string) {
	w.t.Helper()
	var (
		now    api.Meeting
		links  api.LinkList
		knocks api.KnockList
	)
	w.must(w.hosts[1], "", "GET", w.meetingPath(""), nil, &now)
	w.must(w.hosts[1], "", "GET", w.meetingPath("/links"), nil, &links)
	w.must(w.hosts[1], "", "GET", w.meetingPath("/knocks"), nil, &knocks)
	w.ended = now.State == "ended"
	byLink, byName, uses := map[string]api.Link{}, map[string]api.Knock{}, map[string]int{}
	for _, l := range links.Links {
		byLink[l.ID] = l
	}
	for _, k := range knocks.Knocks {
		if byName[k.Name].ID != "" {
			w.bad("two knocks of %s", k.Name)
		}
		byName[k.Name] = k
		uses[k.Link.ID]++
	}
	for _, l := range w.links {
		v, known := byLink[l.id]
		l.first = meetingtest.State{Known: known, Revoked: v.RevokedAt != nil, Ended: w.ended}
		w.history.Begin(meetingtest.Look, l.id, "").Saw(l.first)
		if v.Uses != uses[l.id] {
			w.bad("link %s has %d uses and %d knocks", l.id, v.Uses, uses[l.id])
		}
	}
	for _, g := range w.guests {
		w.verifyGuest(g, byName[g.name])
	}
	if _, err := w.dial(seat); (err == nil) == w.ended {
		w.bad("a host's token of before: %w, the meeting is %s", err, now.State)
	}
	if out, err := aparte(w.t, "audit", "verify", "--data-dir", w.data).CombinedOutput(); err != nil {
		w.bad("audit verify: %w\n%s", err, out)
	}
	w.found = append(w.found, w.history.Check()...)
}

func (w *world) verifyGuest(g *guest, k api.Knock) {
	look := w.history.Begin(meetingtest.Look, g.name, "")
	var view api.GuestView
	status, err := w.call(http.DefaultClient, g.session, "GET", "/guest", nil, &view)
	if err != nil || status != http.StatusOK && status != http.StatusUnauthorized {
		w.t.Fatalf("look as %s: %d, %v", g.name, status, err)
	}
	g.first = meetingtest.State{Known: status == http.StatusOK, Revoked: g.link.first.Revoked, Ended: w.ended}
	if view.Knock != nil {
		g.first.Status = lobby.Status(view.Knock.Status)
	}
	if g.first.Status != lobby.Status(k.Status) {
		w.bad("%s is told %q and the hosts %q", g.name, g.first.Status, k.Status)
	}
	g.first.Identity, g.first.Banned = k.Identity, k.Banned
	look.Saw(g.first)
	if !g.first.Known {
		return
	}
	w.claim(g)
	for _, token := range g.fresh() {
		w.try(g, token)
	}
	if g.first.Banned {
		w.knockInNewTab(g)
		w.knock(g, g.session, g.binding)
	}
	w.verifyWayIn(g)
}

// verifyWayIn looks whether a guest's personal link is open for another browser:
// until the first knock alone, and to say so if it is closed for good.
func (w *world) verifyWayIn(g *guest) {
	if !g.link.personal || g.link.first.Revoked || w.ended {
		return
	}
	want := ""
	switch {
	case g.first.Banned:
		want = "urn:aparte:problem:banned"
	case g.first.Status != "":
		want = "urn:aparte:problem:link-in-use"
	}
	var problem api.Problem
	status, err := w.call(http.DefaultClient, "", "POST", "/guest/redeem", api.Redeem{LinkID: g.link.id, Code: g.link.code}, &problem)
	if err != nil {
		w.t.Fatalf("another browser at the link of %s: %v", g.name, err)
	}
	if problem.Type != want {
		w.bad("the personal link of %s, who is %q (banned: %t), opens for another browser with %d %q, want %q", g.name, g.first.Status, g.first.Banned, status, problem.Type, want)
	}
}

func TestAcknowledgedDecisionsSurviveKill(t *testing.T) {
	var mu sync.Mutex
	total := make(map[meetingtest.Act]int)
	// Who gets to act before it is killed is chance, and what is seldom is acknowledged some ten
	// times: it is killed as often again, up to four times, until everything was.
	undone := func() []meetingtest.Act {
		return slices.DeleteFunc([]meetingtest.Act{
			meetingtest.Enter, meetingtest.Knock, meetingtest.Claim, meetingtest.Join, meetingtest.Withdraw,
			meetingtest.Admit, meetingtest.Deny, meetingtest.Remove, meetingtest.SendBack, meetingtest.Ban, meetingtest.Lift, meetingtest.Revoke,
		}, func(act meetingtest.Act) bool { return total[act] > 0 })
	}
	times := uint64(0)
	for ; times == 0 || times < 5 && len(undone()) > 0 && !t.Failed(); times++ {
		t.Run(fmt.Sprint("chains ", times), func(t *testing.T) {
			for chain := range uint64(chains) {
				t.Run(fmt.Sprint(chain), func(t *testing.T) {
					t.Parallel()
					w := &world{t: t, data: t.TempDir(), random: mathrand.New(mathrand.NewPCG(*seed, times<<32|chain))}
					w.setUp()
					for round := range (*rounds + chains - 1) / chains {
						w.furnish()
						seat := w.life()
						mu.Lock()
						for act, n := range w.history.Answered() {
							total[act] += n
						}
						mu.Unlock()
						w.server = start(t, w.data)
						w.killAt = 0
						w.verify(seat)
						for _, v := range w.found {
							t.Errorf("seed %d, round %d: %v", *seed, round, v)
						}
						if t.Failed() {
							return
						}
					}
				})
			}
		})
	}
	t.Logf("%d times killed %d times with seed %d; acknowledged before: %v", times, *rounds, *seed, total)
	if acts := undone(); len(acts) > 0 {
		t.Errorf("nobody did: %v", acts)
	}
}
