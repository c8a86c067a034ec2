package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/login"
	"aparte/signaling/post"
)

// What administrators do to accounts, each in one transaction with the look at who
// may do it.

// wholeAccount is an account with all its memberships, or login.ErrNoAccount.
func wholeAccount(ctx context.Context, q queries, id string) (a login.Account, err error) {
	err = q.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM accounts a WHERE a.id = $1`, id).Scan(accountFields(&a)...)
	if errors.Is(err, sql.ErrNoRows) {
		return a, login.ErrNoAccount
	}
	if err != nil {
		return a, err
	}
	rows, err := q.QueryContext(ctx, membershipsOf, id)
	a.Posts, err = collect(rows, err, scanMembership)
	return a, err
}

// AccountWhole is an account with all its memberships, or login.ErrNoAccount.
func (s *Store) AccountWhole(ctx context.Context, id string) (login.Account, error) {
	a, err := wholeAccount(ctx, s.read, id)
	return a, classify(err)
}

// changeAccount does something to an account on behalf of another that may, together
// with the acts that it returns, and reads it again.
func (s *Store) changeAccount(ctx context.Context, by, id string, check login.Check, fn func(ctx context.Context, q queries, a login.Account) ([]audit.Draft, error)) (a login.Account, err error) {
	err = s.write.do(ctx, func(ctx context.Context, q queries) error {
		who, err := wholeAccount(ctx, q, by)
		if err != nil {
			return err
		}
		if who.State() == login.Disabled { // since it was asked
			return login.ErrNoSession
		}
		if a, err = wholeAccount(ctx, q, id); err != nil {
			return err
		}
		if err := check(who, a); err != nil {
			return err
		}
		acts, err := fn(ctx, q, a)
		if err != nil {
			return err
		}
		if a, err = wholeAccount(ctx, q, id); err != nil {
			return err
		}
		return s.trail.record(ctx, q, acts)
	})
	return a, err
}

// DisableAccount shuts an account and returns the sessions that have ended by it.
func (s *Store) DisableAccount(ctx context.Context, by, id string, check login.Check, now time.Time, act audit.Draft) (a login.Account, ended []string, err error) {
	a, err = s.changeAccount(ctx, by, id, check, func(ctx context.Context, q queries, a login.Account) ([]audit.Draft, error) {
		if a.State() == login.Disabled {
			return nil, nil
		}
		if _, err := q.ExecContext(ctx, `UPDATE accounts SET disabled_at = $1 WHERE id = $2`, ms(now), id); err != nil {
			return nil, fmt.Errorf("disable account: %w", err)
		}
		if err := keepAdministrators(ctx, q, a); err != nil {
			return nil, err
		}
		if ended, err = dropSessions(ctx, q, id, ""); err != nil {
			return nil, err
		}
		if err := dropCodes(ctx, q, id); err != nil {
			return nil, err
		}
		return []audit.Draft{act.With("sessions", strconv.Itoa(len(ended)))}, nil
	})
	return a, ended, err
}

// keepAdministrators says post.ErrLastAdmin if somebody who was disabled was the last who
// could sign in and administer a post. The installation keeps whoever disabled them: only
// another of its administrators could (login.Account.Administers).
func keepAdministrators(ctx context.Context, q queries, a login.Account) error {
	for _, id := range a.Posts.Administering() {
		if err := keepAdministered(ctx, q, id); err != nil {
			return err
		}
	}
	return nil
}

// dropSessions ends one session of an account, or all (""), and returns their ids.
func dropSessions(ctx context.Context, q queries, account, id string) ([]string, error) {
	rows, err := q.QueryContext(ctx, `DELETE FROM agent_sessions WHERE account_id = $1 AND ($2 = '' OR id = $2) RETURNING id`, account, id)
	return collect(rows, err, func(row scanner) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	})
}

// dropCodes makes the codes of an account void that are not used.
func dropCodes(ctx context.Context, q queries, account string) error {
	_, err := q.ExecContext(ctx, `DELETE FROM one_time_codes WHERE account_id = $1 AND used_at IS NULL`, account)
	return err
}

// EnableAccount opens an account again.
func (s *Store) EnableAccount(ctx context.Context, by, id string, check login.Check, act audit.Draft) (login.Account, error) {
	return s.changeAccount(ctx, by, id, check, func(ctx context.Context, q queries, a login.Account) ([]audit.Draft, error) {
		if a.State() != login.Disabled {
			return nil, nil
		}
		_, err := q.ExecContext(ctx, `UPDATE accounts SET disabled_at = NULL WHERE id = $1`, id)
		return []audit.Draft{act}, err
	})
}

// ResetAccount adds a code in place of all that are not used.
func (s *Store) ResetAccount(ctx context.Context, by string, c login.Code, check login.Check, act audit.Draft) (login.Account, error) {
	return s.changeAccount(ctx, by, c.Account, check, func(ctx context.Context, q queries, _ login.Account) ([]audit.Draft, error) {
		if err := dropCodes(ctx, q, c.Account); err != nil {
			return nil, err
		}
		return []audit.Draft{act}, addCode(ctx, q, c)
	})
}

// DropSessionsOf ends one session of an account, or all (""), and returns their ids;
// login.ErrNoSuch if there is none of this id.
func (s *Store) DropSessionsOf(ctx context.Context, by, id, session string, check login.Check, act audit.Draft) (ended []string, err error) {
	_, err = s.changeAccount(ctx, by, id, check, func(ctx context.Context, q queries, _ login.Account) ([]audit.Draft, error) {
		if ended, err = dropSessions(ctx, q, id, session); err != nil {
			return nil, err
		}
		if session != "" && len(ended) == 0 {
			return nil, login.ErrNoSuch
		}
		acts := make([]audit.Draft, len(ended))
		for i, one := range ended {
			acts[i] = act.On(audit.Session, one)
		}
		return acts, nil
	})
	return ended, err
}

// AccountsSeen lists the accounts of some posts by name, each with its memberships of
// these posts alone, and, where unattached, those of no post.
func (s *Store) AccountsSeen(ctx context.Context, posts []string, unattached bool) ([]login.Account, error) {
	all, err := s.AccountsOf(ctx, posts)
	if err != nil || !unattached {
		return all, err
	}
	rows, err := s.read.QueryContext(ctx, `SELECT `+accountColumns+` FROM accounts a
		WHERE NOT EXISTS (SELECT 1 FROM account_posts m WHERE m.account_id = a.id)`)
	of, err := collect(rows, err, func(row scanner) (a login.Account, err error) {
		err = row.Scan(accountFields(&a)...)
		a.Posts = post.Memberships{}
		return a, err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("list accounts of no post: %w", err))
	}
	all = append(all, of...)
	slices.SortFunc(all, byName)
	return all, nil
}
