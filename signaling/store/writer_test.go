package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

func insert(n int) func(context.Context, queries) error {
	return func(ctx context.Context, q queries) error {
		_, err := q.ExecContext(ctx, `INSERT INTO signing_keys (name, secret, created_at) VALUES ($1, '', 0)`, fmt.Sprint(n))
		return err
	}
}

func count(t *testing.T, s *Store) int {
	t.Helper()
	var n int
	if err := s.read.QueryRowContext(t.Context(), `SELECT count(*) FROM signing_keys WHERE created_at = 0`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// enqueue puts writes behind one that holds the writer, so that they share a
// group, and returns their results.
func enqueue(t *testing.T, s *Store, jobs []*write) []error {
	t.Helper()
	release := make(chan struct{})
	holder := &write{ctx: t.Context(), done: make(chan error, 1), fn: func(context.Context, queries) error { <-release; return nil }}
	s.write.queue <- holder
	for _, job := range jobs {
		job.done = make(chan error, 1)
		s.write.queue <- job
	}
	close(release)
	if err := <-holder.done; err != nil {
		t.Fatal(err)
	}
	results := make([]error, len(jobs))
	for i, job := range jobs {
		results[i] = <-job.done
	}
	return results
}

func TestAFailingWriteDoesNotPoisonItsGroup(t *testing.T) {
	s := open(t, t.TempDir())
	errOurs := errors.New("ours")
	gone, leave := context.WithCancel(t.Context())
	leave()
	var jobs []*write
	for i := range 60 {
		job := &write{ctx: t.Context(), fn: insert(i)}
		switch i % 6 {
		case 1: // writes, then refuses
			job.fn = func(ctx context.Context, q queries) error { return errors.Join(insert(i)(ctx, q), errOurs) }
		case 2:
			job.fn = func(context.Context, queries) error { panic("bug") }
		case 3: // breaks the whole transaction
			job.fn = func(ctx context.Context, q queries) error {
				_, err := q.ExecContext(ctx, `INSERT OR ROLLBACK INTO signing_keys (name, secret, created_at) VALUES ('x', NULL, 0)`)
				return err
			}
		case 4:
			job.ctx = gone
		}
		jobs = append(jobs, job)
	}
	for i, err := range enqueue(t, s, jobs) {
		if good := i%6 == 0 || i%6 == 5; good != (err == nil) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if got := count(t, s); got != 20 {
		t.Errorf("%d rows, want 20", got)
	}
	if err := s.Healthy(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestManyWritesShareACommit(t *testing.T) {
	s := open(t, t.TempDir())
	before := s.write.commits.Load()
	var jobs []*write
	for i := range 100 {
		jobs = append(jobs, &write{ctx: t.Context(), fn: insert(i)})
	}
	for i, err := range enqueue(t, s, jobs) {
		if err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if got := count(t, s); got != 100 {
		t.Errorf("%d rows, want 100", got)
	}
	// One for the holder, at most two for what came while it was taken.
	if commits := s.write.commits.Load() - before; commits > 3 {
		t.Errorf("%d commits for 100 writes", commits)
	}
}

func TestClosingFinishesWhatWasTaken(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	var wg sync.WaitGroup
	var done atomic.Int32
	for i := range 200 {
		wg.Go(func() {
			switch err := s.write.do(t.Context(), insert(i)); {
			case err == nil:
				done.Add(1)
			case !errors.Is(err, ErrUnavailable):
				t.Error(err)
			}
		})
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if got := count(t, open(t, dir)); got < int(done.Load()) {
		t.Errorf("%d rows, %d acknowledged", got, done.Load())
	}
}
