package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/recorder"
	"aparte/recorder/seal"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
)

// The key by which the server opens a recording ends with the recording's time. What is
// left of the files elsewhere, as in a backup, is opened by the archive and by nobody here,
// whoever has the server's own key and all of its disk.
func TestTheKeyOfARecordingEndsWithItsTime(t *testing.T) {
	s := newCinema(t, nil)
	other := strings.Repeat("S", 22)
	for _, id := range []string{recordingID, other} {
		s.record(id, profile.RecordingConsent, true)
		if s.films.next(t.Context()); s.film(id).State != recording.FilmDone {
			t.Fatalf("its film: %+v", s.film(id))
		}
	}
	backup := t.TempDir()
	summedUp(t, s.server, recordingID) // what is copied changes no more
	if err := os.CopyFS(backup, os.DirFS(filepath.Join(s.c.DataDir, recordingsFolder, recordingID))); err != nil {
		t.Fatal(err)
	}
	film, err := os.ReadFile(filepath.Join(backup, recorder.FilmFolder, "film.age"))
	if err != nil {
		t.Fatal(err)
	}
	opens := func(with []seal.Identity) [2]error {
		parts := recordingFiles(t.Context(), backup, func(files *recorder.Files) error {
			_, err := seal.Open(files.Parts, s.kept.key.Public(), with, false, false, io.Discard)
			return err
		})
		_, err := seal.OpenFileAt(bytes.NewReader(film), int64(len(film)), with)
		return [2]error{parts, err}
	}
	keys := func() (all []seal.Identity) {
		t.Helper()
		entries, err := os.ReadDir(filepath.Join(s.c.DataDir, recordingKeysFolder))
		if err != nil {
			t.Fatal(err)
		}
		all = slices.Clone(s.kept.filmKey.identities)
		for _, entry := range entries {
			info, err := entry.Info()
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", entry.Name(), info, err)
			}
			id, _ := strings.CutSuffix(entry.Name(), ".age")
			own, err := s.kept.keys.of(id)
			if err != nil || !own.is() {
				t.Errorf("%s: %v", entry.Name(), err)
			}
			all = append(all, own.identities...)
		}
		return all
	}
	before := keys()
	if len(before) != 3 || opens(before) != [2]error{} {
		t.Fatalf("while it is kept: %d keys, %v", len(before), opens(before))
	}
	// No key lies there in the clear.
	sealed, err := os.ReadFile(filepath.Join(s.c.DataDir, recordingKeysFolder, recordingID+".age"))
	if err != nil || !bytes.HasPrefix(sealed, []byte("age-encryption.org")) || bytes.Contains(sealed, []byte("AGE-SECRET-KEY")) {
		t.Errorf("its key is %.30q, %v", sealed, err)
	}

	db := overIn(t, s.c, strings.Repeat("N", 22), s.meeting)
	if _, err := db.ExecContext(t.Context(), `UPDATE recordings SET ended_at = $1, expires_at = $1 + 90 * 86400000 WHERE id = $2`, time.Now().UnixMilli(), other); err != nil {
		t.Fatal(err)
	}
	s.meetings.SweepRecordings(t.Context())
	after := keys()
	if len(after) != 2 {
		t.Errorf("%d keys are left, the server's and the other's were to be", len(after))
	}
	for _, err := range opens(after) {
		if !errors.Is(err, seal.ErrNotForUs) {
			t.Errorf("its time is over, and a copy opens: %v", err)
		}
	}
	text, err := os.ReadFile(s.archive)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := seal.ParseIdentities(text)
	if err != nil || opens(archive) != [2]error{} {
		t.Errorf("the archive: %v, %v", err, opens(archive))
	}
	if got := s.read(other, recording.TheFilm); !strings.HasPrefix(got, "OggS") {
		t.Errorf("the other's film is %.8q", got)
	}
}

// The key goes before the files do: what cannot be deleted cannot be opened either.
func TestTheKeyOfARecordingGoesFirst(t *testing.T) {
	s := newCinema(t, nil)
	s.record(recordingID, profile.RecordingConsent, true)
	stray := filepath.Join(s.c.DataDir, recordingsFolder, recordingID, "of-somebody-else")
	create(t, stray)
	if err := s.kept.Delete(t.Context(), recordingID); err == nil {
		t.Fatal("it is told as deleted, and something is left")
	}
	if own, err := s.kept.keys.of(recordingID); err != nil || own.is() {
		t.Errorf("its key is still there: %v", err)
	}
	if err := errors.Join(os.Remove(stray), s.kept.Delete(t.Context(), recordingID)); err != nil {
		t.Errorf("once more: %v", err)
	}
	for _, id := range []string{"", "..", "../recordings/" + recordingID, "a/b"} {
		if _, err := s.kept.keys.need(id); err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q has a key: %v", id, err)
		}
	}
}

// All parts of a recording have one key; one that began before each recording had its own
// is sealed to the server's, and is watched all the same.
func TestTheKeyOfARecordingThatGoesOn(t *testing.T) {
	s := newCinema(t, nil)
	first, err := s.kept.keys.need(recordingID)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.kept.keys.need(recordingID); err != nil || again.public.String() != first.public.String() {
		t.Errorf("another part has another key: %v", err)
	}
	before := strings.Repeat("B", 22)
	if err := s.kept.keys.put(before, []byte(s.kept.filmKey.text)); err != nil {
		t.Fatal(err)
	}
	s.record(before, profile.RecordingConsent, true) // sealed to the server's key
	if err := s.kept.keys.forget(before); err != nil {
		t.Fatal(err)
	}
	if s.films.next(t.Context()); s.film(before).State != recording.FilmDone || !strings.HasPrefix(s.read(before, recording.TheFilm), "OggS") {
		t.Errorf("its film: %+v", s.film(before))
	}
	// What composes is given no key but that of the recording, where that suffices.
	for _, c := range []struct {
		to   []string
		want string
	}{
		{[]string{first.public.String()}, first.text},
		{[]string{s.kept.filmKey.public.String(), first.public.String()}, first.text + s.kept.filmKey.text},
	} {
		if got, err := s.kept.keys.opening(recordingID, c.to); err != nil || got != c.want {
			t.Errorf("sealed to %d: %v", len(c.to), err)
		}
	}
	// A server that has got another key meanwhile goes on, for the archive alone.
	_, public, err := seal.NewIdentityFile(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	stranger := strings.Repeat("X", 22)
	keys := recordingKeys{s.kept.keys.dir, serverKey{public: public}}
	if err := keys.put(stranger, []byte(first.text)); err != nil {
		t.Fatal(err)
	}
	if summary := s.record(stranger, profile.RecordingConsent, true); !summary.Sealed {
		t.Error("it is told as one to be watched")
	}
}
