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

const filmColumns = `f.recording_id, f.layout, f.format, f.state, f.queued_at, f.since, f.attempts, f.begun, f.stage, f.stage_since, f.progress, f.reason,
	f.take, f.made_at, f.made_layout, f.made_format, f.type, f.length_ms, f.bytes, f.captions, f.left_at, f.left_looks, f.spent_ms`

func filmFields(f *recording.Film, length, spent *int64) []any {
	return []any{
		&f.Recording, &f.Choice.Layout, &f.Choice.Format, &f.State, at(&f.QueuedAt), at(&f.Since), &f.Attempts, &f.Begun, &f.Stage, at(&f.StageSince), &f.Progress, &f.Reason,
		&f.Made.Take, at(&f.Made.At), &f.Made.Choice.Layout, &f.Made.Choice.Format, &f.Made.Type, length, &f.Made.Bytes, is(&f.Made.Captions), at(&f.LeftAt), &f.Looks, spent,
	}
}

func scanFilm(row scanner) (f recording.Film, err error) {
	return scanFilmAnd(row)
}

// scanFilmAnd reads a film, and what else is in its row.
func scanFilmAnd(row scanner, more ...any) (f recording.Film, err error) {
	var length, spent int64
	err = row.Scan(append(filmFields(&f, &length, &spent), more...)...)
	f.Made.Length, f.Spent = time.Duration(length)*time.Millisecond, time.Duration(spent)*time.Millisecond
	return f, err
}

// saveFilms makes durable which films are to be made, and in which other way.
func saveFilms(ctx context.Context, q queries, c meeting.Changes) error {
	for _, f := range c.Films {
		_, err := q.ExecContext(ctx, `INSERT INTO recording_films (recording_id, layout, format, state, queued_at, since, attempts, begun, stage, progress, reason, type, length_ms, bytes, captions)
			VALUES ($1, $2, $3, $4, $5, $6, 0, 0, '', 0, '', '', 0, 0, 0) ON CONFLICT (recording_id) DO NOTHING`,
			f.Recording, f.Choice.Layout, f.Choice.Format, f.State, ms(f.QueuedAt), ms(f.Since))
		if err != nil {
			return fmt.Errorf("queue film: %w", err)
		}
	}
	for _, f := range c.FilmsAgain {
		// One that was begun meanwhile is made as it was asked for.
		_, err := q.ExecContext(ctx, `UPDATE recording_films SET layout = $1, format = $2, state = $3, queued_at = $4, since = $5, attempts = $6, begun = $7,
			stage = '', stage_since = NULL, progress = 0, reason = $8, spent_ms = $9 WHERE recording_id = $10 AND state <> $11`,
			f.Choice.Layout, f.Choice.Format, f.State, ms(f.QueuedAt), ms(f.Since), f.Attempts, f.Begun, f.Reason, f.Spent.Milliseconds(), f.Recording, recording.FilmRunning)
		if err != nil {
			return fmt.Errorf("queue film again: %w", err)
		}
	}
	return nil
}

// SaveFilm makes durable how far a film is, and what was made of it, but not what is
// chosen: that is for the meeting to say. recording.ErrNone: its recording was deleted, or
// that has begun, so that nothing is made of it that the deletion would not find.
func (s *Store) SaveFilm(ctx context.Context, f recording.Film) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		done, err := q.ExecContext(ctx, `UPDATE recording_films SET state = $1, queued_at = $2, since = $3, attempts = $4, begun = $5, stage = $6, stage_since = $7,
			progress = $8, reason = $9, take = $10, made_at = $11, made_layout = $12, made_format = $13, type = $14, length_ms = $15, bytes = $16, captions = $17, left_at = $18, left_looks = $19, spent_ms = $20
			WHERE recording_id = $21 AND NOT EXISTS (SELECT 1 FROM recording_deletions d WHERE d.recording_id = $21)`, f.State, ms(f.QueuedAt), ms(f.Since), f.Attempts, f.Begun, f.Stage, ms(f.StageSince),
			f.Progress, f.Reason, f.Made.Take, ms(f.Made.At), f.Made.Choice.Layout, f.Made.Choice.Format, f.Made.Type, f.Made.Length.Milliseconds(), f.Made.Bytes, flag(f.Made.Captions), ms(f.LeftAt), f.Looks, f.Spent.Milliseconds(), f.Recording)
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		if err == nil && n == 0 {
			err = recording.ErrNone
		}
		return err
	})
}

// LeavingFilms lists the films beside which something may lie that is of none of them, the
// longest first, limit at most. Of a recording whose deletion has begun none is: it takes
// everything; nor of one that is on hold, of which nothing is deleted, also no film in
// whose place another is.
func (s *Store) LeavingFilms(ctx context.Context, limit int) ([]recording.Film, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+filmColumns+` FROM recording_films f WHERE f.left_at IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM recording_deletions d WHERE d.recording_id = f.recording_id)
		AND NOT EXISTS (SELECT 1 FROM recording_holds h WHERE h.recording_id = f.recording_id) ORDER BY f.left_at, f.recording_id LIMIT $1`, limit)
	all, err := collect(rows, err, scanFilm)
	if err != nil {
		return nil, classify(fmt.Errorf("list films that may have left something: %w", err))
	}
	return all, nil
}

// FilmLooked makes durable that it was looked for what a film may have left.
func (s *Store) FilmLooked(ctx context.Context, f recording.Film) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		_, err := q.ExecContext(ctx, `UPDATE recording_films SET left_at = $1, left_looks = $2 WHERE recording_id = $3`, ms(f.LeftAt), f.Looks, f.Recording)
		return err
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
		var languages string
		f, err = scanFilmAnd(row, &languages)
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
