package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/post"
)

const postColumns = `p.id, p.name, p.time_zone, p.languages, p.address, p.phone, p.email, p.web, p.created_at`

func postFields(p *post.Post) []any {
	return []any{
		&p.ID, &p.Name, &p.TimeZone,
		words{&p.Languages},
		&p.Contact.Address, &p.Contact.Phone, &p.Contact.Email, &p.Contact.Web,
		at(&p.CreatedAt),
	}
}

// words scans what is separated by spaces.
type words struct{ to *[]string }

func (s words) Scan(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("words as %T", v)
	}
	*s.to = strings.Fields(text)
	return nil
}

func addPost(ctx context.Context, q queries, p post.Post) error {
	_, err := q.ExecContext(ctx, `INSERT INTO posts (id, name, time_zone, languages, address, phone, email, web, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, p.ID, p.Name, p.TimeZone, strings.Join(p.Languages, " "),
		p.Contact.Address, p.Contact.Phone, p.Contact.Email, p.Contact.Web, ms(p.CreatedAt))
	return err
}

func addMember(ctx context.Context, q queries, account, postID string, role post.Role, since time.Time) error {
	_, err := q.ExecContext(ctx, `INSERT INTO account_posts (account_id, post_id, role, since) VALUES ($1, $2, $3, $4)`,
		account, postID, role, ms(since))
	if taken(err) {
		return post.ErrMember
	}
	return err
}

// AddPost adds a post, and its first administrator unless it is "".
func (s *Store) AddPost(ctx context.Context, p post.Post, administrator string, acts ...audit.Draft) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		if err := addPost(ctx, q, p); err != nil {
			return fmt.Errorf("add post: %w", err)
		}
		if administrator != "" {
			if err := addMember(ctx, q, administrator, p.ID, post.Administrator, p.CreatedAt); err != nil {
				return fmt.Errorf("add administrator: %w", err)
			}
		}
		return s.trail.record(ctx, q, acts)
	})
}

// notDisabled ends a condition on account_posts: whoever is disabled acts for no post,
// and is a member still.
const notDisabled = ` AND account_id NOT IN (SELECT id FROM accounts WHERE disabled_at IS NOT NULL)`

// roleAt is an account's role at a post, or post.ErrNotFound, also for who is disabled.
func roleAt(ctx context.Context, q queries, account, postID string) (role post.Role, err error) {
	err = q.QueryRowContext(ctx, `SELECT role FROM account_posts WHERE account_id = $1 AND post_id = $2`+notDisabled, account, postID).Scan(&role)
	if errors.Is(err, sql.ErrNoRows) {
		return "", post.ErrNotFound
	}
	return role, err
}

// administer does what only an administrator of a post may, with its acts, all or
// nothing.
func (s *Store) administer(ctx context.Context, by, postID string, fn func(context.Context, queries) (audit.Draft, error)) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		role, err := roleAt(ctx, q, by, postID)
		if err != nil {
			return err
		}
		if !role.Administers() {
			return post.ErrForbidden
		}
		act, err := fn(ctx, q)
		if err != nil {
			return err
		}
		return s.trail.record(ctx, q, []audit.Draft{act})
	})
}

// SavePost changes a post on behalf of one of its administrators.
func (s *Store) SavePost(ctx context.Context, by string, p post.Post, act audit.Draft) error {
	return s.administer(ctx, by, p.ID, func(ctx context.Context, q queries) (audit.Draft, error) {
		_, err := q.ExecContext(ctx, `UPDATE posts SET name = $1, time_zone = $2, languages = $3, address = $4, phone = $5, email = $6, web = $7
			WHERE id = $8`, p.Name, p.TimeZone, strings.Join(p.Languages, " "),
			p.Contact.Address, p.Contact.Phone, p.Contact.Email, p.Contact.Web, p.ID)
		return act, err
	})
}

func scanMembership(row scanner) (m post.Membership, err error) {
	err = row.Scan(append(postFields(&m.Post), &m.Role)...)
	return m, err
}

// Membership is what an account is at a post, or post.ErrNotFound, also for who is
// disabled.
func (s *Store) Membership(ctx context.Context, account, postID string) (post.Membership, error) {
	m, err := scanMembership(s.read.QueryRowContext(ctx, `SELECT `+postColumns+`, a.role FROM account_posts a JOIN posts p ON p.id = a.post_id
		WHERE a.account_id = $1 AND a.post_id = $2`+notDisabled, account, postID))
	if errors.Is(err, sql.ErrNoRows) {
		err = post.ErrNotFound
	}
	return m, classify(err)
}

const membershipsOf = `SELECT ` + postColumns + `, a.role FROM account_posts a JOIN posts p ON p.id = a.post_id
	WHERE a.account_id = $1 ORDER BY p.name, p.id`

// Memberships are the posts of an account by name.
func (s *Store) Memberships(ctx context.Context, account string) (post.Memberships, error) {
	rows, err := s.read.QueryContext(ctx, membershipsOf, account)
	all, err := collect(rows, err, scanMembership)
	return all, classify(err)
}

const memberColumns = `a.id, a.name, a.email, m.role, m.since`

func memberFields(m *post.Member) []any {
	return []any{&m.Account, &m.Name, &m.Email, &m.Role, at(&m.Since)}
}

// Members lists who belongs to a post, by name.
func (s *Store) Members(ctx context.Context, postID string) ([]post.Member, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+memberColumns+` FROM account_posts m JOIN accounts a ON a.id = m.account_id
		WHERE m.post_id = $1 ORDER BY a.name, a.id`, postID)
	all, err := collect(rows, err, func(row scanner) (m post.Member, err error) {
		err = row.Scan(memberFields(&m)...)
		return m, err
	})
	return all, classify(err)
}

// member reads somebody of a post, or says post.ErrNoMember.
func member(ctx context.Context, q queries, postID, account string) (m post.Member, err error) {
	err = q.QueryRowContext(ctx, `SELECT `+memberColumns+` FROM account_posts m JOIN accounts a ON a.id = m.account_id
		WHERE m.post_id = $1 AND m.account_id = $2`, postID, account).Scan(memberFields(&m)...)
	if errors.Is(err, sql.ErrNoRows) {
		err = post.ErrNoMember
	}
	return m, err
}

// AccountAt is the id of the account that signs in with an address, or
// post.ErrNoMember.
func (s *Store) AccountAt(ctx context.Context, email string) (string, error) {
	account, err := accountAt(ctx, s.read, email)
	return account, classify(err)
}

func accountAt(ctx context.Context, q queries, email string) (account string, err error) {
	err = q.QueryRowContext(ctx, `SELECT id FROM accounts WHERE email = $1`, email).Scan(&account)
	if errors.Is(err, sql.ErrNoRows) {
		err = post.ErrNoMember
	}
	return account, err
}

// AddMember has an account, found by its email, belong to a post: post.ErrNoMember
// if there is none, post.ErrMember if it does already.
func (s *Store) AddMember(ctx context.Context, by, postID, email string, role post.Role, since time.Time, act audit.Draft) (m post.Member, err error) {
	err = s.administer(ctx, by, postID, func(ctx context.Context, q queries) (audit.Draft, error) {
		account, err := accountAt(ctx, q, email)
		if err != nil {
			return act, err
		}
		if err := addMember(ctx, q, account, postID, role, since); err != nil {
			return act, err
		}
		m, err = member(ctx, q, postID, account)
		return act.On(audit.Account, account), err
	})
	return m, err
}

// keepAdministered says post.ErrLastAdmin if the post has no administrator left who
// may sign in.
func keepAdministered(ctx context.Context, q queries, postID string) error {
	var administrators int
	err := q.QueryRowContext(ctx, `SELECT count(*) FROM account_posts WHERE post_id = $1 AND role = $2`+notDisabled, postID, post.Administrator).Scan(&administrators)
	if err == nil && administrators == 0 {
		err = post.ErrLastAdmin
	}
	return err
}

// SetRole changes what a member is at a post.
func (s *Store) SetRole(ctx context.Context, by, postID, account string, role post.Role, act audit.Draft) (m post.Member, err error) {
	err = s.administer(ctx, by, postID, func(ctx context.Context, q queries) (audit.Draft, error) {
		if _, err := member(ctx, q, postID, account); err != nil {
			return act, err
		}
		if _, err := q.ExecContext(ctx, `UPDATE account_posts SET role = $1 WHERE post_id = $2 AND account_id = $3`, role, postID, account); err != nil {
			return act, err
		}
		if err := keepAdministered(ctx, q, postID); err != nil {
			return act, err
		}
		m, err = member(ctx, q, postID, account)
		return act, err
	})
	return m, err
}

// RemoveMember ends a membership.
func (s *Store) RemoveMember(ctx context.Context, by, postID, account string, act audit.Draft) error {
	return s.administer(ctx, by, postID, func(ctx context.Context, q queries) (audit.Draft, error) {
		if _, err := member(ctx, q, postID, account); err != nil {
			return act, err
		}
		if _, err := q.ExecContext(ctx, `DELETE FROM account_posts WHERE post_id = $1 AND account_id = $2`, postID, account); err != nil {
			return act, err
		}
		return act, keepAdministered(ctx, q, postID)
	})
}

// acting are the accounts that make and host the meetings of a post.
func acting(ctx context.Context, q queries, postID string) (map[string]bool, error) {
	rows, err := q.QueryContext(ctx, `SELECT account_id FROM account_posts WHERE post_id = $1 AND role IN (`+actingRoles+`)`+notDisabled, postID)
	accounts := make(map[string]bool)
	_, err = collect(rows, err, func(row scanner) (account string, err error) {
		err = row.Scan(&account)
		accounts[account] = true
		return account, err
	})
	return accounts, err
}

// actingRoles is an SQL list of the roles that host.
var actingRoles = func() string {
	var all []string
	for _, r := range post.Roles() {
		if r.Acts() {
			all = append(all, "'"+string(r)+"'")
		}
	}
	return strings.Join(all, ", ")
}()

// EventsOf calls each with the events of some acts of a post, oldest first.
func (s *Store) EventsOf(ctx context.Context, postID string, acts []audit.Act, each func(audit.Event)) (err error) {
	// A canonical event begins with its act.
	var begins []string
	args := []any{postID}
	for _, act := range acts {
		start := fmt.Sprintf(`{"act":%q,`, act)
		args = append(args, start)
		begins = append(begins, fmt.Sprintf("substr(event, 1, %d) = $%d", len(start), len(args)))
	}
	rows, err := s.read.QueryContext(ctx, `SELECT event FROM audit_events WHERE post = $1 AND (`+strings.Join(begins, " OR ")+`) ORDER BY seq`, args...)
	if err != nil {
		return classify(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return classify(err)
		}
		event, err := audit.ParseEvent([]byte(text))
		if err != nil {
			return fmt.Errorf("read event of post %s: %w: %w", postID, ErrCorrupt, err)
		}
		each(event)
	}
	return classify(rows.Err())
}

// UnknownPosts are the ids, in order, that no post has.
func (s *Store) UnknownPosts(ctx context.Context, ids []string) (unknown []string, err error) {
	for _, id := range slices.Sorted(slices.Values(ids)) {
		var is bool
		if err := s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM posts WHERE id = $1)`, id).Scan(&is); err != nil {
			return nil, classify(fmt.Errorf("look for post %s: %w", id, err))
		}
		if !is {
			unknown = append(unknown, id)
		}
	}
	return unknown, nil
}
