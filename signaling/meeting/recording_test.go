package meeting_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/meeting"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
	"aparte/signaling/recording/recordingtest"
	"aparte/signaling/role"
)

// studio is an open meeting whose host, a guest and an observer are in.
type studio struct {
	*house
	*clock
	recorder *recordingtest.Recorder
	guest    meeting.Caller
	host     string // identities
	visitor  string
	observer string
}

func newStudio(t *testing.T) *studio {
	s := &studio{clock: new(clock), recorder: &recordingtest.Recorder{}}
	s.house = newHouse(t, func(c *meeting.Config) { c.Now, c.Recorder, c.Kept = s.now, s.recorder, s.recorder })
	s.furnish()
	return s
}

// furnish has everybody come in.
func (s *studio) furnish() {
	t := s.t
	t.Helper()
	s.host = s.in(anne).Identity
	enter := func(c meeting.Caller, called string) string {
		t.Helper()
		s.knock(c, called)
		if _, err := s.AdmitAll(t.Context(), anne, s.id, nil); err != nil {
			t.Fatal(err)
		}
		g, err := s.Claim(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		s.Joined(s.id, g.Identity, "PA_"+called)
		return g.Identity
	}
	s.guest = s.link()()
	s.visitor = enter(s.guest, "Inês")
	s.observer = enter(s.linkOf(role.Observer)(), "Olga")
	s.settled()
}

func (s *studio) ok(v meeting.RecordingView, err error) meeting.RecordingView {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

// runs has the host and the guest agree to a recording, and starts it.
func (s *studio) runs() (id string) {
	s.t.Helper()
	ctx := s.t.Context()
	id = s.ok(s.AskRecording(ctx, anne, s.id, "Compte rendu")).Recording.ID
	s.ok(s.AnswerRecording(ctx, meeting.AsAgent(anne, s.id), id, recording.Agreed))
	s.ok(s.AnswerRecording(ctx, meeting.AsGuest(s.guest), id, recording.Agreed))
	s.ok(s.StartRecording(ctx, anne, s.id))
	return id
}

func (s *studio) taken(want ...string) {
	s.t.Helper()
	slices.Sort(want)
	if got := s.recorder.Taken(); !slices.Equal(got, want) {
		s.t.Errorf("%q are recorded, want %q", got, want)
	}
}

func (s *studio) state() meeting.RecordingView {
	s.t.Helper()
	return s.ok(s.Recording(s.t.Context(), meeting.AsAgent(anne, s.id)))
}

// stopped waits until it is, and returns what is listed.
func (s *studio) stopped() meeting.KeptRecording {
	s.t.Helper()
	for end := time.Now().Add(hang); s.state().Recording.ID != ""; {
		if time.Now().After(end) {
			s.t.Fatal("it is never closed")
		}
	}
	all, err := s.Recordings(s.t.Context(), anne, s.id)
	if err != nil || len(all) == 0 {
		s.t.Fatal(all, err)
	}
	return all[0]
}

func (s *studio) callState() meeting.CallState {
	s.t.Helper()
	s.call.mu.Lock()
	defer s.call.mu.Unlock()
	var v meeting.CallState
	if err := json.Unmarshal([]byte(s.call.state), &v); err != nil {
		s.t.Fatal(err)
	}
	return v
}

func TestEverybodyIsToldWhoIsRecorded(t *testing.T) {
	s := newStudio(t)
	if v := s.callState(); v.Recording != nil || !v.Recordable {
		t.Errorf("at first the call is told %+v", v)
	}
	id := s.runs()
	v := s.callState().Recording
	if v == nil || v.ID != id || v.State != recording.Running || v.By != anne.Name || v.Purpose != "Compte rendu" || v.KeepDays != 90 || v.Post != dakar.Name || v.Policy != profile.RecordingConsent || v.StartedAt == nil {
		t.Errorf("the call is told %+v", v)
	}
	marks := func() string {
		s.call.mu.Lock()
		defer s.call.mu.Unlock()
		var all []string
		for _, identity := range []string{s.host, s.visitor, s.observer} {
			all = append(all, s.call.said[identity]["aparte.recorded"])
		}
		return strings.Join(all, " ")
	}
	if got := marks(); got != "yes yes no" {
		t.Errorf("marks %q", got)
	}
	s.taken(s.host, s.visitor)
	s.ok(s.AnswerRecording(t.Context(), meeting.AsGuest(s.guest), id, recording.Withdrawn))
	if got := marks(); got != "yes no no" {
		t.Errorf("after a withdrawal marks %q", got)
	}
	s.ok(s.StopRecording(t.Context(), anne, s.id))
	if got := marks(); got != "  " || s.callState().Recording != nil {
		t.Errorf("after the stop marks %q", got)
	}
	if got := s.stopped(); got.Because != recording.ByHost || len(got.Consents) != 2 {
		t.Errorf("it is kept as %+v", got)
	}
}

// An observer who is named participant is asked then; a second tab of somebody is theirs.
func TestWhoIsTheSamePerson(t *testing.T) {
	s := newStudio(t)
	s.withAgents()
	s.name(luc, role.Observer)
	first := s.in(luc).Identity
	id := s.runs()
	if _, err := s.AnswerRecording(t.Context(), meeting.AsAgent(luc, s.id), id, recording.Agreed); err == nil {
		t.Error("an observer may answer")
	}
	s.name(luc, role.Participant)
	s.settled()
	s.taken(s.host, s.visitor)
	s.ok(s.AnswerRecording(t.Context(), meeting.AsAgent(luc, s.id), id, recording.Agreed))
	s.taken(s.host, s.visitor, first)
	elsewhere := luc
	elsewhere.Session = "another browser"
	second := s.in(elsewhere).Identity
	s.settled()
	s.taken(s.host, s.visitor, first, second)
	s.name(luc, role.Observer) // whose yes holds still, and of whom nothing is taken
	s.settled()
	s.taken(s.host, s.visitor)
	s.call.mu.Lock()
	mark := s.call.said[first]["aparte.recorded"]
	s.call.mu.Unlock()
	if mark != "no" {
		t.Errorf("an observer is marked as recorded: %q", mark)
	}
	s.name(luc, role.Participant)
	s.settled()
	s.taken(s.host, s.visitor, first, second)
	s.ok(s.AnswerRecording(t.Context(), meeting.AsAgent(elsewhere, s.id), id, recording.Withdrawn))
	s.taken(s.host, s.visitor)
	s.name(luc, role.Observer)
	s.ok(s.StopRecording(t.Context(), anne, s.id))
	s.stopped()
}

// A full disk keeps nobody from taking a word back, and no host from pausing or stopping;
// it is stored once there is room.
func TestWhatTakesAwayIsDoneWithoutADisk(t *testing.T) {
	s := newStudio(t)
	id := s.runs()
	ctx := t.Context()
	refused := func(err error) {
		t.Helper()
		if !errors.Is(err, meeting.ErrNotStored) || !errors.Is(err, meeting.ErrUnavailable) {
			t.Errorf("without a disk: %v", err)
		}
	}
	s.store.failSave.Store(true)
	refused(second(s.AnswerRecording(ctx, meeting.AsGuest(s.guest), id, recording.Withdrawn)))
	s.taken(s.host)
	if _, err := s.AnswerRecording(ctx, meeting.AsGuest(s.guest), id, recording.Agreed); !errors.Is(err, meeting.ErrUnavailable) {
		t.Errorf("a yes without a disk: %v", err)
	}
	s.taken(s.host)
	s.Left(s.id, s.host, "PA_"+anne.Account) // whatever else happens meanwhile
	refused(second(s.PauseRecording(ctx, anne, s.id)))
	s.taken()
	s.store.failSave.Store(false)
	if v := s.state(); v.Recording.State != recording.Paused {
		t.Errorf("with a disk again it is %s", v.Recording.State)
	}
	if v := s.ok(s.Recording(ctx, meeting.AsGuest(s.guest))); v.Own != recording.Withdrawn {
		t.Errorf("with a disk again the guest has %s", v.Own)
	}
	s.ok(s.AnswerRecording(ctx, meeting.AsGuest(s.guest), id, recording.Agreed))
	s.ok(s.ResumeRecording(ctx, anne, s.id))
	if !slices.Contains(s.recorder.Taken(), s.visitor) {
		t.Error("nothing was resumed")
	}
	s.store.failSave.Store(true)
	refused(second(s.StopRecording(ctx, anne, s.id)))
	s.taken()
	s.store.failSave.Store(false)
	if got := s.stopped(); got.Because != recording.ByHost || got.Bytes != recordingtest.PartBytes {
		t.Errorf("it is kept as %+v", got)
	}
}

// The recorder hears which host paused, resumed or stopped: as whom they are in the call, or
// by account; of what the server did, nobody.
func TestTheRecorderHearsWhoActed(t *testing.T) {
	s := newStudio(t)
	s.runs()
	ctx := t.Context()
	hears := func(want ...string) {
		t.Helper()
		told := slices.DeleteFunc(s.recorder.Told(), func(what string) bool { return strings.HasPrefix(what, "note ") })
		if !slices.Equal(told, want) {
			t.Errorf("the recorder hears %q, want %q", told, want)
		}
	}
	s.recorder.Told()
	s.ok(s.PauseRecording(ctx, anne, s.id))
	hears("pause " + s.host)
	s.ok(s.ResumeRecording(ctx, anne, s.id))
	hears("resume " + s.host)
	s.store.failSave.Store(true)
	if _, err := s.PauseRecording(ctx, anne, s.id); !errors.Is(err, meeting.ErrNotStored) {
		t.Errorf("without a disk: %v", err)
	}
	hears("pause " + s.host)
	s.store.failSave.Store(false)
	s.Left(s.id, s.host, "PA_"+anne.Account)
	s.settled()
	s.recorder.Told()
	s.ok(s.StopRecording(ctx, anne, s.id))
	s.stopped()
	hears("pause "+anne.Account, "stop "+anne.Account)

	s.in(anne)
	s.runs()
	s.settled()
	s.recorder.Told()
	s.recorder.End(recording.ErrNoRoom)
	s.stopped()
	hears("stop")
}

// What is stored later is told as done by whoever did it, when they did.
func TestWhatIsStoredLaterKeepsWhoDidIt(t *testing.T) {
	s := newStudio(t)
	id := s.runs()
	ctx := t.Context()
	s.store.failSave.Store(true)
	type told struct {
		act audit.Act
		by  audit.Actor
		at  time.Time
	}
	var want []told
	do := func(act audit.Act, by audit.Actor, what func() error) {
		t.Helper()
		s.pass(time.Minute)
		for i := range 2 { // the first one counts
			// What is stopped may be closed by then.
			if err := what(); !errors.Is(err, meeting.ErrNotStored) && (i == 0 || act != audit.RecordingStopped) {
				t.Fatalf("%s: %v", act, err)
			}
			s.pass(time.Second)
		}
		want = append(want, told{act, by, s.now().Add(-2 * time.Second)})
	}
	agent := audit.Actor{Kind: audit.Agent, ID: anne.Account}
	do(audit.RecordingWithdrawn, s.guest.Actor(), func() error {
		return second(s.AnswerRecording(ctx, meeting.AsGuest(s.guest), id, recording.Withdrawn))
	})
	do(audit.RecordingPaused, agent, func() error { return second(s.PauseRecording(ctx, anne, s.id)) })
	s.pass(time.Minute)
	s.store.failSave.Store(false)
	s.state()
	s.store.failSave.Store(true)
	do(audit.RecordingStopped, agent, func() error { return second(s.StopRecording(ctx, anne, s.id)) })
	s.pass(time.Minute)
	s.store.failSave.Store(false)
	kept := s.stopped()
	var got []told
	for _, e := range s.trail() {
		if slices.ContainsFunc(want, func(w told) bool { return w.act == e.Act }) {
			got = append(got, told{e.Act, e.Actor, e.Time})
		}
	}
	if !slices.EqualFunc(got, want, func(a, b told) bool { return a.act == b.act && a.by == b.by && a.at.Equal(b.at) }) {
		t.Errorf("the trail tells %+v, want %+v", got, want)
	}
	if !kept.EndedAt.Equal(want[2].at) {
		t.Errorf("it ended at %s, want %s", kept.EndedAt, want[2].at)
	}
}

// What ends a recording besides a host never ends the meeting.
func TestWhatEndsARecording(t *testing.T) {
	for _, c := range []struct {
		name    string
		ends    func(s *studio)
		because recording.Reason
	}{
		{"nobody of it is in for a while", func(s *studio) {
			s.Left(s.id, s.visitor, "PA_Inês")
			s.ok(s.AnswerRecording(s.t.Context(), meeting.AsAgent(anne, s.id), s.state().Recording.ID, recording.Withdrawn))
			s.settled()
			s.pass(4 * time.Minute)
			s.SweepDue(s.t.Context())
			if got := s.state().Recording.State; got != recording.Running {
				s.t.Errorf("too early it is %q", got)
			}
			s.pass(2 * time.Minute)
			s.SweepDue(s.t.Context())
		}, recording.Alone},
		{"the disk is full", func(s *studio) { s.recorder.End(recording.ErrNoRoom) }, recording.NoRoom},
		{"the recorder fails", func(s *studio) { s.recorder.End(errors.New("broken")) }, recording.Failed},
		{"the profile allows none any more", func(s *studio) {
			rules, text := profile.Defaults()[0].Rules, profile.Text{French: "Sans", English: "Without"}
			rules.Recording = profile.RecordingImpossible
			if err := s.store.AddProfile(s.t.Context(), profile.Profile{Post: dakar.ID, ID: "unrecorded", Version: 1, Name: text, Sentence: text, Rules: rules, ChangedAt: start, ChangedBy: anne.Account}); err != nil {
				s.t.Fatal(err)
			}
			if _, err := s.ChooseProfile(s.t.Context(), anne, s.id, "unrecorded"); err != nil {
				s.t.Fatal(err)
			}
			s.taken()
		}, recording.ByRule},
		{"the meeting ends", func(s *studio) {
			if _, err := s.End(s.t.Context(), anne, s.id); err != nil {
				s.t.Fatal(err)
			}
			s.taken()
		}, recording.AtEnd},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStudio(t)
			s.runs()
			c.ends(s)
			if got := s.stopped(); got.Because != c.because || got.EndedAt.IsZero() {
				t.Errorf("it ended as %+v, want %s", got, c.because)
			}
			s.taken()
			if m, err := s.Get(t.Context(), anne, s.id); err != nil || m.State != meeting.Open && c.because != recording.AtEnd {
				t.Errorf("the meeting is %s, %v", m.State, err)
			}
		})
	}
}

// What was never started leaves nothing.
func TestARecordingThatWasOnlyAskedForIsForgotten(t *testing.T) {
	s := newStudio(t)
	ctx := t.Context()
	id := s.ok(s.AskRecording(ctx, anne, s.id, "Compte rendu")).Recording.ID
	s.ok(s.AnswerRecording(ctx, meeting.AsGuest(s.guest), id, recording.Agreed))
	s.ok(s.StopRecording(ctx, anne, s.id))
	if v := s.callState(); v.Recording != nil {
		t.Errorf("the call is told %+v", v.Recording)
	}
	if all, err := s.Recordings(ctx, anne, s.id); err != nil || len(all) != 0 {
		t.Error(all, err)
	}
	if stored, err := s.store.LoadMeeting(ctx, s.id); err != nil || stored.Recording != nil {
		t.Error(stored.Recording, err)
	}
	// A yes to that one is none to another.
	again := s.ok(s.AskRecording(ctx, anne, s.id, "Autre chose")).Recording.ID
	s.ok(s.StartRecording(ctx, anne, s.id))
	s.taken()
	if _, err := s.AnswerRecording(ctx, meeting.AsGuest(s.guest), id, recording.Agreed); !errors.Is(err, recording.ErrOther) || id == again {
		t.Errorf("a yes to the one before: %v", err)
	}
	s.taken()
	if told := s.recorder.Told(); !slices.Equal(told, []string{"start 1"}) {
		t.Errorf("the recorder was told %q", told)
	}
}

// Recordings that cannot be deleted hold none up whose time is over later, and are tried
// again.
func TestUndeletableRecordingsHoldNoneUp(t *testing.T) {
	s := newStudio(t)
	recorded := func(id string, after time.Duration) string {
		t.Helper()
		at := s.now().Add(after)
		if err := s.store.SaveMeeting(t.Context(), meeting.Changes{ID: s.id, Recordings: []recording.Recording{{
			ID: id, Meeting: s.id, State: recording.Stopped, Profile: profile.Standard, ProfileVersion: 1, Policy: profile.RecordingConsent,
			KeepDays: 1, AskedAt: at, StartedAt: at, EndedAt: at, Part: 1, Because: recording.ByHost,
		}}}); err != nil {
			t.Fatal(err)
		}
		return id
	}
	var stuck []string
	for i := range 60 { // all over at the same time, and more than one sweep takes up
		stuck = append(stuck, recorded(fmt.Sprintf("stuck-%02d", i), 0))
	}
	for i := range 60 { // on hold, and over before all others: they are not even looked at
		held := recorded(fmt.Sprintf("held-%02d", i), -time.Minute)
		if err := s.hold(held); err != nil {
			t.Fatal(err)
		}
	}
	good, later := recorded("good", time.Second), recorded("later", time.Hour)
	s.recorder.Stick(stuck...)
	s.pass(24*time.Hour + time.Minute)
	deleted := func(want ...string) {
		t.Helper()
		s.SweepRecordings(t.Context())
		if got := s.recorder.Deleted(); !slices.Equal(got, want) {
			t.Errorf("deleted %q, want %q", got, want)
		}
	}
	deleted()
	deleted(good)
	s.recorder.Stick(stuck[1:]...)
	s.pass(9 * time.Minute)
	deleted(good) // not yet again
	s.pass(time.Minute)
	deleted(good, stuck[0])
	s.pass(time.Hour)
	s.recorder.Stick()
	// What is over since comes first, and then what was tried longest ago.
	deleted(slices.Concat([]string{good, stuck[0], later}, stuck[50:], stuck[1:40])...)
	deleted(slices.Concat([]string{good, stuck[0], later}, stuck[50:], stuck[1:50])...)
}

// While the disk hangs at the start or the resume of a recording, whoever asked for that
// waits, and nobody else: a removal reaches the media at once.
func TestADiskThatHangsHoldsNoHostUp(t *testing.T) {
	for _, resumed := range []bool{false, true} {
		t.Run(fmt.Sprintf("resumed %t", resumed), func(t *testing.T) {
			s := newStudio(t)
			ctx, host := t.Context(), meeting.AsAgent(anne, s.id)
			begin := s.StartRecording
			var id string
			if resumed {
				id = s.runs()
				s.Close()
				s.recorder = &recordingtest.Recorder{}
				s.Meetings = meeting.NewMeetings(meeting.Config{Store: s.store, Media: s.call, Now: s.now, Random: rand.Reader, Log: quiet, Recorder: s.recorder, Kept: s.recorder})
				t.Cleanup(s.Close)
				s.host = s.in(anne).Identity
				s.Joined(s.id, s.visitor, "PA_Inês")
				begin = s.ResumeRecording
			} else {
				id = s.ok(s.AskRecording(ctx, anne, s.id, "Compte rendu")).Recording.ID
				s.ok(s.AnswerRecording(ctx, host, id, recording.Agreed))
				s.ok(s.AnswerRecording(ctx, meeting.AsGuest(s.guest), id, recording.Agreed))
			}
			asked, answer := s.recorder.HangStart()
			begun := make(chan error, 1)
			go func() { begun <- second(begin(ctx, anne, s.id)) }()
			select {
			case <-asked:
			case err := <-begun:
				t.Fatalf("begun before the disk answers: %v", err)
			}
			for _, act := range []struct {
				what string
				do   func() error
			}{
				{"a removal", func() error { return s.Remove(ctx, anne, s.id, s.visitor) }},
				{"silence", func() error { return s.MuteAll(ctx, anne, s.id) }},
				{"a lock", func() error { return s.Lock(ctx, anne, s.id, true) }},
				{"a message", func() error { return second(s.Say(ctx, host, "Bonjour", meeting.ToEveryone)) }},
				{"a withdrawal", func() error { return second(s.AnswerRecording(ctx, host, id, recording.Withdrawn)) }},
				{"a pause", func() error { return second(s.PauseRecording(ctx, anne, s.id)) }},
				{"a stop", func() error { return second(s.StopRecording(ctx, anne, s.id)) }},
			} {
				if err := act.do(); err != nil {
					t.Errorf("%s: %v", act.what, err)
				}
				select {
				case err := <-begun:
					t.Fatalf("%s waited until the start was given up: %v", act.what, err)
				default:
				}
			}
			s.call.mu.Lock()
			left := slices.Clone(s.call.left)
			s.call.mu.Unlock()
			if !slices.Contains(left, s.visitor) {
				t.Errorf("sent out: %v", left)
			}
			answer()
			if err := <-begun; err != nil {
				t.Errorf("stopped while it began: %v", err)
			}
			if got := s.stopped(); got.ID != id || got.Because != recording.ByHost {
				t.Errorf("it became %+v", got)
			}
			for _, told := range s.recorder.Told() {
				if strings.HasPrefix(told, "allow") || strings.HasPrefix(told, "resume") {
					t.Errorf("the recorder was told %q", told)
				}
			}
		})
	}
}

// A server that comes back after a crash ends a recording to which nobody comes back, so
// that it is not kept for ever.
func TestAnInterruptedRecordingEndsByItself(t *testing.T) {
	s := newStudio(t)
	id := s.runs()
	before := s.Meetings
	t.Cleanup(before.Close)
	s.store.failSave.Store(true) // of before the crash nothing is stored any more
	s.store = &flaky{Store: s.store.Store}
	s.recorder = &recordingtest.Recorder{}
	s.Meetings = meeting.NewMeetings(meeting.Config{Store: s.store, Media: s.call, Now: s.now, Random: rand.Reader, Log: quiet, Recorder: s.recorder, Kept: s.recorder})
	t.Cleanup(s.Close)
	state := func() (recording.State, recording.Reason) {
		t.Helper()
		stored, err := s.store.StartedRecording(t.Context(), s.id, id)
		if err != nil {
			t.Fatal(err)
		}
		return stored.State, stored.Because
	}
	s.Sweep(t.Context())
	if is, because := state(); is != recording.Interrupted || because != recording.Crashed {
		t.Errorf("after the crash it is %s, %s", is, because)
	}
	s.pass(4 * time.Minute)
	s.SweepDue(t.Context())
	if is, _ := state(); is != recording.Interrupted {
		t.Errorf("too early it is %s", is)
	}
	s.pass(2 * time.Minute)
	s.SweepDue(t.Context())
	if is, because := state(); is != recording.Stopped || because != recording.Alone {
		t.Errorf("then it is %s, %s", is, because)
	}
	if got := s.recorder.Taken(); len(got) != 0 {
		t.Errorf("%v are taken", got)
	}
}
