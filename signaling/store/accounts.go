package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/login"
	"aparte/signaling/post"
)

const accountColumns = `a.id, a.name, a.email, a.admin, a.created_at, a.disabled_at,
	(SELECT u.seen_at FROM account_uses u WHERE u.account_id = a.id)`

func accountFields(a *login.Account) []any {
	return []any{&a.ID, &a.Name, &a.Email, is(&a.Admin), at(&a.CreatedAt), at(&a.DisabledAt), at(&a.SeenAt)}
}

func (s *Store) account(ctx context.Context, column, value string) (a login.Account, password string, err error) {
	row := s.read.QueryRowContext(ctx, `SELECT `+accountColumns+`, a.password FROM accounts a WHERE a.`+column+` = $1`, value)
	err = row.Scan(append(accountFields(&a), &password)...)
	if errors.Is(err, sql.ErrNoRows) {
		err = login.ErrRefused
	}
	if err != nil {
		return a, password, classify(err)
	}
	a.Posts, err = s.Memberships(ctx, a.ID)
	return a, password, err
}

// AccountByEmail returns an account and its password's hash, or login.ErrRefused.
func (s *Store) AccountByEmail(ctx context.Context, email string) (login.Account, string, error) {
	return s.account(ctx, "email", email)
}

// AccountByID returns an account and its password's hash, or login.ErrRefused.
func (s *Store) AccountByID(ctx context.Context, id string) (login.Account, string, error) {
	return s.account(ctx, "id", id)
}

// AccountsOf lists the accounts of some posts by name, each with its memberships
// of these posts alone.
func (s *Store) AccountsOf(ctx context.Context, posts []string) ([]login.Account, error) {
	var all []login.Account
	places := make(map[string]int) // in all, by id
	for _, id := range posts {
		rows, err := s.read.QueryContext(ctx, `SELECT `+accountColumns+`, `+postColumns+`, m.role FROM account_posts m
			JOIN accounts a ON a.id = m.account_id JOIN posts p ON p.id = m.post_id WHERE m.post_id = $1`, id)
		of, err := collect(rows, err, func(row scanner) (a login.Account, err error) {
			var m post.Membership
			err = row.Scan(append(append(accountFields(&a), postFields(&m.Post)...), &m.Role)...)
			a.Posts = post.Memberships{m}
			return a, err
		})
		if err != nil {
			return nil, classify(fmt.Errorf("list accounts: %w", err))
		}
		for _, a := range of {
			if place, ok := places[a.ID]; ok {
				all[place].Posts = append(all[place].Posts, a.Posts...)
				continue
			}
			places[a.ID] = len(all)
			all = append(all, a)
		}
	}
	slices.SortFunc(all, byName)
	return all, nil
}

func byName(a, b login.Account) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
}

// AnyAccount reports whether there is an account.
func (s *Store) AnyAccount(ctx context.Context) (there bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM accounts)`).Scan(is(&there))
	return there, classify(err)
}

func addAccount(ctx context.Context, q queries, a login.Account, password string) error {
	_, err := q.ExecContext(ctx, `INSERT INTO accounts (id, name, email, password, admin, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		a.ID, a.Name, a.Email, password, flag(a.Admin), ms(a.CreatedAt))
	if taken(err) {
		return login.ErrTaken
	}
	if err != nil {
		return err
	}
	for _, m := range a.Posts {
		if err := addMember(ctx, q, a.ID, m.Post.ID, m.Role, a.CreatedAt); err != nil {
			return fmt.Errorf("add to post: %w", err)
		}
	}
	return nil
}

func addCode(ctx context.Context, q queries, c login.Code) error {
	var account any
	if c.Account != "" {
		account = c.Account
	}
	_, err := q.ExecContext(ctx, `INSERT INTO one_time_codes (code_hash, account_id, created_at, expires_at) VALUES ($1, $2, $3, $4)`,
		hexOf(c.Hash), account, ms(c.CreatedAt), ms(c.ExpiresAt))
	return err
}

// AddAccount adds an account without a password and its one-time code;
// login.ErrTaken if the email is used.
func (s *Store) AddAccount(ctx context.Context, a login.Account, c login.Code, acts ...audit.Draft) error {
	return s.AddAccountBy(ctx, "", a, c, acts...)
}

// AddAccountBy is AddAccount on behalf of an account, which must administer all
// posts of the new one: else post.ErrNotFound or post.ErrForbidden. "" is the
// server.
func (s *Store) AddAccountBy(ctx context.Context, by string, a login.Account, c login.Code, acts ...audit.Draft) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		for _, m := range a.Posts {
			if by == "" {
				break
			}
			role, err := roleAt(ctx, q, by, m.Post.ID)
			if err != nil {
				return err
			}
			if !role.Administers() {
				return post.ErrForbidden
			}
		}
		if err := addAccount(ctx, q, a, ""); err != nil {
			return err
		}
		if err := addCode(ctx, q, c); err != nil {
			return err
		}
		return s.trail.record(ctx, q, acts)
	})
}

// AddCode adds a one-time code.
func (s *Store) AddCode(ctx context.Context, c login.Code, acts ...audit.Draft) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		if err := addCode(ctx, q, c); err != nil {
			return err
		}
		return s.trail.record(ctx, q, acts)
	})
}

// CodeOf says whose unused code it is ("" for set-up), or login.ErrRefused.
func (s *Store) CodeOf(ctx context.Context, code [32]byte, now time.Time) (string, error) {
	var account sql.NullString
	err := s.read.QueryRowContext(ctx, `SELECT account_id FROM one_time_codes
		WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2`, hexOf(code), ms(now)).Scan(&account)
	if errors.Is(err, sql.ErrNoRows) {
		return "", login.ErrRefused
	}
	return account.String, classify(err)
}

// useCode marks a code as used, once, and returns whose it is ("" for set-up).
func useCode(ctx context.Context, q queries, code [32]byte, now time.Time) (string, error) {
	var account sql.NullString
	err := q.QueryRowContext(ctx, `UPDATE one_time_codes SET used_at = $1
		WHERE code_hash = $2 AND used_at IS NULL AND expires_at > $1 RETURNING account_id`, ms(now), hexOf(code)).Scan(&account)
	if errors.Is(err, sql.ErrNoRows) {
		return "", login.ErrRefused
	}
	return account.String, err
}

// SetUp adds the first account with its password and its post, uses the set-up
// code and begins the session, or does nothing.
func (s *Store) SetUp(ctx context.Context, code [32]byte, a login.Account, password string, session login.Session, acts ...audit.Draft) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		var count int
		if err := q.QueryRowContext(ctx, `SELECT count(*) FROM accounts`).Scan(&count); err != nil {
			return err
		}
		if count > 0 {
			return login.ErrSetUp
		}
		owner, err := useCode(ctx, q, code, session.CreatedAt)
		if err != nil {
			return err
		}
		if owner != "" {
			return login.ErrRefused
		}
		for _, m := range a.Posts {
			if err := addPost(ctx, q, m.Post); err != nil {
				return fmt.Errorf("add first post: %w", err)
			}
		}
		if err := addAccount(ctx, q, a, password); err != nil {
			return err
		}
		if err := addSession(ctx, q, session); err != nil {
			return err
		}
		return s.trail.record(ctx, q, acts)
	})
}

// SignInOnce uses a one-time code and begins the session of its account.
func (s *Store) SignInOnce(ctx context.Context, code [32]byte, session login.Session, acts ...audit.Draft) (a login.Account, err error) {
	err = s.write.do(ctx, func(ctx context.Context, q queries) error {
		owner, err := useCode(ctx, q, code, session.CreatedAt)
		if err != nil {
			return err
		}
		if owner == "" {
			return login.ErrRefused // the set-up code signs nobody in
		}
		row := q.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM accounts a WHERE a.id = $1`, owner)
		if err := row.Scan(accountFields(&a)...); err != nil {
			return err
		}
		rows, err := q.QueryContext(ctx, membershipsOf, a.ID)
		if a.Posts, err = collect(rows, err, scanMembership); err != nil {
			return err
		}
		begun := session
		begun.Account = owner
		if err := addSession(ctx, q, begun); err != nil {
			return err
		}
		return s.trail.record(ctx, q, acts)
	})
	return a, err
}

// SetPassword sets a password, ends the account's other sessions and returns
// their ids.
func (s *Store) SetPassword(ctx context.Context, account, password, keepSession string, acts ...audit.Draft) (ended []string, err error) {
	err = s.write.do(ctx, func(ctx context.Context, q queries) error {
		if _, err := q.ExecContext(ctx, `UPDATE accounts SET password = $1 WHERE id = $2`, password, account); err != nil {
			return fmt.Errorf("set password: %w", err)
		}
		rows, err := q.QueryContext(ctx, `DELETE FROM agent_sessions WHERE account_id = $1 AND id <> $2 RETURNING id`, account, keepSession)
		ended, err = collect(rows, err, func(row scanner) (id string, err error) {
			err = row.Scan(&id)
			return id, err
		})
		if err != nil {
			return err
		}
		return s.trail.record(ctx, q, acts)
	})
	return ended, err
}

const agentSessionColumns = `s.id, s.token_hash, s.account_id, s.by_code, s.browser, s.system, s.place, s.created_at, s.used_at`

func agentSessionFields(v *login.Session) []any {
	return []any{&v.ID, hashInto(&v.TokenHash), &v.Account, is(&v.ByCode), &v.Browser.Family, &v.Browser.System, &v.Place, at(&v.CreatedAt), at(&v.UsedAt)}
}

func addSession(ctx context.Context, q queries, v login.Session) error {
	// Who is disabled between the look at the password and this gets none.
	var disabled bool
	if err := q.QueryRowContext(ctx, `SELECT disabled_at IS NOT NULL FROM accounts WHERE id = $1`, v.Account).Scan(is(&disabled)); err != nil {
		return err
	}
	if disabled {
		return login.ErrRefused
	}
	_, err := q.ExecContext(ctx, `INSERT INTO agent_sessions (id, token_hash, account_id, by_code, browser, system, place, created_at, used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		v.ID, hexOf(v.TokenHash), v.Account, flag(v.ByCode), v.Browser.Family, v.Browser.System, v.Place, ms(v.CreatedAt), ms(v.UsedAt))
	if err != nil {
		return err
	}
	if err := seen(ctx, q, v.Account, v.UsedAt); err != nil {
		return err
	}
	// What has ended by itself goes, so that the table stays small.
	_, err = q.ExecContext(ctx, `DELETE FROM agent_sessions WHERE account_id = $1 AND (created_at < $2 OR used_at < $3)`,
		v.Account, ms(v.CreatedAt.Add(-login.SessionAbsolute)), ms(v.CreatedAt.Add(-login.SessionIdle)))
	return err
}

func seen(ctx context.Context, q queries, account string, now time.Time) error {
	_, err := q.ExecContext(ctx, `INSERT INTO account_uses (account_id, seen_at) VALUES ($1, $2)
		ON CONFLICT (account_id) DO UPDATE SET seen_at = excluded.seen_at`, account, ms(now))
	return err
}

// AddSession begins a session.
func (s *Store) AddSession(ctx context.Context, v login.Session, acts ...audit.Draft) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		if err := addSession(ctx, q, v); err != nil {
			return err
		}
		return s.trail.record(ctx, q, acts)
	})
}

// SessionByToken finds a session and its account, or login.ErrNoSession.
func (s *Store) SessionByToken(ctx context.Context, tokenHash [32]byte) (v login.Session, a login.Account, err error) {
	row := s.read.QueryRowContext(ctx, `SELECT `+agentSessionColumns+`, `+accountColumns+`
		FROM agent_sessions s JOIN accounts a ON a.id = s.account_id WHERE s.token_hash = $1 AND a.disabled_at IS NULL`, hexOf(tokenHash))
	err = row.Scan(append(agentSessionFields(&v), accountFields(&a)...)...)
	if errors.Is(err, sql.ErrNoRows) {
		err = login.ErrNoSession
	}
	if err != nil {
		return v, a, classify(err)
	}
	a.Posts, err = s.Memberships(ctx, a.ID)
	return v, a, err
}

// SessionByID finds a session, or login.ErrNoSession.
func (s *Store) SessionByID(ctx context.Context, id string) (v login.Session, err error) {
	row := s.read.QueryRowContext(ctx, `SELECT `+agentSessionColumns+` FROM agent_sessions s WHERE s.id = $1`, id)
	err = row.Scan(agentSessionFields(&v)...)
	if errors.Is(err, sql.ErrNoRows) {
		err = login.ErrNoSession
	}
	return v, classify(err)
}

// SessionsOf lists an account's sessions, last used first.
func (s *Store) SessionsOf(ctx context.Context, account string) ([]login.Session, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+agentSessionColumns+` FROM agent_sessions s WHERE s.account_id = $1 ORDER BY s.used_at DESC, s.id`, account)
	all, err := collect(rows, err, func(row scanner) (v login.Session, err error) {
		err = row.Scan(agentSessionFields(&v)...)
		return v, err
	})
	return all, classify(err)
}

// DropSessionOf ends a session of an account, or says login.ErrNoSession.
func (s *Store) DropSessionOf(ctx context.Context, account, id string, acts ...audit.Draft) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		var dropped string
		err := q.QueryRowContext(ctx, `DELETE FROM agent_sessions WHERE id = $1 AND account_id = $2 RETURNING id`, id, account).Scan(&dropped)
		if errors.Is(err, sql.ErrNoRows) {
			return login.ErrNoSession
		}
		if err != nil {
			return err
		}
		return s.trail.record(ctx, q, acts)
	})
}

// TouchSession notes that a session is in use, and its account; with a from, by
// which browser and from where.
func (s *Store) TouchSession(ctx context.Context, id string, now time.Time, from login.From) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		set, args := `used_at = $1`, []any{ms(now), id}
		if from != (login.From{}) {
			set += `, browser = $3, system = $4, place = $5`
			args = append(args, from.Browser.Family, from.Browser.System, from.Place)
		}
		var account string
		err := q.QueryRowContext(ctx, `UPDATE agent_sessions SET `+set+` WHERE id = $2 RETURNING account_id`, args...).Scan(&account)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // it has ended meanwhile
		}
		if err != nil {
			return err
		}
		return seen(ctx, q, account, now)
	})
}

// DropSession ends a session.
func (s *Store) DropSession(ctx context.Context, id string, acts ...audit.Draft) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		if _, err := q.ExecContext(ctx, `DELETE FROM agent_sessions WHERE id = $1`, id); err != nil {
			return err
		}
		return s.trail.record(ctx, q, acts)
	})
}
