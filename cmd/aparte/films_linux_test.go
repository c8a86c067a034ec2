package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"

	"aparte/recorder"
	"aparte/recorder/compose"
	"aparte/recorder/compose/render"
	"aparte/recorder/keep"
	"aparte/recorder/seal"
	"aparte/recorder/storage"
	"aparte/recorder/storage/storagetest"
	"aparte/sfu/tap"
	"aparte/signaling/post"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
)

// cinema is a server, not started, with a key of its own and a meeting.
type cinema struct {
	*server
	t       *testing.T
	c       *Config
	meeting string
}

// inTheClear is in every film of sound alone: too long for chance to write it into a sealed one.
const inTheClear = "OpusHead"

func newCinema(t *testing.T, change func(c *Config)) *cinema {
	t.Helper()
	config := defaults()
	c := &config
	c.Listen, c.Admin.Listen, c.DataDir, c.Media.UDPPort, c.Media.Addresses = "127.0.0.1:0", "127.0.0.1:0", t.TempDir(), 0, []string{"127.0.0.1"}
	c.Recordings.ServerKey, c.Recordings.FilmFolder = filepath.Join(t.TempDir(), "server.key"), filepath.Join(t.TempDir(), "films")
	if change != nil {
		change(c)
	}
	s := &cinema{server: serverOf(t, c, true), t: t, c: c}
	s.meeting = demoMeeting(t, s.server)
	// The films are made by the program itself.
	s.films.self = filepath.Join(t.TempDir(), "aparte")
	if err := os.Symlink(os.Args[0], s.films.self); err != nil {
		t.Fatal(err)
	}
	return s
}

// record makes a recording of one second in which Inês says nothing, and its film's place
// in the queue.
func (s *cinema) record(id string, policy profile.Recording, watchable bool) recording.Summary {
	s.t.Helper()
	ctx := s.t.Context()
	capture, err := s.recorder.Start(ctx, recording.Order{ID: id, Part: 1, Meeting: s.meeting, Policy: policy, Watchable: watchable, AskedBy: "anne"})
	if err != nil {
		s.t.Fatal(err)
	}
	capture.Note(recording.Event{At: time.Now(), Kind: recording.EventAllowed, Identity: "p", Name: "Inês"})
	rec := capture.(*writing).rec
	rec.Begin(tap.Stream{ID: 1, Identity: "p", Track: "TR_a", Source: "microphone", Mime: "audio/opus", PayloadType: 111, ClockRate: 48000, Channels: 2})
	for n := range uint16(50) {
		raw, err := (&rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: n, Timestamp: uint32(n) * 960}, Payload: []byte{0xf8, 0xff, 0xfe}}).Marshal()
		if err != nil {
			s.t.Fatal(err)
		}
		rec.Packet(1, time.Now().Add(time.Duration(n)*20*time.Millisecond), raw)
	}
	summary, err := capture.Stop(ctx, true, "")
	if err != nil {
		s.t.Fatal(err)
	}
	db := overIn(s.t, s.c, id, s.meeting)
	for _, statement := range []string{
		`UPDATE recordings SET keep_days = 90, expires_at = ended_at + 90 * 86400000, watchable = 1 WHERE id = '` + id + `'`,
		`INSERT INTO recording_films (recording_id, state, queued_at, since, attempts, begun, stage, progress, reason, type, length_ms, bytes, captions)
			VALUES ('` + id + `', 'queued', 1, 1, 0, 0, '', 0, '', '', 0, 0, 0)`,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			s.t.Fatal(err)
		}
	}
	return summary
}

func (s *cinema) film(id string) recording.Film {
	s.t.Helper()
	f, err := s.store.Film(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}

// read is a file of a film, in the clear.
func (s *cinema) read(id string, which recording.FilmFile) string {
	s.t.Helper()
	f, err := s.kept.OpenFilm(s.t.Context(), id, s.film(id).Made.Take, which)
	if err != nil {
		s.t.Fatal(which, err)
	}
	text, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil || int64(len(text)) != f.Bytes {
		s.t.Fatal(which, err, f.Bytes, len(text))
	}
	return string(text)
}

func create(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within a minute: " + what)
		}
	}
}

// statOf are the fields of /proc/PID/stat after the name, the state first (proc(5)).
func statOf(t *testing.T, pid int) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}

const recordingID = "RRRRRRRRRRRRRRRRRRRRRR"

// A film that a stop of the server interrupted goes on after it, in a process of its own
// that leaves the machine to those who speak; what comes out is sealed, and nothing else stays.
func TestAFilmIsMade(t *testing.T) {
	s := newCinema(t, nil)
	if summary := s.record(recordingID, profile.RecordingConsent, true); summary.Sealed {
		t.Error("it is told as sealed to the archive alone")
	}
	ctx, stop := context.WithCancel(t.Context())
	// The process waits for its order, and the order for the test.
	begun, order := make(chan int, 1), make(chan struct{})
	s.films.started = func(pid int) { begun <- pid; <-order }
	over := make(chan struct{})
	go func() { defer close(over); s.films.run(ctx) }()
	pid := <-begun
	if stat := statOf(t, pid); len(stat) < 17 || stat[16] != strconv.Itoa(filmNiceness) {
		t.Errorf("its priority: %v", stat)
	}
	environ, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	arguments, argErr := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err := errors.Join(err, argErr); err != nil || !bytes.Contains(environ, []byte("GOMAXPROCS=2")) || bytes.Contains(environ, []byte("SECRET")) || bytes.Contains(arguments, []byte("SECRET")) {
		t.Errorf("it is started as %q in %q, %v", arguments, environ, err)
	}
	stop()
	until(t, "it dies with its server", func() bool { stat := statOf(t, pid); return stat == nil || stat[0] == "Z" })
	close(order)
	<-over
	if f := s.film(recordingID); f.State != recording.FilmQueued || f.Attempts != 0 || f.Begun != 1 {
		t.Errorf("interrupted: %+v", f)
	}
	folder := s.films.folder(recordingID)
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("what is half made: %v, %v", info, err)
	}

	// After a crash it is as it was: running, of a process that is no more.
	if err := s.store.SaveFilm(t.Context(), recording.Film{Recording: recordingID, State: recording.FilmRunning, Begun: 1, QueuedAt: time.Now(), Since: time.Now()}); err != nil {
		t.Fatal(err)
	}
	create(t, s.films.folder("none"))
	others := filepath.Join(s.c.Recordings.FilmFolder, "of-somebody-else")
	create(t, others)
	s.films.started = nil
	s.films.tidy(t.Context())
	if !s.films.next(t.Context()) {
		t.Fatal("there is nothing to do")
	}
	f := s.film(recordingID)
	if f.State != recording.FilmDone || f.Made.Type != "audio/ogg" || f.Made.Length < 900*time.Millisecond || f.Made.Bytes == 0 || f.Begun != 2 {
		t.Fatalf("made: %+v", f)
	}
	if entries, err := os.ReadDir(s.c.Recordings.FilmFolder); err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(others) {
		t.Errorf("on the way is left %v, %v", entries, err)
	}
	if got := s.read(recordingID, recording.TheFilm); !strings.HasPrefix(got, "OggS") || !strings.Contains(got, inTheClear) || int64(len(got)) != f.Made.Bytes {
		t.Errorf("the film is %.8q, %d bytes", got, len(got))
	}
	if got := s.read(recordingID, recording.FilmChapters); !strings.Contains(got, "Inês") {
		t.Errorf("the chapters are %s", got)
	}
	sealed, err := os.ReadFile(filepath.Join(s.c.DataDir, recordingsFolder, filmObject(recordingID, 1, recording.TheFilm)))
	if err != nil || !bytes.HasPrefix(sealed, []byte("age-encryption.org")) || bytes.Contains(sealed, []byte(inTheClear)) {
		t.Errorf("on the disk is %.30q, %v", sealed, err)
	}
	// The archive opens it as well.
	if text, err := os.ReadFile(s.archive); err != nil {
		t.Error(err)
	} else if keys, err := seal.ParseIdentities(text); err != nil {
		t.Error(err)
	} else if _, err := seal.OpenFileAt(bytes.NewReader(sealed), int64(len(sealed)), keys); err != nil {
		t.Errorf("the archive: %v", err)
	}
	if s.films.next(t.Context()) {
		t.Error("there is something to do")
	}
	if err := s.kept.Delete(t.Context(), recordingID); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.c.DataDir, recordingsFolder, recordingID)); !os.IsNotExist(err) {
		t.Errorf("deleted, and there is %v", err)
	}
	if _, err := s.kept.OpenFilm(t.Context(), recordingID, 1, recording.TheFilm); !errors.Is(err, recording.ErrNone) {
		t.Errorf("deleted, and opens: %v", err)
	}
}

// What a film has used of processors is kept when the server stops or goes down, and counts
// when it is gone on with, until a host has it made again.
func TestWhatAFilmCostsIsKept(t *testing.T) {
	s := newCinema(t, nil)
	s.record(recordingID, profile.RecordingConsent, true)
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { defer close(over); s.films.next(ctx) }()
	until(t, "it is told what it costs", func() bool { return s.film(recordingID).Spent > 0 })
	stop()
	<-over
	f := s.film(recordingID)
	if f.State != recording.FilmQueued || f.Spent == 0 {
		t.Fatalf("interrupted: %+v", f)
	}
	f.Spent += 10*time.Minute + 10*time.Second // as much as a second may cost
	if err := s.store.SaveFilm(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	s.films.next(t.Context())
	if now := s.film(recordingID); now.State != recording.FilmFailed || now.Reason != recording.FilmTooCostly || now.Spent < f.Spent {
		t.Errorf("gone on with: %+v", now)
	}
	again, err := s.film(recordingID).Again(time.Now())
	if err != nil || again.Spent != 0 {
		t.Fatalf("again: %+v, %v", again, err)
	}
	if err := s.store.SaveFilm(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	s.films.next(t.Context())
	if now := s.film(recordingID); now.State != recording.FilmDone || now.Spent != 0 {
		t.Errorf("made again: %+v", now)
	}
}

// A recording that is deleted takes its film with it, also while that is being made.
func TestAFilmIsForgottenWhileItIsMade(t *testing.T) {
	s := newCinema(t, nil)
	s.record(recordingID, profile.RecordingConsent, true)
	begun, order := make(chan int, 1), make(chan struct{})
	s.films.started = func(pid int) { begun <- pid; <-order }
	over := make(chan struct{})
	go func() { defer close(over); s.films.next(t.Context()) }()
	pid := <-begun
	deleted := make(chan error, 1)
	go func() { deleted <- s.kept.Delete(t.Context(), recordingID) }()
	until(t, "it is made no more", func() bool { stat := statOf(t, pid); return stat == nil || stat[0] == "Z" })
	close(order)
	if err := <-deleted; err != nil {
		t.Fatal(err)
	}
	<-over
	for _, folder := range []string{s.c.Recordings.FilmFolder, filepath.Join(s.c.DataDir, recordingsFolder)} {
		if entries, err := os.ReadDir(folder); err != nil || len(entries) != 0 {
			t.Errorf("in %s is left %v, %v", folder, entries, err)
		}
	}
}

// A film of a recording whose deletion has begun is neither made nor told of any more: what
// deletes it does not find it, and nobody would delete it afterwards.
func TestNoFilmIsMadeOfWhatIsBeingDeleted(t *testing.T) {
	s := newCinema(t, nil)
	s.record(recordingID, profile.RecordingConsent, true)
	other := strings.Repeat("S", 22)
	s.record(other, profile.RecordingConsent, true)
	waits := s.film(recordingID)
	db := overIn(t, s.c, strings.Repeat("N", 22), s.meeting)
	if _, err := db.ExecContext(t.Context(), `INSERT INTO recording_deletions VALUES ($1, '', 'expired', 1, 1)`, recordingID); err != nil {
		t.Fatal(err)
	}
	s.films.started = func(int) { t.Error("it is made") }
	s.films.make(t.Context(), waits) // as it was listed before
	if got := s.film(recordingID); got != waits {
		t.Errorf("it is %+v", got)
	}
	for path := range map[string]bool{s.films.folder(recordingID): true, filepath.Join(s.c.DataDir, recordingsFolder, recordingID, recorder.FilmFolder): true} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
	// It holds up no others.
	s.films.started = nil
	if !s.films.next(t.Context()) || s.film(other).State != recording.FilmDone {
		t.Errorf("the other is %+v", s.film(other))
	}
}

// Whoever may write where recordings are kept gets nothing opened by putting it in the
// place of another: neither a film, nor a segment, nor parts.
func TestAFilmIsOfItsOwnRecording(t *testing.T) {
	s := newCinema(t, nil)
	other := strings.Repeat("S", 22)
	s.record(recordingID, profile.RecordingConsent, true)
	s.films.next(t.Context())
	s.record(other, profile.RecordingConsent, true)
	at := func(id string, below ...string) string {
		return filepath.Join(append([]string{s.c.DataDir, recordingsFolder, id}, below...)...)
	}
	put := func(from, to string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err == nil {
			err = errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, text, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	const film, note = "film.age", "film.note"
	refused := func(what, id string, which recording.FilmFile) {
		t.Helper()
		if _, err := s.kept.OpenFilm(t.Context(), id, 1, which); !errors.Is(err, seal.ErrTampered) {
			t.Errorf("%s: %v", what, err)
		}
	}
	s.read(recordingID, recording.TheFilm)
	put(at(recordingID, "film", film), at(other, "film", film))
	refused("another's film without its note", other, recording.TheFilm)
	put(at(recordingID, "film", note), at(other, "film", note))
	refused("another's film", other, recording.TheFilm)
	put(at(recordingID, "film", "chapters.age"), at(recordingID, "film", film))
	refused("another file of the film", recordingID, recording.TheFilm)
	if err := os.RemoveAll(at(other, "film")); err != nil {
		t.Fatal(err)
	}
	put(at(recordingID, seal.PartName(1)), at(other, seal.PartName(1)))
	s.films.next(t.Context())
	if f := s.film(other); f.State != recording.FilmFailed || f.Reason != recording.FilmDamaged {
		t.Errorf("of another's parts the film is %+v", f)
	}
}

// Low disk costs a film, before it is begun and while it is made, and nobody else anything.
func TestAFilmLeavesRoomToOthers(t *testing.T) {
	s := newCinema(t, nil)
	s.record(recordingID, profile.RecordingConsent, true)
	var left atomic.Int64
	s.films.room = func(string) (int64, error) { return left.Load(), nil }
	left.Store(recorder.Spare + 100)
	s.films.started = func(int) { t.Error("it is begun") }
	s.films.make(t.Context(), s.film(recordingID))
	if f := s.film(recordingID); f.State != recording.FilmQueued || f.Reason != recording.FilmNoRoom || f.Attempts != 1 {
		t.Errorf("without room for it: %+v", f)
	}
	left.Store(recorder.Spare << 10)
	s.films.roomEvery = time.Millisecond
	s.films.started = func(int) { left.Store(recorder.Spare - 1) }
	s.films.make(t.Context(), s.film(recordingID))
	if f := s.film(recordingID); f.State != recording.FilmQueued || f.Reason != recording.FilmNoRoom || f.Attempts != 2 {
		t.Errorf("when the disk fills meanwhile: %+v", f)
	}
	if entries, err := os.ReadDir(s.c.Recordings.FilmFolder); err != nil || len(entries) != 0 {
		t.Errorf("on the way is left %v, %v", entries, err)
	}
}

// Without ffmpeg films wait and say so; with it they are made.
func TestWithoutFFmpegFilmsWait(t *testing.T) {
	s := newCinema(t, func(c *Config) { c.Recordings.FFmpeg = "/nonexistent/ffmpeg" })
	s.record(recordingID, profile.RecordingConsent, true)
	if s.films.next(t.Context()) {
		t.Error("something was made")
	}
	if f := s.film(recordingID); f.State != recording.FilmUnavailable || f.Reason != recording.FilmNoProgram {
		t.Errorf("it waits as %+v", f)
	}
	s.films.ffmpeg, s.films.looked = "/usr/bin/ffmpeg", time.Time{}
	if !s.films.next(t.Context()) || s.film(recordingID).State != recording.FilmDone {
		t.Errorf("with ffmpeg it is %+v", s.film(recordingID))
	}
	// What cannot be made fails, and says why.
	s.record(strings.Repeat("S", 22), profile.RecordingConsent, true)
	if err := os.Truncate(filepath.Join(s.c.DataDir, recordingsFolder, strings.Repeat("S", 22), seal.PartName(1)), 8000); err != nil {
		t.Fatal(err)
	}
	s.films.next(t.Context())
	if f := s.film(strings.Repeat("S", 22)); f.State != recording.FilmFailed && f.State != recording.FilmQueued || f.Reason == "" {
		t.Errorf("of what is damaged: %+v", f)
	}
	if entries, err := os.ReadDir(s.c.Recordings.FilmFolder); err != nil || len(entries) != 0 {
		t.Errorf("on the way is left %v, %v", entries, err)
	}
}

// What is sealed to the archive is never sealed to the server's key, whatever anybody
// says, and the server cannot open it.
func TestWhatIsSealedIsNotForTheServer(t *testing.T) {
	s := newCinema(t, nil)
	sealedTo := func(id string) []string {
		t.Helper()
		to, err := recipientsOf(filepath.Join(s.c.DataDir, recordingsFolder, id))
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	opens := func(id string, with []seal.Identity) error {
		return recordingFiles(t.Context(), filepath.Join(s.c.DataDir, recordingsFolder, id), func(files *recorder.Files) error {
			_, err := seal.Open(files.Parts, s.kept.key.Public(), with, false, false, io.Discard)
			return err
		})
	}
	for _, c := range []struct {
		policy    profile.Recording
		watchable bool // as the order says
		opens     bool
	}{
		{profile.RecordingConsent, true, true},
		{profile.RecordingConsent, false, false}, // it was asked for before there was a key
		{profile.RecordingSealed, true, false},
		{profile.RecordingSealed, false, false},
	} {
		id := strings.Repeat(map[bool]string{true: "T", false: "F"}[c.watchable], 21) + string(c.policy)[:1]
		summary := s.record(id, c.policy, c.watchable)
		own, err := s.kept.keys.of(id)
		if err != nil || own.is() != c.opens {
			t.Fatalf("%s, watchable: %t: it has a key of its own: %t, %v", c.policy, c.watchable, own.is(), err)
		}
		to := sealedTo(id)
		with, err := s.kept.keys.identities(id)
		if err == nil {
			err = opens(id, with)
		}
		if slices.ContainsFunc(to, own.opensFor) != c.opens || (err == nil) != c.opens || err != nil && !errors.Is(err, seal.ErrNotForUs) || summary.Sealed == c.opens {
			t.Errorf("%s, watchable: %t: sealed to %.20q, it opens: %v, told as sealed: %t", c.policy, c.watchable, to, err, summary.Sealed)
		}
		// The server's own key opens the recordings' keys, and nothing else.
		if err := opens(id, s.kept.filmKey.identities); slices.ContainsFunc(to, s.kept.filmKey.opensFor) || !errors.Is(err, seal.ErrNotForUs) {
			t.Errorf("%s, watchable: %t: by the server's own key: %v", c.policy, c.watchable, err)
		}
	}
	// Nor is a film made of it by mistake.
	id := strings.Repeat("T", 21) + "s"
	for range 4 {
		s.films.next(t.Context())
	}
	if f := s.film(id); f.State != recording.FilmFailed || f.Reason != recording.FilmNoKey {
		t.Errorf("its film is %+v", f)
	}
	// The server's key among the archive's would be a way round.
	config := *s.c
	config.Recordings.Recipients = []string{s.kept.filmKey.public.String()}
	if _, err := openRecorder(&config, s.kept, s.rooms.Meetings(), s.store, nil); err == nil || !strings.Contains(err.Error(), "recordings.recipients") {
		t.Errorf("the server's key as the archive's: %v", err)
	}
}

// chosen has the film of a recording wait to be made in another way, as a host has it.
func (s *cinema) chosen(id string, c recording.FilmChoice) {
	s.t.Helper()
	f, changed, err := s.film(id).Choose(c, time.Now())
	if err != nil || !changed {
		s.t.Fatalf("choose %+v: %t, %v", c, changed, err)
	}
	if err := s.store.SaveFilm(s.t.Context(), f); err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.db().ExecContext(s.t.Context(), `UPDATE recording_films SET layout = $1, format = $2 WHERE recording_id = $3`, c.Layout, c.Format, id); err != nil {
		s.t.Fatal(err)
	}
}

func (s *cinema) db() *sql.DB {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.c.DataDir, "aparte.db")+"?_pragma=busy_timeout(20000)")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = db.Close() })
	return db
}

// shelf are the names of what lies beside a recording to be watched.
func (s *cinema) shelf(id string) (names []string) {
	s.t.Helper()
	for _, place := range s.kept.objects {
		all, err := place.List(s.t.Context(), id+"/"+recorder.FilmFolder)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, object := range all {
			names = append(names, strings.TrimPrefix(object.Name, id+"/"+recorder.FilmFolder+"/"))
		}
	}
	return names
}

// leave puts something in the place of a film's file, as a crash leaves it.
func (s *cinema) leave(id string, take int) {
	s.t.Helper()
	if _, err := s.kept.objects[0].Put(s.t.Context(), filmObject(id, take, recording.TheFilm), strings.NewReader("left"), 4); err != nil {
		s.t.Fatal(err)
	}
}

// A film in another format takes the place of the one that is there when it is whole, and
// not before; whatever a crash leaves in between goes.
func TestAFilmIsMadeAnew(t *testing.T) {
	s := newCinema(t, func(c *Config) { c.Recordings.FilmFormat = "mp4" })
	s.record(recordingID, profile.RecordingConsent, true)
	mp4, webm := recording.FilmChoice{Layout: recording.FilmGrid, Format: recording.FilmMP4}, recording.FilmChoice{Layout: recording.FilmSpeaker, Format: recording.FilmWebM}
	if got := s.c.film(); got != mp4 {
		t.Errorf("films are made as %+v", got)
	}
	s.films.next(t.Context())
	first := s.film(recordingID)
	if first.State != recording.FilmDone || first.Made.Take != 1 || first.Made.Type != "audio/ogg" {
		t.Fatalf("as it was queued: %+v", first)
	}
	s.chosen(recordingID, mp4)
	s.leave(recordingID, 2) // of another attempt
	begun, order := make(chan int, 1), make(chan struct{})
	s.films.started = func(pid int) { begun <- pid; <-order }
	over := make(chan struct{})
	go func() { defer close(over); s.films.next(t.Context()) }()
	<-begun
	if got := s.read(recordingID, recording.TheFilm); !strings.HasPrefix(got, "OggS") {
		t.Errorf("while another is made there is %.8q", got)
	}
	close(order)
	<-over
	f := s.film(recordingID)
	if f.State != recording.FilmDone || f.Made.Take != 2 || f.Made.Type != "audio/mp4" || f.Made.Choice != mp4 || f.Made.Length < 900*time.Millisecond {
		t.Fatalf("made anew: %+v", f)
	}
	if got := s.read(recordingID, recording.TheFilm); len(got) < 8 || got[4:8] != "ftyp" || int64(len(got)) != f.Made.Bytes || strings.Index(got, "moov") > strings.Index(got, "mdat") {
		t.Errorf("the film is %.8q, %d bytes, and does not begin with what a player needs first", got, len(got))
	}
	if got := s.read(recordingID, recording.FilmChapters); !strings.Contains(got, "Inês") {
		t.Errorf("the chapters are %s", got)
	}
	if got := s.shelf(recordingID); !slices.Equal(got, []string{"chapters-2.age", "chapters-2.note", "film-2.age", "film-2.note"}) {
		t.Errorf("there is %q", got)
	}

	// Killed before the one that was replaced was deleted.
	s.films.started = nil
	f.LeftAt, f.Looks = time.Now(), 0
	if err := s.store.SaveFilm(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	s.leave(recordingID, 1)
	s.films.deleteLeft(t.Context(), time.Now())
	if got := s.shelf(recordingID); !slices.Equal(got, []string{"chapters-2.age", "chapters-2.note", "film-2.age", "film-2.note"}) || s.film(recordingID).Looks != 1 {
		t.Errorf("after a crash there is %q, %+v", got, s.film(recordingID))
	}

	// A choice that is taken back before it is made costs nothing.
	s.chosen(recordingID, webm)
	waiting := s.film(recordingID)
	s.chosen(recordingID, mp4)
	s.films.make(t.Context(), waiting) // as it was looked up before
	if now := s.film(recordingID); now.State != recording.FilmDone || now.Made != f.Made {
		t.Errorf("taken back: %+v", now)
	}

	// One that fails leaves what is there.
	s.chosen(recordingID, webm)
	if err := os.Truncate(filepath.Join(s.c.DataDir, recordingsFolder, recordingID, seal.PartName(1)), 8000); err != nil {
		t.Fatal(err)
	}
	for range filmTries {
		s.films.next(t.Context())
	}
	if now := s.film(recordingID); now.State != recording.FilmFailed || now.Made != f.Made {
		t.Errorf("of what is damaged: %+v", now)
	}
	if got := s.read(recordingID, recording.TheFilm); len(got) < 8 || got[4:8] != "ftyp" {
		t.Errorf("after a failure there is %.8q", got)
	}
}

// filmTries is how often a film is tried.
const filmTries = 3

// What was put of a film and called off, and comes to a real store after another one was
// made or chosen, does not stay there; nor does what an attempt had brought there that
// failed for good.
func TestWhatComesAfterAFilm(t *testing.T) {
	gateway := storagetest.Start(t)
	slow := gateway.Slowly(t)
	address := gateway.Bucket(t, "records", false)
	s := newCinema(t, func(c *Config) {
		c.Recordings.Store, c.Recordings.StoreAccessKey, c.Recordings.StoreSecretKey = address, gateway.Keys.AccessKey, gateway.Keys.SecretKey
	})
	s.record(recordingID, profile.RecordingConsent, true)
	settled(t, s.kept.keeper)
	first := []string{"chapters.age", "chapters.note", "film.age", "film.note"}
	s.films.next(t.Context())
	if got := s.shelf(recordingID); !slices.Equal(got, first) {
		t.Fatalf("there is %q", got)
	}
	grid := s.film(recordingID).Choice
	s.chosen(recordingID, recording.FilmChoice{Layout: recording.FilmGrid, Format: recording.FilmMP4})
	slow.Hold()
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { defer close(over); s.films.next(ctx) }()
	if path := <-slow.Arrived; !strings.Contains(path, "-2.") {
		t.Fatalf("%s is put", path)
	}
	stop() // the server stops, and what was chosen is taken back
	<-over
	s.chosen(recordingID, grid)
	left := s.film(recordingID).LeftAt
	s.films.deleteLeft(t.Context(), left)
	slow.Release()
	if got := s.shelf(recordingID); len(got) != 5 {
		t.Fatalf("what comes late is not there: %q", got)
	}
	s.films.deleteLeft(t.Context(), left.Add(59*time.Second))
	if got := s.shelf(recordingID); len(got) != 5 {
		t.Errorf("it is looked too soon: %q", got)
	}
	s.films.deleteLeft(t.Context(), left.Add(time.Minute))
	if got := s.shelf(recordingID); !slices.Equal(got, first) || s.film(recordingID).Looks != 2 {
		t.Errorf("after a minute there is %q, %+v", got, s.film(recordingID))
	}
	s.films.deleteLeft(t.Context(), left.Add(24*time.Hour))
	if f := s.film(recordingID); !f.LeftAt.IsZero() {
		t.Errorf("it is looked for ever: %+v", f)
	}

	// One that fails, the last time, with half of it brought there.
	s.chosen(recordingID, recording.FilmChoice{Layout: recording.FilmSpeaker, Format: recording.FilmWebM})
	running, err := s.film(recordingID).Begin(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.leave(recordingID, 2)
	if err := s.store.SaveFilm(t.Context(), running.Fail(recording.FilmDamaged, time.Now())); err != nil {
		t.Fatal(err)
	}
	s.films.deleteLeft(t.Context(), time.Now())
	if got := s.shelf(recordingID); !slices.Equal(got, first) {
		t.Errorf("after it failed there is %q", got)
	}
}

// While a recording is on hold nothing of its film is deleted: neither the one in whose
// place another is, that was chosen before, nor anything when it is tried again. In the
// store it is on hold as well, also what is made meanwhile, and not locked until the
// recording's time is over.
func TestAFilmOnHold(t *testing.T) {
	for _, bucket := range []bool{false, true} {
		t.Run(map[bool]string{false: "in a folder", true: "in a bucket"}[bucket], func(t *testing.T) { filmOnHold(t, bucket) })
	}
}

func filmOnHold(t *testing.T, bucket bool) {
	gateway := storagetest.Start(t)
	address := gateway.Lockable(t, "records")
	s := newCinema(t, func(c *Config) {
		if !bucket { // where nothing but the server keeps it
			return
		}
		c.Recordings.Store, c.Recordings.StoreAccessKey, c.Recordings.StoreSecretKey = address, gateway.Keys.AccessKey, gateway.Keys.SecretKey
		c.Recordings.StoreLock = string(storage.Governance)
	})
	s.record(recordingID, profile.RecordingConsent, true)
	settled(t, s.kept.keeper)
	s.films.next(t.Context())
	locked := func(want string, files ...string) {
		t.Helper()
		if !bucket {
			return
		}
		for _, file := range files {
			if got := gateway.Locked(t, "records", "aparte/"+recordingID+"/"+recorder.FilmFolder+"/"+file); got != want {
				t.Errorf("%s is locked %q, want %q", file, got, want)
			}
		}
	}
	follow := func() {
		t.Helper()
		if !bucket {
			return
		}
		if err := s.kept.locks.follow(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	locked("- -", "film.age", "film.note")
	s.chosen(recordingID, recording.FilmChoice{Layout: recording.FilmGrid, Format: recording.FilmMP4})
	holds(t, s.server, s.meeting, recordingID, &recording.Hold{By: "anne", ByName: "Anne", Reason: "Réquisition", Since: time.Now()})
	follow()
	locked("- ON", "film.age", "film.note", "chapters.age")
	s.films.next(t.Context())
	both := []string{"chapters-2.age", "chapters-2.note", "chapters.age", "chapters.note", "film-2.age", "film-2.note", "film.age", "film.note"}
	f := s.film(recordingID)
	if got := s.shelf(recordingID); f.State != recording.FilmDone || f.Made.Take != 2 || !slices.Equal(got, both) {
		t.Fatalf("made while it is on hold: %+v, and there is %q", f, got)
	}
	locked("- ON", "film-2.age", "film-2.note")
	s.films.deleteLeft(t.Context(), time.Now().Add(48*time.Hour))
	if got := s.shelf(recordingID); !slices.Equal(got, both) {
		t.Errorf("after two days there is %q", got)
	}
	// Nor when another attempt begins.
	if err := s.films.keep(t.Context(), f, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if got := s.shelf(recordingID); !slices.Equal(got, both) {
		t.Errorf("after another attempt there is %q", got)
	}
	holds(t, s.server, s.meeting, recordingID, nil)
	follow()
	locked("- OFF", "film-2.age")
	s.films.deleteLeft(t.Context(), time.Now())
	if got := s.shelf(recordingID); !slices.Equal(got, []string{"chapters-2.age", "chapters-2.note", "film-2.age", "film-2.note"}) {
		t.Errorf("lifted, there is %q", got)
	}
}

// A format that this ffmpeg lacks waits for another one, and no other film with it.
func TestAFormatThatIsMissingWaits(t *testing.T) {
	s := newCinema(t, nil)
	s.films.can, s.films.looked = map[recording.FilmFormat]bool{recording.FilmWebM: true}, time.Now()
	s.record(recordingID, profile.RecordingConsent, true)
	s.films.next(t.Context())
	s.chosen(recordingID, recording.FilmChoice{Layout: recording.FilmGrid, Format: recording.FilmMP4})
	if s.films.next(t.Context()) {
		t.Error("something was made")
	}
	if f := s.film(recordingID); f.State != recording.FilmUnavailable || f.Made.Take != 1 {
		t.Errorf("it waits as %+v", f)
	}
	if got := s.lookAtFilms(t.Context()); got == nil || got.Waiting != 1 || got.Possible {
		t.Errorf("administrators read %+v", got)
	}
	other := strings.Repeat("S", 22)
	s.record(other, profile.RecordingConsent, true)
	if s.films.next(t.Context()); s.film(other).State != recording.FilmDone {
		t.Errorf("another film: %+v", s.film(other))
	}
	s.films.looked = time.Now().Add(-programEvery)
	if s.films.next(t.Context()); s.film(recordingID).State != recording.FilmDone {
		t.Errorf("with another ffmpeg: %+v", s.film(recordingID))
	}
}

// postKeys are the keys of any post.
type postKeys []string

func (k postKeys) RecipientKeys(context.Context, string) ([]string, error) { return k, nil }

// As many keys as a post may have leave room for the server's own.
func TestThereIsRoomForTheServersKey(t *testing.T) {
	var keys postKeys
	for range post.MaxRecipients {
		_, public, err := seal.NewIdentityFile(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, public.String())
	}
	s := newCinema(t, func(c *Config) { c.Recordings.Recipients = keys })
	for id, posts := range map[string]recipientKeys{recordingID: s.store, strings.Repeat("P", 22): keys} { // the server's, a post's
		s.recorder.posts = posts
		if summary := s.record(id, profile.RecordingConsent, true); summary.Sealed {
			t.Error("it is told as sealed to the archives alone")
		}
		to, err := recipientsOf(filepath.Join(s.c.DataDir, recordingsFolder, id))
		own, keyErr := s.kept.keys.of(id)
		if err := errors.Join(err, keyErr); err != nil || len(to) != post.MaxRecipients+1 || !slices.ContainsFunc(to, own.opensFor) {
			t.Errorf("it is sealed to %d, %v", len(to), err)
		}
		if s.films.next(t.Context()); s.film(id).State != recording.FilmDone {
			t.Errorf("its film: %+v", s.film(id))
		}
	}
	config := *s.c
	config.Recordings.Recipients = append(slices.Clone(keys), s.kept.filmKey.public.String())
	if _, err := openRecorder(&config, s.kept, s.rooms.Meetings(), s.store, nil); err == nil || err.Error() != "recordings.recipients: 21 recipients, at most 20 are allowed" {
		t.Errorf("one key more: %v", err)
	}
}

// A film of a recording that lies in a store alone is made of what is there, lies there as
// well, sealed, and is deleted with it.
func TestAFilmInABucket(t *testing.T) {
	gateway := storagetest.Start(t)
	address := gateway.Bucket(t, "records", false)
	s := newCinema(t, func(c *Config) {
		c.Recordings.Store, c.Recordings.StoreAccessKey, c.Recordings.StoreSecretKey = address, gateway.Keys.AccessKey, gateway.Keys.SecretKey
	})
	s.record(recordingID, profile.RecordingConsent, true)
	settled(t, s.kept.keeper)
	here := filepath.Join(s.c.DataDir, recordingsFolder, recordingID)
	if _, err := os.Stat(filepath.Join(here, seal.PartName(1))); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the part is still here: %v", err)
	}
	bucket := gateway.Open(t, address)
	films := func() (names []string) {
		t.Helper()
		all, err := bucket.List(t.Context(), recordingID+"/"+recorder.FilmFolder)
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range all {
			names = append(names, object.Name)
		}
		return names
	}
	s.films.next(t.Context())
	f := s.film(recordingID)
	if f.State != recording.FilmDone {
		t.Fatalf("its film: %+v", f)
	}
	if got, want := films(), []string{
		filmObject(recordingID, 1, recording.FilmChapters), filmNote(recordingID, 1, recording.FilmChapters),
		filmObject(recordingID, 1, recording.TheFilm), filmNote(recordingID, 1, recording.TheFilm),
	}; !slices.Equal(got, want) {
		t.Errorf("in the bucket is %q", got)
	}
	if entries, err := os.ReadDir(here); err != nil || slices.ContainsFunc(entries, fs.DirEntry.IsDir) {
		t.Errorf("here is %v, %v", entries, err)
	}
	if entries, err := os.ReadDir(s.c.Recordings.FilmFolder); err != nil || len(entries) != 0 {
		t.Errorf("on the way is left %v, %v", entries, err)
	}
	whole := s.read(recordingID, recording.TheFilm)
	if !strings.HasPrefix(whole, "OggS") || !strings.Contains(whole, inTheClear) {
		t.Errorf("the film is %.8q", whole)
	}
	file, err := s.kept.OpenFilm(t.Context(), recordingID, 1, recording.TheFilm)
	if err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	request.Header.Set("Range", "bytes=100-199")
	answer := httptest.NewRecorder()
	http.ServeContent(answer, request, "", time.Now(), file)
	if err := file.Close(); err != nil || answer.Code != http.StatusPartialContent || answer.Body.String() != whole[100:200] {
		t.Errorf("a range: %d, %d bytes, %v", answer.Code, answer.Body.Len(), err)
	}
	sealed, err := bucket.Open(t.Context(), filmObject(recordingID, 1, recording.TheFilm))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(sealed)
	if err := errors.Join(err, sealed.Close()); err != nil || !bytes.HasPrefix(text, []byte("age-encryption.org")) || bytes.Contains(text, []byte(inTheClear)) {
		t.Errorf("in the bucket is %.30q, %v", text, err)
	}
	// Its parts are still what an archive takes.
	if parts, err := s.kept.Parts(t.Context(), recordingID); err != nil || len(parts) != 1 || parts[0].Stored != recording.StoredThere {
		t.Errorf("its parts: %+v, %v", parts, err)
	}
	if fetched, err := keep.Fetch(t.Context(), bucket, recordingID, filepath.Join(t.TempDir(), "away")); err != nil || len(fetched) != 1 || !fetched[0].Whole {
		t.Errorf("fetched: %+v, %v", fetched, err)
	}

	// Made anew while the store is away it is tried again, and what is there stays.
	s.chosen(recordingID, recording.FilmChoice{Layout: recording.FilmGrid, Format: recording.FilmMP4})
	gateway.Stop()
	s.films.next(t.Context())
	if now := s.film(recordingID); now.State != recording.FilmQueued || now.Attempts != 1 || now.Made != f.Made {
		t.Errorf("without the store: %+v", now)
	}
	gateway.Again(t)
	s.films.next(t.Context())
	if now := s.film(recordingID); now.State != recording.FilmDone || now.Made.Take != 2 || now.Made.Type != "audio/mp4" {
		t.Errorf("with the store: %+v", now)
	}
	if got, want := films(), []string{
		filmObject(recordingID, 2, recording.FilmChapters), filmNote(recordingID, 2, recording.FilmChapters),
		filmObject(recordingID, 2, recording.TheFilm), filmNote(recordingID, 2, recording.TheFilm),
	}; !slices.Equal(got, want) {
		t.Errorf("in the bucket is %q", got)
	}

	// Deleted while the store is away it is open to nobody here, and goes once the store is back.
	gateway.Stop()
	if _, err := s.kept.OpenFilm(t.Context(), recordingID, 2, recording.TheFilm); !errors.Is(err, recording.ErrStoreAway) {
		t.Errorf("watched without the store: %v", err)
	}
	if err := s.kept.Delete(t.Context(), recordingID); !errors.Is(err, storage.ErrUnreachable) {
		t.Errorf("deleted without the store: %v", err)
	}
	gateway.Again(t)
	if _, err := s.kept.OpenFilm(t.Context(), recordingID, 2, recording.TheFilm); !errors.Is(err, recording.ErrNoKey) {
		t.Errorf("its film is opened while its deletion waits: %v", err)
	}
	if err := s.kept.Delete(t.Context(), recordingID); err != nil {
		t.Fatal(err)
	}
	if left, err := bucket.List(t.Context(), ""); err != nil || len(left) != 0 {
		t.Errorf("left in the bucket: %v, %v", left, err)
	}
	if _, err := os.Stat(here); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left here: %v", err)
	}
}

// Whoever composes ends with the server, and nobody else is served.
func TestWhatComposesEndsWithItsInput(t *testing.T) {
	var out, log strings.Builder
	if code := run(t.Context(), []string{"record", "film"}, &process{stdin: strings.NewReader(""), stdout: &out, stderr: &log}); code != exitUsage {
		t.Errorf("without an order: %d %s", code, log.String())
	}
}

// Why a film failed is told by what is at the bottom of it.
func TestFilmReasons(t *testing.T) {
	for want, err := range map[recording.FilmReason]error{
		recording.FilmTooCostly: fmt.Errorf("interval 3 of 4: %w", render.ErrTooCostly),
		recording.FilmTooLong:   fmt.Errorf("%w: 192h", compose.ErrTooLong),
		recording.FilmNoRoom:    &fs.PathError{Op: "write", Err: syscall.ENOSPC},
		recording.FilmError:     errors.New("anything else"),
	} {
		if got := filmReason(err); got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
}
