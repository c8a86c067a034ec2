package recording_test

import (
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aparte/signaling/recording"
	"aparte/signaling/recording/recordingtest"
	"aparte/signaling/role"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

type rig struct {
	*recording.Captor
	recorder *recordingtest.Recorder
	t        *testing.T
	woken    atomic.Int32
}

func newRig(t *testing.T) *rig {
	r := &rig{recorder: &recordingtest.Recorder{}, t: t}
	r.Captor = recording.NewCaptor(r.recorder, time.Now, quiet, func() { r.woken.Add(1) })
	return r
}

func wanted(part int, paused bool, who ...string) recording.Wanted {
	w := recording.Wanted{Order: recording.Order{ID: "R", Part: part}, Paused: paused, Who: map[string]recording.Person{}, In: map[string]bool{"a": true, "c": true}}
	for _, identity := range who {
		w.Who[identity] = recording.Person{Name: "Name of " + identity, Role: role.Guest}
	}
	return w
}

func (r *rig) obey(w recording.Wanted, restrained, released []string) {
	r.t.Helper()
	r.Want(w)
	r.Restrain()
	if got := r.recorder.Told(); !slices.Equal(got, restrained) {
		r.t.Errorf("before the call is told: %q, want %q", got, restrained)
	}
	r.Release(r.Decided())
	synctest.Wait()
	if got := r.recorder.Told(); !slices.Equal(got, released) {
		r.t.Errorf("once it is told: %q, want %q", got, released)
	}
	if r.News() {
		r.t.Error("something is left to do")
	}
}

func TestTakingAwayComesBeforeTheCallIsToldAndGivingAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.obey(recording.Wanted{}, nil, nil)
		r.obey(wanted(1, false, "a"), nil, []string{"start 1", "note allowed a", "allow a"})
		r.obey(wanted(1, false, "a", "b"), nil, []string{"note allowed b", "allow b"})
		r.obey(wanted(1, true, "b", "c"), []string{"pause", "note paused", "forbid a", "note forbidden a"}, []string{"note allowed c", "allow c"})
		if got := r.recorder.Taken(); got != nil {
			t.Errorf("paused, and takes %v", got)
		}
		r.obey(wanted(1, false, "c"), []string{"forbid b", "note left b"}, []string{"note resumed", "resume"})
		r.obey(wanted(1, false, "c"), nil, nil)
		if got := r.recorder.Taken(); !slices.Equal(got, []string{"c"}) {
			t.Errorf("takes %v", got)
		}
		r.Want(recording.Wanted{})
		r.Restrain()
		if got := r.recorder.Taken(); got != nil {
			t.Errorf("stopped, and takes %v before the call is told", got)
		}
		r.Release(r.Decided())
		synctest.Wait()
		if got := r.recorder.Told(); !slices.Equal(got, []string{"pause", "stop"}) {
			t.Errorf("stopped: %q", got)
		}
		over := r.Ended()
		if len(over) != 1 || over[0].Err != nil || over[0].Summary.Bytes != recordingtest.PartBytes || r.woken.Load() != 1 || !r.Active() || !r.Knows("R", 1) {
			t.Errorf("over: %+v, woken %d", over, r.woken.Load())
		}
		r.Settle(over)
		if r.Active() || r.Knows("R", 1) || len(r.Ended()) != 0 {
			t.Error("not settled")
		}
		// Another part is one of its own.
		r.obey(wanted(2, false, "a"), nil, []string{"start 2", "note allowed a", "allow a"})
		r.recorder.Told()
		if r.Close(); len(r.Ended()) != 1 || !errors.Is(r.Ended()[0].Err, recording.ErrShutdown) || r.recorder.Taken() != nil {
			t.Errorf("closed: %+v", r.Ended())
		}
		if got := r.recorder.Told(); !slices.Equal(got, []string{"pause", "suspend"}) {
			t.Errorf("closed: %q", got)
		}
	})
}

// A message is taken down while something is taken of whoever wrote it, and was when they wrote.
func TestMessagesAreTakenDownLikeMedia(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		said := func(text string) recording.Written {
			return recording.Written{Recording: "R", Part: 1, Identity: "a", Text: text, Decided: r.Decided()}
		}
		r.Want(wanted(1, false, "a"))
		r.Write(said("before anything is taken"))
		asked, answer := r.recorder.HangStart()
		r.Release(r.Decided())
		<-asked
		r.Write(said("while the recorder starts"))
		answer()
		r.Begun()
		r.recorder.Told()
		r.Write(said("first"))
		other := said("of another recording")
		other.Recording = "S"
		r.Write(other)
		other = said("of somebody who has not agreed")
		other.Identity = "b"
		r.Write(other)
		late := said("written before the withdrawal, and told after it")
		r.Want(wanted(1, false)) // carried out by nobody yet
		r.Write(late)
		r.recorder.Told()
		r.obey(wanted(1, false, "a"), nil, []string{"note allowed a", "allow a"})
		r.Write(late)
		r.Write(said("second"))
		r.Want(wanted(1, true, "a"))
		r.Write(said("in a pause"))
		r.Want(wanted(2, false, "a"))
		r.Release(r.Decided())
		r.Write(said("of the part before"))
		r.Close()
		r.Write(said("after the end"))
		var got []string
		for _, one := range r.recorder.Written() {
			got = append(got, one.Text)
		}
		if want := []string{"first", "second"}; !slices.Equal(got, want) {
			t.Errorf("taken down: %q, want %q", got, want)
		}
	})
}

// A part that has ended by itself is not begun again, whatever is wanted.
func TestWhatEndsByItselfIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.obey(wanted(1, false, "a"), nil, []string{"start 1", "note allowed a", "allow a"})
		r.recorder.End(recording.ErrNoRoom)
		synctest.Wait()
		if over := r.Ended(); len(over) != 1 || !errors.Is(over[0].Err, recording.ErrNoRoom) || over[0].Summary.Bytes == 0 || r.woken.Load() != 1 {
			t.Errorf("over: %+v, woken %d", over, r.woken.Load())
		}
		r.recorder.Told()
		r.obey(wanted(1, false, "a", "b"), nil, nil)
		r.obey(wanted(1, true, "a"), nil, nil)
		r.Close()
	})
}

// Where the disk does not answer, closing the part comes to no end: that it takes nothing
// any more is told all the same, and soon.
func TestWhatCannotBeClosedIsOverSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.obey(wanted(1, false, "a"), nil, []string{"start 1", "note allowed a", "allow a"})
		r.recorder.Hang()
		silent := errors.New("the disk does not answer")
		r.recorder.End(silent)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if over := r.Ended(); len(over) != 1 || !errors.Is(over[0].Err, silent) || over[0].Summary.Bytes == 0 || r.woken.Load() != 1 {
			t.Errorf("after two seconds: %+v, woken %d", over, r.woken.Load())
		}
		r.Close()
	})
}

func TestARecorderThatCannotStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.recorder.Fail(errors.New("no folder"))
		r.obey(wanted(1, false, "a"), nil, nil)
		if over := r.Ended(); len(over) != 1 || !errors.Is(over[0].Err, recording.ErrFailed) || r.woken.Load() != 1 {
			t.Errorf("over: %+v, woken %d", over, r.woken.Load())
		}
		r.recorder.Fail(nil)
		r.obey(wanted(1, false, "a", "b"), nil, nil)
		r.obey(wanted(2, false, "a"), nil, []string{"start 2", "note allowed a", "allow a"})
		r.Close()
		r.recorder.Told()
		r.obey(wanted(3, false, "a"), nil, nil) // nothing begins once it is closed
	})
}

// What was decided and decided otherwise before anybody could carry it out.
func TestWhatWasNeverBegunIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Want(wanted(1, false, "a"))
		r.obey(recording.Wanted{}, nil, nil)
		if over := r.Ended(); len(over) != 1 || over[0].Err != nil || over[0].Part != 1 || r.woken.Load() != 1 {
			t.Errorf("over: %+v, woken %d", over, r.woken.Load())
		}
	})
}

func TestNarrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.obey(wanted(1, false, "a", "b"), nil, []string{"start 1", "note allowed a", "allow a", "note allowed b", "allow b"})
		r.Narrow(func(w *recording.Wanted) { delete(w.Who, "a") })
		r.Restrain()
		if got := r.recorder.Taken(); !slices.Equal(got, []string{"b"}) {
			t.Errorf("takes %v", got)
		}
		r.Narrow(func(w *recording.Wanted) { w.Order = recording.Order{} })
		r.Restrain()
		if got := r.recorder.Taken(); got != nil {
			t.Errorf("takes %v", got)
		}
		r.Close()
	})
}

// Whoever has told the call of one decision gives nothing of a later one, and takes away
// what it took away.
func TestWhatTheCallHasNotHeardIsNotGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Want(wanted(1, false, "a"))
		heard := r.Decided()
		r.Want(wanted(1, false, "b"))
		r.Release(heard)
		if got := r.recorder.Told(); got != nil {
			t.Errorf("unheard: %q", got)
		}
		if !r.News() {
			t.Error("nobody is left to carry the later decision out")
		}
		r.Release(r.Decided())
		r.Begun()
		if got := r.recorder.Taken(); !slices.Equal(got, []string{"b"}) {
			t.Errorf("heard: takes %v", got)
		}
		heard = r.Decided()
		r.Want(wanted(1, false, "c"))
		r.Release(heard)
		if got := r.recorder.Taken(); len(got) != 0 {
			t.Errorf("takes %v, whom the later decision leaves out or nobody has heard of", got)
		}
		r.Close()
	})
}

// A word that is taken back while the recorder starts is never taken.
func TestAWordTakenBackWhileTheRecorderStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Want(wanted(1, false, "a", "b"))
		r.recorder.OnStart(func() { r.Want(wanted(1, false, "b")) })
		r.Release(r.Decided())
		r.Begun()
		if got := r.recorder.Told(); !slices.Equal(got, []string{"start 1"}) {
			t.Errorf("told %q", got)
		}
		r.Release(r.Decided())
		if got := r.recorder.Told(); !slices.Equal(got, []string{"note allowed b", "allow b"}) {
			t.Errorf("then %q", got)
		}
		r.Close()
	})
}

// hung is a rig whose recorder is asked to take a, and does not answer.
func hung(t *testing.T) (r *rig, asked <-chan struct{}, answer func()) {
	r = newRig(t)
	asked, answer = r.recorder.HangStart()
	r.Want(wanted(1, false, "a"))
	r.Restrain()
	r.Release(r.Decided())
	<-asked
	return r, asked, answer
}

// While the disk hangs at the start nothing waits for it, and nothing is taken; once it
// answers, that is done which is wanted then, and of which the call has heard.
func TestAStartThatHangsHoldsNothingUp(t *testing.T) {
	obey := func(w recording.Wanted) func(*rig) {
		return func(r *rig) {
			r.Want(w)
			r.Restrain()
			r.Release(r.Decided())
		}
	}
	unheard := func(w recording.Wanted) func(*rig) {
		return func(r *rig) {
			heard := r.Decided()
			r.Want(w)
			r.Restrain()
			r.Release(heard)
		}
	}
	another := recording.Wanted{Order: recording.Order{ID: "S", Part: 1}, Who: wanted(1, false, "b").Who}
	for _, c := range []struct {
		name      string
		meanwhile []func(*rig)
		told      []string // once it answers
		over      []string // recordings
	}{
		{"nothing", nil, []string{"start 1", "note allowed a", "allow a"}, nil},
		{"another agrees", []func(*rig){obey(wanted(1, false, "a", "b"))}, []string{"start 1", "note allowed a", "allow a", "note allowed b", "allow b"}, nil},
		{"another agrees, unheard", []func(*rig){unheard(wanted(1, false, "a", "b"))}, []string{"start 1"}, nil},
		{"a withdrawal", []func(*rig){obey(wanted(1, false))}, []string{"start 1"}, nil},
		{"a withdrawal, unheard", []func(*rig){unheard(wanted(1, false))}, []string{"start 1"}, nil},
		{"a withdrawal, unstored", []func(*rig){func(r *rig) {
			r.Narrow(func(w *recording.Wanted) { delete(w.Who, "a") })
			r.Restrain()
		}}, []string{"start 1"}, nil},
		{"a word taken back and given again", []func(*rig){obey(wanted(1, false)), obey(wanted(1, false, "a"))}, []string{"start 1", "note allowed a", "allow a"}, nil},
		{"a pause", []func(*rig){obey(wanted(1, true, "a"))}, []string{"start 1", "pause", "note paused", "note allowed a", "allow a"}, nil},
		{"a pause and its end", []func(*rig){obey(wanted(1, true, "a")), obey(wanted(1, false, "a"))}, []string{"start 1", "note allowed a", "allow a"}, nil},
		{"a stop", []func(*rig){obey(recording.Wanted{})}, []string{"start 1", "pause", "stop"}, []string{"R"}},
		{"a stop, unstored", []func(*rig){func(r *rig) {
			r.Narrow(func(w *recording.Wanted) { w.Order, w.Who = recording.Order{}, nil })
			r.Restrain()
		}}, []string{"start 1", "pause", "stop"}, []string{"R"}},
		{"a stop, and another recording that never began", []func(*rig){obey(recording.Wanted{}), obey(another), obey(recording.Wanted{})}, []string{"start 1", "pause", "stop"}, []string{"S", "R"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, _, answer := hung(t)
				since := time.Now()
				for _, do := range c.meanwhile {
					do(r)
				}
				if waited := time.Since(since); waited != 0 {
					t.Errorf("it waited %s", waited)
				}
				if got := r.recorder.Told(); got != nil {
					t.Errorf("before the disk answers: %q", got)
				}
				answer()
				r.Begun()
				synctest.Wait()
				if got := r.recorder.Told(); !slices.Equal(got, c.told) {
					t.Errorf("once it answers: %q, want %q", got, c.told)
				}
				var over []string
				for _, o := range r.Ended() {
					over = append(over, o.ID)
				}
				if !slices.Equal(over, c.over) {
					t.Errorf("over: %q, want %q", over, c.over)
				}
				r.Close()
			})
		})
	}
}

// What is wanted in place of a part that hangs begins once that has answered, or was
// given up; the former takes nothing.
func TestAnotherRecordingAfterAStartThatHangs(t *testing.T) {
	for _, late := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r, _, answer := hung(t)
			w := wanted(1, false, "b")
			w.Order.ID = "S"
			r.Want(w)
			r.Release(r.Decided())
			if late {
				time.Sleep(11 * time.Second)
			}
			answer()
			r.Begun()
			synctest.Wait()
			if got := r.recorder.Taken(); !slices.Equal(got, []string{"b"}) {
				t.Errorf("takes %q", got)
			}
			over := r.Ended()
			if len(over) != 1 || over[0].ID != "R" || errors.Is(over[0].Err, recording.ErrFailed) != late {
				t.Errorf("over: %+v", over)
			}
			r.Close()
		})
	}
}

// A start that is given up is over as one that failed, once, whatever was decided meanwhile.
func TestAStartThatIsGivenUp(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r, _, answer := hung(t)
			if stopped {
				r.Want(recording.Wanted{})
				r.Restrain()
				r.Release(r.Decided())
			}
			since := time.Now()
			r.Begun()
			if waited := time.Since(since); waited != 10*time.Second {
				t.Errorf("given up after %s", waited)
			}
			answer()
			r.Release(r.Decided())
			synctest.Wait()
			if over := r.Ended(); len(over) != 1 || !errors.Is(over[0].Err, recording.ErrFailed) || r.woken.Load() != 1 || r.recorder.Told() != nil {
				t.Errorf("over: %+v, woken %d", over, r.woken.Load())
			}
			r.Close()
		})
	}
}

// The server stops while the disk hangs: nothing is taken, and what it became is known.
func TestTheServerStopsWhileAStartHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, answer := hung(t)
		closed := make(chan struct{})
		go func() { defer close(closed); r.Close() }()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("closed before it is known what became of it")
		default:
		}
		answer()
		<-closed
		if got := r.recorder.Told(); !slices.Equal(got, []string{"start 1", "pause", "suspend"}) {
			t.Errorf("told %q", got)
		}
		if over := r.Ended(); len(over) != 1 || !errors.Is(over[0].Err, recording.ErrShutdown) {
			t.Errorf("over: %+v", over)
		}
	})
}
