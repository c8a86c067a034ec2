package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A key that is rotated is taken into use at the next start. Those of before stay published,
// with their times, and verify what they signed; their private halves are gone.
func TestTheNodesKeyIsRotated(t *testing.T) {
	folder := t.TempDir()
	if _, err := RotateNodeKey(folder); !errors.Is(err, ErrNoNodeKey) {
		t.Errorf("without a key: %v", err)
	}
	first, err := LoadNodeKey(folder, "paris-1")
	if err != nil {
		t.Fatal(err)
	}
	next, err := RotateNodeKey(folder)
	if err != nil || next.String() == first.Public().String() || next.Node() != "paris-1" {
		t.Fatalf("%s, %v", next, err)
	}
	if _, err := RotateNodeKey(folder); !errors.Is(err, fs.ErrExist) {
		t.Errorf("rotated twice: %v", err)
	}
	second, err := LoadNodeKey(folder, "paris-1")
	if err != nil || second.Public().String() != next.String() {
		t.Fatalf("%s, %v", second.Public(), err)
	}
	if err := os.Remove(filepath.Join(folder, NodeKeyFile)); err != nil { // lost
		t.Fatal(err)
	}
	third, err := LoadNodeKey(folder, "paris-1")
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadNodeKey(folder, "paris-1")
	if err != nil || again.Public().String() != third.Public().String() || !again.Public().From().Equal(third.Public().From()) || len(again.Public().Earlier()) != 2 {
		t.Errorf("started again: %+v, %v", again.Public(), err)
	}
	all := third.Public().Earlier()
	if len(all) != 2 || all[0].Key != next.String() || all[1].Key != first.Public().String() || !all[0].From.Equal(all[1].Until) || !third.Public().From().Equal(all[0].Until) || all[0].Until.IsZero() {
		t.Errorf("%+v", all)
	}
	text, err := os.ReadFile(filepath.Join(folder, PublicKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	published, err := ParsePublicKey(string(text))
	if err != nil || published.String() != third.Public().String() || len(published.Earlier()) != 2 {
		t.Errorf("%+v, %v", published, err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}

	// A recording that goes on over a rotation.
	one, mem := begin(t, "rec", 1, nil, first)
	write(t, one, 1, 2)
	closed(t, one, false)
	previous := endingOf(one)
	if end, _, err := FindEnding(source(PartName(1), mem.Bytes()), third.Public()); err != nil || end.Hash != previous.Hash {
		t.Errorf("%+v, %v", end, err)
	}
	two, rest := begin(t, "rec", 2, &previous, third)
	write(t, two, 2, 1)
	closed(t, two, true)
	parts := sources(mem.Bytes(), rest.Bytes())
	for i := range published.earlier {
		published.earlier[i].until = day.Add(time.Hour) // the tests' recordings begin in some year to come
	}
	r, err := Verify(parts, published, false)
	if err != nil || r.Tampered() || !r.Closed() || r.Parts[0].Signer != first.Public().String() || r.Parts[1].Signer != third.Public().String() {
		t.Errorf("%q, %v", said(r), err)
	}
	alone, err := ParsePublicKey(third.Public().String())
	if err != nil {
		t.Fatal(err)
	}
	if r, err := Verify(parts, alone, false); err != nil || !strings.Contains(said(r), "part 1: foreign") {
		t.Errorf("without the keys of before: %q, %v", said(r), err)
	}
}

// Whoever has a key that was replaced signs no part that began afterwards, and no segment of
// one that another key began.
func TestAnOldKeySignsNothingNew(t *testing.T) {
	old, now := testKeys().node, testKeys().other
	until := day.Add(-time.Hour)
	key := now.public
	key.earlier = []earlierKey{{old.public.verifier, old.public.text, time.Time{}, until}}
	p, mem := begin(t, "rec", 1, nil, old)
	write(t, p, 1, 2)
	closed(t, p, true)
	if r, err := Verify(sources(mem.Bytes()), key, false); err != nil || !strings.Contains(said(r), "part 1: foreign: it began "+day.Format(time.RFC3339)+", and is signed by a key that was replaced") {
		t.Errorf("%q, %v", said(r), err)
	}
	key.earlier[0].until = day.Add(time.Hour)
	if r, err := Verify(sources(mem.Bytes()), key, false); err != nil || r.Tampered() {
		t.Errorf("%q, %v", said(r), err)
	}
	mixed, other := begin(t, "rec", 1, nil, now)
	write(t, mixed, 1, 1)
	mixed.key = old
	write(t, mixed, 1, 1)
	closed(t, mixed, true)
	if r, err := Verify(sources(other.Bytes()), key, false); err != nil || !strings.Contains(said(r), "foreign") {
		t.Errorf("a part of two keys: %q, %v", said(r), err)
	}
}

func TestPublishedKeysThatAreNone(t *testing.T) {
	good, err := json.Marshal(testKeys().node.Public())
	if err != nil {
		t.Fatal(err)
	}
	key, other := testKeys().node.Public().String(), testKeys().other.Public().String()
	for _, earlier := range []string{`[{"key":"x","until":"2027-01-01T00:00:00Z"}]`, `[{"key":"` + other + `"}]`, `[{"key":"` + key + `","until":"2027-01-01T00:00:00Z"}]`} {
		text := bytes.Replace(good, []byte(`"algorithm"`), []byte(`"earlier":`+earlier+`,"algorithm"`), 1)
		if k, err := ParsePublicKey(string(text)); err == nil {
			t.Errorf("%s is %+v", text, k)
		}
	}
	folder := t.TempDir()
	if _, err := LoadNodeKey(folder, "paris-1"); err != nil {
		t.Fatal(err)
	}
	for file, why := range map[string]string{NextKeyFile: "delete it, and the key stays", PublicKeyFile: "keys of before are then in it no more"} {
		before, _ := os.ReadFile(filepath.Join(folder, file))
		if err := os.WriteFile(filepath.Join(folder, file), []byte("torn"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadNodeKey(folder, "paris-1"); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s torn: %v", file, err)
		}
		if err := errors.Join(os.Remove(filepath.Join(folder, file))); err != nil {
			t.Fatal(err)
		}
		if before != nil {
			if err := os.WriteFile(filepath.Join(folder, file), before, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
