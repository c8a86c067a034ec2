package recorder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"aparte/recorder/seal"
)

// brought has a part be marked as brought to a store.
func brought(t *testing.T, cfg Config, part uint32) Mark {
	t.Helper()
	m, err := Away(cfg.Dir, "rec", Mark{Part: part, Size: 1, SHA256: "x", Store: "s3://records"}, cfg.Key.Public())
	if err == nil {
		err = SetMark(cfg.Dir, "rec", m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A part that was brought away, or is about to go, can be followed all the same.
func TestAPartFollowsOneThatWasBroughtAway(t *testing.T) {
	cfg := config(t)
	folder := filepath.Join(cfg.Dir, "rec")
	first := start(t, cfg)
	if err := Release(cfg.Dir, "rec", 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a mark it goes: %v", err)
	}
	suspend(t, first)
	m := brought(t, cfg, 1)
	// Whoever deletes it here has locked it.
	going, err := os.OpenFile(filepath.Join(folder, seal.PartName(1)), os.O_RDWR, 0)
	if err == nil {
		err = lock(going)
	}
	if err != nil {
		t.Fatal(err)
	}
	second := start(t, cfg)
	if second.Part() != 2 {
		t.Errorf("part %d follows", second.Part())
	}
	if err := Release(cfg.Dir, "rec", 1); !errors.Is(err, ErrInUse) {
		t.Errorf("what is locked goes: %v", err)
	}
	if err := going.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Release(cfg.Dir, "rec", 1); err != nil {
		t.Error(err)
	}
	stop(t, second)
	parts, err := Parts(cfg.Dir, "rec")
	if err != nil || len(parts) != 2 || parts[0].Here || !parts[1].Here || parts[0].Mark == nil || parts[0].Mark.SHA256 != "x" || parts[1].Mark != nil {
		t.Errorf("parts: %+v, %v", parts, err)
	}
	source, err := os.Open(filepath.Join(folder, seal.PartName(2)))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	info, err := source.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := seal.Peek(seal.Source{Name: "2", ReaderAt: source, Size: info.Size()}); err != nil || b.Previous == nil || *b.Previous != *m.Ending {
		t.Errorf("it says that it follows %+v, %v", b, err)
	}

	// Of another room it is followed by none, nor once the recording has ended.
	if _, err := endingOf(m, "room-2"); err == nil {
		t.Error("another room's part follows")
	}
	if m := brought(t, cfg, 2); m.Ending != nil {
		t.Errorf("the last part: %+v", m)
	}
	if _, err := Start(cfg, about); !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
	done, err := Purge(t.Context(), folder, false)
	if err != nil || done.Parts != 1 || len(done.Away) != 1 || done.Away[0].Part != 1 {
		t.Errorf("purged: %+v, %v", done, err)
	}
	if _, err := os.Lstat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left: %v", err)
	}
}

func suspend(t *testing.T, r *Recording) {
	t.Helper()
	if err := r.Suspend(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// What a crash leaves of a mark counts for nothing, and goes with the recording; what
// cannot be one is not taken for one.
func TestMarksAreNotBelieved(t *testing.T) {
	cfg := config(t)
	suspend(t, start(t, cfg))
	folder := filepath.Join(cfg.Dir, "rec")
	for name, text := range map[string]string{"part-0001.json.123.new": "{", "part-0001.json": "{", "part-0002.json": `{"part":3,"store":"s3://x"}`} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if parts, err := Parts(cfg.Dir, "rec"); err != nil || len(parts) != 1 || parts[0].Mark != nil {
		t.Errorf("parts: %+v, %v", parts, err)
	}
	for _, id := range []string{"", "..", "a/b"} {
		if _, err := MarkOf(cfg.Dir, id, 1); err == nil {
			t.Errorf("%q has a mark", id)
		}
		if err := SetMark(cfg.Dir, id, Mark{Part: 1}); err == nil {
			t.Errorf("%q is marked", id)
		}
	}
	if done, err := Purge(t.Context(), folder, false); err != nil || done.Parts != 1 || !slices.Equal(done.Left, nil) {
		t.Errorf("purged: %+v, %v", done, err)
	}
}
