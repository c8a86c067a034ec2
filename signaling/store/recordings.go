package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"aparte/signaling/meeting"
	"aparte/signaling/recording"
)

// Recordings, what everybody answered who was asked, and who took them away.

const recordingColumns = `id, meeting_id, state, asked_by, asked_by_name, purpose, profile, profile_version, policy, watchable, keep_days,
	asked_at, started_at, ended_at, part, because, bytes, sealed`

// recordingsAs are recordingColumns of a table that goes by another name.
func recordingsAs(table string) string {
	columns := strings.Split(recordingColumns, ",")
	for i, column := range columns {
		columns[i] = table + "." + strings.TrimSpace(column)
	}
	return strings.Join(columns, ", ")
}

// recordingFields is where recordingColumns go.
func recordingFields(r *recording.Recording) []any {
	return []any{
		&r.ID, &r.Meeting, &r.State, &r.AskedBy, &r.AskedByName, &r.Purpose, &r.Profile, &r.ProfileVersion, &r.Policy, is(&r.Watchable), &r.KeepDays,
		at(&r.AskedAt), at(&r.StartedAt), at(&r.EndedAt), &r.Part, &r.Because, &r.Bytes, is(&r.Sealed),
	}
}

func scanRecording(row scanner) (r recording.Recording, err error) {
	err = row.Scan(recordingFields(&r)...)
	return r, err
}

// consents reads what was answered to a recording, in order.
func consents(ctx context.Context, q queries, id string) ([]recording.Consent, error) {
	rows, err := q.QueryContext(ctx, `SELECT person, name, answer, answered_at, recorded FROM recording_consents
		WHERE recording_id = $1 ORDER BY answered_at, person`, id)
	return collect(rows, err, func(row scanner) (c recording.Consent, err error) {
		err = row.Scan(&c.Person, &c.Name, &c.Answer, at(&c.At), is(&c.Recorded))
		return c, err
	})
}

// ongoing reads the recording of a meeting that has not stopped; nil: there is none.
func ongoing(ctx context.Context, q queries, id string) (*recording.Recording, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+recordingColumns+` FROM recordings WHERE meeting_id = $1 AND state <> $2
		ORDER BY asked_at DESC, id LIMIT 1`, id, recording.Stopped)
	found, err := collect(rows, err, scanRecording)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	found[0].Consents, err = consents(ctx, q, found[0].ID)
	return &found[0], err
}

// saveRecordings makes durable what a step changed of a meeting's recordings.
func saveRecordings(ctx context.Context, q queries, c meeting.Changes) error {
	for _, r := range c.Recordings {
		_, err := q.ExecContext(ctx, `INSERT INTO recordings (`+recordingColumns+`, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
			ON CONFLICT (id) DO UPDATE SET state = excluded.state, started_at = excluded.started_at, ended_at = excluded.ended_at,
			expires_at = excluded.expires_at, part = excluded.part, because = excluded.because, bytes = excluded.bytes, sealed = excluded.sealed`,
			r.ID, r.Meeting, r.State, r.AskedBy, r.AskedByName, r.Purpose, r.Profile, r.ProfileVersion, r.Policy, flag(r.Watchable), r.KeepDays,
			ms(r.AskedAt), ms(r.StartedAt), ms(r.EndedAt), r.Part, r.Because, r.Bytes, flag(r.Sealed), ms(r.ExpiresAt()))
		if err != nil {
			return fmt.Errorf("save recording: %w", err)
		}
	}
	for _, v := range c.Consents {
		_, err := q.ExecContext(ctx, `INSERT INTO recording_consents (recording_id, person, name, answer, answered_at, recorded)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (recording_id, person) DO UPDATE SET name = excluded.name, answer = excluded.answer,
			answered_at = excluded.answered_at, recorded = excluded.recorded`,
			v.Recording, v.Person, v.Name, v.Answer, ms(v.At), flag(v.Recorded))
		if err != nil {
			return fmt.Errorf("save consent: %w", err)
		}
	}
	for _, d := range c.Downloads {
		_, err := q.ExecContext(ctx, `INSERT INTO recording_downloads (recording_id, account_id, what, part, hour, extent, at)
			SELECT $1, $2, $3, $4, $5, $6, $7 WHERE EXISTS (SELECT 1 FROM recordings WHERE id = $1)
			ON CONFLICT (recording_id, account_id, what, part, hour) DO UPDATE SET at = excluded.at,
			extent = CASE WHEN recording_downloads.extent = $8 THEN recording_downloads.extent ELSE excluded.extent END`,
			d.Recording, d.Account, d.What, d.Part, d.At.UnixMilli()/time.Hour.Milliseconds(), d.Extent, ms(d.At), recording.Whole)
		if err != nil {
			return fmt.Errorf("note who took a recording away: %w", err)
		}
	}
	if err := saveFilms(ctx, q, c); err != nil {
		return err
	}
	for _, id := range c.DroppedRecordings {
		if _, err := q.ExecContext(ctx, `DELETE FROM recordings WHERE id = $1 AND meeting_id = $2`, id, c.ID); err != nil {
			return fmt.Errorf("drop recording: %w", err)
		}
	}
	return nil
}

// Recordings lists those of a meeting that were started, newest first, limit at most,
// with what everybody answered and what was decided since.
func (s *Store) Recordings(ctx context.Context, id string, limit int) ([]recording.Entry, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+recordingColumns+` FROM recordings WHERE meeting_id = $1 AND started_at IS NOT NULL
		ORDER BY started_at DESC, id LIMIT $2`, id, limit)
	all, err := collect(rows, err, func(row scanner) (e recording.Entry, err error) {
		e.Recording, err = scanRecording(row)
		return e, err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("list recordings: %w", err))
	}
	for i := range all {
		if err := fill(ctx, s.read, &all[i]); err != nil {
			return nil, classify(err)
		}
	}
	return all, nil
}

// fill reads what was answered to a recording, and what was decided about it.
func fill(ctx context.Context, q queries, e *recording.Entry) (err error) {
	if e.Consents, err = consents(ctx, q, e.ID); err != nil {
		return fmt.Errorf("list who answered to a recording: %w", err)
	}
	if e.Keeping, err = decided(ctx, q, e.ID); err != nil {
		return fmt.Errorf("read what was decided about a recording: %w", err)
	}
	return nil
}

// StartedRecording is one of a meeting that was started, without what was answered, or
// recording.ErrNone.
func (s *Store) StartedRecording(ctx context.Context, meeting, id string) (recording.Entry, error) {
	e, err := started(ctx, s.read, meeting, id)
	return e, classify(err)
}

func started(ctx context.Context, q queries, meeting, id string) (e recording.Entry, err error) {
	e.Recording, err = scanRecording(q.QueryRowContext(ctx, `SELECT `+recordingColumns+` FROM recordings
		WHERE id = $1 AND meeting_id = $2 AND started_at IS NOT NULL`, id, meeting))
	if errors.Is(err, sql.ErrNoRows) {
		return e, recording.ErrNone
	}
	if err == nil {
		e.Keeping, err = decided(ctx, q, id)
	}
	return e, err
}

// Recorded lists the meetings whose recording is under way or was interrupted, the
// longest first, limit at most.
func (s *Store) Recorded(ctx context.Context, limit int) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT meeting_id FROM recordings WHERE state NOT IN ($1, $2)
		GROUP BY meeting_id ORDER BY MIN(started_at) LIMIT $3`, recording.Asking, recording.Stopped, limit)
	all, err := collect(rows, err, func(row scanner) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	})
	return all, classify(err)
}

// KnowsRecording tells whether there is a recording of this id, in whatever state.
func (s *Store) KnowsRecording(ctx context.Context, id string) (known bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM recordings WHERE id = $1)`, id).Scan(&known)
	if err != nil {
		return false, classify(fmt.Errorf("look for recording %s: %w", id, err))
	}
	return known, nil
}

// DueRecordings lists, of all meetings, what is to be deleted: stopped recordings whose
// time is over and that nothing holds, those first whose time was over first, and after
// them those whose deletion began and was tried last at a time or before; limit at most,
// without consents.
func (s *Store) DueRecordings(ctx context.Context, now, tried time.Time, limit int) ([]recording.Recording, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+recordingsAs("r")+` FROM recordings r LEFT JOIN recording_deletions d ON d.recording_id = r.id
		WHERE r.state = $1 AND (d.tried IS NULL AND r.expires_at <= $2 OR d.tried <= $3)
		AND NOT EXISTS (SELECT 1 FROM recording_holds h WHERE h.recording_id = r.id)
		ORDER BY d.tried IS NOT NULL, coalesce(d.tried, r.expires_at), r.expires_at, r.id LIMIT $4`, recording.Stopped, ms(now), ms(tried), limit)
	all, err := collect(rows, err, scanRecording)
	if err != nil {
		return nil, classify(fmt.Errorf("list recordings whose time is over: %w", err))
	}
	return all, nil
}

// Downloads lists who took something of a recording away, newest first, limit at most.
func (s *Store) Downloads(ctx context.Context, id string, limit int) ([]recording.Download, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT d.recording_id, d.account_id, coalesce(a.name, ''), d.what, d.part, d.extent, d.at
		FROM recording_downloads d LEFT JOIN accounts a ON a.id = d.account_id
		WHERE d.recording_id = $1 ORDER BY d.at DESC, d.part DESC, d.account_id LIMIT $2`, id, limit)
	all, err := collect(rows, err, func(row scanner) (d recording.Download, err error) {
		err = row.Scan(&d.Recording, &d.Account, &d.Name, &d.What, &d.Part, &d.Extent, at(&d.At))
		return d, err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("list who took a recording away: %w", err))
	}
	return all, nil
}
