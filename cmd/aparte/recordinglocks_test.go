package main

import (
	"bytes"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aparte/recorder/seal"
	"aparte/recorder/storage"
	"aparte/recorder/storage/storagetest"
	"aparte/signaling/audit"
	"aparte/signaling/health"
	"aparte/signaling/profile"
	"aparte/signaling/recording"
)

// lockingServer is a server, not started, whose recordings are locked in a store.
func lockingServer(t *testing.T, gateway *storagetest.Gateway, address string) (*server, *Config, string) {
	t.Helper()
	return recordingServerWith(t, func(c *Config) {
		c.Recordings.Store, c.Recordings.StoreAccessKey, c.Recordings.StoreSecretKey = address, gateway.Keys.AccessKey, gateway.Keys.SecretKey
		c.Recordings.StoreLock = string(storage.Governance)
	})
}

// inDatabase runs statements on a server's database.
func inDatabase(t *testing.T, c *Config) func(statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(c.DataDir, "aparte.db")+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
}

// begun is a recording that runs since a time, as the database has it.
const begun = `INSERT INTO recordings (id, meeting_id, state, asked_by, asked_by_name, purpose, profile, profile_version, policy, keep_days,
	asked_at, started_at, part, because, bytes, sealed) VALUES ($1, $2, 'running', '', '', '', 'standard', 1, 'sealed', $3, $4, $4, 1, '', 1, 1)`

// captured has a recording's first part written, and brought to the store.
func captured(t *testing.T, s *server, id, meeting string) {
	t.Helper()
	capture, err := s.recorder.Start(t.Context(), recording.Order{ID: id, Part: 1, Meeting: meeting, Policy: profile.RecordingSealed})
	if err == nil {
		_, err = capture.Stop(t.Context(), true, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	settled(t, s.kept.keeper)
}

// holds has a recording be on hold, or not any more.
func holds(t *testing.T, s *server, meeting, id string, hold *recording.Hold) {
	t.Helper()
	if err := s.store.KeepRecording(t.Context(), meeting, id, func(e recording.Entry) (recording.Keeping, []audit.Draft, error) {
		k := e.Keeping
		k.Hold = hold
		return k, nil, nil
	}); err != nil {
		t.Fatal(err)
	}
}

// aKeyOf is the file of a key that a recording gets.
func aKeyOf(t *testing.T, s *server, id string) string {
	t.Helper()
	text, public, err := seal.NewIdentityFile(time.Now())
	keys := recordingKeys{s.kept.keys.dir, serverKey{public: public}}
	if err == nil {
		err = keys.put(id, text)
	}
	path, none := keys.path(id)
	if err := errors.Join(err, none); err != nil {
		t.Fatal(err)
	}
	return path
}

// What goes to the store is locked until the recording's end of keeping, longer once that
// is known; its hold is one there, however long the store is away; and nobody is offered
// to delete it before.
func TestRecordingsAreLockedInABucket(t *testing.T) {
	gateway := storagetest.Start(t)
	s, c, meeting := lockingServer(t, gateway, gateway.Lockable(t, "records"))
	change := inDatabase(t, c)
	ctx, id := t.Context(), strings.Repeat("R", 22)
	folder := filepath.Join(c.DataDir, recordingsFolder, id)
	began := time.Now().UTC().Add(-time.Hour) // days are counted in UTC: here they may be of 23 hours
	change(begun, id, meeting, 30, began.UnixMilli())
	captured(t, s, id, meeting)
	is := func(want string) {
		t.Helper()
		for _, name := range []string{"/part-0001/00000001.tar", "/part-0001/index.json"} {
			if got := gateway.Locked(t, "records", "aparte/"+id+name); got != want {
				t.Errorf("%s is locked %q, want %q", name, got, want)
			}
		}
	}
	until := func(at time.Time) string {
		return "GOVERNANCE " + at.UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	is(until(began.AddDate(0, 0, 30)) + " -")

	ended := began.Add(59 * time.Minute)
	over := ended.AddDate(0, 0, 30)
	change(`UPDATE recordings SET state = 'stopped', because = 'host', ended_at = $1, expires_at = $2 WHERE id = $3`, ended.UnixMilli(), over.UnixMilli(), id)
	if err := s.kept.locks.follow(ctx); err != nil {
		t.Fatal(err)
	}
	is(until(over) + " -")
	may := func() error {
		t.Helper()
		e, err := s.store.StartedRecording(ctx, meeting, id)
		if err != nil {
			t.Fatal(err)
		}
		return e.May(recording.ToDelete, recording.Access{Host: true}, time.Now())
	}
	if err := may(); !errors.Is(err, recording.ErrLocked) {
		t.Errorf("its host may delete it: %v", err)
	}
	at := func(s *server, code health.Code) health.Level {
		finding, _ := found(looked(t, s, c), code)
		return finding.Level
	}
	if got := at(s, health.StoreLocks); got != health.Fine {
		t.Errorf("health: %q", got)
	}

	// A hold while the store is away, which another life of the server carries there. What is
	// in the folder says so as well.
	since := time.Now()
	holds(t, s, meeting, id, &recording.Hold{By: "anne", ByName: "Anne", Reason: "Réquisition", Since: since})
	gateway.Stop()
	if err := s.kept.locks.follow(ctx); !errors.Is(err, storage.ErrUnreachable) {
		t.Errorf("away: %v", err)
	}
	if n, _ := s.kept.locks.behind(); n != 1 {
		t.Errorf("%d are not locked as they should be", n)
	}
	s.stop(ctx)
	gateway.Again(t)
	s = serverOf(t, c, true)
	for range 2 { // what is there already is nothing to do
		if err := errors.Join(s.kept.locks.follow(ctx), s.kept.locks.mark(ctx)); err != nil {
			t.Fatal(err)
		}
	}
	is(until(over) + " ON")
	purge := func(args ...string) string {
		var out, said bytes.Buffer
		run(ctx, append([]string{"record", "purge"}, args...), &process{stdout: &out, stderr: &said, environ: os.Environ})
		return out.String() + said.String()
	}
	if said := purge(folder); !strings.Contains(said, "on legal hold since "+since.UTC().Format(time.DateOnly)) || !strings.Contains(said, "--held") {
		t.Errorf("purged: %s", said)
	}
	if err := s.kept.keeper.Delete(ctx, "none"); err != nil {
		t.Error(err)
	}
	holds(t, s, meeting, id, nil)
	s.stop(ctx)
	s = serverOf(t, c, true)
	if err := errors.Join(s.kept.locks.follow(ctx), s.kept.locks.mark(ctx)); err != nil {
		t.Fatal(err)
	}
	is(until(over) + " OFF")
	if _, err := os.Lstat(filepath.Join(folder, "held.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder says that there is a hold: %v", err)
	}

	// Without the setting what is locked stays so, and its hold is followed.
	s.stop(ctx)
	c.Recordings.StoreLock = ""
	s = serverOf(t, c, true)
	holds(t, s, meeting, id, &recording.Hold{By: "anne", ByName: "Anne", Reason: "Réquisition", Since: time.Now()})
	if err := s.kept.locks.follow(ctx); err != nil {
		t.Fatal(err)
	}
	is(until(over) + " ON")
	if err := may(); !errors.Is(err, recording.ErrHeld) {
		t.Errorf("its host may delete it: %v", err)
	}
	other := strings.Repeat("S", 22)
	change(begun, other, meeting, 30, began.UnixMilli())
	captured(t, s, other, meeting)
	if got := gateway.Locked(t, "records", "aparte/"+other+"/part-0001/00000001.tar"); got != "- -" {
		t.Errorf("without the setting it is locked %q", got)
	}
}

// A recording that is locked goes when its time is over, in the same minute as it would
// otherwise.
func TestALockedRecordingExpires(t *testing.T) {
	gateway := storagetest.Start(t)
	address := gateway.Lockable(t, "records")
	s, c, meeting := lockingServer(t, gateway, address)
	change := inDatabase(t, c)
	ctx, id := t.Context(), strings.Repeat("R", 22)
	change(begun, id, meeting, 0, time.Now().UnixMilli())
	captured(t, s, id, meeting)
	holds(t, s, meeting, id, &recording.Hold{By: "anne", ByName: "Anne", Reason: "Réquisition", Since: time.Now()})
	var over time.Time
	for left := 3 * time.Second; !time.Now().Before(over.Truncate(time.Second)); left *= 2 { // nothing is locked until what is past
		over = time.Now().Add(left) // the store's clock is nobody's here
		change(`UPDATE recordings SET state = 'stopped', because = 'host', ended_at = $1, expires_at = $1 WHERE id = $2`, over.UnixMilli(), id)
		if err := s.kept.locks.follow(ctx); err != nil && (time.Now().Before(over.Truncate(time.Second)) || left > time.Minute) {
			t.Fatal(err)
		}
	}
	name := "aparte/" + id + "/part-0001/00000001.tar"
	if got, want := gateway.Locked(t, "records", name), "GOVERNANCE "+over.UTC().Truncate(time.Second).Format(time.RFC3339)+" ON"; got != want {
		t.Errorf("it is locked %q, want %q", got, want)
	}
	time.Sleep(time.Until(over))
	holds(t, s, meeting, id, nil)
	s.meetings.SweepRecordings(ctx)
	if _, err := s.store.StartedRecording(ctx, meeting, id); !errors.Is(err, recording.ErrNone) {
		t.Errorf("after its time: %v", err)
	}
	left, err := gateway.Open(t, address).List(ctx, id)
	if err != nil || len(left) != 0 {
		t.Errorf("left in the bucket: %v, %v", left, err)
	}
	if _, err := os.Lstat(filepath.Join(c.DataDir, recordingsFolder, id, seal.PartName(1))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left here: %v", err)
	}
}

// What has expired while it was on hold, and was brought to the store only then, goes with
// the next sweep after that is lifted, which lifts it there first; its key goes before that.
func TestAHoldThatIsLiftedIsLiftedInTheStoreBeforeItIsDeleted(t *testing.T) {
	gateway := storagetest.Start(t)
	address := gateway.Lockable(t, "records")
	s, c, meeting := lockingServer(t, gateway, address)
	change := inDatabase(t, c)
	ctx, id, ended := t.Context(), strings.Repeat("R", 22), time.Now().AddDate(0, 0, -2)
	change(begun, id, meeting, 1, ended.UnixMilli())
	change(`UPDATE recordings SET state = 'stopped', because = 'host', ended_at = $1, expires_at = $2 WHERE id = $3`, ended.UnixMilli(), ended.AddDate(0, 0, 1).UnixMilli(), id)
	holds(t, s, meeting, id, &recording.Hold{By: "anne", ByName: "Anne", Reason: "Réquisition", Since: time.Now()})
	captured(t, s, id, meeting)
	if got := gateway.Locked(t, "records", "aparte/"+id+"/part-0001/00000001.tar"); got != "- ON" {
		t.Errorf("it is locked %q", got)
	}
	key := aKeyOf(t, s, id)
	s.meetings.SweepRecordings(ctx)
	if _, err := os.Lstat(key); err != nil {
		t.Errorf("on hold its key is gone: %v", err)
	}
	holds(t, s, meeting, id, nil)

	// The key waits for no store.
	gateway.Stop()
	s.meetings.SweepRecordings(ctx)
	if left, err := s.store.StartedRecording(ctx, meeting, id); err != nil || left.Deletion == nil {
		t.Errorf("while the store is away: %+v, %v", left.Keeping, err)
	}
	if _, err := os.Lstat(key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("while the store is away its key is still there: %v", err)
	}
	s.stop(ctx)
	gateway.Again(t)
	change(`UPDATE recording_deletions SET tried = 0`)
	s = serverOf(t, c, true)
	s.meetings.SweepRecordings(ctx)
	if _, err := s.store.StartedRecording(ctx, meeting, id); !errors.Is(err, recording.ErrNone) {
		t.Errorf("after its hold: %v", err)
	}
	if left, err := gateway.Open(t, address).List(ctx, id); err != nil || len(left) != 0 {
		t.Errorf("left in the bucket: %v, %v", left, err)
	}
}

// A bucket without object lock is refused at the start, and found by the health page if it
// could not be looked at then.
func TestABucketThatLocksNothing(t *testing.T) {
	gateway := storagetest.Start(t)
	address := gateway.Bucket(t, "records", false)
	config := defaults()
	config.Recordings.Store, config.Recordings.StoreAccessKey, config.Recordings.StoreSecretKey = address, gateway.Keys.AccessKey, gateway.Keys.SecretKey
	config.Recordings.StoreLock = string(storage.Compliance)
	_, _, _, err := openStore(t.Context(), &config, slog.New(slog.DiscardHandler))
	if usage := (usageError{}); !errors.As(err, &usage) || !strings.Contains(err.Error(), "recordings.store_lock: ") || !strings.Contains(err.Error(), "the bucket has no object lock") || strings.ContainsAny(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	gateway.Stop()
	s, c, meeting := lockingServer(t, gateway, address)
	gateway.Again(t)
	inDatabase(t, c)(begun, strings.Repeat("R", 22), meeting, 30, time.Now().UnixMilli())
	report := looked(t, s, c)
	if finding, is := found(report, health.StoreLockless); !is || finding.Level != health.Broken {
		t.Errorf("health: %+v", finding)
	}
	if finding, is := found(report, health.StoreRefuses); is {
		t.Errorf("health: %+v", finding)
	}
	capture, err := s.recorder.Start(t.Context(), recording.Order{ID: strings.Repeat("R", 22), Part: 1, Meeting: meeting, Policy: profile.RecordingSealed})
	if err == nil {
		_, err = capture.Stop(t.Context(), true, "")
	}
	if err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(time.Minute); !errors.Is(s.kept.keeper.Stats().Err, storage.ErrNoLock); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("it goes there unlocked: %+v", s.kept.keeper.Stats())
		}
	}
}
