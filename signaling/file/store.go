// Package file keeps what is sent in calls for as long as the call has it: encrypted on
// disk, with keys that are in memory alone. Start at Store, the folder; a Shelf is one
// call's part of it, with a key of its own.
//
// Nothing readable is ever on disk, and what is there cannot be read once the shelf is
// closed or the process has ended, whoever has the disk. So a file outlives no restart,
// which is meant: it belongs to the call, not to the server.
package file

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"

	"filippo.io/age"
)

// Why something is refused.
var (
	// ErrFull says that the disk, or what files may have of it, is used up.
	ErrFull = errors.New("no room on the disk for files")
	// ErrGone says that the shelf was closed, or that it has no such file.
	ErrGone = errors.New("no such file")
)

// LengthError says that a body was shorter or longer than announced.
type LengthError struct{ Announced int64 }

func (e *LengthError) Error() string {
	return fmt.Sprintf("the file does not have the %d bytes that were announced", e.Announced)
}

// Config is what a Store is made from.
type Config struct {
	// Dir is the folder, which belongs to the store alone.
	Dir string
	// Total is how many bytes the files of all calls may have together.
	Total int64
	// Spare is how many bytes of the disk are left to others: the database needs room
	// to store that a guest was removed.
	Spare int64
	Log   *slog.Logger
}

// Store is the folder. Its methods, and those of its shelves, may be called from any
// goroutine.
type Store struct {
	cfg  Config
	root *os.Root
	free func(dir string) (int64, error) // bytes that the disk has left
	next func(name string) (io.WriteCloser, error)

	mu   sync.Mutex
	used int64  // bytes, of files that are there and that are being written
	made uint64 // files, for their names
}

// ours is the form of a file's name.
var ours = regexp.MustCompile(`^[0-9]+\.age$`)

// Open makes the folder where there is none, and deletes what a process that is gone has
// left there: nobody can read it any more.
func Open(cfg Config) (*Store, error) {
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of files: %w", err)
	}
	root, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("folder of files: %w", err)
	}
	s := &Store{cfg: cfg, root: root, free: free}
	s.next = func(name string) (io.WriteCloser, error) {
		return root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err := s.sweep(); err != nil {
		return nil, errors.Join(fmt.Errorf("folder of files: %w", err), root.Close())
	}
	return s, nil
}

func (s *Store) sweep() error {
	left, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return err
	}
	swept := 0
	for _, entry := range left {
		if !ours.MatchString(entry.Name()) {
			continue // somebody else's, who will miss it
		}
		if err := s.root.Remove(entry.Name()); err != nil {
			return err
		}
		swept++
	}
	if swept > 0 {
		s.cfg.Log.Info("files of calls that are over were deleted", "files", swept)
	}
	return nil
}

// Close ends the store; its shelves must be closed before.
func (s *Store) Close() error { return s.root.Close() }

// NewShelf makes the place for the files of one call, with a key that is nowhere else.
func (s *Store) NewShelf() (*Shelf, error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, fmt.Errorf("key of a shelf: %w", err)
	}
	return &Shelf{store: s, key: key, files: make(map[string]*kept)}, nil
}

// reserve takes room for a file, or says that there is none.
func (s *Store) reserve(size int64) (name string, err error) {
	left, err := s.free(s.cfg.Dir)
	if err != nil {
		return "", fmt.Errorf("room on the disk: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used+size > s.cfg.Total || left-size < s.cfg.Spare {
		return "", ErrFull
	}
	s.used += size
	s.made++
	return fmt.Sprintf("%d.age", s.made), nil
}

// drop gives the room of a file back and deletes it.
func (s *Store) drop(name string, size int64) {
	if err := s.root.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.cfg.Log.Error("file of a call was not deleted", "file", filepath.Join(s.cfg.Dir, name), "err", err)
	}
	s.mu.Lock()
	s.used -= size
	s.mu.Unlock()
}

// full is an error of the disk as callers know it.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// Disk is a file system.
type Disk struct {
	Free, Total int64 // bytes; what is free for this process
}

// DiskOf is the file system of a folder.
func DiskOf(dir string) (Disk, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return Disk{}, err
	}
	size := int64(st.Bsize)                                                         //nolint:unconvert // the widths differ between systems
	return Disk{Free: int64(st.Bavail) * size, Total: int64(st.Blocks) * size}, nil //nolint:gosec // the widths differ between systems
}

func free(dir string) (int64, error) {
	disk, err := DiskOf(dir)
	return disk.Free, err
}
