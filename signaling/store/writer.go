package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"os"
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

	logPath string       // of the write-ahead log
	maxLog  atomic.Int64 // maxLog, but for tests
	// Owned by run: when the log could not be trimmed, what has to happen before
	// it is tried again: so many groups, or a log larger than this.
	pause   int
	patient int64

	commits atomic.Uint64 // transactions that were committed
}

func newWriter(db *sql.DB, path string, log *slog.Logger) *writer {
	w := &writer{
		db: db, log: log, queue: make(chan *write, 4*maxGroup), stop: make(chan struct{}), ended: make(chan struct{}),
		logPath: path + "-wal",
	}
	w.maxLog.Store(maxLog)
	return w
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
			w.trim()
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

// maxLog is up to which size the write-ahead log grows, in bytes: four times
// where SQLite moves it into the database by itself. SQLite begins it anew only
// when it happens to find nobody who reads from it, and with constant readers
// that is never.
const maxLog = 16 << 20

// trimWait is how long writing waits for readers to let go of the log, in
// milliseconds. If they do not, it waits again after trimPause groups, or once the
// log has grown by a quarter of its limit.
const (
	trimWait  = 100
	trimPause = 500
)

// trim empties a log that has grown large. What it holds is durable either way:
// if it cannot be emptied now, it may grow on.
func (w *writer) trim() {
	w.pause = max(0, w.pause-1)
	info, err := os.Stat(w.logPath)
	limit := w.maxLog.Load()
	if err != nil || info.Size() < limit || w.pause > 0 && info.Size() < w.patient {
		return
	}
	w.pause = 0
	if err := w.empty(context.Background()); err != nil {
		w.pause, w.patient = trimPause, info.Size()+limit/4
		w.log.Warn("the write-ahead log cannot be emptied", "bytes", info.Size(), "err", err)
	}
}

func (w *writer) empty(ctx context.Context) error {
	conn, err := w.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout=%d", trimWait)); err != nil {
		return err
	}
	var busy, frames, moved int
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	if err == nil && busy != 0 {
		err = fmt.Errorf("%d of its %d pages are moved, somebody reads for long", moved, frames)
	}
	_, back := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout=%d", busyTimeout))
	return errors.Join(err, back)
}
