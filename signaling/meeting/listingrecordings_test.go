package meeting_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"aparte/signaling/meeting"
	"aparte/signaling/recording"
	"aparte/signaling/recording/recordingtest"
)

// slowly is a recorder that takes its time to say what there is, of all recordings but one.
type slowly struct {
	*recordingtest.Recorder
	each time.Duration
	here string // the one that it knows without asking anybody
}

func (k *slowly) Parts(ctx context.Context, id string) ([]recording.Part, error) {
	if id != k.here {
		select {
		case <-time.After(k.each):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return k.Recorder.Parts(ctx, id)
}

// A list does not wait for a slow store as often as it has recordings: what could not be
// seen in time is listed without its parts, what is known here with them.
func TestAListWaitsForItsStoreOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &studio{clock: new(clock), recorder: &recordingtest.Recorder{}}
		kept := &slowly{Recorder: s.recorder}
		s.house = newHouse(t, func(c *meeting.Config) { c.Now, c.Recorder, c.Kept = s.now, s.recorder, kept })
		s.furnish()
		kept.here = s.recorded()
		for range 3 {
			s.recorded()
		}
		kept.each = 10 * time.Second
		lists := func(name string, list func() ([]meeting.KeptRecording, error)) {
			began := time.Now()
			all, err := list()
			if err != nil {
				t.Fatal(err)
			}
			var parts []int
			for _, r := range all {
				parts = append(parts, len(r.Parts))
			}
			if got := fmt.Sprint(parts); got != "[1 0 0 1]" || time.Since(began) != 15*time.Second {
				t.Errorf("%s after %s: parts %s", name, time.Since(began), got)
			}
		}
		lists("of the meeting", func() ([]meeting.KeptRecording, error) { return s.Recordings(t.Context(), anne, s.id) })
		lists("of hers", func() (all []meeting.KeptRecording, err error) {
			found, _, err := s.FindRecordings(t.Context(), anne, meeting.RecordingFilter{}, 10)
			for _, f := range found {
				all = append(all, f.KeptRecording)
			}
			return all, err
		})
	})
}
