package file

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"filippo.io/age"

	"aparte/sfu/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func newStore(t *testing.T, change func(*Config)) *Store {
	t.Helper()
	cfg := Config{Dir: filepath.Join(t.TempDir(), "files"), Total: 1 << 30, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newShelf(t *testing.T, s *Store) *Shelf {
	t.Helper()
	shelf, err := s.NewShelf()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shelf.Close)
	return shelf
}

// onDisk is what there is of all files.
func (s *Store) onDisk(t *testing.T) (all []byte, files int) {
	t.Helper()
	entries, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(s.cfg.Dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	return all, len(entries)
}

func (s *Store) bytesUsed() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

func readAll(t *testing.T, shelf *Shelf, id string) []byte {
	t.Helper()
	r, err := shelf.Open(id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestWhatIsKeptComesBackAndIsNowhereReadable(t *testing.T) {
	s := newStore(t, nil)
	shelf, other := newShelf(t, s), newShelf(t, s)
	words := []byte("ce que personne ne lit sur le disque. ")
	for id, size := range map[string]int{"one": 1, "some": 1000, "a chunk": 64 << 10, "more": 300_001} {
		body := bytes.Repeat(words, size/len(words)+1)[:size]
		if err := shelf.Keep(id, bytes.NewReader(body), int64(size)); err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, shelf, id); !bytes.Equal(got, body) {
			t.Errorf("%d bytes came back as %d others", size, len(got))
		}
	}
	if all, files := s.onDisk(t); files != 4 || bytes.Contains(all, words[:12]) {
		t.Errorf("%d files on the disk, readable %t", files, bytes.Contains(all, words[:12]))
	}
	if _, err := other.Open("one"); !errors.Is(err, ErrGone) {
		t.Errorf("the file of another call: %v", err)
	}
	// Its key is another one, too.
	in, err := s.root.Open("1.age")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if _, err := age.Decrypt(in, other.key); err == nil {
		t.Error("one call's key opens another's file")
	}
	if err := shelf.Keep("one", bytes.NewReader(words), int64(len(words))); !errors.Is(err, ErrGone) {
		t.Errorf("the same id again: %v", err)
	}
	if got := readAll(t, shelf, "one"); len(got) != 1 {
		t.Error("the same id again has replaced what was there")
	}
}

func TestNothingIsLeft(t *testing.T) {
	s := newStore(t, nil)
	shelf := newShelf(t, s)
	body := make([]byte, 100_000)
	_, _ = rand.Read(body)
	broken := errors.New("the sender is gone")
	for what, c := range map[string]struct {
		body io.Reader
		size int64
		want func(error) bool
	}{
		"too short":  {bytes.NewReader(body[:99_999]), 100_000, isLength},
		"too long":   {bytes.NewReader(body), 99_999, isLength},
		"none":       {bytes.NewReader(nil), 5, isLength},
		"broken off": {io.MultiReader(bytes.NewReader(body[:70_000]), failing{broken}), 100_000, func(err error) bool { return errors.Is(err, broken) }},
	} {
		if err := shelf.Keep(what, c.body, c.size); !c.want(err) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := shelf.Open(what); !errors.Is(err, ErrGone) {
			t.Errorf("%s can be opened: %v", what, err)
		}
	}
	if _, files := s.onDisk(t); files != 0 || s.bytesUsed() != 0 {
		t.Errorf("of what did not come whole %d files are left, %d bytes are counted", files, s.bytesUsed())
	}
	for _, id := range []string{"a", "b"} {
		if err := shelf.Keep(id, bytes.NewReader(body), int64(len(body))); err != nil {
			t.Fatal(err)
		}
	}
	reading, err := shelf.Open("a")
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	shelf.Remove("a")
	shelf.Remove("a")
	shelf.Remove("nothing")
	if got, err := io.ReadAll(reading); err != nil || !bytes.Equal(got, body) {
		t.Errorf("who had opened it reads %d bytes, %v", len(got), err)
	}
	if _, files := s.onDisk(t); files != 1 || s.bytesUsed() != int64(len(body)) {
		t.Errorf("after one of two was removed: %d files, %d bytes", files, s.bytesUsed())
	}
	shelf.Close()
	shelf.Close()
	if _, files := s.onDisk(t); files != 0 || s.bytesUsed() != 0 {
		t.Errorf("after the call: %d files, %d bytes", files, s.bytesUsed())
	}
	if err := shelf.Keep("late", bytes.NewReader(body), int64(len(body))); !errors.Is(err, ErrGone) {
		t.Errorf("on a shelf that is closed: %v", err)
	}
	if _, err := shelf.Open("b"); !errors.Is(err, ErrGone) {
		t.Errorf("from a shelf that is closed: %v", err)
	}
}

func isLength(err error) bool {
	_, ok := errors.AsType[*LengthError](err)
	return ok
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A body that comes while its file is removed, or the call ends, leaves nothing either.
func TestRemovedWhileItComes(t *testing.T) {
	for what, remove := range map[string]func(*Shelf){
		"removed": func(s *Shelf) { s.Remove("x") },
		"closed":  (*Shelf).Close,
	} {
		s := newStore(t, nil)
		shelf := newShelf(t, s)
		r, w := io.Pipe()
		kept := make(chan error)
		go func() { kept <- shelf.Keep("x", r, 6) }()
		if _, err := w.Write([]byte("abc")); err != nil {
			t.Fatal(err)
		}
		remove(shelf)
		if _, err := w.Write([]byte("def")); err != nil {
			t.Fatal(err)
		}
		w.Close()
		if err := <-kept; !errors.Is(err, ErrGone) {
			t.Errorf("%s: %v", what, err)
		}
		if _, files := s.onDisk(t); files != 0 || s.bytesUsed() != 0 {
			t.Errorf("%s: %d files, %d bytes", what, files, s.bytesUsed())
		}
	}
}

func TestAFullDiskIsSaid(t *testing.T) {
	body := make([]byte, 1000)
	keep := func(shelf *Shelf, id string) error { return shelf.Keep(id, bytes.NewReader(body), 1000) }

	total := newStore(t, func(c *Config) { c.Total = 2500 })
	shelf := newShelf(t, total)
	for i, want := range []error{nil, nil, ErrFull} {
		if err := keep(shelf, fmt.Sprint(i)); !errors.Is(err, want) {
			t.Errorf("file %d of 1000 bytes, of 2500 in all: %v", i, err)
		}
	}
	shelf.Remove("0")
	if err := keep(shelf, "again"); err != nil {
		t.Errorf("once one is removed: %v", err)
	}

	spare := newStore(t, func(c *Config) { c.Spare = 5000 })
	spare.free = func(string) (int64, error) { return 5999, nil }
	if err := keep(newShelf(t, spare), "x"); !errors.Is(err, ErrFull) {
		t.Errorf("with less than is to be spared: %v", err)
	}
	spare.free = func(string) (int64, error) { return 6000, nil }
	if err := keep(newShelf(t, spare), "x"); err != nil {
		t.Errorf("with as much as is to be spared: %v", err)
	}

	full := newStore(t, nil)
	next := full.next
	full.next = func(name string) (io.WriteCloser, error) {
		w, err := next(name)
		return &narrow{w, 300}, err
	}
	if err := keep(newShelf(t, full), "x"); !errors.Is(err, ErrFull) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("where the disk takes no more: %v", err)
	}
	if _, files := full.onDisk(t); files != 0 || full.bytesUsed() != 0 {
		t.Errorf("where the disk takes no more, %d files and %d bytes are left", files, full.bytesUsed())
	}
}

// narrow takes so many bytes.
type narrow struct {
	io.WriteCloser
	left int
}

func (n *narrow) Write(p []byte) (int, error) {
	if len(p) > n.left {
		return 0, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	}
	n.left -= len(p)
	return n.WriteCloser.Write(p)
}

func TestWhatAnotherProcessHasLeftIsSwept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "files")
	cfg := Config{Dir: dir, Total: 1 << 20, Log: slog.New(slog.DiscardHandler)}
	first, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	shelf, err := first.NewShelf() // whose process is killed
	if err != nil {
		t.Fatal(err)
	}
	if err := shelf.Keep("x", bytes.NewReader([]byte("abc")), 3); err != nil {
		t.Fatal(err)
	}
	first.Close()
	if err := os.WriteFile(filepath.Join(dir, "README"), []byte("not ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if all, files := second.onDisk(t); files != 1 || string(all) != "not ours" {
		t.Errorf("%d files are left: %q", files, all)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, %v", info.Mode(), err)
	}
}

func TestManyAtOnce(t *testing.T) {
	s := newStore(t, nil)
	shelf := newShelf(t, s)
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			id := fmt.Sprint(i)
			body := bytes.Repeat([]byte{byte(i)}, 10_000+i)
			if err := shelf.Keep(id, bytes.NewReader(body), int64(len(body))); err != nil {
				t.Error(err)
				return
			}
			if got := readAll(t, shelf, id); !bytes.Equal(got, body) {
				t.Errorf("file %d came back as another", i)
			}
			if i%2 == 0 {
				shelf.Remove(id)
			}
		})
	}
	all.Wait()
	if _, files := s.onDisk(t); files != 10 {
		t.Errorf("%d files, want 10", files)
	}
}
