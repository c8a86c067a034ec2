// Package store keeps what must survive, in SQLite. Start at Open; writer.go is
// the one road to the disk; the other files are one per subject.
//
// A method that writes returns after the transaction is on the disk: WAL with
// synchronous=FULL, one writer, many writes to a commit (group commit). Readers
// have connections of their own and see what is committed.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed schema/*.sql
var schema embed.FS

// Why a data directory cannot be used, or a write did not happen. The text of
// an error that wraps one of these is meant for the operator.
var (
	ErrUnwritable  = errors.New("data directory is not writable")
	ErrInUse       = errors.New("data directory is in use by another aparte")
	ErrCorrupt     = errors.New("database is damaged")
	ErrUnavailable = errors.New("database is not available")
	ErrNewer       = errors.New("database was written by a later version of aparte")
)

// fileName is the database's, inside the data directory.
const fileName = "aparte.db"

// Store is an open database. Methods may be called from any goroutine.
type Store struct {
	dir   string // set at creation
	lock  *os.File
	read  *sql.DB
	write *writer
	trail trail // set by Open
	log   *slog.Logger
}

// Open opens the database in dir, which it creates with its schema if needed.
// Errors wrap ErrUnwritable, ErrInUse, ErrCorrupt or ErrNewer where that is the reason.
func Open(ctx context.Context, dir string, log *slog.Logger) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w (create it and give it to the user aparte runs as)", ErrUnwritable, err)
	}
	lock, err := lockDirectory(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, lock: lock, log: log}
	if err := s.open(ctx, filepath.Join(dir, fileName)); err != nil {
		return nil, errors.Join(classify(err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w (give it to the user aparte runs as)", ErrUnwritable, err)
	}
	if err := file.Close(); err != nil {
		return err
	}
	// What is deleted is overwritten: people are told that it is gone.
	db, err := sql.Open("sqlite", dsn(path, "foreign_keys(1)", "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(1)"))
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	s.write = newWriter(db, path, s.log)
	if err := migrate(ctx, db); err != nil {
		return fmt.Errorf("prepare %s: %w", path, err)
	}
	if err := check(ctx, db, path); err != nil {
		return err
	}
	s.read, err = sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	s.read.SetMaxOpenConns(4)
	s.read.SetMaxIdleConns(4)
	if err := s.read.PingContext(ctx); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	s.write.start()
	return s.openTrail(ctx)
}

// busyTimeout is how long a connection waits for another one, in milliseconds.
const busyTimeout = 5000

func dsn(path string, pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{fmt.Sprintf("busy_timeout(%d)", busyTimeout)}, pragmas...)}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		return err
	}
	// What two have written beside each other is numbered in an order in which it does not
	// always come: what a folder lacks in the middle is done when it is there.
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
	if err != nil {
		return err
	}
	// Nothing is undone: a program that does not know what a later one changed would go on
	// half working, and write what that one does not expect.
	sources := provider.ListSources()
	known := sources[len(sources)-1].Version
	switch has, err := provider.GetDBVersion(ctx); {
	case err != nil:
		return err
	case has > known:
		return fmt.Errorf("%w: its schema is %d, this program knows those up to %d (start that version, or restore a backup of before)", ErrNewer, has, known)
	}
	_, err = provider.Up(ctx)
	return err
}

// checkedSize is up to which size the whole file is checked at start, in bytes.
const checkedSize = 64 << 20

func check(ctx context.Context, db *sql.DB, path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() > checkedSize {
		return err
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s: %s (restore it from a backup)", ErrCorrupt, path, verdict)
	}
	return nil
}

// lockDirectory keeps a second process out: a meeting has one home.
func lockDirectory(dir string) (*os.File, error) {
	path := filepath.Join(dir, "aparte.lock")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: %w (give it to the user aparte runs as)", ErrUnwritable, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s (stop it, or name another data directory)", ErrInUse, dir), file.Close())
	}
	return file, nil
}

// Close waits for the writes under way and closes the database.
func (s *Store) Close() error {
	var all error
	if s.write != nil {
		all = s.write.close()
	}
	if s.read != nil {
		all = errors.Join(all, s.read.Close())
	}
	return errors.Join(all, s.lock.Close())
}

// Healthy says whether the database can still be written, by writing: an empty
// transaction would succeed on a full disk.
func (s *Store) Healthy(ctx context.Context) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		_, err := q.ExecContext(ctx, `INSERT INTO pulse (id, beats) VALUES (1, 1)
			ON CONFLICT (id) DO UPDATE SET beats = pulse.beats + 1`)
		return err
	})
}

// classify wraps what SQLite says into our reasons.
func classify(err error) error {
	var e *sqlite.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w (restore it from a backup)", ErrCorrupt, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	default:
		return err
	}
}

// taken reports whether err is a value that must be unique and is not.
func taken(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
