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

// Films of recordings: queued with the recording's stop, then the queue's own.

const filmColumns = `f.recording_id, f.state, f.queued_at, f.since, f.attempts, f.begun, f.stage, f.stage_since, f.progress, f.reason,
	f.type, f.length_ms, f.bytes, f.captions`

func filmFields(f *recording.Film, ms *int64) []any {
	return []any{
		&f.Recording, &f.State, at(&f.QueuedAt), at(&f.Since), &f.Attempts, &f.Begun, &f.Stage, at(&f.StageSince), &f.Progress, &f.Reason,
		&f.Type, ms, &f.Bytes, is(&f.Captions),
	}
}

func scanFilm(row scanner) (f recording.Film, err error) {
	var length int64
	err = row.Scan(filmFields(&f, &length)...)
	f.Length = time.Duration(length) * time.Millisecond
	return f, err
}

// saveFilms makes durable which films are to be made.
func saveFilms(ctx context.Context, q queries, c meeting.Changes) error {
	for _, f := range c.Films {
		if err := saveFilm(ctx, q, f, `INSERT INTO recording_films (state, queued_at, since, attempts, begun, stage, stage_since, progress, reason, type, length_ms, bytes, captions, recording_id)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
			ON CONFLICT (recording_id) DO UPDATE SET state = excluded.state, queued_at = excluded.queued_at, since = excluded.since, attempts = excluded.attempts,
			begun = excluded.begun, stage = excluded.stage, stage_since = excluded.stage_since, progress = excluded.progress, reason = excluded.reason
			WHERE recording_films.state = 'failed'`); err != nil && !errors.Is(err, recording.ErrNone) { // it is being made again already
			return fmt.Errorf("queue film: %w", err)
		}
	}
	return nil
}

func saveFilm(ctx context.Context, q queries, f recording.Film, statement string) error {
	done, err := q.ExecContext(ctx, statement, f.State, ms(f.QueuedAt), ms(f.Since), f.Attempts, f.Begun, f.Stage, ms(f.StageSince), f.Progress, f.Reason,
		f.Type, f.Length.Milliseconds(), f.Bytes, flag(f.Captions), f.Recording)
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		err = recording.ErrNone
	}
	return err
}

// SaveFilm makes durable how far a film is; recording.ErrNone: its recording was deleted,
// or that has begun, so that nothing is made of it that the deletion would not find.
func (s *Store) SaveFilm(ctx context.Context, f recording.Film) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		return saveFilm(ctx, q, f, `UPDATE recording_films SET state = $1, queued_at = $2, since = $3, attempts = $4, begun = $5, stage = $6, stage_since = $7,
			progress = $8, reason = $9, type = $10, length_ms = $11, bytes = $12, captions = $13
			WHERE recording_id = $14 AND NOT EXISTS (SELECT 1 FROM recording_deletions d WHERE d.recording_id = $14)`)
	})
}

// UnmadeFilms lists the films of all meetings that are to be made, in the order of the
// queue, limit at most, each in the language of its meeting's post. Of a recording whose
// deletion has begun none is.
func (s *Store) UnmadeFilms(ctx context.Context, limit int) ([]recording.Film, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+filmColumns+`, p.languages FROM recording_films f JOIN recordings r ON r.id = f.recording_id
		JOIN meetings m ON m.id = r.meeting_id JOIN posts p ON p.id = m.post_id
		WHERE f.state IN ('queued', 'running', 'unavailable') AND NOT EXISTS (SELECT 1 FROM recording_deletions d WHERE d.recording_id = f.recording_id)
		ORDER BY f.queued_at, f.recording_id LIMIT $1`, limit)
	all, err := collect(rows, err, func(row scanner) (f recording.Film, err error) {
		var length int64
		var languages string
		err = row.Scan(append(filmFields(&f, &length), &languages)...)
		f.Length = time.Duration(length) * time.Millisecond
		f.Language, _, _ = strings.Cut(languages, " ")
		return f, err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("list films to be made: %w", err))
	}
	return all, nil
}

// Film is that of a recording, or recording.ErrNone.
func (s *Store) Film(ctx context.Context, id string) (recording.Film, error) {
	f, err := scanFilm(s.read.QueryRowContext(ctx, `SELECT `+filmColumns+` FROM recording_films f WHERE f.recording_id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return f, recording.ErrNone
	}
	return f, classify(err)
}
