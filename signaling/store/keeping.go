package store

import (
	"context"
	"fmt"

	"aparte/signaling/audit"
	"aparte/signaling/recording"
)

// What is decided about recordings that were started.

// decided reads what was decided about a recording.
func decided(ctx context.Context, q queries, id string) (k recording.Keeping, err error) {
	rows, err := q.QueryContext(ctx, `SELECT s.account_id, a.name, s.since, s.until FROM recording_shares s
		JOIN accounts a ON a.id = s.account_id WHERE s.recording_id = $1 ORDER BY a.name, a.id`, id)
	if k.Shares, err = collect(rows, err, func(row scanner) (s recording.Share, err error) {
		err = row.Scan(&s.Account, &s.Name, at(&s.Since), at(&s.Until))
		return s, err
	}); err != nil {
		return k, err
	}
	rows, err = q.QueryContext(ctx, `SELECT by_account, by_name, reason, since FROM recording_holds WHERE recording_id = $1`, id)
	holds, err := collect(rows, err, func(row scanner) (h recording.Hold, err error) {
		err = row.Scan(&h.By, &h.ByName, &h.Reason, at(&h.Since))
		return h, err
	})
	if err != nil {
		return k, err
	}
	rows, err = q.QueryContext(ctx, `SELECT by_account, because, since, tried FROM recording_deletions WHERE recording_id = $1`, id)
	deletions, err := collect(rows, err, func(row scanner) (d recording.Deletion, err error) {
		err = row.Scan(&d.By, &d.Because, at(&d.Since), at(&d.Tried))
		return d, err
	})
	if err != nil {
		return k, err
	}
	if k.Lock, _, err = lockOf(ctx, q, id); err != nil {
		return k, err
	}
	if len(holds) > 0 {
		k.Hold = &holds[0]
	}
	if len(deletions) > 0 {
		k.Deletion = &deletions[0]
	}
	return k, nil
}

// KeepRecording stores what is decided about a recording of a meeting, by what is stored
// of it now, together with the acts' entries in the audit trail. decide may be called
// twice. What it refuses with, or recording.ErrNone, is the answer.
func (s *Store) KeepRecording(ctx context.Context, meeting, id string, decide func(recording.Entry) (recording.Keeping, []audit.Draft, error)) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		e, err := started(ctx, q, meeting, id)
		if err != nil {
			return err
		}
		after, acts, err := decide(e)
		if err != nil {
			return err
		}
		for _, table := range []string{"recording_shares", "recording_holds", "recording_deletions"} {
			if _, err := q.ExecContext(ctx, `DELETE FROM `+table+` WHERE recording_id = $1`, id); err != nil {
				return fmt.Errorf("decide about recording: %w", err)
			}
		}
		if err := saveKeeping(ctx, q, id, after); err != nil {
			return fmt.Errorf("decide about recording: %w", err)
		}
		return s.trail.record(ctx, q, acts)
	})
}

func saveKeeping(ctx context.Context, q queries, id string, k recording.Keeping) error {
	for _, v := range k.Shares {
		if _, err := q.ExecContext(ctx, `INSERT INTO recording_shares (recording_id, account_id, since, until) VALUES ($1, $2, $3, $4)`,
			id, v.Account, ms(v.Since), ms(v.Until)); err != nil {
			return err
		}
	}
	if h := k.Hold; h != nil {
		if _, err := q.ExecContext(ctx, `INSERT INTO recording_holds (recording_id, by_account, by_name, reason, since) VALUES ($1, $2, $3, $4, $5)`,
			id, h.By, h.ByName, h.Reason, ms(h.Since)); err != nil {
			return err
		}
	}
	if d := k.Deletion; d != nil {
		if _, err := q.ExecContext(ctx, `INSERT INTO recording_deletions (recording_id, by_account, because, since, tried) VALUES ($1, $2, $3, $4, $5)`,
			id, d.By, d.Because, ms(d.Since), ms(d.Tried)); err != nil {
			return err
		}
	}
	return nil
}
