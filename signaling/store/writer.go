package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
)

// maxGroup is how many writes share a commit: one sync to disk for all.
const maxGroup = 128

// queries is what a transaction offers.
type queries interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// write is one piece of work that happens wholly or not at all. fn may run
// twice, so it may only change the database and variables that it sets anew.
type write struct {
	ctx  context.Context
	fn   func(context.Context, queries) error
	done chan error
}

// writer is the only one who writes. What waits while a commit is under way
// shares the next commit.
type writer struct {
	db     *sql.DB
	log    *slog.Logger
	queue  chan *write
	stop   chan struct{} // closed: take nothing new
	ended  chan struct{} // closed: run has returned
	once   sync.Once
	active bool // run was started; set before any use

	commits atomic.Uint64 // transactions that were committed
}

func newWriter(db *sql.DB, log *slog.Logger) *writer {
	return &writer{db: db, log: log, queue: make(chan *write, 4*maxGroup), stop: make(chan struct{}), ended: make(chan struct{})}
}

func (w *writer) start() {
	w.active = true
	go w.run()
}

// do runs fn in a transaction and returns once it is durable, or why it is not.
// The context ends waiting in the queue; what has begun is waited for, because
// an unknown result is worse than a late one.
func (w *writer) do(ctx context.Context, fn func(context.Context, queries) error) error {
	job := &write{ctx: ctx, fn: fn, done: make(chan error, 1)}
	select {
	case <-w.stop:
		return fmt.Errorf("%w: closed", ErrUnavailable)
	default:
	}
	select {
	case w.queue <- job:
	case <-w.stop:
		return fmt.Errorf("%w: closed", ErrUnavailable)
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-job.done:
		return err
	case <-w.ended:
	}
	select { // it may have been the last
	case err := <-job.done:
		return err
	default:
		return fmt.Errorf("%w: closed", ErrUnavailable)
	}
}

func (w *writer) close() error {
	w.once.Do(func() { close(w.stop) })
	if w.active {
		<-w.ended
	}
	return w.db.Close()
}

func (w *writer) run() {
	defer close(w.ended)
	for {
		select {
		case job := <-w.queue:
			w.group(w.gather(job))
		case <-w.stop:
			for { // finish what was taken
				select {
				case job := <-w.queue:
					w.group(w.gather(job))
				default:
					return
				}
			}
		}
	}
}

func (w *writer) gather(first *write) []*write {
	jobs := []*write{first}
	for len(jobs) < maxGroup {
		select {
		case job := <-w.queue:
			jobs = append(jobs, job)
		default:
			return jobs
		}
	}
	return jobs
}

// group commits jobs together; a job that fails is undone alone. If the whole
// transaction breaks (some errors make SQLite roll everything back), each job is
// tried by itself, so that one cannot poison the others.
func (w *writer) group(jobs []*write) {
	results, err := w.transact(jobs)
	if err != nil && len(jobs) > 1 {
		w.log.Warn("group commit failed, writing one by one", "writes", len(jobs), "err", err)
		for _, job := range jobs {
			w.group([]*write{job})
		}
		return
	}
	for i, job := range jobs {
		if err != nil {
			job.done <- classify(err)
		} else {
			job.done <- classify(results[i])
		}
	}
}

// transact returns each job's own error, or one for all: then nothing of it
// happened.
func (w *writer) transact(jobs []*write) (results []error, err error) {
	ctx := context.Background()
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { giveBack(conn, err != nil) }()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	q := newPrepared(conn)
	defer q.close()
	results = make([]error, len(jobs))
	for i, job := range jobs {
		if results[i] = job.ctx.Err(); results[i] != nil {
			continue
		}
		if _, err := conn.ExecContext(ctx, "SAVEPOINT job"); err != nil {
			return nil, fmt.Errorf("savepoint: %w", err)
		}
		if results[i] = w.attempt(ctx, job, q); results[i] != nil {
			if _, err := conn.ExecContext(ctx, "ROLLBACK TO job"); err != nil {
				return nil, fmt.Errorf("undo after %w: %w", results[i], err)
			}
		}
		if _, err := conn.ExecContext(ctx, "RELEASE job"); err != nil {
			return nil, fmt.Errorf("release savepoint: %w", err)
		}
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	w.commits.Add(1)
	return results, nil
}

// attempt turns a panic of a job into its error: the writer serves everybody.
func (w *writer) attempt(ctx context.Context, job *write, q queries) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("write panicked: %v", p)
		}
	}()
	return job.fn(ctx, q)
}

// giveBack returns the connection, rolled back if its transaction failed; one
// that cannot even roll back is thrown away.
func giveBack(conn *sql.Conn, failed bool) {
	if failed {
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			// "No transaction is active" is fine too: a new connection is cheap.
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}
	_ = conn.Close() // fails only if it was thrown away
}
