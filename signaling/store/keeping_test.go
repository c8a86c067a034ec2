package store

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/recording"
)

// What the trail tells of downloads is taken over, a line for each person, part and hour.
func TestDownloadsAreTakenOverFromTheTrail(t *testing.T) {
	var chain []audit.Draft
	told := func(act audit.Act, id, part string, at time.Duration) {
		d := audit.Did(act).By(audit.Agent, "anne").On(audit.OfRecording, id).With("part", part)
		d.Time, d.Meeting = start.Add(at), "m"
		chain = append(chain, d)
	}
	told(audit.RecordingDownloaded, "kept", "1", 0)
	told(audit.RecordingDownloaded, "kept", "1", 90*time.Second)
	told(audit.RecordingDownloaded, "kept", "2", 90*time.Second)
	told(audit.RecordingDownloaded, "deleted", "1", 2*time.Minute)
	told(audit.RecordingStarted, "kept", "1", 2*time.Minute)
	told(audit.RecordingDownloaded, "kept", "1", 2*time.Hour)
	dir := before(t, 19, chain,
		`INSERT INTO accounts VALUES ('anne', 'Anne', 'anne@aparte.example', '', 1, 1000, NULL)`,
		`INSERT INTO posts VALUES ('default', 'Dakar', 'Africa/Dakar', 'fr', '', '', '', '', 1000)`,
		`INSERT INTO meetings (id, title, state, organiser_id, profile, created_at, post_id) VALUES ('m', 'Coopération', 'open', 'anne', 'standard', 3000, 'default')`,
		`INSERT INTO recordings (id, meeting_id, state, asked_by, asked_by_name, purpose, profile, profile_version, policy, keep_days, asked_at, started_at, part, because, bytes, sealed)
			VALUES ('kept', 'm', 'stopped', 'anne', 'Anne', '', 'standard', 1, 'consent', 90, 1, 1, 1, 'host', 1, 1)`,
	)
	s := open(t, dir)
	got, err := s.Downloads(t.Context(), "kept", 10)
	if err != nil {
		t.Fatal(err)
	}
	line := func(part int, at time.Duration) recording.Download {
		return recording.Download{Recording: "kept", Account: "anne", Name: "Anne", What: recording.ThePart, Part: part, At: start.Add(at).Truncate(time.Second).UTC()}
	}
	if want := []recording.Download{line(1, 2*time.Hour), line(2, 90*time.Second), line(1, 90*time.Second)}; !slices.Equal(got, want) {
		t.Errorf("taken over %+v, want %+v", got, want)
	}
	if all, err := s.Downloads(t.Context(), "deleted", 10); err != nil || len(all) != 0 {
		t.Errorf("of what was deleted: %+v %v", all, err)
	}
	var indices int
	if err := s.read.QueryRowContext(t.Context(), `SELECT count(*) FROM sqlite_master WHERE name = 'audit_downloads'`).Scan(&indices); err != nil || indices != 0 {
		t.Errorf("the trail's index is there still: %d, %v", indices, err)
	}
	// Its film takes room, too.
	if _, err := s.write.db.ExecContext(t.Context(), `INSERT INTO recording_films (recording_id, state, queued_at, since, attempts, begun, stage, progress, reason, type, length_ms, bytes, captions, take)
		VALUES ('kept', 'queued', 1, 1, 0, 0, '', 0, '', 'video/webm', 1000, 41, 1, 1)`); err != nil {
		t.Fatal(err)
	}
	if all, err := s.RecordingsTake(t.Context(), "default"); err != nil || len(all) != 1 || all[0].Stopped != 42 {
		t.Errorf("a recording of 1 byte with a film of 41 takes %+v, %v", all, err)
	}
	// What is on hold the database itself does not let go.
	if err := s.KeepRecording(t.Context(), "m", "kept", func(e recording.Entry) (recording.Keeping, []audit.Draft, error) {
		return recording.Keeping{Hold: &recording.Hold{By: "anne", ByName: "Anne", Reason: "Réquisition", Since: start}}, nil, nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.write.db.ExecContext(t.Context(), `DELETE FROM recordings WHERE id = 'kept'`); err == nil || !strings.Contains(err.Error(), "FOREIGN KEY") {
		t.Errorf("a held one is deleted: %v", err)
	}
}
