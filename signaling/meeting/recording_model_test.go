package meeting_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aparte/signaling/meeting"
	"aparte/signaling/recording"
	"aparte/signaling/recording/recordingtest"
	"aparte/signaling/role"
)

// asked is what is so about a recording: whose yes holds, and where it stands.
type asked struct {
	id    string
	state recording.State // "": none
	yes   map[*soul]bool
}

func (a asked) clone() asked {
	a.yes = maps.Clone(a.yes)
	if a.yes == nil {
		a.yes = make(map[*soul]bool)
	}
	return a
}

// consenting is the model of who is recorded: what docs/recording-consent.md says, with no rule
// of the program in it.
type consenting struct {
	*rapid.T
	now      *clock
	h        *house // of which Meetings, store and call are those of this life
	recorder *recordingtest.Recorder
	lives    []*meeting.Meetings
	id       string
	host     *soul
	all      []*soul

	stored asked // what the disk knows
	holds  asked // what holds, stored or not
	taken  int   // how often somebody was

	hung  *hung   // start that the recorder has not answered yet; nil: none
	late  []*hung // those of servers that crashed
	hangs int     // how often one hung

	said    int                     // messages, which number them
	kept    int                     // of those that were to be taken down
	left    int                     // and that were not
	written []recordingtest.Written // that this life's recorder is to have
}

// hung is a start for which the disk does not answer.
type hung struct {
	since  time.Time
	answer func()
	done   chan struct{} // closed once the host was answered
	err    error         // with which
}

// hang has a start hang that would be carried out.
func (m *consenting) hang(start func(context.Context) (meeting.RecordingView, error)) {
	asked, answer := m.recorder.HangStart()
	h := &hung{since: time.Now(), answer: answer, done: make(chan struct{})}
	ctx := m.Context()
	go func() {
		defer close(h.done)
		h.err = second(start(ctx))
	}()
	select {
	case <-asked:
	case <-h.done:
		answer()
		m.Fatalf("answered before the disk: %v", h.err)
	}
	m.hung = h
	m.hangs++
}

// answered has the disk answer.
func (m *consenting) answered() {
	h := m.hung
	m.hung = nil
	h.answer()
	if <-h.done; h.err != nil {
		m.Fatalf("a start that hung: %v", h.err)
	}
}

// live begins a life of the server over the data that there is.
func (m *consenting) live() {
	m.recorder, m.written = &recordingtest.Recorder{}, nil
	m.h.store = &flaky{Store: m.h.store.Store} // of before the crash nothing is stored any more
	m.h.Meetings = meeting.NewMeetings(meeting.Config{
		Store: m.h.store, Media: m.h.call, Now: m.now.now, Random: rand.Reader, Log: quiet, Recorder: m.recorder, Kept: m.recorder,
	})
	m.lives = append(m.lives, m.h.Meetings)
}

func (m *consenting) who(s *soul) meeting.InCall {
	if s.isAgent() {
		return meeting.AsAgent(s.agent, m.id)
	}
	return meeting.AsGuest(s.caller)
}

// settle has everything that follows by itself have happened, on a disk that works.
func (m *consenting) settle() {
	m.h.store.failSave.Store(false)
	for end := time.Now().Add(hang); ; runtime.Gosched() {
		v, err := m.h.Recording(m.Context(), meeting.AsAgent(anne, m.id))
		if err != nil {
			m.Fatal(err)
		}
		if v.Recording.State != recording.Stopping {
			break
		}
		if m.hung != nil { // what was stopped is closed once it is known what there is
			m.answered()
		}
		if time.Now().After(end) {
			m.Fatal("it is never closed")
		}
	}
	_, _ = m.h.Get(m.Context(), anne, m.id)
	m.h.Obeyed()
	m.stored = m.holds.clone()
}

func (m *consenting) come(s *soul) {
	var g meeting.Grant
	var err error
	if s.isAgent() {
		g, err = m.h.Join(m.Context(), s.agent, m.id)
	} else {
		g, err = m.h.Claim(m.Context(), s.caller)
	}
	if err != nil {
		if s != m.host && errors.Is(err, meeting.ErrNoHost) {
			return
		}
		m.Fatalf("%s comes: %v", s.called, err)
	}
	s.identity, s.in = g.Identity, true
	m.h.Joined(m.id, s.identity, "PA_"+s.called)
	m.settle()
}

func (m *consenting) leave() {
	s := rapid.SampledFrom(m.all).Draw(m.T, "who leaves")
	if !s.in {
		return
	}
	s.in = false
	m.h.Left(m.id, s.identity, "PA_"+s.called)
	if rapid.Bool().Draw(m.T, "while the disk fails") {
		m.h.store.failSave.Store(true)
		for range 2 { // as in settled: the first comes after it, the second when what follows has begun
			_, _ = m.h.Get(m.Context(), anne, m.id)
		}
		m.h.Obeyed()
		m.check()
	}
	m.settle()
}

// act has somebody do something, and it is stored or not.
func (m *consenting) act() {
	fails := rapid.IntRange(0, 3).Draw(m.T, "fails") == 0
	what := rapid.SampledFrom([]string{"agree", "withdraw", "start", "ask", "agree", "withdraw", "start", "resume", "agree", "pause", "decline", "stop"}).Draw(m.T, "act")
	after, takes := m.holds.clone(), false
	var allowed bool
	begun := after.state == recording.Running || after.state == recording.Paused
	var do func(ctx context.Context) (meeting.RecordingView, error)
	host := func(f func(context.Context, meeting.Agent, string) (meeting.RecordingView, error)) {
		do = func(ctx context.Context) (meeting.RecordingView, error) { return f(ctx, m.host.agent, m.id) }
	}
	switch what {
	case "ask":
		allowed = after.state == ""
		do = func(ctx context.Context) (meeting.RecordingView, error) {
			return m.h.AskRecording(ctx, m.host.agent, m.id, "Compte rendu")
		}
		after.state, after.yes = recording.Asking, map[*soul]bool{}
	case "start":
		host(m.h.StartRecording)
		allowed = after.state == recording.Asking
		after.state = recording.Running
	case "pause":
		host(m.h.PauseRecording)
		allowed, takes = begun, after.state == recording.Running
		after.state = recording.Paused
	case "resume":
		host(m.h.ResumeRecording)
		allowed = begun || after.state == recording.Interrupted
		after.state = recording.Running
	case "stop":
		host(m.h.StopRecording)
		allowed, takes = after.state != "", begun
		after.state = ""
	default:
		some := m.all
		if what == "withdraw" && begun { // of those who are recorded, if there are any
			some = slices.DeleteFunc(slices.Clone(some), func(s *soul) bool { return !s.in || !after.yes[s] })
		}
		if len(some) == 0 {
			some = m.all
		}
		s := rapid.SampledFrom(some).Draw(m.T, "who answers")
		said := map[string]recording.Answer{"agree": recording.Agreed, "decline": recording.Declined, "withdraw": recording.Withdrawn}[what]
		allowed, takes = after.state != "", said != recording.Agreed && after.yes[s]
		after.yes[s] = said == recording.Agreed
		id := m.holds.id
		do = func(ctx context.Context) (meeting.RecordingView, error) {
			return m.h.AnswerRecording(ctx, m.who(s), id, said)
		}
		what += " by " + s.called
	}
	if m.hung != nil && what == "resume" { // who resumes waits for it
		m.answered()
	}
	begins := allowed && (what == "start" || what == "resume" && m.holds.state == recording.Interrupted)
	if begins && !fails && rapid.IntRange(0, 3).Draw(m.T, "hangs") > 0 {
		m.hang(do)
		m.Logf("%s hangs", what)
		m.holds = after
		m.check()
		m.settle()
		return
	}
	m.h.store.failSave.Store(fails)
	v, err := do(m.Context())
	m.Logf("%s, fails %t, when %q: %v", what, fails, m.holds.state, err)
	switch {
	case !allowed:
		if err == nil {
			m.Fatalf("%s is allowed when %q", what, m.holds.state)
		}
	case err == nil:
		if what == "ask" {
			after.id = v.Recording.ID
		}
		m.holds = after
	case !fails:
		m.Fatalf("%s when %q: %v", what, m.holds.state, err)
	case takes && errors.Is(err, meeting.ErrNotStored):
		m.holds = after // done all the same
	case takes || !errors.Is(err, meeting.ErrUnavailable) || errors.Is(err, meeting.ErrNotStored):
		m.Fatalf("%s without a disk: %v", what, err)
	}
	m.check()
	if fails && rapid.IntRange(0, 2).Draw(m.T, "power") == 0 {
		m.crash()
		return
	}
	m.settle()
}

// write has somebody write in the call: to everybody, or privately.
func (m *consenting) write() {
	some := m.all
	if rapid.IntRange(0, 3).Draw(m.T, "of those who are recorded") > 0 { // as above: if there are any
		some = m.recorded()
	}
	if len(some) == 0 {
		some = m.all
	}
	s := rapid.SampledFrom(some).Draw(m.T, "who writes")
	m.now.pass(time.Second) // nobody writes too often
	if rapid.IntRange(0, 3).Draw(m.T, "fails") == 0 {
		m.h.store.failSave.Store(true)
	}
	to := rapid.SampledFrom([]string{meeting.ToEveryone, meeting.ToHosts, meeting.ToEveryone, m.all[1].identity, meeting.ToEveryone}).Draw(m.T, "to")
	m.said++
	said := recordingtest.Written{Identity: s.identity, Text: fmt.Sprint("Message ", m.said), Taken: true}
	_, err := m.h.Say(m.Context(), m.who(s), said.Text, to)
	m.Logf("%s writes to %s when %q, agreed %t: %v", s.called, to, m.holds.state, m.holds.yes[s], err)
	switch takes := to == meeting.ToEveryone && slices.Contains(m.recorded(), s); {
	case err == nil && takes:
		m.written = append(m.written, said)
		m.kept++
	case err == nil:
		m.left++
	case takes && !errors.Is(err, meeting.ErrUnavailable):
		m.Fatalf("%s writes: %v", s.called, err)
	}
	m.check()
	m.settle()
}

// crash ends the server without its disk, and begins another: nobody is in.
func (m *consenting) crash() {
	m.h.store.failSave.Store(true)
	if m.hung != nil {
		m.late, m.hung = append(m.late, m.hung), nil
	}
	m.live()
	m.holds = m.stored.clone()
	if m.holds.state == recording.Running || m.holds.state == recording.Paused {
		m.holds.state = recording.Interrupted
	}
	for _, s := range m.all {
		s.in = false
	}
	m.settle()
}

// restart is planned: what is being taken is closed.
func (m *consenting) restart() {
	if h := m.hung; h != nil {
		m.hung = nil
		go h.answer()
		defer func() { <-h.done }() // whatever the server that stops answers
	}
	m.h.Close()
	m.lives = m.lives[:len(m.lives)-1]
	m.crash()
}

// recorded are those who are to be, now.
func (m *consenting) recorded() []*soul {
	return slices.DeleteFunc(slices.Clone(m.all), func(s *soul) bool {
		return m.hung != nil || m.holds.state != recording.Running || !s.in || !m.holds.yes[s]
	})
}

// check compares who is recorded with who may be.
func (m *consenting) check() {
	var want []string
	for _, s := range m.recorded() {
		want = append(want, s.identity)
	}
	slices.Sort(want)
	got := m.recorder.Taken()
	m.taken += len(got)
	if !slices.Equal(got, want) {
		m.Fatalf("%q are recorded, want %q", got, want)
	}
	if got := m.recorder.Written(); !slices.Equal(got, m.written) {
		m.Fatalf("taken down: %+v, want %+v", got, m.written)
	}
}

// Whatever happens, who is recorded is in the call, has agreed to the recording that
// runs, and has that on the disk; so has whoever's messages to everybody are taken down, and
// no others are.
func TestWhoIsRecorded(t *testing.T) {
	taken, crashes, kept, left, hangs := 0, 0, 0, 0, 0
	h := newHouse(t, nil)
	h.withAgents()
	first := h.Meetings
	rapid.Check(t, func(r *rapid.T) {
		made, err := first.Create(t.Context(), anne, meeting.Draft{Title: "Coopération"})
		if err != nil {
			r.Fatal(err)
		}
		h.id = made.ID
		m := &consenting{T: r, now: new(clock), h: h, id: h.id}
		defer func() {
			m.h.store.failSave.Store(true) // what follows is stored by nobody
			if m.hung != nil {
				m.late = append(m.late, m.hung)
			}
			for _, h := range m.late {
				h.answer()
				<-h.done
			}
			for _, life := range m.lives {
				life.Close()
			}
		}()
		m.live()
		m.host = &soul{called: anne.Name, agent: anne, role: role.Host}
		m.all = []*soul{m.host, {called: luc.Name, agent: luc, role: role.Cohost}}
		if err := second(h.NameByEmail(t.Context(), anne, m.id, addresses[luc.Account], role.Cohost)); err != nil {
			r.Fatal(err)
		}
		if err := second(h.Join(t.Context(), anne, m.id)); err != nil {
			r.Fatal(err)
		}
		in := h.link()
		for i := range 2 {
			s := &soul{called: fmt.Sprint("Guest ", i), caller: in(), role: role.Guest}
			h.knock(s.caller, s.called)
			m.all = append(m.all, s)
		}
		if err := second(h.AdmitAll(t.Context(), anne, m.id, nil)); err != nil {
			r.Fatal(err)
		}
		for _, s := range m.all { // from here on anything may happen
			m.come(s)
		}
		v, err := m.h.AskRecording(t.Context(), anne, m.id, "Compte rendu")
		if err == nil {
			_, err = m.h.StartRecording(t.Context(), anne, m.id)
		}
		if err != nil {
			r.Fatal(err)
		}
		m.holds = asked{id: v.Recording.ID, state: recording.Running, yes: make(map[*soul]bool)}
		m.settle()
		for _, s := range m.all { // or all that follows is mostly of those who are not recorded
			if rapid.Bool().Draw(r, "agrees at once") {
				if err := second(m.h.AnswerRecording(t.Context(), m.who(s), m.holds.id, recording.Agreed)); err != nil {
					r.Fatal(err)
				}
				m.holds.yes[s] = true
			}
		}
		m.settle()
		m.check()
		for range rapid.IntRange(10, 40).Draw(r, "steps") {
			if m.hung != nil && time.Since(m.hung.since) > 3*time.Second {
				m.answered() // on a slow machine it would be given up, after ten
			}
			switch rapid.SampledFrom([]string{"act", "come", "act", "come", "act", "write", "leave", "act", "write", "crash or restart", "the disk answers"}).Draw(r, "step") {
			case "act":
				m.act()
			case "come":
				m.come(rapid.SampledFrom(m.all).Draw(r, "who comes"))
			case "leave":
				m.leave()
			case "write":
				m.write()
			case "the disk answers":
				if m.hung != nil {
					m.answered()
				}
			default:
				if rapid.Bool().Draw(r, "planned") {
					m.restart()
				} else {
					m.crash()
				}
			}
			m.check()
		}
		taken += m.taken
		crashes += len(m.lives) - 1
		kept += m.kept
		left += m.left
		hangs += m.hangs
	})
	if taken == 0 || crashes == 0 || kept == 0 || left == 0 || hangs == 0 {
		t.Errorf("%d times somebody was recorded, with %d crashes and %d starts that hung; %d messages were taken down, %d not: nothing was looked at", taken, crashes, hangs, kept, left)
	}
}
