package meeting_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/meeting"
	"aparte/signaling/recording"
)

// recorded has the host record the call, for one second.
func (s *studio) recorded() (id string) {
	s.t.Helper()
	id = s.runs()
	s.pass(time.Second)
	s.ok(s.StopRecording(s.t.Context(), anne, s.id))
	s.stopped()
	return id
}

func (s *studio) hold(id string) error {
	s.t.Helper()
	_, err := s.HoldRecording(s.t.Context(), anne, dakar.ID, s.id, id, "Réquisition")
	return err
}

// Neither the host nor time deletes what is on hold; once that is lifted, what has expired
// goes with the next sweep, and those behind it never wait.
func TestAHoldKeepsARecording(t *testing.T) {
	s := newStudio(t)
	ctx := t.Context()
	held, other := s.recorded(), s.recorded()
	if err := s.hold(held); err != nil {
		t.Fatal(err)
	}
	if err := s.hold(held); !errors.Is(err, recording.ErrHeld) {
		t.Errorf("held twice: %v", err)
	}
	if err := second(s.DeleteRecording(ctx, anne, s.id, held)); !errors.Is(err, recording.ErrHeld) {
		t.Errorf("the host deletes it: %v", err)
	}
	s.pass(91 * 24 * time.Hour)
	s.SweepRecordings(ctx)
	s.Close() // it is stored
	s.Meetings = meeting.NewMeetings(meeting.Config{Store: s.store, Media: s.call, Now: s.now, Random: rand.Reader, Log: quiet, Recorder: s.recorder, Kept: s.recorder})
	t.Cleanup(s.Close)
	s.SweepRecordings(ctx)
	if got := s.recorder.Deleted(); !slices.Equal(got, []string{other}) {
		t.Errorf("deleted %q, want %q", got, other)
	}
	all, err := s.Recordings(ctx, anne, s.id)
	if err != nil || len(all) != 1 || all[0].Hold == nil || all[0].Hold.Reason != "" || len(all[0].Parts) != 1 {
		t.Errorf("listed %+v, %v", all, err)
	}
	if _, err := s.MayDownload(ctx, anne, s.id, held); !errors.Is(err, recording.ErrNone) {
		t.Errorf("its time is over, and a host gets it: %v", err)
	}
	if err := s.LiftHold(ctx, anne, dakar.ID, s.id, held); err != nil {
		t.Fatal(err)
	}
	if err := s.LiftHold(ctx, anne, dakar.ID, s.id, held); !errors.Is(err, recording.ErrNotHeld) {
		t.Errorf("lifted twice: %v", err)
	}
	s.SweepRecordings(ctx)
	if got := s.recorder.Deleted(); !slices.Equal(got, []string{other, held}) {
		t.Errorf("deleted %q", got)
	}
}

// A deletion that has begun wins over a hold and says so, also over a restart, and is
// carried through as done by whoever began it.
func TestADeletionThatBeganWins(t *testing.T) {
	s := newStudio(t)
	ctx := t.Context()
	id := s.recorded()
	var during error
	s.recorder.OnDelete(func() { during = s.hold(id) })
	s.recorder.Stick(id)
	if left, err := s.DeleteRecording(ctx, anne, s.id, id); err != nil || !left || !errors.Is(during, recording.ErrDeleting) {
		t.Errorf("its deletion begins: %v, something is left: %t; held meanwhile: %v", err, left, during)
	}
	if all, err := s.Recordings(ctx, anne, s.id); err != nil || len(all) != 1 || all[0].Deletion == nil || len(s.recorder.Deleted()) != 0 {
		t.Errorf("the list says that it is being deleted: %+v, %v; deleted is %q", all, err, s.recorder.Deleted())
	}
	if _, err := s.MayDownload(ctx, anne, s.id, id); !errors.Is(err, recording.ErrNone) {
		t.Errorf("a host gets it: %v", err)
	}
	s.recorder.OnDelete(nil)
	s.recorder.Stick()
	s.Close()
	s.Meetings = meeting.NewMeetings(meeting.Config{Store: s.store, Media: s.call, Now: s.now, Random: rand.Reader, Log: quiet, Recorder: s.recorder, Kept: s.recorder})
	t.Cleanup(s.Close)
	if err := s.hold(id); !errors.Is(err, recording.ErrDeleting) {
		t.Errorf("held after a restart: %v", err)
	}
	s.pass(10 * time.Minute)
	s.SweepRecordings(ctx)
	if got := s.recorder.Deleted(); !slices.Equal(got, []string{id}) {
		t.Errorf("deleted %q", got)
	}
	told := s.trail()
	last := told[len(told)-1]
	if last.Act != audit.RecordingDeleted || last.Actor.ID != anne.Account || last.Detail["because"] != recording.ByTheHost {
		t.Errorf("the trail tells %+v", last)
	}
	if err := s.hold(id); !errors.Is(err, recording.ErrNone) {
		t.Errorf("held when nothing is left: %v", err)
	}
}

// Two who delete the same at once are both answered that it is done, and the trail tells
// each step of it once.
func TestADeletionIsToldOnce(t *testing.T) {
	s := newStudio(t)
	id := s.recorded()
	var both sync.WaitGroup
	both.Add(2)
	s.recorder.OnDelete(func() { both.Done(); both.Wait() })
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- second(s.DeleteRecording(t.Context(), anne, s.id, id)) }()
	}
	if err := errors.Join(<-done, <-done); err != nil {
		t.Error(err)
	}
	told := map[audit.Act]int{}
	for _, e := range s.trail() {
		told[e.Act]++
	}
	if told[audit.RecordingDeletion] != 1 || told[audit.RecordingDeleted] != 1 {
		t.Errorf("that it begins is told %d times, and that it is done %d times", told[audit.RecordingDeletion], told[audit.RecordingDeleted])
	}
	if err := second(s.DeleteRecording(t.Context(), anne, s.id, id)); !errors.Is(err, recording.ErrNone) {
		t.Errorf("deleted once more: %v", err)
	}
}

// Of a hold and a deletion that come together one is first, and the other one is refused.
func TestHoldsAndDeletionsMeet(t *testing.T) {
	s := newStudio(t)
	for range 20 {
		id := s.recorded()
		held := make(chan error, 1)
		go func() { held <- s.hold(id) }()
		deleted := second(s.DeleteRecording(t.Context(), anne, s.id, id))
		_, err := s.store.StartedRecording(context.WithoutCancel(t.Context()), s.id, id)
		switch h := <-held; {
		case h == nil && errors.Is(deleted, recording.ErrHeld) && err == nil:
		case deleted == nil && (errors.Is(h, recording.ErrDeleting) || errors.Is(h, recording.ErrNone)) && errors.Is(err, recording.ErrNone):
		default:
			t.Fatalf("held: %v; deleted: %v; there is: %v", h, deleted, err)
		}
	}
}
