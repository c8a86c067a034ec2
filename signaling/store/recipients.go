package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/name"
	"aparte/signaling/post"
)

// Recipients are the keys of a post, and who changed them last.
func (s *Store) Recipients(ctx context.Context, postID string) (post.Recipients, error) {
	all, err := recipients(ctx, s.read, postID)
	return all, classify(err)
}

func recipients(ctx context.Context, q queries, postID string) (all post.Recipients, err error) {
	rows, err := q.QueryContext(ctx, `SELECT r.id, r.name, r.key, r.fingerprint, r.added_by, a.name, r.added_at, r.removed_at, b.name
		FROM post_recipients r JOIN accounts a ON a.id = r.added_by LEFT JOIN accounts b ON b.id = r.removed_by
		WHERE r.post_id = $1 ORDER BY r.added_at, r.id`, postID)
	type line struct {
		post.Recipient

		removed   time.Time
		removedBy sql.NullString
	}
	lines, err := collect(rows, err, func(row scanner) (v line, err error) {
		err = row.Scan(&v.ID, &v.Name, &v.Key, &v.Fingerprint, &v.AddedBy, &v.AddedByName, at(&v.AddedAt), at(&v.removed), &v.removedBy)
		return v, err
	})
	changed := func(at time.Time, by string) {
		if at.After(all.Changed) {
			all.Changed, all.ChangedBy = at, by
		}
	}
	for _, v := range lines {
		changed(v.AddedAt, v.AddedByName)
		if v.removed.IsZero() {
			all.Own = append(all.Own, v.Recipient)
		} else {
			changed(v.removed, v.removedBy.String)
		}
	}
	return all, err
}

// AddRecipient adds a key to a post's on behalf of one of its administrators:
// post.ErrManyRecipients, or a *name.Error where the post has it.
func (s *Store) AddRecipient(ctx context.Context, by, postID string, r post.Recipient, act audit.Draft) (post.Recipient, error) {
	err := s.administer(ctx, by, postID, func(ctx context.Context, q queries) (audit.Draft, error) {
		n, err := recipientCount(ctx, q, postID)
		if err == nil && n >= post.MaxRecipients {
			err = post.ErrManyRecipients
		}
		if err == nil {
			_, err = q.ExecContext(ctx, `INSERT INTO post_recipients (id, post_id, name, key, fingerprint, added_by, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
				r.ID, postID, r.Name, r.Key, r.Fingerprint, by, ms(r.AddedAt))
			if taken(err) {
				err = &name.Error{At: "key", Reason: "is one of the post's already", Code: post.CodeKeyThere}
			}
		}
		if err == nil {
			err = q.QueryRowContext(ctx, `SELECT name FROM accounts WHERE id = $1`, by).Scan(&r.AddedByName)
		}
		return act, err
	})
	return r, err
}

// RemoveRecipient removes a key from a post's on behalf of one of its administrators:
// post.ErrNoRecipient if the post has none of that id.
func (s *Store) RemoveRecipient(ctx context.Context, by, postID, id string, now time.Time, act audit.Draft) error {
	return s.administer(ctx, by, postID, func(ctx context.Context, q queries) (audit.Draft, error) {
		var fingerprint string
		err := q.QueryRowContext(ctx, `UPDATE post_recipients SET removed_by = $1, removed_at = $2
			WHERE id = $3 AND post_id = $4 AND removed_at IS NULL RETURNING fingerprint`, by, ms(now), id, postID).Scan(&fingerprint)
		if errors.Is(err, sql.ErrNoRows) {
			err = post.ErrNoRecipient
		}
		return act.With("fingerprint", fingerprint), err
	})
}

// RecipientKeys are the public keys of a post, the oldest first.
func (s *Store) RecipientKeys(ctx context.Context, postID string) ([]string, error) {
	all, err := s.Recipients(ctx, postID)
	keys := make([]string, len(all.Own))
	for i, r := range all.Own {
		keys[i] = r.Key
	}
	return keys, err
}

// PostsWithRecipients counts the posts that have keys of their own.
func (s *Store) PostsWithRecipients(ctx context.Context) (n int, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT COUNT(DISTINCT post_id) FROM post_recipients WHERE removed_at IS NULL`).Scan(&n)
	return n, classify(err)
}

func recipientCount(ctx context.Context, q queries, postID string) (n int, err error) {
	err = q.QueryRowContext(ctx, `SELECT COUNT(*) FROM post_recipients WHERE post_id = $1 AND removed_at IS NULL`, postID).Scan(&n)
	return n, err
}
