package recording

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aparte/signaling/profile"
)

func TestWatchable(t *testing.T) {
	for _, policy := range []profile.Recording{profile.RecordingConsent, profile.RecordingSealed, profile.RecordingImpossible} {
		for _, key := range []bool{true, false} {
			if got, want := Watchable(policy, key), key && policy == profile.RecordingConsent; got != want {
				t.Errorf("%s, a key: %t: %t", policy, key, got)
			}
		}
	}
}

var (
	mp4  = FilmChoice{FilmGrid, FilmMP4}
	webm = FilmChoice{FilmSpeaker, FilmWebM}
)

func TestNewFilm(t *testing.T) {
	for _, state := range []State{Asking, Running, Paused, Interrupted, Stopping, Stopped} {
		for _, watchable := range []bool{true, false} {
			f, is := NewFilm(Recording{ID: "R", State: state, Watchable: watchable, StartedAt: noon}, mp4, noon)
			if want := state == Stopped && watchable; is != want || is && (f.State != FilmQueued || f.QueuedAt != noon || f.Recording != "R" || f.Choice != mp4) {
				t.Errorf("%s, watchable: %t: %+v, %t", state, watchable, f, is)
			}
		}
	}
	if _, is := NewFilm(Recording{State: Stopped, Watchable: true}, mp4, noon); is {
		t.Error("of one that never started")
	}
}

// What can be done in each state, and what comes of it.
func TestFilmStates(t *testing.T) {
	states := []FilmState{FilmQueued, FilmRunning, FilmDone, FilmFailed, FilmUnavailable}
	for _, act := range []struct {
		name string
		do   func(Film) Film
		to   map[FilmState]FilmState // what is not here stays as it is
	}{
		{"begin", func(f Film) Film { f, _ = f.Begin(noon); return f }, map[FilmState]FilmState{FilmQueued: FilmRunning}},
		{"interrupt", func(f Film) Film { return f.Interrupt(noon) }, map[FilmState]FilmState{FilmRunning: FilmQueued}},
		{"fail", func(f Film) Film { return f.Fail(FilmError, noon) }, map[FilmState]FilmState{FilmRunning: FilmQueued}},
		{"fail for good", func(f Film) Film { return f.Fail(FilmDamaged, noon) }, map[FilmState]FilmState{FilmRunning: FilmFailed}},
		{"finish", func(f Film) Film { return f.Finish(FilmMade{Type: "video/webm"}, noon) }, map[FilmState]FilmState{FilmRunning: FilmDone}},
		{"no program", func(f Film) Film { return f.Possible(false, noon) }, map[FilmState]FilmState{FilmQueued: FilmUnavailable}},
		{"a program", func(f Film) Film { return f.Possible(true, noon) }, map[FilmState]FilmState{FilmUnavailable: FilmQueued}},
		{"again", func(f Film) Film { f, _ = f.Again(noon); return f }, map[FilmState]FilmState{FilmFailed: FilmQueued}},
		{"reach", func(f Film) Film { return f.Reached(FilmSound, 10, 0, noon) }, nil},
	} {
		for _, from := range states {
			before := Film{Recording: "R", State: from}
			after := act.do(before)
			want, does := act.to[from]
			if !does {
				want = from
			}
			if after.State != want || !does && act.name != "reach" && after != before {
				t.Errorf("%s when %s: %+v", act.name, from, after)
			}
		}
	}
	for _, from := range states {
		if _, err := (Film{State: from}).Begin(noon); (err == nil) != (from == FilmQueued) || err != nil && !errors.Is(err, ErrState) {
			t.Errorf("begin when %s: %v", from, err)
		}
		if _, err := (Film{State: from}).Again(noon); (err == nil) != (from == FilmFailed) || err != nil && !errors.Is(err, ErrState) {
			t.Errorf("again when %s: %v", from, err)
		}
	}
}

// Three failures end it, and ten beginnings without an end, as of a film that takes the
// server down with it; a host has it tried as often again.
func TestAFilmEnds(t *testing.T) {
	f := Film{State: FilmQueued}
	for i := range 3 {
		var err error
		if f, err = f.Begin(noon); err != nil {
			t.Fatal(err)
		}
		f = f.Fail(FilmNoRoom, noon.Add(time.Duration(i)*time.Minute))
		if want := map[bool]FilmState{true: FilmFailed, false: FilmQueued}[i == 2]; f.State != want || f.Reason != FilmNoRoom || f.Attempts != i+1 {
			t.Errorf("failure %d: %+v", i+1, f)
		}
	}
	// What costs too much does so each time: the next one is made, and not that one again
	// and again.
	costly, _ := Film{Recording: "C", State: FilmQueued, QueuedAt: noon}.Begin(noon)
	costly = costly.Fail(FilmTooCostly, noon)
	other := Film{Recording: "O", State: FilmQueued, QueuedAt: noon.Add(time.Hour)}
	if next, is := NextFilm([]Film{costly, other}); costly.State != FilmFailed || !is || next != other {
		t.Errorf("after a film that is too costly (%+v) the next is %+v", costly, next)
	}
	f, _ = f.Again(noon)
	for i := range filmBegun {
		f, _ = f.Begin(noon)
		if f.State != FilmRunning {
			t.Fatalf("beginning %d: %+v", i+1, f)
		}
		f = f.Interrupt(noon)
	}
	if f, _ = f.Begin(noon); f.State != FilmFailed || f.Reason != FilmInterrupted || f.Attempts != 0 {
		t.Errorf("begun for ever: %+v", f)
	}
}

// Another layout or format is chosen in every state but running. What is there stays until
// the other one is.
func TestAnotherFilmIsChosen(t *testing.T) {
	later := noon.Add(time.Minute)
	is := FilmMade{Take: 1, At: noon, Choice: mp4, Type: "video/mp4", Bytes: 7}
	for _, c := range []struct {
		from   FilmState
		made   FilmMade
		was    FilmChoice
		choice FilmChoice
		to     FilmState
		queued time.Time
		same   bool // nothing comes of it
		err    error
	}{
		{FilmDone, is, mp4, webm, FilmQueued, later, false, nil},
		{FilmDone, is, mp4, mp4, FilmDone, noon, true, nil},
		{FilmQueued, FilmMade{}, mp4, webm, FilmQueued, noon, false, nil}, // in its place
		{FilmQueued, FilmMade{}, mp4, mp4, FilmQueued, noon, true, nil},
		{FilmQueued, is, webm, mp4, FilmDone, noon, false, nil}, // taken back
		{FilmUnavailable, FilmMade{}, mp4, webm, FilmQueued, noon, false, nil},
		{FilmUnavailable, is, webm, mp4, FilmDone, noon, false, nil},
		{FilmFailed, FilmMade{}, mp4, webm, FilmQueued, later, false, nil},
		{FilmFailed, FilmMade{}, mp4, mp4, FilmQueued, later, false, nil}, // once more
		{FilmFailed, is, webm, mp4, FilmDone, later, false, nil},
		{FilmRunning, is, webm, webm, FilmRunning, noon, true, nil},
		{FilmRunning, is, webm, mp4, FilmRunning, noon, true, ErrState},
	} {
		before := Film{Recording: "R", State: c.from, Choice: c.was, QueuedAt: noon, Attempts: 2, Begun: 4, Reason: FilmNoRoom, Made: c.made}
		f, changed, err := before.Choose(c.choice, later)
		if f.State != c.to || f.QueuedAt != c.queued || changed == c.same || !errors.Is(err, c.err) || f.Made != c.made {
			t.Errorf("%s, %+v there, %+v chosen: %+v, %t, %v", c.from, c.made, c.choice, f, changed, err)
		}
		if c.same && f != before || !c.same && (f.Choice != c.choice || f.Attempts != 0 || f.Begun != 0 || f.Reason != "") {
			t.Errorf("%s, %+v chosen: %+v", c.from, c.choice, f)
		}
	}
	f, _, _ := Film{State: FilmDone, Choice: mp4, Made: is}.Choose(webm, noon)
	if f.There() || f.NextTake() != 2 {
		t.Errorf("before it is made: %+v", f)
	}
	f, _ = f.Begin(noon)
	if failed := f.Fail(FilmDamaged, noon); failed.Made != is {
		t.Errorf("after a failure: %+v", failed)
	}
	f = f.Finish(FilmMade{Type: "video/webm", Bytes: 9}, later)
	if want := (FilmMade{Take: 2, At: later, Choice: webm, Type: "video/webm", Bytes: 9}); f.Made != want || f.LeftAt != later || !f.There() {
		t.Errorf("made: %+v", f)
	}
}

func TestHowLongAFilmTakes(t *testing.T) {
	running := Film{State: FilmRunning, Stage: FilmPictures, StageSince: noon}
	for _, c := range []struct {
		of   Film
		at   time.Duration
		left time.Duration
		says bool
	}{
		{running.Reached(FilmPictures, 250, 0, noon), time.Minute, 3 * time.Minute, true},
		{running.Reached(FilmPictures, 1000, 0, noon), time.Minute, 0, true},
		{running.Reached(FilmPictures, 49, 0, noon), time.Minute, 0, false}, // too little to tell
		{running.Reached(FilmSound, 500, 0, noon), time.Minute, 0, false},
		{running.Reached(FilmPictures, 500, 0, noon), 0, 0, false},
		{Film{State: FilmQueued, Progress: 500, Stage: FilmPictures}, time.Minute, 0, false},
	} {
		if left, says := c.of.Left(noon.Add(c.at)); says != c.says || says && left != c.left {
			t.Errorf("%+v after %v: %v, %t", c.of, c.at, left, says)
		}
	}
	if f := running.Reached(FilmPictures, 2000, 0, noon); f.Progress != 1000 {
		t.Errorf("more than all: %d", f.Progress)
	}
}

// Of any queue one film after the other is made, each in its turn, whatever happens to
// each, and each comes to an end.
func TestTheQueueComesToAnEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 6).Draw(t, "films")
		all := make([]Film, n)
		for i := range all {
			all[i] = Film{Recording: string(rune('a' + i)), State: FilmQueued, QueuedAt: noon.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "queued")) * time.Second)}
		}
		now := noon.Add(time.Minute)
		for range n*filmBegun + n + 1 {
			next, is := NextFilm(all)
			if !is {
				break
			}
			if ahead := Ahead(next, all); ahead != 0 {
				t.Fatalf("%d are ahead of the next", ahead)
			}
			at := int(next.Recording[0] - 'a')
			for i, other := range all {
				if i != at && other.State == FilmQueued && Ahead(other, all) == 0 {
					t.Fatalf("two are next: %+v and %+v", next, other)
				}
			}
			now = now.Add(time.Second)
			f, err := next.Begin(now)
			if err != nil {
				t.Fatal(err)
			}
			switch rapid.SampledFrom([]string{"finish", "fail", "damaged", "interrupt"}).Draw(t, "end") {
			case "finish":
				f = f.Finish(FilmMade{Type: "video/webm"}, now)
			case "fail":
				f = f.Fail(FilmError, now)
			case "damaged":
				f = f.Fail(FilmDamaged, now)
			case "interrupt":
				f = f.Interrupt(now)
			}
			all[at] = f
		}
		for _, f := range all {
			if f.State != FilmDone && f.State != FilmFailed || f.Attempts > filmAttempts || f.Begun > filmBegun {
				t.Errorf("no end: %+v", f)
			}
		}
	})
}
