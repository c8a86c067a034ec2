package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"aparte/signaling/meeting"
	"aparte/signaling/recording"
)

// Recordings across meetings and posts.

// FindRecordings lists the recordings that an account has something to do with, newest
// first, from one on, limit at most: those of meetings that it hosts, those that are shared
// with it now, and those of posts that it administers. Nobody has anything to do with those
// of a post that they do not act for. narrow leaves out more.
func (s *Store) FindRecordings(ctx context.Context, account string, f meeting.RecordingFilter, now time.Time, narrow func(title string) bool, limit int) ([]meeting.FoundRecording, error) {
	args := []any{account, ms(now), recording.Stopped}
	arg := func(v any) string {
		args = append(args, v)
		return fmt.Sprintf("$%d", len(args))
	}
	shared := `(s.until > $2 AND r.state = $3 AND r.expires_at > $2 AND d.tried IS NULL)`
	which := map[meeting.RecordingsOf]string{
		meeting.HostedByMe:   `h.role IS NOT NULL`,
		meeting.SharedWithMe: shared,
		meeting.OfMyPosts:    `p.role = 'administrator'`,
	}
	where := which[f.Of]
	if where == "" {
		where = `(` + strings.Join([]string{which[meeting.HostedByMe], which[meeting.SharedWithMe], which[meeting.OfMyPosts]}, " OR ") + `)`
	}
	if f.Post != "" {
		where += ` AND m.post_id = ` + arg(f.Post)
	}
	if !f.Since.IsZero() {
		where += ` AND r.started_at >= ` + arg(ms(f.Since))
	}
	if !f.Until.IsZero() {
		where += ` AND r.started_at < ` + arg(ms(f.Until))
	}
	if f.Held {
		where += ` AND EXISTS (SELECT 1 FROM recording_holds o WHERE o.recording_id = r.id)`
	}
	if f.Recording != "" {
		where += ` AND r.id = ` + arg(f.Recording)
	}
	if !f.After.IsZero() {
		from, id := arg(ms(f.After)), arg(f.AfterID)
		where += ` AND (r.started_at < ` + from + ` OR r.started_at = ` + from + ` AND r.id > ` + id + `)`
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+recordingsAs("r")+`, m.title, m.post_id, t.name, coalesce(h.role, ''), p.role, CASE WHEN `+shared+` THEN s.until END
		FROM recordings r JOIN meetings m ON m.id = r.meeting_id JOIN posts t ON t.id = m.post_id
		JOIN account_posts p ON p.post_id = m.post_id AND p.account_id = $1 AND p.role IN (`+actingRoles+`)
		JOIN accounts a ON a.id = p.account_id AND a.disabled_at IS NULL
		LEFT JOIN members h ON h.meeting_id = m.id AND h.account_id = $1 AND h.role IN ('host', 'cohost')
		LEFT JOIN recording_shares s ON s.recording_id = r.id AND s.account_id = $1
		LEFT JOIN recording_deletions d ON d.recording_id = r.id
		WHERE r.started_at IS NOT NULL AND `+where+` ORDER BY r.started_at DESC, r.id`, args...)
	if err != nil {
		return nil, classify(fmt.Errorf("find recordings: %w", err))
	}
	defer func() { _ = rows.Close() }()
	var all []meeting.FoundRecording
	for len(all) < limit && rows.Next() {
		v, err := scanFound(rows)
		if err != nil {
			return nil, classify(fmt.Errorf("find recordings: %w", err))
		}
		if narrow(v.Title) {
			all = append(all, v)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, classify(fmt.Errorf("find recordings: %w", err))
	}
	for i := range all {
		if err := fill(ctx, s.read, &all[i].Entry); err != nil {
			return nil, classify(err)
		}
	}
	return all, nil
}

func scanFound(row scanner) (v meeting.FoundRecording, err error) {
	var hosts, atPost string
	r := &v.Recording
	err = row.Scan(append(recordingFields(r), &v.Title, &v.Post, &v.PostName, &hosts, &atPost, at(&v.Access.SharedUntil))...)
	v.Access.Host, v.Access.Cohost, v.Access.Administrator = hosts == "host", hosts == "cohost", atPost == "administrator"
	return v, err
}

// RecordingsTake says for each post, or for one, what its recordings take: the bytes of
// those that have stopped, with their films, and those that have not.
func (s *Store) RecordingsTake(ctx context.Context, post string) ([]meeting.PostRecordings, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT m.post_id, t.name, sum(CASE WHEN r.state = $1 THEN r.bytes ELSE 0 END) + coalesce(sum(f.bytes), 0)
		FROM recordings r LEFT JOIN recording_films f ON f.recording_id = r.id JOIN meetings m ON m.id = r.meeting_id JOIN posts t ON t.id = m.post_id
		WHERE r.started_at IS NOT NULL AND ($2 = '' OR m.post_id = $2) GROUP BY m.post_id, t.name ORDER BY t.name, m.post_id`, recording.Stopped, post)
	all, err := collect(rows, err, func(row scanner) (v meeting.PostRecordings, err error) {
		err = row.Scan(&v.Post, &v.Name, &v.Stopped)
		return v, err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("add up recordings: %w", err))
	}
	for i := range all {
		rows, err := s.read.QueryContext(ctx, `SELECT `+recordingColumns+` FROM recordings WHERE started_at IS NOT NULL AND state <> $1
			AND meeting_id IN (SELECT id FROM meetings WHERE post_id = $2) ORDER BY started_at, id`, recording.Stopped, all[i].Post)
		if all[i].Ongoing, err = collect(rows, err, scanRecording); err != nil {
			return nil, classify(fmt.Errorf("list recordings under way: %w", err))
		}
	}
	return all, nil
}
