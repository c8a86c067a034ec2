package store

import (
	"context"
	"fmt"
	"time"

	"aparte/signaling/meeting"
)

// What is kept of the chat of meetings.

const keptColumns = `seq, identity, name, role, text, sent_at`

func scanKept(row scanner) (m meeting.Message, err error) {
	m.To = meeting.ToEveryone
	err = row.Scan(&m.Seq, &m.From, &m.FromName, &m.Role, &m.Text, at(&m.At))
	return m, err
}

// shownAgain is how many messages of a call come back into it after a restart.
const shownAgain = 1000

// keptChat reads what is stored of a meeting's chat.
func keptChat(ctx context.Context, q queries, id string) (v meeting.KeptChat, err error) {
	rows, err := q.QueryContext(ctx, `SELECT `+keptColumns+` FROM
		(SELECT `+keptColumns+` FROM kept_messages WHERE meeting_id = $1 ORDER BY seq DESC LIMIT $2) AS newest ORDER BY seq`, id, shownAgain)
	if v.Messages, err = collect(rows, err, scanKept); err != nil {
		return v, fmt.Errorf("load kept messages: %w", err)
	}
	rows, err = q.QueryContext(ctx, `SELECT sent_at FROM kept_messages WHERE meeting_id = $1 ORDER BY sent_at, seq`, id)
	v.Times, err = collect(rows, err, func(row scanner) (t time.Time, err error) {
		err = row.Scan(at(&t))
		return t, err
	})
	if err != nil {
		return v, fmt.Errorf("count kept messages: %w", err)
	}
	v.Arrivals = make(map[string]int64)
	rows, err = q.QueryContext(ctx, `SELECT grant_id, first_seq FROM chat_arrivals WHERE meeting_id = $1`, id)
	_, err = collect(rows, err, func(row scanner) (struct{}, error) {
		var grant string
		var first int64
		err := row.Scan(&grant, &first)
		v.Arrivals[grant] = first
		return struct{}{}, err
	})
	if err != nil {
		return v, fmt.Errorf("load who reads kept messages: %w", err)
	}
	return v, nil
}

// saveChat makes durable what a step changed of a meeting's chat.
func saveChat(ctx context.Context, q queries, c meeting.Changes) error {
	if c.ForgetMessages {
		if _, err := q.ExecContext(ctx, `DELETE FROM kept_messages WHERE meeting_id = $1`, c.ID); err != nil {
			return fmt.Errorf("delete kept messages: %w", err)
		}
	}
	for _, m := range c.Messages {
		// A commit that was reported as failed may be on the disk after all: what it held
		// was told to nobody, and this message has its number.
		_, err := q.ExecContext(ctx, `INSERT INTO kept_messages (meeting_id, `+keptColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (meeting_id, seq) DO UPDATE SET identity = excluded.identity, name = excluded.name, role = excluded.role,
			text = excluded.text, sent_at = excluded.sent_at`, c.ID, m.Seq, m.From, m.FromName, m.Role, m.Text, ms(m.At))
		if err != nil {
			return fmt.Errorf("keep message: %w", err)
		}
	}
	for grant, first := range c.Arrivals {
		if _, err := q.ExecContext(ctx, `INSERT INTO chat_arrivals (meeting_id, grant_id, first_seq) VALUES ($1, $2, $3)
			ON CONFLICT (meeting_id, grant_id) DO NOTHING`, c.ID, grant, first); err != nil {
			return fmt.Errorf("keep who reads: %w", err)
		}
	}
	if c.Meeting != nil && c.Meeting.State != meeting.Open { // nobody comes back into the call
		if _, err := q.ExecContext(ctx, `DELETE FROM chat_arrivals WHERE meeting_id = $1`, c.ID); err != nil {
			return fmt.Errorf("forget who reads: %w", err)
		}
	}
	return nil
}

// KeptMessages lists what is stored of a meeting's chat after a message and was written
// at a time or later, oldest first, limit at most.
func (s *Store) KeptMessages(ctx context.Context, id string, after int64, since time.Time, limit int) ([]meeting.Message, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+keptColumns+` FROM kept_messages
		WHERE meeting_id = $1 AND seq > $2 AND sent_at >= $3 ORDER BY seq LIMIT $4`, id, after, ms(since), limit)
	all, err := collect(rows, err, scanKept)
	if err != nil {
		return nil, classify(fmt.Errorf("read kept messages: %w", err))
	}
	return all, nil
}

// ExpireChat deletes, of all meetings, messages written before a time, limit at most,
// and says how many.
func (s *Store) ExpireChat(ctx context.Context, before time.Time, limit int) (n int, err error) {
	// Nothing is written, and nothing waits for a sync, while there is nothing to delete.
	var some int
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM kept_messages WHERE sent_at < $1 LIMIT 1) AS found`, ms(before)).Scan(&some); err != nil || some == 0 {
		return 0, classify(err)
	}
	err = s.write.do(ctx, func(ctx context.Context, q queries) error {
		done, err := q.ExecContext(ctx, `DELETE FROM kept_messages WHERE (meeting_id, seq) IN
			(SELECT meeting_id, seq FROM kept_messages WHERE sent_at < $1 ORDER BY sent_at LIMIT $2)`, ms(before), limit)
		if err != nil {
			return fmt.Errorf("delete kept messages: %w", err)
		}
		deleted, err := done.RowsAffected()
		n = int(deleted)
		return err
	})
	return n, err
}
