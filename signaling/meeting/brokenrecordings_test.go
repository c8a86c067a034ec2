package meeting_test

import (
	"context"
	"crypto/rand"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/meeting"
	"aparte/signaling/recording"
	"aparte/signaling/recording/recordingtest"
)

// crashes ends the server without its disk, and begins another over what it left.
func (s *studio) crashes(but ...func(*meeting.Config)) {
	s.t.Helper()
	before := s.Meetings
	s.t.Cleanup(before.Close)
	s.store.failSave.Store(true) // of before the crash nothing is stored any more
	s.store = &flaky{Store: s.store.Store}
	s.recorder.BreakOff()
	cfg := meeting.Config{
		Store: s.store, Media: s.call, Now: s.now, Random: rand.Reader, Log: quiet, Recorder: s.recorder, Kept: s.recorder, ServerKey: true,
		Quotas: recording.Quotas{Each: 100 * recordingtest.PartBytes},
	}
	for _, change := range but {
		change(&cfg)
	}
	s.Meetings = meeting.NewMeetings(cfg)
	s.t.Cleanup(s.Close)
}

// newWatchable is a studio whose recordings hosts can watch on the server.
func newWatchable(t *testing.T) *studio {
	s := &studio{clock: new(clock), recorder: &recordingtest.Recorder{}}
	s.house = newHouse(t, func(c *meeting.Config) {
		c.Now, c.Recorder, c.Kept, c.ServerKey = s.now, s.recorder, s.recorder, true
	})
	s.furnish()
	return s
}

// ends waits until the recording has, as nobody is in it.
func (s *studio) ends() meeting.KeptRecording {
	s.t.Helper()
	for range 8 {
		s.Sweep(s.t.Context())
		s.pass(time.Minute)
		s.SweepDue(s.t.Context())
	}
	return s.stopped()
}

// What a server took that went down is as large as what is there of it: in the list, for
// the quota, and in the trail, whatever becomes of the recording.
func TestWhatBrokeOffIsCounted(t *testing.T) {
	const part = recordingtest.PartBytes
	resumed := func(s *studio) meeting.KeptRecording {
		s.in(anne)
		s.ok(s.ResumeRecording(s.t.Context(), anne, s.id))
		s.ok(s.StopRecording(s.t.Context(), anne, s.id))
		return s.stopped()
	}
	for _, c := range []struct {
		name   string
		before func(s *studio) // of the crash
		after  func(s *studio) meeting.KeptRecording
		parts  []string // by the trail, in order
	}{
		{"it is resumed", nil, resumed, []string{"1", "2"}},
		{"nobody comes back to it", nil, (*studio).ends, []string{"1"}},
		{"a host stops it", nil, func(s *studio) meeting.KeptRecording {
			s.ok(s.StopRecording(s.t.Context(), anne, s.id))
			return s.stopped()
		}, []string{"1"}},
		{"it was stopping", func(s *studio) {
			stored, err := s.store.StartedRecording(s.t.Context(), s.id, s.state().Recording.ID)
			if err != nil {
				s.t.Fatal(err)
			}
			stopping, err := stored.Stop(recording.ByHost, s.now())
			if err = errors.Join(err, s.store.SaveMeeting(s.t.Context(), meeting.Changes{ID: s.id, Recordings: []recording.Recording{stopping}})); err != nil {
				s.t.Fatal(err)
			}
		}, func(s *studio) meeting.KeptRecording { return s.stopped() }, []string{"1"}},
		{"it crashes again", func(s *studio) {
			s.crashes()
			s.in(anne)
			s.ok(s.ResumeRecording(s.t.Context(), anne, s.id))
		}, resumed, []string{"1", "2", "3"}},
		{"it was closed before", func(s *studio) {
			s.Close()
			s.crashes()
		}, resumed, []string{"1", "2"}},
		{"what there is cannot be seen at first", nil, func(s *studio) meeting.KeptRecording {
			s.recorder.Silence(errors.New("the store is away"))
			s.Sweep(s.t.Context())
			if got := s.state().Recording; got.State != recording.Interrupted || got.Bytes != 0 {
				s.t.Errorf("meanwhile it is %s, with %d bytes", got.State, got.Bytes)
			}
			s.recorder.Silence(nil)
			return s.ends()
		}, []string{"1"}},
		{"the disk takes nothing at first", nil, func(s *studio) meeting.KeptRecording {
			s.store.failSave.Store(true)
			s.Sweep(s.t.Context())
			s.store.failSave.Store(false)
			return s.ends()
		}, []string{"1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newWatchable(t)
			id := s.runs()
			if c.before != nil {
				c.before(s)
			}
			s.crashes()
			want := int64(len(c.parts)) * part
			if got := c.after(s); got.ID != id || got.Bytes != want || got.Sealed {
				t.Errorf("listed with %d bytes, sealed %t; want %d", got.Bytes, got.Sealed, want)
			}
			used, err := s.RecordingUsage(t.Context())
			if err != nil || len(used) != 1 || used[0].Used != want {
				t.Errorf("used %+v, %v; want %d", used, err, want)
			}
			var closed []string
			for _, e := range s.trail() {
				if e.Act != audit.RecordingClosed {
					continue
				}
				closed = append(closed, e.Detail["part"])
				if e.Detail["bytes"] != "1000" || e.Actor.Kind != audit.Server {
					t.Errorf("the trail tells %+v", e)
				}
			}
			if len(closed) != len(c.parts) || closed[0] != c.parts[0] || closed[len(closed)-1] != c.parts[len(c.parts)-1] {
				t.Errorf("closed by the trail: %q, want %q", closed, c.parts)
			}
		})
	}
}

// stuck is a recorder whose disk does not answer until a result is sent for each question.
type stuck struct {
	*recordingtest.Recorder
	asked, inside atomic.Int32
	answers       chan error
}

func (k *stuck) Parts(ctx context.Context, id string) ([]recording.Part, error) {
	k.asked.Add(1)
	k.inside.Add(1)
	defer k.inside.Add(-1)
	if err := <-k.answers; err != nil { // the context is nothing to a disk
		return nil, err
	}
	return k.Recorder.Parts(ctx, id)
}

// A disk that does not answer is asked once for what broke off, however long that lasts, and
// holds the meeting up once. Its answer is taken when it comes.
func TestADiskThatDoesNotAnswerIsAskedOnce(t *testing.T) {
	begin := func(t *testing.T) (*studio, *stuck) {
		s := newWatchable(t)
		s.runs()
		kept := &stuck{Recorder: s.recorder, answers: make(chan error)}
		s.crashes(func(c *meeting.Config) { c.Kept, c.Quotas, c.RecordingAlone = kept, recording.Quotas{}, time.Hour })
		return s, kept
	}
	is := func(s *studio, k *stuck, when string, state recording.State, bytes int64, asked, inside int32) {
		s.t.Helper()
		got := s.state().Recording
		if got.State != state || got.Bytes != bytes || k.asked.Load() != asked || k.inside.Load() != inside {
			s.t.Errorf("%s it is %s with %d bytes, asked %d times, %d of them now; want %s, %d, %d, %d", when, got.State, got.Bytes, k.asked.Load(), k.inside.Load(), state, bytes, asked, inside)
		}
	}
	sweeps := func(s *studio, want time.Duration) {
		s.t.Helper()
		began := time.Now()
		for range 10 {
			s.Sweep(s.t.Context())
			s.pass(time.Minute)
		}
		if took := time.Since(began); took != want {
			s.t.Errorf("ten sweeps take %s, want %s", took, want)
		}
	}
	t.Run("it answers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, k := begin(t)
			sweeps(s, 3*time.Second)
			is(s, k, "silent", recording.Interrupted, 0, 1, 1)
			id := s.state().Recording.ID
			k.answers <- nil
			synctest.Wait()
			if got, err := s.store.StartedRecording(t.Context(), s.id, id); err != nil || got.Bytes != recordingtest.PartBytes { // nobody has asked the meeting anything
				t.Errorf("answered it is stored with %d bytes, %v", got.Bytes, err)
			}
			is(s, k, "answered", recording.Interrupted, recordingtest.PartBytes, 1, 0)
			sweeps(s, 0)
			is(s, k, "later", recording.Interrupted, recordingtest.PartBytes, 1, 0)
		})
	})
	t.Run("it fails", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, k := begin(t)
			sweeps(s, 3*time.Second)
			k.answers <- errors.New("the disk failed")
			synctest.Wait()
			is(s, k, "failed", recording.Interrupted, 0, 1, 0)
			s.pass(time.Minute)
			sweeps(s, 3*time.Second)
			is(s, k, "silent again", recording.Interrupted, 0, 2, 1)
			k.answers <- nil
			synctest.Wait()
			is(s, k, "answered", recording.Interrupted, recordingtest.PartBytes, 2, 0)
		})
	})
	t.Run("it goes on meanwhile", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, k := begin(t)
			sweeps(s, 3*time.Second)
			s.in(anne)
			id := s.ok(s.ResumeRecording(t.Context(), anne, s.id)).Recording.ID
			k.answers <- nil
			synctest.Wait()
			is(s, k, "resumed", recording.Running, recordingtest.PartBytes, 1, 0)
			s.ok(s.StopRecording(t.Context(), anne, s.id))
			synctest.Wait()
			if got, err := s.store.StartedRecording(t.Context(), s.id, id); err != nil || got.State != recording.Stopped || got.Bytes != 2*recordingtest.PartBytes {
				t.Errorf("it is kept as %s with %d bytes, %v", got.State, got.Bytes, err)
			}
		})
	})
	t.Run("a host stops it meanwhile", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s, k := begin(t)
			sweeps(s, 3*time.Second)
			s.ok(s.StopRecording(t.Context(), anne, s.id))
			sweeps(s, 0)
			is(s, k, "stopped", "", 0, 1, 1)
			k.answers <- nil
			synctest.Wait()
			is(s, k, "answered", "", 0, 1, 0)
		})
	})
}

// What broke off is sealed as it was begun: to the archive alone, where the server has no key.
func TestWhatBrokeOffIsSealedAsItWas(t *testing.T) {
	s := newStudio(t)
	s.runs()
	s.crashes()
	if got := s.ends(); got.Bytes != recordingtest.PartBytes || !got.Sealed {
		t.Errorf("it is kept as %+v", got.Recording)
	}
}

// Nothing is there where the server went down before it had begun.
func TestWhatNeverBeganIsOfNoSize(t *testing.T) {
	s := newStudio(t)
	s.runs()
	s.recorder = &recordingtest.Recorder{}
	s.crashes()
	if got := s.ends(); got.Bytes != 0 || got.Sealed || got.Because != recording.Alone {
		t.Errorf("it is kept as %+v", got.Recording)
	}
}
