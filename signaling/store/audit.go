package store

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"aparte/signaling/audit"
)

// auditKey names the key that signs the heads of audit chains.
const auditKey = "audit"

// trail appends to the audit chains.
type trail struct {
	key    ed25519.PrivateKey
	random io.Reader // of salts
}

// openTrail makes the key that signs heads, or finds it.
func (s *Store) openTrail(ctx context.Context) error {
	seed, err := s.SigningKey(ctx, auditKey, rand.Reader, time.Now())
	if err != nil {
		return err
	}
	s.trail = trail{key: ed25519.NewKeyFromSeed(seed), random: rand.Reader}
	return nil
}

// Note records what changed nothing else, such as a refusal.
func (s *Store) Note(ctx context.Context, acts ...audit.Draft) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error { return s.trail.record(ctx, q, acts) })
}

// record appends acts to the chains of their posts, within the transaction of
// the acts themselves.
func (t trail) record(ctx context.Context, q queries, acts []audit.Draft) error {
	byPost := make(map[string][]audit.Draft, 1)
	for _, d := range acts {
		chains, err := chainsOf(ctx, q, d)
		if err != nil {
			return fmt.Errorf("find the chain of %s: %w", d.Act, err)
		}
		for _, post := range chains {
			byPost[post] = append(byPost[post], d)
		}
	}
	posts := make([]string, 0, len(byPost))
	for post := range byPost {
		posts = append(posts, post)
	}
	slices.Sort(posts) // all lock heads in one order
	for _, post := range posts {
		if err := t.extend(ctx, q, post, byPost[post]); err != nil {
			return fmt.Errorf("record acts of post %s: %w", post, err)
		}
	}
	return nil
}

// chainsOf says in which chains an act is told (audit.Draft.Post).
func chainsOf(ctx context.Context, q queries, d audit.Draft) ([]string, error) {
	if d.Post != "" {
		return []string{d.Post}, nil
	}
	found, err := concerned(ctx, q, d)
	if err != nil {
		return nil, err
	}
	if d.Within != nil && (len(found) == 0 || !slices.ContainsFunc(found, func(post string) bool { return slices.Contains(d.Within, post) })) {
		found = d.Within
	}
	if len(found) == 0 {
		found = []string{audit.Installation}
	}
	return found, nil
}

// concerned are the posts of what an act is about.
func concerned(ctx context.Context, q queries, d audit.Draft) ([]string, error) {
	about := d.Subjects[audit.Account]
	if about == "" && d.Actor.Kind == audit.Agent {
		about = d.Actor.ID
	}
	for _, way := range []struct{ query, id string }{
		{`SELECT post_id FROM meetings WHERE id = $1 AND post_id IS NOT NULL`, d.Meeting},
		{`SELECT m.post_id FROM guest_links l JOIN meetings m ON m.id = l.meeting_id WHERE l.id = $1 AND m.post_id IS NOT NULL`, d.Subjects[audit.Link]},
		{`SELECT post_id FROM account_posts WHERE account_id = $1 ORDER BY post_id`, about},
	} {
		if way.id == "" {
			continue
		}
		rows, err := q.QueryContext(ctx, way.query, way.id)
		posts, err := collect(rows, err, func(row scanner) (post string, err error) {
			err = row.Scan(&post)
			return post, err
		})
		if err != nil || len(posts) > 0 {
			return posts, err
		}
	}
	return nil, nil
}

func (t trail) extend(ctx context.Context, q queries, post string, acts []audit.Draft) error {
	head, err := lockHead(ctx, q, post)
	if err != nil {
		return err
	}
	for _, d := range acts {
		var entry audit.Entry
		if entry, head, err = head.Append(d, t.random); err != nil {
			return err
		}
		if err := addEntry(ctx, q, post, entry); err != nil {
			return err
		}
	}
	signed, err := head.Sign(t.key)
	if err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, `UPDATE audit_heads SET seq = $1, hash = $2, at = $3, signature = $4 WHERE post = $5`,
		int64(head.Seq), head.Hash.String(), ms(head.Time), signed.Signature.String(), post)
	return err
}

// lockHead reads a chain's head and keeps others from it until the transaction
// ends. Writing the row locks it in PostgreSQL as SELECT ... FOR UPDATE would, and
// makes it where there is none yet; in SQLite whoever writes is alone anyway.
func lockHead(ctx context.Context, q queries, post string) (audit.Head, error) {
	head := audit.Start(post)
	err := q.QueryRowContext(ctx, `INSERT INTO audit_heads (post, seq, hash, signature) VALUES ($1, 0, $2, '')
		ON CONFLICT (post) DO UPDATE SET seq = audit_heads.seq RETURNING seq, hash, at`, post, head.Hash.String()).
		Scan(&head.Seq, hashInto((*[32]byte)(&head.Hash)), at(&head.Time))
	return head, err
}

func addEntry(ctx context.Context, q queries, post string, e audit.Entry) error {
	seq := int64(e.Seq)
	if _, err := q.ExecContext(ctx, `INSERT INTO audit_events (post, seq, event, hash) VALUES ($1, $2, $3, $4)`,
		post, seq, string(e.Event), e.Hash.String()); err != nil {
		return err
	}
	if len(e.Personal) == 0 {
		return nil
	}
	var rows []string
	args := []any{post, seq}
	for _, field := range slices.Sorted(maps.Keys(e.Personal)) {
		p := e.Personal[field]
		salt, err := p.Salt.MarshalText()
		if err != nil {
			return err
		}
		n := len(args)
		rows = append(rows, fmt.Sprintf("($1, $2, $%d, $%d, $%d)", n+1, n+2, n+3))
		args = append(args, field, string(salt), p.Text)
	}
	_, err := q.ExecContext(ctx, `INSERT INTO audit_personal (post, seq, field, salt, text) VALUES `+strings.Join(rows, ", "), args...)
	return err
}
