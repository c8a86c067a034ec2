package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/recorder"
	"aparte/recorder/journal"
	"aparte/recorder/seal"
	"aparte/sfu"
	"aparte/signaling"
	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/meeting"
	"aparte/signaling/name"
	"aparte/signaling/post"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
)

// recordingServer is a server, not started, that can record, and the id of its meeting.
func recordingServer(t *testing.T) (s *server, c *Config, meeting string) {
	t.Helper()
	return recordingServerWith(t, func(*Config) {})
}

// recordingServerWith is one with other settings.
func recordingServerWith(t *testing.T, but func(*Config)) (s *server, c *Config, meeting string) {
	t.Helper()
	config := defaults()
	c = &config
	c.Listen, c.Admin.Listen, c.DataDir, c.Media.UDPPort, c.Media.Addresses = "127.0.0.1:0", "127.0.0.1:0", t.TempDir(), 0, []string{"127.0.0.1"}
	but(c)
	s = serverOf(t, c, true)
	return s, c, demoMeeting(t, s)
}

func demoMeeting(t *testing.T, s *server) string {
	t.Helper()
	demo, err := signaling.MakeDemo(t.Context(), s.logins, s.posts, s.meetings, rand.Reader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return demo.Meeting
}

// built is a server, not started.
func serverOf(t *testing.T, c *Config, dev bool) *server {
	t.Helper()
	s, err := build(t.Context(), c, dev, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		s.stop(ctx)
	})
	return s
}

func TestWhatIsTakenAwayIsWhatWasWritten(t *testing.T) {
	s, c, meeting := recordingServer(t)
	ctx, id := t.Context(), strings.Repeat("R", 22)
	folder := filepath.Join(c.DataDir, recordingsFolder, id)
	order := recording.Order{ID: id, Part: 1, Meeting: meeting, Policy: profile.RecordingSealed, AskedBy: "anne"}
	none := func(n int, want error) {
		t.Helper()
		if _, err := s.kept.OpenPart(ctx, id, n); !errors.Is(err, want) {
			t.Errorf("part %d: %v, want %v", n, err, want)
		}
	}
	if all, err := s.kept.Parts(ctx, id); err != nil || len(all) != 0 {
		t.Errorf("before the start there is %+v, %v", all, err)
	}
	none(1, recording.ErrNone)
	capture, err := s.recorder.Start(ctx, order)
	if err != nil {
		t.Fatal(err)
	}
	capture.Note(recording.Event{At: time.Now(), Kind: recording.EventAllowed, Identity: "p", Name: "Inês"})
	if all, err := s.kept.Parts(ctx, id); err != nil || len(all) != 1 || all[0].Number != 1 || all[0].Closed || all[0].BrokenOff {
		t.Errorf("while it is written there is %+v, %v", all, err)
	}
	none(1, recording.ErrWriting)
	none(2, recording.ErrNone)
	if _, err := capture.Stop(ctx, false, ""); err != nil {
		t.Fatal(err)
	}
	order.Part = 2
	if capture, err = s.recorder.Start(ctx, order); err != nil {
		t.Fatal(err)
	}
	none(2, recording.ErrWriting)
	if _, err := capture.Stop(ctx, true, ""); err != nil {
		t.Fatal(err)
	}

	away := t.TempDir()
	for n := range 2 {
		file, err := s.kept.OpenPart(ctx, id, n+1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(file)
		want, wantErr := os.ReadFile(filepath.Join(folder, seal.PartName(uint32(n+1))))
		if err := errors.Join(err, wantErr, file.Close()); err != nil || !bytes.Equal(got, want) || file.Part.Bytes != int64(len(want)) || !file.Part.Closed {
			t.Errorf("part %d: %d bytes, on the disk are %d, told %+v: %v", n+1, len(got), len(want), file.Part, err)
		}
		if err := os.WriteFile(filepath.Join(away, seal.PartName(uint32(n+1))), got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What the API tells of the key is what the command takes.
	key, err := s.kept.NodeKey()
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(api.NodeKey{Type: "aparte-node-key", Node: key.Node, Algorithm: "Ed25519", Key: key.Key})
	if err != nil {
		t.Fatal(err)
	}
	public, err := seal.ParsePublicKey(string(told))
	if err != nil {
		t.Fatal(err)
	}
	files, err := recorder.OpenFiles(away)
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if report, err := seal.Verify(files.Parts, public, false); err != nil || report.Tampered() || !report.Closed() || len(report.Parts) != 2 {
		t.Errorf("what was taken away: %+v, %v", report, err)
	}

	// One part, as a browser names it.
	alone := filepath.Join(away, "recording-2027-03-02-"+id+"-part-0002.tar")
	if err := os.Rename(filepath.Join(away, seal.PartName(2)), alone); err != nil {
		t.Fatal(err)
	}
	one, err := recorder.OpenFiles(alone)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	if report, err := seal.Verify(one.Parts, public, one.Lone); err != nil || report.Tampered() || !report.Closed() {
		t.Errorf("one part: %+v, %v", report, err)
	}

	// What a crash leaves is listed as broken off, and can be taken away all the same.
	broken := filepath.Join(folder, seal.PartName(1))
	info, err := os.Stat(broken)
	if err == nil {
		err = os.Truncate(broken, info.Size()-1)
	}
	if err != nil {
		t.Fatal(err)
	}
	if all, err := s.kept.Parts(ctx, id); err != nil || len(all) != 2 || !all[0].Closed || !all[0].BrokenOff || all[1].BrokenOff {
		t.Errorf("after a crash there is %+v, %v", all, err)
	}
	if file, err := s.kept.OpenPart(ctx, id, 1); err != nil || !file.Part.BrokenOff || file.Close() != nil {
		t.Errorf("what broke off cannot be taken away: %+v, %v", file.Part, err)
	}

	for _, id := range []string{"", ".", "..", "../recordings", "a/b", "/etc", id + "/.", strings.Repeat("x", 65)} {
		if _, err := s.kept.OpenPart(ctx, id, 1); err == nil {
			t.Errorf("%q can be opened", id)
		}
		if err := s.kept.Delete(ctx, id); err == nil {
			t.Errorf("%q can be deleted", id)
		}
	}
	if parts, err := recorder.Parts(s.kept.dir, id); err != nil || len(parts) == 0 {
		t.Errorf("after that there is %+v, %v", parts, err)
	}
	if err := os.Symlink(filepath.Join(c.DataDir, seal.NodeKeyFile), filepath.Join(folder, seal.PartName(3))); err != nil {
		t.Fatal(err)
	}
	none(3, recording.ErrNone)
}

// Recordings are read for long: what a consent says of its question changes with its format.
func TestTheQuestionInARecording(t *testing.T) {
	got, err := questionOf(recording.Order{
		Purpose: `Compte rendu <"brouillon">`, KeepDays: 90, Policy: profile.RecordingConsent, Watchable: true, Profile: "standard", ProfileVersion: 3, Post: "dakar",
		AskedBy: "anne", AskedByName: "Anne Bernard",
	})
	const want = `{"purpose":"Compte rendu <\"brouillon\">","keep_days":90,"policy":"consent","watchable":true,"profile":"standard","profile_version":3,"post":"dakar","program":"`
	if err != nil || !strings.HasPrefix(got, want) || !strings.HasSuffix(got, `"}`) {
		t.Errorf("%s, %v", got, err)
	}
	// The longest there may be is not cut.
	if got, err := questionOf(recording.Order{Purpose: strings.Repeat("\U0001F399", meeting.MaxPurpose), Profile: strings.Repeat("p", 100), Post: strings.Repeat("d", 22)}); err != nil || len(got) > journal.MaxText {
		t.Errorf("%d bytes, at most %d are kept; %v", len(got), journal.MaxText, err)
	}
}

// endedTap is a tap that is over.
type endedTap struct {
	lost uint64
	err  error
}

func (endedTap) Done() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}

func (t endedTap) Lost() uint64 { return t.lost }
func (t endedTap) Err() error   { return t.err }

// What a tap lost is logged. A room that has ended ends no recording; a recorder that
// fails does, rather than look as if it took something.
func TestATapThatEnds(t *testing.T) {
	s, c, meeting := recordingServer(t)
	ctx, id := t.Context(), strings.Repeat("R", 22)
	var logged bytes.Buffer
	s.recorder.log = slog.New(slog.NewTextHandler(&logged, nil))
	capture, err := s.recorder.Start(ctx, recording.Order{ID: id, Part: 1, Meeting: meeting, Policy: profile.RecordingSealed})
	if err != nil {
		t.Fatal(err)
	}
	w := capture.(*writing)
	w.watch(endedTap{})
	select {
	case <-capture.Done():
		t.Fatal("a room that has ended ends the recording")
	default:
	}
	if logged.Len() > 0 {
		t.Errorf("logged: %s", &logged)
	}
	w.watch(endedTap{lost: 3, err: sfu.ErrSinkFailed})
	<-capture.Done()
	if err := capture.Err(); !errors.Is(err, recorder.ErrFailed) || !errors.Is(err, sfu.ErrSinkFailed) {
		t.Errorf("it ended with %v", err)
	}
	if !strings.Contains(logged.String(), "lost=3") {
		t.Errorf("logged: %s", &logged)
	}
	if _, err := capture.Stop(ctx, true, ""); !errors.Is(err, recorder.ErrFailed) {
		t.Errorf("closed: %v", err)
	}
	files, err := recorder.OpenFiles(filepath.Join(c.DataDir, recordingsFolder, id))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	if report, err := seal.Verify(files.Parts, s.kept.key.Public(), false); err != nil || report.Tampered() || !report.Closed() || report.Parts[0].Closing.Reason != "the recorder failed" {
		t.Errorf("%+v, %v", report, err)
	}
}

// A part is sealed to the keys that its post has when it begins, and to the server's where it
// has none: the next part follows a change, the one that is written does not.
func TestARecordingIsSealedToItsPost(t *testing.T) {
	s, c, meeting := recordingServer(t)
	ctx, id := t.Context(), strings.Repeat("R", 22)
	db, err := sql.Open("sqlite", filepath.Join(c.DataDir, "aparte.db")+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var of, admin string
	if err := db.QueryRowContext(ctx, `SELECT post_id, organiser_id FROM meetings WHERE id = $1`, meeting).Scan(&of, &admin); err != nil {
		t.Fatal(err)
	}
	part := 0
	record := func(during func()) {
		t.Helper()
		part++
		capture, err := s.recorder.Start(ctx, recording.Order{ID: id, Part: part, Post: of, Meeting: meeting, Policy: profile.RecordingSealed})
		if err != nil {
			t.Fatal(err)
		}
		during()
		if _, err := capture.Stop(ctx, false, ""); err != nil {
			t.Fatal(err)
		}
	}
	_, public, err := seal.NewIdentityFile(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	record(func() {
		if _, err := s.posts.AddRecipient(ctx, admin, of, "Archives Paris", " "+public.String()+"\n"); err != nil {
			t.Fatal(err)
		}
	})
	record(func() {
		all, err := s.posts.Recipients(ctx, admin, of)
		if err != nil || len(all.Own) != 1 || all.Server != 1 {
			t.Fatalf("%+v, %v", all, err)
		}
		if err := s.posts.RemoveRecipient(ctx, admin, of, all.Own[0].ID); err != nil {
			t.Fatal(err)
		}
	})
	record(func() {})
	files, err := recorder.OpenFiles(filepath.Join(c.DataDir, recordingsFolder, id))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	ofServer := c.Recordings.Recipients
	for n, want := range [][]string{ofServer, {public.String()}, ofServer} {
		if b, err := seal.Peek(files.Parts[n]); err != nil || !slices.Equal(b.Recipients, want) {
			t.Errorf("part %d is sealed to %.40q, want %.40q: %v", n+1, b.Recipients, want, err)
		}
	}
	for typed, want := range map[string]name.Code{
		"age1" + strings.Repeat("q", 58): post.CodeClassicKey, "Bonjour": post.CodeClassicKey, "AGE-SECRET-KEY-PQ-1ABC": post.CodePrivateKey, public.String()[:1000]: post.CodeDamagedKey,
	} {
		_, err := s.posts.AddRecipient(ctx, admin, of, "Archives", typed)
		if refused := (*name.Error)(nil); !errors.As(err, &refused) || refused.At != "key" || refused.Code != want {
			t.Errorf("%.20q: %v, want %s", typed, err, want)
		}
	}
}

// overIn has a meeting have a recording whose time is over, and returns its database.
func overIn(t *testing.T, c *Config, id, meeting string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(c.DataDir, "aparte.db")+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), `INSERT INTO recordings (id, meeting_id, state, asked_by, asked_by_name, purpose, profile, profile_version, policy, keep_days,
		asked_at, started_at, ended_at, expires_at, part, because, bytes, sealed) VALUES ($1, $2, 'stopped', '', '', '', 'standard', 1, 'sealed', 1, 1, 1, 1, 1, 2, 'host', 1, 1)`, id, meeting); err != nil {
		t.Fatal(err)
	}
	return db
}

// What begins after it was given up leaves nothing of a recording that was deleted
// meanwhile, or is being: its folder and its key would stay for ever.
func TestWhatBeginsTooLateOfADeletedRecordingGoes(t *testing.T) {
	s, c, meeting := recordingServerWith(t, func(c *Config) { c.Recordings.ServerKey = filepath.Join(t.TempDir(), "server.key") })
	ctx := t.Context()
	deleting, keeping := strings.Repeat("D", 22), strings.Repeat("K", 22)
	for _, id := range []string{deleting, keeping} {
		overIn(t, c, id, meeting)
	}
	if err := s.store.KeepRecording(ctx, meeting, deleting, func(e recording.Entry) (recording.Keeping, []audit.Draft, error) {
		return e.Delete(recording.Deletion{Because: recording.ByTheHost, Since: time.Now(), Tried: time.Now()}), nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	for id, stays := range map[string]bool{strings.Repeat("G", 22): false, deleting: false, keeping: true} {
		order := recording.Order{ID: id, Part: 1, Meeting: meeting, Policy: profile.RecordingConsent, Watchable: true}
		capture, err := s.recorder.begin(ctx, order)
		key, none := s.kept.keys.path(id)
		if err := errors.Join(err, none); err != nil {
			t.Fatal(err)
		}
		what := []string{filepath.Join(c.DataDir, recordingsFolder, id), key}
		for _, path := range what {
			if _, err := os.Lstat(path); err != nil {
				t.Errorf("it was not begun: %v", err)
			}
		}
		answer := make(chan beginning, 1)
		answer <- beginning{capture, err}
		s.recorder.tooLate(ctx, order, answer)
		for _, path := range what {
			if _, err := os.Lstat(path); (err == nil) != stays {
				t.Errorf("%s stays %t: %v", path, stays, err)
			}
		}
		if capture.Allow("p"); capture.rec.Err() != nil || s.kept.writes(id) {
			t.Errorf("%s is still written: %v", id, capture.rec.Err())
		}
	}
}

// A server that has lost its recipients has its recordings still, and its key.
func TestRecordingsAreKeptByAServerThatCannotRecord(t *testing.T) {
	s, c, meeting := recordingServer(t)
	ctx, id := t.Context(), strings.Repeat("R", 22)
	key, err := s.kept.NodeKey()
	if err != nil {
		t.Fatal(err)
	}
	capture, err := s.recorder.Start(ctx, recording.Order{ID: id, Part: 1, Meeting: meeting, Policy: profile.RecordingSealed})
	if err == nil {
		_, err = capture.Stop(ctx, true, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	overIn(t, c, id, meeting)
	s.stop(ctx)

	c.Recordings.Recipients, c.Admin.Listen = nil, ""
	again := serverOf(t, c, false)
	if _, err := again.recorder.Start(ctx, recording.Order{ID: strings.Repeat("S", 22), Part: 1, Meeting: meeting}); !errors.Is(err, recording.ErrNoRecorder) {
		t.Errorf("without a recipient it records: %v", err)
	}
	if got, err := again.kept.NodeKey(); err != nil || !reflect.DeepEqual(got, key) {
		t.Errorf("its key is %v, %v", got, err)
	}
	file, err := again.kept.OpenPart(ctx, id, 1)
	if err != nil || !file.Part.Closed || file.Part.Bytes == 0 {
		t.Fatalf("part 1: %+v, %v", file.Part, err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
	again.meetings.SweepRecordings(ctx)
	if _, err := os.Lstat(filepath.Join(c.DataDir, recordingsFolder, id)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it does not expire: %v", err)
	}
}

// A recording whose time is over goes with its index, also where a server stopped in
// between: nothing that is left can be read, and the next sweep ends it.
func TestRecordingsExpireFromTheDisk(t *testing.T) {
	for _, crashed := range []string{"", "before the last part", "before the folder", "before the index"} {
		t.Run(crashed, func(t *testing.T) {
			s, c, meeting := recordingServer(t)
			ctx, id := t.Context(), strings.Repeat("R", 22)
			folder := filepath.Join(c.DataDir, recordingsFolder, id)
			for n := range 2 {
				capture, err := s.recorder.Start(ctx, recording.Order{ID: id, Part: n + 1, Meeting: meeting, Policy: profile.RecordingSealed})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := capture.Stop(ctx, n == 1, ""); err != nil {
					t.Fatal(err)
				}
			}
			db := overIn(t, c, id, meeting)
			var err error
			if crashed != "" { // whoever crashed sums up no part any more
				err = s.kept.keeper.Close(ctx)
			}
			if err != nil {
				t.Fatal(err)
			}
			switch crashed {
			case "before the last part":
				err = os.Remove(filepath.Join(folder, seal.PartName(2)))
			case "before the folder":
				err = errors.Join(os.Remove(filepath.Join(folder, seal.PartName(2))), os.Remove(filepath.Join(folder, seal.PartName(1))))
			case "before the index":
				err = os.RemoveAll(folder)
			}
			if err != nil {
				t.Fatal(err)
			}
			s.meetings.SweepRecordings(ctx)
			if _, err := os.Lstat(folder); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("its folder is still there: %v", err)
			}
			var left int
			if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM recordings`).Scan(&left); err != nil || left != 0 {
				t.Errorf("%d recordings in the index: %v", left, err)
			}
			if err := s.kept.Delete(ctx, id); err != nil {
				t.Errorf("what is there no more: %v", err)
			}
		})
	}
}

// TestFingerprints says that the commands name a key as the post's page and the audit
// trail do.
func TestFingerprints(t *testing.T) {
	_, key, err := seal.NewIdentityFile(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if command, page := seal.Fingerprint(key.String()), post.Fingerprint(key.String()); command != page || len(page) != 32 {
		t.Errorf("the commands say %s, the page %s", command, page)
	}
}

// What a restored database does not know lies there for good: operators are told of it, and
// of nothing else in the folder.
func TestRecordingsThatTheDatabaseDoesNotKnowAreTold(t *testing.T) {
	s, c, meeting := recordingServer(t)
	known, stranger := strings.Repeat("K", 22), strings.Repeat("S", 22)
	folder := filepath.Join(c.DataDir, recordingsFolder)
	for _, name := range []string{known, stranger, ".deleted"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", filepath.Join(c.DataDir, "aparte.db")+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `INSERT INTO recordings (id, meeting_id, state, asked_by, asked_by_name, purpose, profile, profile_version, policy, keep_days, asked_at, part, because, bytes, sealed)
		VALUES ($1, $2, 'stopped', 'anne', 'Anne', '', 'standard', 1, 'consent', 90, 1, 1, 'host', 1, 0)`, known, meeting)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	s.kept.tellStrangers(t.Context(), s.store, slog.New(slog.NewTextHandler(&logged, nil)))
	if got := logged.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "recording="+stranger) {
		t.Errorf("told: %s", got)
	}
}
