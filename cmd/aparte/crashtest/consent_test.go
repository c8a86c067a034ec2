package crashtest

import (
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"aparte/signaling/api"
)

// answering is somebody in the call who is asked, and what they may have answered: after
// a request without an answer nobody knows whether it counted.
type answering struct {
	name   string
	client *http.Client
	bearer string // of a guest
	path   string // of the recording, as seen by them
	may    map[string]bool
	agreed bool            // once, or perhaps
	call   *websocket.Conn // in the call as long as that is open
}

// says sends an answer, and reports whether there was one.
func (w *world) says(p *answering, recording, said string) bool {
	status, err := w.call(p.client, p.bearer, "POST", p.path+"/answer", api.RecordingSaid{Recording: recording, Answer: said}, nil)
	after := make(map[string]bool)
	for before := range p.may {
		after[answered(before, said)] = true
	}
	switch {
	case err != nil || status == http.StatusServiceUnavailable: // it may count
		for before := range p.may {
			after[before] = true
		}
	case status == http.StatusConflict: // nothing is asked any more
		return true
	case status >= 300:
		w.bad("%s says %s: unexpected answer %d", p.name, said, status)
		return true
	}
	p.may, p.agreed = after, p.agreed || said == "agree"
	return err == nil
}

// answered is what an answer counts as, after another.
func answered(before, said string) string {
	switch {
	case said == "agree":
		return "agreed"
	case before == "agreed" || before == "withdrawn":
		return "withdrawn"
	}
	return "declined"
}

// steering is the host, and the states in which the recording may be. After a crash
// nothing runs: what ran is interrupted.
type steering struct {
	may   map[string]bool
	began bool // acknowledged
}

func (w *world) steers(s *steering, verb string) bool {
	status, err := w.call(w.hosts[0], "", "POST", w.meetingPath("/call/recording/"+verb), nil, nil)
	to := map[string]string{"start": "interrupted", "pause": "interrupted", "resume": "interrupted", "stop": "none"}[verb]
	switch {
	case err != nil || status == http.StatusServiceUnavailable:
		s.may[to] = true
	case status == http.StatusConflict: // not in that state
	case status >= 300:
		w.bad("%s: unexpected answer %d", verb, status)
	default:
		s.may, s.began = map[string]bool{to: true}, s.began || verb == "start"
	}
	return err == nil
}

// enters has a guest knock, be admitted and stand in the call.
func (w *world) enters(l *guestLink, name string) *answering {
	w.t.Helper()
	var in api.Redeemed
	var token api.MediaToken
	w.must(http.DefaultClient, "", "POST", "/guest/redeem", api.Redeem{LinkID: l.id, Code: l.code}, &in)
	w.must(http.DefaultClient, in.Session, "POST", "/guest/knock", api.GuestName{Name: name}, nil)
	w.must(w.hosts[0], "", "POST", w.meetingPath("/knocks/admit-all"), map[string]any{}, nil)
	w.must(http.DefaultClient, in.Session, "POST", "/guest/token", nil, &token)
	p := &answering{name: name, client: http.DefaultClient, bearer: in.Session, path: "/guest/call/recording", may: map[string]bool{"": true}}
	p.call = w.stands(token.Token)
	return p
}

// stands joins the call and stays.
func (w *world) stands(token string) *websocket.Conn {
	w.t.Helper()
	address := strings.Replace(w.server.lines["listening"], "http", "ws", 1) + "/rtc?protocol=16&access_token=" + url.QueryEscape(token)
	ws, res, err := websocket.DefaultDialer.DialContext(w.t.Context(), address, nil)
	if err != nil {
		w.t.Fatalf("join: %v", err)
	}
	_ = res.Body.Close()
	if _, _, err := ws.ReadMessage(); err != nil {
		w.t.Fatalf("join: %v", err)
	}
	return ws
}

// asked is a life in which a host asks to record, everybody answers at once, again and
// again, and the host starts, pauses, resumes and perhaps stops, until the server is killed.
func (w *world) asked(people []*answering) (recording string, host *steering) {
	w.t.Helper()
	var asked api.CallRecording
	w.must(w.hosts[0], "", "POST", w.meetingPath("/call/recording/ask"), api.RecordingDraft{Purpose: "Compte rendu"}, &asked)
	host = &steering{may: map[string]bool{"asking": true}}
	w.mu.Lock()
	w.begun, w.killAt = 0, 1+w.random.IntN(60)
	w.mu.Unlock()
	w.unanswered.Store(false)
	var actors sync.WaitGroup
	random := func() *mathrand.Rand { return mathrand.New(mathrand.NewPCG(w.random.Uint64(), 1)) }
	for _, p := range people {
		random := random()
		actors.Go(func() {
			for !w.unanswered.Load() && w.says(p, asked.ID, []string{"agree", "agree", "decline", "withdraw"}[random.IntN(4)]) {
			}
		})
	}
	steps := random()
	actors.Go(func() {
		for !w.unanswered.Load() {
			verb := []string{"start", "pause", "resume"}[steps.IntN(3)]
			if host.began && steps.IntN(20) == 0 {
				verb = "stop"
			}
			if !w.steers(host, verb) {
				return
			}
		}
	})
	actors.Wait()
	_ = w.server.cmd.Process.Kill() // it is mostly dead already
	<-w.server.ended
	return asked.ID, host
}

// remembered compares what a server that was started again knows with what had been
// acknowledged. It tells the state, and how many are recorded.
func (w *world) remembered(id string, host *steering, people []*answering) (state string, recorded int) {
	w.t.Helper()
	var now api.CallRecording
	w.must(w.hosts[0], "", "GET", w.meetingPath("/call/recording"), nil, &now)
	if !host.may[now.State] {
		w.bad("the recording is %q, want one of %v", now.State, host.may)
	}
	if now.State != "none" && now.ID != id {
		w.bad("the recording is %s, want %s", now.ID, id)
	}
	var kept api.RecordingList
	w.must(w.hosts[0], "", "GET", w.meetingPath("/recordings"), nil, &kept)
	in := make(map[string]bool) // who is recorded: withdrawn or not
	i := slices.IndexFunc(kept.Recordings, func(r api.Recording) bool { return r.ID == id })
	if i >= 0 {
		for _, one := range kept.Recordings[i].People {
			in[one.Name] = true
		}
		there := int64(0)
		for n, p := range kept.Recordings[i].Parts {
			there += p.Bytes
			if !p.Closed || p.BrokenOff && n < len(kept.Recordings[i].Parts)-1 {
				w.bad("part %d of what nobody writes is listed as %+v", n+1, p)
			}
		}
		if got := kept.Recordings[i].Bytes; got != there {
			w.bad("the recording is %s, with %d bytes listed; there are %d", now.State, got, there)
		}
	} else if host.began {
		w.bad("a recording that was started is not listed")
	}
	for _, p := range people {
		if in[p.name] && !p.agreed {
			w.bad("%s is recorded and never agreed", p.name)
		}
		if now.State == "none" {
			continue
		}
		var own api.CallRecording
		w.must(p.client, p.bearer, "GET", p.path, nil, &own)
		if !p.may[own.Answer] {
			w.bad("%s has answered %q, want one of %v", p.name, own.Answer, p.may)
		}
		for _, a := range now.Answers {
			if a.Name == p.name && (a.Answer != own.Answer || a.Recorded != in[p.name]) {
				w.bad("hosts are told %+v of %s, who has answered %q; recorded: %t", a, p.name, own.Answer, in[p.name])
			}
		}
	}
	return now.State, len(in)
}

// An answer that was acknowledged holds over a crash, whatever was asked at the moment; a
// recording that ran is told as interrupted, and nobody is in it who has not agreed.
func TestAcknowledgedConsentSurvivesKill(t *testing.T) {
	key := filepath.Join(t.TempDir(), "archive.key")
	public, err := aparte(t, "keygen", key).Output()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, data: t.TempDir(), random: mathrand.New(mathrand.NewPCG(*seed, chains))}
	w.args = []string{"--recordings-recipients", strings.TrimSpace(string(public))}
	w.setUp()
	states, recorded := make(map[string]int), 0
	// Chance decides when it is killed, and now and then that is each time before anything is
	// recorded: then it is killed some more times.
	looked := func() bool { return states["interrupted"] > 0 && recorded > 0 }
	for round, least := 0, max(*rounds/4, 1); round < least || *rounds >= 20 && !looked() && round < 5*least; round++ {
		w.ended = true // another meeting, so that none has a recording before
		w.furnish()
		var seat api.MediaToken
		w.must(w.hosts[0], "", "POST", w.meetingPath("/join"), nil, &seat)
		people := []*answering{{name: "Anne Bernard", client: w.hosts[0], path: w.meetingPath("/call/recording"), may: map[string]bool{"": true}, call: w.stands(seat.Token)}}
		for i := range 4 {
			people = append(people, w.enters(w.links[0], fmt.Sprintf("Guest %d", i)))
		}
		id, host := w.asked(people)
		for _, p := range people {
			_ = p.call.Close()
		}
		w.server = start(t, w.data, w.args...)
		w.killAt = 0
		state, in := w.remembered(id, host, people)
		states[state]++
		recorded += in
		if out, err := aparte(t, "audit", "verify", "--data-dir", w.data).CombinedOutput(); err != nil {
			w.bad("audit verify: %w\n%s", err, out)
		}
		for _, v := range w.found {
			t.Errorf("seed %d, round %d: %v", *seed, round, v)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("killed with seed %d; the recording was then %v, with %d people in all", *seed, states, recorded)
	if *rounds >= 20 && !looked() {
		t.Error("no recording was under way when the server was killed")
	}
}
