package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/meeting"
	"aparte/signaling/recording"
)

// Recordings, and what everybody answered who was asked.

const recordingColumns = `id, meeting_id, state, asked_by, asked_by_name, purpose, profile, profile_version, policy, keep_days,
	asked_at, started_at, ended_at, part, because, bytes, sealed`

func scanRecording(row scanner) (r recording.Recording, err error) {
	err = row.Scan(&r.ID, &r.Meeting, &r.State, &r.AskedBy, &r.AskedByName, &r.Purpose, &r.Profile, &r.ProfileVersion, &r.Policy, &r.KeepDays,
		at(&r.AskedAt), at(&r.StartedAt), at(&r.EndedAt), &r.Part, &r.Because, &r.Bytes, is(&r.Sealed))
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
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
			ON CONFLICT (id) DO UPDATE SET state = excluded.state, started_at = excluded.started_at, ended_at = excluded.ended_at,
			expires_at = excluded.expires_at, part = excluded.part, because = excluded.because, bytes = excluded.bytes, sealed = excluded.sealed`,
			r.ID, r.Meeting, r.State, r.AskedBy, r.AskedByName, r.Purpose, r.Profile, r.ProfileVersion, r.Policy, r.KeepDays,
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
	for _, id := range c.DroppedRecordings {
		if _, err := q.ExecContext(ctx, `DELETE FROM recordings WHERE id = $1 AND meeting_id = $2`, id, c.ID); err != nil {
			return fmt.Errorf("drop recording: %w", err)
		}
	}
	return nil
}

// Recordings lists those of a meeting that were started, newest first, limit at most,
// with what everybody answered.
func (s *Store) Recordings(ctx context.Context, id string, limit int) ([]recording.Recording, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+recordingColumns+` FROM recordings WHERE meeting_id = $1 AND started_at IS NOT NULL
		ORDER BY started_at DESC, id LIMIT $2`, id, limit)
	all, err := collect(rows, err, scanRecording)
	if err != nil {
		return nil, classify(fmt.Errorf("list recordings: %w", err))
	}
	for i := range all {
		if all[i].Consents, err = consents(ctx, s.read, all[i].ID); err != nil {
			return nil, classify(fmt.Errorf("list who answered to a recording: %w", err))
		}
	}
	return all, nil
}

// StartedRecording is one of a meeting that was started, without what was answered, or
// recording.ErrNone.
func (s *Store) StartedRecording(ctx context.Context, meeting, id string) (recording.Recording, error) {
	r, err := scanRecording(s.read.QueryRowContext(ctx, `SELECT `+recordingColumns+` FROM recordings
		WHERE id = $1 AND meeting_id = $2 AND started_at IS NOT NULL`, id, meeting))
	if errors.Is(err, sql.ErrNoRows) {
		return r, recording.ErrNone
	}
	return r, classify(err)
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

// ExpiredRecordings lists, of all meetings, stopped recordings that are to be deleted,
// those first whose time was over first, after one of them (the zero Recording: from the
// first), limit at most, without consents.
func (s *Store) ExpiredRecordings(ctx context.Context, now time.Time, after recording.Recording, limit int) ([]recording.Recording, error) {
	var since int64
	if over := after.ExpiresAt(); !over.IsZero() {
		since = over.UnixMilli()
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+recordingColumns+` FROM recordings WHERE expires_at <= $1 AND state = $2
		AND (expires_at > $3 OR expires_at = $3 AND id > $4) ORDER BY expires_at, id LIMIT $5`, ms(now), recording.Stopped, since, after.ID, limit)
	all, err := collect(rows, err, scanRecording)
	if err != nil {
		return nil, classify(fmt.Errorf("list recordings whose time is over: %w", err))
	}
	return all, nil
}

// The act is the first field of an event in its canonical form. The condition is that of
// the index audit_downloads, so that those events alone are read.
const downloadsQuery = `SELECT e.event FROM audit_events e JOIN meetings m ON m.post_id = e.post
	WHERE m.id = $1 AND substr(e.event, 1, 30) = '{"act":"recording.downloaded",' AND e.event LIKE '%"meeting":"' || m.id || '"%'
	ORDER BY e.seq DESC LIMIT $2`

// Downloads lists who took parts of a meeting's recordings away, newest first, limit at
// most. It is what the audit trail of the post tells.
func (s *Store) Downloads(ctx context.Context, id string, limit int) ([]recording.Download, error) {
	rows, err := s.read.QueryContext(ctx, downloadsQuery, id, limit)
	all, err := collect(rows, err, func(row scanner) (d recording.Download, err error) {
		var text string
		if err := row.Scan(&text); err != nil {
			return d, err
		}
		e, err := audit.ParseEvent([]byte(text))
		if err != nil {
			return d, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		if e.Meeting != id { // an underscore of an id stands for any character
			return recording.Download{}, nil
		}
		d = recording.Download{Recording: e.Subjects[audit.OfRecording], Account: e.Actor.ID, At: e.Time}
		d.Part, err = strconv.Atoi(e.Detail["part"])
		return d, err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("list who took recordings away: %w", err))
	}
	all = slices.DeleteFunc(all, func(d recording.Download) bool { return d.Recording == "" })
	names := make(map[string]string)
	for i, d := range all {
		if _, known := names[d.Account]; !known {
			var name string
			err := s.read.QueryRowContext(ctx, `SELECT name FROM accounts WHERE id = $1`, d.Account).Scan(&name)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return nil, classify(fmt.Errorf("name who took recordings away: %w", err))
			}
			names[d.Account] = name
		}
		all[i].Name = names[d.Account]
	}
	return all, nil
}
