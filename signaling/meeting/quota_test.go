package meeting_test

import (
	"errors"
	"testing"

	"aparte/signaling/meeting"
	"aparte/signaling/recording"
	"aparte/signaling/recording/recordingtest"
)

// A post with little room is told, one with none begins nothing, and what is under way
// stops by itself with the next sweep: the meeting goes on.
func TestRecordingsStopAtTheQuota(t *testing.T) {
	s := &studio{clock: new(clock), recorder: &recordingtest.Recorder{}}
	const quota = 5 * recordingtest.PartBytes
	s.house = newHouse(t, func(c *meeting.Config) {
		c.Now, c.Recorder, c.Kept = s.now, s.recorder, s.recorder
		c.Quotas = recording.Quotas{Each: 1, Of: map[string]int64{dakar.ID: quota}}
	})
	s.furnish()
	ctx := t.Context()
	for range 3 {
		s.recorded()
	}
	usage := func(want int64) {
		t.Helper()
		all, err := s.RecordingUsage(ctx)
		if err != nil || len(all) != 1 || all[0] != (meeting.PostUsage{Post: dakar.ID, Name: dakar.Name, Usage: recording.Usage{Used: want, Limit: quota}}) {
			t.Errorf("used %+v, %v; want %d", all, err, want)
		}
	}
	usage(3 * recordingtest.PartBytes)
	if v := s.ok(s.AskRecording(ctx, anne, s.id, "Compte rendu")); v.Usage != nil {
		t.Errorf("told with three fifths of it: %+v", v.Usage)
	}
	s.ok(s.StopRecording(ctx, anne, s.id))
	s.recorded()
	v := s.ok(s.AskRecording(ctx, anne, s.id, "Compte rendu"))
	if v.Usage == nil || *v.Usage != (recording.Usage{Used: 4 * recordingtest.PartBytes, Limit: quota}) {
		t.Errorf("told with four fifths of it: %+v", v.Usage)
	}
	s.ok(s.StartRecording(ctx, anne, s.id)) // what is being written counts
	s.recorder.Grow(recordingtest.PartBytes - 4)
	s.SweepQuotas(ctx)
	if got := s.state().Recording.State; got != recording.Running {
		t.Errorf("with room left it is %s", got)
	}
	s.recorder.Grow(recordingtest.PartBytes)
	// Nor does it go on after a pause, though no sweep has seen it yet.
	s.ok(s.PauseRecording(ctx, anne, s.id))
	_, err := s.ResumeRecording(ctx, anne, s.id)
	if over, ok := errors.AsType[*recording.QuotaError](err); !ok || over.Used < quota || over.Limit != quota {
		t.Errorf("resumed: %v", err)
	}
	if got := s.state().Recording.State; got != recording.Paused {
		t.Errorf("refused, and it is %s", got)
	}
	s.SweepQuotas(ctx)
	if got := s.stopped(); got.Because != recording.OverQuota || got.State != recording.Stopped {
		t.Errorf("without it is %s, %s", got.State, got.Because)
	}
	if v := s.ok(s.Recording(ctx, meeting.AsAgent(anne, s.id))); v.Ended != recording.OverQuota || v.Recording.ID != "" {
		t.Errorf("its host is told %q of %q", v.Ended, v.Recording.ID)
	}
	if v := s.ok(s.Recording(ctx, meeting.AsGuest(s.guest))); v.Ended != "" {
		t.Errorf("a guest is told %q", v.Ended)
	}
	if m, err := s.Get(ctx, anne, s.id); err != nil || m.State != meeting.Open {
		t.Errorf("the meeting is %s, %v", m.State, err)
	}
	usage(quota)
	_, err = s.AskRecording(ctx, anne, s.id, "Compte rendu")
	if over, ok := errors.AsType[*recording.QuotaError](err); !ok || over.Used != quota || over.Limit != quota {
		t.Errorf("asked: %v", err)
	}
}
