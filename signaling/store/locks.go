package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"aparte/signaling/recording"
)

// How recordings are locked in their store.

// lockOf reads how a recording was last decided to be locked; settled: all that is there is.
func lockOf(ctx context.Context, q queries, id string) (l recording.Lock, settled bool, err error) {
	err = q.QueryRowContext(ctx, `SELECT until, hold, settled FROM recording_locks WHERE recording_id = $1`, id).Scan(at(&l.Until), &l.Hold, is(&settled))
	if errors.Is(err, sql.ErrNoRows) {
		return l, false, nil
	}
	return l, settled, err
}

// LockRecording decides how what a store has of a recording is locked (recording.Entry's
// LockNow), and stores it before anything is: from then on nobody begins to delete what is
// locked. Settled tells whether all that is there is locked so already.
// recording.ErrNone: there is no such recording.
func (s *Store) LockRecording(ctx context.Context, id string, policy bool) (l recording.Lock, settled bool, err error) {
	err = s.write.do(ctx, func(ctx context.Context, q queries) error {
		var meeting string
		err := q.QueryRowContext(ctx, `SELECT meeting_id FROM recordings WHERE id = $1`, id).Scan(&meeting)
		if errors.Is(err, sql.ErrNoRows) {
			return recording.ErrNone
		}
		if err != nil {
			return fmt.Errorf("lock recording: %w", err)
		}
		e, err := started(ctx, q, meeting, id)
		if err != nil {
			return err
		}
		if l = e.LockNow(policy); l.Equal(e.Lock) {
			_, settled, err = lockOf(ctx, q, id)
			settled = settled || l == (recording.Lock{})
			return err
		}
		settled = false
		_, err = q.ExecContext(ctx, `INSERT INTO recording_locks (recording_id, until, hold, settled) VALUES ($1, $2, $3, 0)
			ON CONFLICT (recording_id) DO UPDATE SET until = excluded.until, hold = excluded.hold, settled = 0`, id, ms(l.Until), l.Hold)
		return err
	})
	return l, settled, err
}

// SettleLock notes that all that a store has of a recording is locked so. Where another
// lock was decided meanwhile that changes nothing.
func (s *Store) SettleLock(ctx context.Context, id string, l recording.Lock) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		_, err := q.ExecContext(ctx, `UPDATE recording_locks SET settled = 1 WHERE recording_id = $1 AND until = $2 AND hold = $3`, id, ms(l.Until), l.Hold)
		return err
	})
}

// UnsettledLocks lists the recordings that are not locked in their store as they should
// be, those that began first first, limit at most. Policy is as LockRecording's. What is
// being deleted is left to its deletion.
func (s *Store) UnsettledLocks(ctx context.Context, policy bool, limit int) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT r.id FROM recordings r
		LEFT JOIN recording_locks l ON l.recording_id = r.id
		LEFT JOIN recording_holds h ON h.recording_id = r.id
		WHERE r.started_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM recording_deletions d WHERE d.recording_id = r.id)
		AND (l.settled = 0 OR l.hold = 'on' AND h.since IS NULL OR l.hold <> 'on' AND h.since IS NOT NULL
			OR $1 = 1 AND (l.settled IS NULL OR l.until < r.expires_at))
		ORDER BY r.started_at, r.id LIMIT $2`, flag(policy), limit)
	all, err := collect(rows, err, func(row scanner) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("list recordings to be locked: %w", err))
	}
	return all, nil
}

// HeldRecordings lists the recordings that are on hold.
func (s *Store) HeldRecordings(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT recording_id, since FROM recording_holds`)
	held := make(map[string]time.Time)
	_, err = collect(rows, err, func(row scanner) (none struct{}, err error) {
		var id string
		var since time.Time
		if err = row.Scan(&id, at(&since)); err == nil {
			held[id] = since
		}
		return none, err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("list recordings on hold: %w", err))
	}
	return held, nil
}
