package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/post"
)

// What auditors read of the trail while the server runs.

// narrowed is what a query leaves out by acts and ids, in SQL, and its arguments. An
// event holds each of its ids in quotes. LIKE may find more (its _ is any character, and
// it knows no capitals): the query looks at what is found once more.
func narrowed(q post.Query, postID string, limit int) (string, []any) {
	before := q.Before
	if before == 0 {
		before = 1 << 53 // beyond every event
	}
	args := []any{postID, int64(before), limit}
	var where strings.Builder
	oneOf := func(patterns []string) {
		if len(patterns) == 0 {
			return
		}
		conditions := make([]string, len(patterns))
		for i, pattern := range patterns {
			args = append(args, pattern)
			conditions[i] = fmt.Sprintf("event LIKE $%d", len(args))
		}
		where.WriteString(" AND (" + strings.Join(conditions, " OR ") + ")")
	}
	var acts, guests []string
	for _, act := range q.Acts {
		acts = append(acts, `{"act":"`+string(act)+`",%`) // which a canonical event begins with
	}
	for _, id := range q.Guests {
		guests = append(guests, `%"`+id+`"%`)
	}
	oneOf(acts)
	oneOf(guests)
	for _, id := range []string{q.Actor, q.Meeting, q.Link} {
		if id != "" {
			oneOf([]string{`%"` + id + `"%`})
		}
	}
	return where.String(), args
}

// EventsBefore lists events of a post that a query may choose, newest first, limit at
// most. Texts that were purged are absent.
func (s *Store) EventsBefore(ctx context.Context, postID string, q post.Query, limit int) ([]post.Told, error) {
	where, args := narrowed(q, postID, limit)
	rows, err := s.read.QueryContext(ctx, `SELECT e.event, e.hash, p.field, p.text
		FROM (SELECT post, seq, event, hash FROM audit_events WHERE post = $1 AND seq < $2`+where+` ORDER BY seq DESC LIMIT $3) e
		LEFT JOIN audit_personal p ON p.post = e.post AND p.seq = e.seq ORDER BY e.seq DESC, p.field`, args...)
	var all []post.Told
	type line struct {
		told        post.Told
		field, text sql.NullString
	}
	lines, err := collect(rows, err, func(row scanner) (v line, err error) {
		var event string
		if err := row.Scan(&event, hashInto((*[32]byte)(&v.told.Hash)), &v.field, &v.text); err != nil {
			return v, err
		}
		if v.told.Event, err = audit.ParseEvent([]byte(event)); err != nil {
			return v, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return v, nil
	})
	if err != nil {
		return nil, classify(fmt.Errorf("read audit trail of post %s: %w", postID, err))
	}
	for _, v := range lines {
		if len(all) == 0 || all[len(all)-1].Seq != v.told.Seq {
			all = append(all, v.told)
		}
		if last := &all[len(all)-1]; v.field.Valid {
			if last.Texts == nil {
				last.Texts = make(map[string]string)
			}
			last.Texts[v.field.String] = v.text.String
		}
	}
	return all, nil
}

// GuestIDs are all ids that a guest of a post goes by, of whom one is known: those of the
// lobby session, the knock and the participant.
func (s *Store) GuestIDs(ctx context.Context, postID, id string) ([]string, error) {
	var visit, knock, identity sql.NullString
	err := s.read.QueryRowContext(ctx, `SELECT k.session_id, k.id, k.identity FROM knocks k JOIN meetings m ON m.id = k.meeting_id
		WHERE m.post_id = $1 AND (k.session_id = $2 OR k.id = $2 OR k.identity = $2) ORDER BY k.since DESC LIMIT 1`, postID, id).Scan(&visit, &knock, &identity)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, classify(err)
	}
	ids := []string{id}
	for _, other := range []sql.NullString{visit, knock, identity} {
		if other.String != "" && other.String != id {
			ids = append(ids, other.String)
		}
	}
	return ids, nil
}

// NamesOf are what ids in events of a post are called: accounts, meetings, guest links,
// and guests by all their ids. What was purged has no name any more.
func (s *Store) NamesOf(ctx context.Context, postID string, events []post.Told) (map[string]string, error) {
	ids := make(map[string]bool)
	for _, e := range events {
		ids[e.Actor.ID], ids[e.Meeting] = true, true
		for _, id := range e.Subjects {
			ids[id] = true
		}
	}
	delete(ids, "")
	if len(ids) == 0 {
		return map[string]string{}, nil
	}
	args := []any{postID}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		args = append(args, id)
	}
	places := make([]string, len(args)-1)
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+2)
	}
	in := "(" + strings.Join(places, ", ") + ")"
	names := make(map[string]string)
	for _, query := range []string{
		// Whoever is in a post's chain has acted there, or was acted on.
		`SELECT id, name FROM accounts WHERE $1 <> '' AND id IN ` + in,
		`SELECT id, title FROM meetings WHERE post_id = $1 AND id IN ` + in,
		`SELECT l.id, CASE WHEN l.guest_name <> '' THEN l.guest_name ELSE l.label END FROM guest_links l JOIN meetings m ON m.id = l.meeting_id WHERE m.post_id = $1 AND l.id IN ` + in,
		`SELECT k.id, k.name FROM knocks k JOIN meetings m ON m.id = k.meeting_id WHERE m.post_id = $1 AND k.id IN ` + in,
		`SELECT k.session_id, k.name FROM knocks k JOIN meetings m ON m.id = k.meeting_id WHERE m.post_id = $1 AND k.session_id IN ` + in,
		`SELECT t.identity, t.name FROM attendance t JOIN meetings m ON m.id = t.meeting_id WHERE m.post_id = $1 AND t.identity IN ` + in,
		`SELECT k.identity, k.name FROM knocks k JOIN meetings m ON m.id = k.meeting_id WHERE m.post_id = $1 AND k.identity IN ` + in,
		`SELECT id, name FROM posts WHERE id = $1 AND id IN ` + in,
	} {
		rows, err := s.read.QueryContext(ctx, query, args...)
		_, err = collect(rows, err, func(row scanner) (id string, err error) {
			var name string
			if err = row.Scan(&id, &name); err == nil && name != "" {
				names[id] = name
			}
			return id, err
		})
		if err != nil {
			return nil, classify(fmt.Errorf("name what is in the trail of post %s: %w", postID, err))
		}
	}
	return names, nil
}

// VerifyChain reads the whole chain of a post and says what is wrong with it.
func (s *Store) VerifyChain(ctx context.Context, postID string) (report audit.Report, err error) {
	t, err := OpenTrail(ctx, s.dir)
	if err != nil {
		return audit.Report{}, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	return t.verify(ctx, postID, nil, nil, func(audit.Event, audit.Entry) error { return nil })
}

// ExportChain writes the stretch of a post's chain that holds a range of time, with a
// signed head: *audit.TamperedError, before anything is written, if the chain does not
// verify.
func (s *Store) ExportChain(ctx context.Context, w io.Writer, postID string, since, until time.Time) (err error) {
	t, err := OpenTrail(ctx, s.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	_, err = t.Export(ctx, w, Range{Post: postID, Since: since, Until: until})
	return err
}
