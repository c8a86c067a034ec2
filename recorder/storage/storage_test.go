package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func put(t *testing.T, s Storage, name string, content []byte) Object {
	t.Helper()
	object, err := s.Put(t.Context(), name, bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return object
}

func names(t *testing.T, s Storage, below string) string {
	t.Helper()
	all, err := s.List(t.Context(), below)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range all {
		names = append(names, o.Name)
	}
	return strings.Join(names, " ")
}

// obeys tests what every storage must hold.
func obeys(t *testing.T, s Storage) {
	ctx := t.Context()
	content := bytes.Repeat([]byte("sealed"), 30)
	object := put(t, s, "R/part-0001/00000001.tar", content)
	if object.Name != "R/part-0001/00000001.tar" || object.Size != int64(len(content)) || object.SHA256 != digestOf(content) || object.Modified.IsZero() {
		t.Errorf("put: %+v", object)
	}
	put(t, s, "R/part-0001/00000002.tar", nil)
	put(t, s, "R/part-0001.json", []byte("{}"))
	put(t, s, "RR/x", []byte("x"))

	for below, want := range map[string]string{
		"":                         "R/part-0001.json R/part-0001/00000001.tar R/part-0001/00000002.tar RR/x",
		"R":                        "R/part-0001.json R/part-0001/00000001.tar R/part-0001/00000002.tar",
		"R/part-0001":              "R/part-0001/00000001.tar R/part-0001/00000002.tar",
		"R/part-0001/00000001.tar": "", "nothing": "", "R/part": "",
	} {
		if got := names(t, s, below); got != want {
			t.Errorf("below %q: %s", below, got)
		}
	}
	if all, err := s.List(ctx, "R/part-0001"); err != nil || len(all) != 2 || all[0].Size != int64(len(content)) || all[1].Size != 0 || all[0].Modified.IsZero() ||
		(all[0].SHA256 != "" && all[0].SHA256 != digestOf(content)) {
		t.Errorf("listed: %+v, %v", all, err)
	}

	file, err := s.Open(ctx, object.Name)
	if err != nil {
		t.Fatal(err)
	}
	if got := file.Object(); got.SHA256 != object.SHA256 || got.Size != object.Size || got.Name != object.Name {
		t.Errorf("opened: %+v", got)
	}
	if err := iotest.TestReader(file, content); err != nil {
		t.Error(err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}

	// Nothing is put over anything, be it the same, or at once.
	if _, err := s.Put(ctx, object.Name, strings.NewReader("other"), 5); !errors.Is(err, ErrExists) {
		t.Errorf("put twice: %v", err)
	}
	var racing sync.WaitGroup
	won := make(chan string, 4)
	for _, text := range []string{"a", "b", "c", "d"} {
		racing.Go(func() {
			switch _, err := s.Put(ctx, "race", strings.NewReader(text), 1); {
			case err == nil:
				won <- text
			case !errors.Is(err, ErrExists):
				t.Errorf("race: %v", err)
			}
		})
	}
	racing.Wait()
	close(won)
	winner := <-won
	if len(won) != 0 || winner == "" {
		t.Errorf("the race was won by %d more than %q", len(won), winner)
	}
	if got := read(t, s, "race"); string(got) != winner {
		t.Errorf("%q won, %q is there", winner, got)
	}

	// All or nothing.
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		from io.Reader
		size int64
		want error
	}{
		"short":  {strings.NewReader("four"), 5, io.ErrUnexpectedEOF},
		"broken": {io.MultiReader(strings.NewReader("fo"), iotest.ErrReader(broken)), 4, broken},
	} {
		if _, err := s.Put(ctx, name, c.from, c.size); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.Open(ctx, name); !errors.Is(err, ErrNone) {
			t.Errorf("%s is there: %v", name, err)
		}
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.Put(over, "late", strings.NewReader("x"), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("put by nobody: %v", err)
	}

	// No name leads anywhere else.
	for _, name := range []string{
		"", "/", ".", "..", "../x", "a/../b", "/etc/passwd", "a/", "/a", "a//b", ".hidden", "a/.put-x", "é", "a b", "a\\b", "a\x00b", "a\nb", "a%2fb", "C:x",
		strings.Repeat("x", maxFolder+1), strings.Repeat("x/", maxName/2) + "y",
	} {
		_, put := s.Put(ctx, name, strings.NewReader("x"), 1)
		_, open := s.Open(ctx, name)
		_, list := s.List(ctx, name)
		if name == "" {
			list = ErrName
		}
		for what, err := range map[string]error{"put": put, "open": open, "list": list, "delete": s.Delete(ctx, name)} {
			if !errors.Is(err, ErrName) {
				t.Errorf("%s %q: %v", what, name, err)
			}
		}
	}

	// What is not there is no error to delete, and to be read one.
	for range 2 {
		if err := s.Delete(ctx, object.Name); err != nil {
			t.Error(err)
		}
	}
	if err := s.Delete(ctx, "R/part-0001.json/x"); err != nil {
		t.Error(err)
	}
	if _, err := s.Open(ctx, object.Name); !errors.Is(err, ErrNone) {
		t.Errorf("deleted: %v", err)
	}
	if err := s.Delete(ctx, "R"); err != nil { // no object
		t.Error(err)
	}
	for _, name := range []string{"R/part-0001/00000002.tar", "R/part-0001.json", "RR/x", "race"} {
		if err := s.Delete(ctx, name); err != nil {
			t.Error(err)
		}
	}
	if got := names(t, s, ""); got != "" {
		t.Errorf("left: %s", got)
	}
}

func read(t *testing.T, s Storage, name string) []byte {
	t.Helper()
	file, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return content
}

func openFolder(t *testing.T, dir string) *Folder {
	t.Helper()
	s, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openFolder(t, dir)
	obeys(t, s)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

// Others of this machine read nothing, and links lead nowhere.
func TestFolderIsItsOwn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openFolder(t, dir)
	put(t, s, "R/x", []byte("x"))
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink(outside, filepath.Join(dir, "R/link")), os.Symlink(filepath.Dir(outside), filepath.Join(dir, "away"))); err != nil {
		t.Fatal(err)
	}
	if got := names(t, s, ""); got != "R/x" {
		t.Errorf("listed: %s", got)
	}
	for _, name := range []string{"R/link", "away/outside"} {
		if _, err := s.Open(t.Context(), name); err == nil {
			t.Errorf("%s can be opened", name)
		}
		_, err := s.Put(t.Context(), name, strings.NewReader("x"), 1)
		if err == nil {
			t.Errorf("%s can be put", name)
		}
		_ = s.Delete(t.Context(), name)
	}
	if content, err := os.ReadFile(outside); err != nil || string(content) != "secret" {
		t.Errorf("outside is %q, %v", content, err)
	}
}

// What a crash left is no object, and goes.
func TestFolderAfterACrash(t *testing.T) {
	dir := t.TempDir()
	s := openFolder(t, dir)
	put(t, s, "R/x", []byte("x"))
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, halfMade+"half"), []byte("half"), 0o600),
		os.Remove(filepath.Join(dir, "R/x")), // its mark is left
	); err != nil {
		t.Fatal(err)
	}
	again := openFolder(t, dir)
	if got := names(t, again, ""); got != "" {
		t.Errorf("listed: %s", got)
	}
	if object := put(t, again, "R/x", []byte("another")); object.SHA256 != digestOf([]byte("another")) {
		t.Errorf("put: %+v", object)
	}
	// A file that was put there by another way has none, and is one all the same.
	if err := os.WriteFile(filepath.Join(dir, "R/y"), []byte("y"), 0o600); err != nil {
		t.Fatal(err)
	}
	if file, err := again.Open(t.Context(), "R/y"); err != nil || file.Object().SHA256 != "" || file.Close() != nil {
		t.Errorf("opened: %v", err)
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, "R/x")), again.Delete(t.Context(), "R/x"), again.Delete(t.Context(), "R/y")); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

func TestErrorsTellTheRemedy(t *testing.T) {
	err := error(&Error{Op: "put", Name: "R/x", Kind: ErrFull, Remedy: "make room", Err: fs.ErrInvalid})
	if got := err.Error(); got != "put R/x: the storage is full: invalid argument (make room)" {
		t.Error(got)
	}
	if !errors.Is(err, ErrFull) || !errors.Is(err, fs.ErrInvalid) || errors.Is(err, ErrNone) {
		t.Error("it is another error")
	}
}
