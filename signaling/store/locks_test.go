package store

import (
	"errors"
	"slices"
	"testing"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/recording"
)

// How a recording is locked is stored before anything is, follows what is decided about it,
// and is to be told to the store until that has been done.
func TestLocksFollowWhatIsDecided(t *testing.T) {
	dir := before(t, 24, nil,
		`INSERT INTO accounts VALUES ('anne', 'Anne', 'anne@aparte.example', '', 1, 1000, NULL)`,
		`INSERT INTO posts VALUES ('default', 'Dakar', 'Africa/Dakar', 'fr', '', '', '', '', 1000)`,
		`INSERT INTO meetings (id, title, state, organiser_id, profile, created_at, post_id) VALUES ('m', 'Coopération', 'open', 'anne', 'standard', 3000, 'default')`,
		`INSERT INTO recordings (id, meeting_id, state, asked_by, asked_by_name, purpose, profile, profile_version, policy, keep_days, asked_at, started_at, part, because, bytes, sealed)
			VALUES ('r', 'm', 'running', 'anne', 'Anne', '', 'standard', 1, 'consent', 1, 1000, 2000, 1, '', 1, 1), ('asked', 'm', 'asking', 'anne', 'Anne', '', 'standard', 1, 'consent', 1, 1000, NULL, 0, '', 0, 0)`,
	)
	s, ctx := open(t, dir), t.Context()
	began, day := time.UnixMilli(2000).UTC(), 24*time.Hour
	unsettled := func(policy bool, want ...string) {
		t.Helper()
		if got, err := s.UnsettledLocks(ctx, policy, 10); err != nil || !slices.Equal(got, want) {
			t.Errorf("to be locked: %q, %v, want %q", got, err, want)
		}
	}
	decide := func(policy bool, want recording.Lock, done bool) {
		t.Helper()
		if l, settled, err := s.LockRecording(ctx, "r", policy); err != nil || !l.Equal(want) || settled != done {
			t.Errorf("%+v, settled %t, %v, want %+v, %t", l, settled, err, want, done)
		}
	}
	settle := func(l recording.Lock) {
		t.Helper()
		if err := s.SettleLock(ctx, "r", l); err != nil {
			t.Fatal(err)
		}
	}
	keep := func(change func(*recording.Keeping)) {
		t.Helper()
		if err := s.KeepRecording(ctx, "m", "r", func(e recording.Entry) (recording.Keeping, []audit.Draft, error) {
			k := e.Keeping
			change(&k)
			return k, nil, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	do := func(statement string) {
		t.Helper()
		if _, err := s.write.db.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	decide(false, recording.Lock{}, true)
	unsettled(false)
	unsettled(true, "r")
	decide(true, recording.Lock{Until: began.Add(day)}, false)
	if e, err := s.StartedRecording(ctx, "m", "r"); err != nil || !e.Lock.Until.Equal(began.Add(day)) {
		t.Errorf("nobody is told: %+v, %v", e.Lock, err)
	}
	decide(true, recording.Lock{Until: began.Add(day)}, false) // nothing was done
	settle(recording.Lock{Until: began})                       // another one
	unsettled(true, "r")
	settle(recording.Lock{Until: began.Add(day)})
	decide(true, recording.Lock{Until: began.Add(day)}, true)
	unsettled(true)

	do(`UPDATE recordings SET state = 'stopped', ended_at = 3602000, expires_at = 90002000 WHERE id = 'r'`)
	over := began.Add(25 * time.Hour)
	unsettled(true, "r")
	unsettled(false)
	decide(true, recording.Lock{Until: over}, false)
	settle(recording.Lock{Until: over})

	keep(func(k *recording.Keeping) {
		k.Hold = &recording.Hold{By: "anne", ByName: "Anne", Reason: "Réquisition", Since: began}
	})
	unsettled(true, "r")
	if held, err := s.HeldRecordings(ctx); err != nil || len(held) != 1 || !held["r"].Equal(began) {
		t.Errorf("on hold: %v, %v", held, err)
	}
	decide(true, recording.Lock{Until: over, Hold: recording.HeldThere}, false)
	keep(func(k *recording.Keeping) { k.Hold = nil })
	settle(recording.Lock{Until: over, Hold: recording.HeldThere}) // as it was a moment ago
	unsettled(false, "r")
	decide(false, recording.Lock{Until: over, Hold: recording.HoldOver}, false)
	settle(recording.Lock{Until: over, Hold: recording.HoldOver})
	unsettled(true)

	keep(func(k *recording.Keeping) {
		k.Deletion = &recording.Deletion{Because: recording.ByTime, Since: over, Tried: over}
	})
	do(`UPDATE recording_locks SET settled = 0`)
	unsettled(true) // its deletion does
	do(`DELETE FROM recordings WHERE id = 'r'`)
	if _, _, err := s.LockRecording(ctx, "r", true); !errors.Is(err, recording.ErrNone) {
		t.Errorf("deleted: %v", err)
	}
	var left int
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM recording_locks`).Scan(&left); err != nil || left != 0 {
		t.Errorf("left: %d, %v", left, err)
	}
}
