package meeting_test

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/meeting"
	"aparte/signaling/recording"
	"aparte/signaling/recording/recordingtest"
)

// crashes ends the server without its disk, and begins another over what it left.
func (s *studio) crashes() {
	s.t.Helper()
	before := s.Meetings
	s.t.Cleanup(before.Close)
	s.store.failSave.Store(true) // of before the crash nothing is stored any more
	s.store = &flaky{Store: s.store.Store}
	s.recorder.BreakOff()
	s.Meetings = meeting.NewMeetings(meeting.Config{
		Store: s.store, Media: s.call, Now: s.now, Random: rand.Reader, Log: quiet, Recorder: s.recorder, Kept: s.recorder, ServerKey: true,
		Quotas: recording.Quotas{Each: 100 * recordingtest.PartBytes},
	})
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
