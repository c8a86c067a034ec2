package login

import (
	"context"
	"errors"
	"slices"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/post"
)

// What administrators do to the accounts of others. An administrator of a post has to
// do with the accounts of that post, and changes those that belong to no post beside
// the administrator's own: to shut an account is to shut it everywhere. Administrators
// of the installation change all accounts that they see: those of the posts that they
// administer, and those that belong to no post any more. Only they change each other.

// Why an account is not changed.
var (
	ErrNoAccount  = errors.New("no such account, or none of a post you administer")
	ErrOwn        = errors.New("this is your own account")
	ErrDisabled   = errors.New("the account is disabled: enable it first")
	ErrOtherPosts = errors.New("the account belongs to posts that you do not administer: remove it from yours, or ask an administrator of the installation")
	ErrAdminOnly  = errors.New("only administrators of the installation change the account of one")
)

// State is how an account stands.
type State string

// The states of accounts. Invited is who has never signed in.
const (
	Invited  State = "invited"
	Active   State = "active"
	Disabled State = "disabled"
)

// State is how the account stands.
func (a Account) State() State {
	switch {
	case !a.DisabledAt.IsZero():
		return Disabled
	case a.SeenAt.IsZero():
		return Invited
	default:
		return Active
	}
}

// sees reports whether an account has to do with another at all.
func (a Account) sees(other Account) bool {
	if a.Admin && len(other.Posts) == 0 {
		return true
	}
	return slices.ContainsFunc(a.Posts.Administering(), func(id string) bool {
		_, there := other.Posts.At(id)
		return there
	})
}

// Administers is whether an account may change another, of which all posts are known:
// nil, ErrNoAccount, ErrAdminOnly or ErrOtherPosts.
func (a Account) Administers(other Account) error {
	if !a.sees(other) {
		return ErrNoAccount
	}
	if a.Admin {
		return nil
	}
	if other.Admin {
		return ErrAdminOnly
	}
	own := a.Posts.Administering()
	for _, id := range other.Posts.IDs() {
		if !slices.Contains(own, id) {
			return ErrOtherPosts
		}
	}
	return nil
}

// AccountStore is what administrators change. Each looks at both accounts in its
// transaction and asks check of them, whose error it returns: ErrNoAccount where there
// is none of that id.
type AccountStore interface {
	// AccountsSeen lists the accounts of some posts, each with its memberships of these
	// posts alone, and, where unattached, those of no post.
	AccountsSeen(ctx context.Context, posts []string, unattached bool) ([]Account, error)
	// AccountWhole is an account with all its memberships.
	AccountWhole(ctx context.Context, id string) (Account, error)
	// DisableAccount shuts an account, ends its sessions, whose ids it returns, and uses
	// up its codes: post.ErrLastAdmin where nobody would administer one of its posts. One
	// that is shut already stays as it is and is told of no more.
	DisableAccount(ctx context.Context, by, id string, check Check, now time.Time, act audit.Draft) (Account, []string, error)
	EnableAccount(ctx context.Context, by, id string, check Check, act audit.Draft) (Account, error)
	// ResetAccount adds a code in place of all that are not used.
	ResetAccount(ctx context.Context, by string, c Code, check Check, act audit.Draft) (Account, error)
	// DropSessionsOf ends one session of an account, or all (""), and returns their ids;
	// each is told in an act of its own. ErrNoSuch if there is none of this id.
	DropSessionsOf(ctx context.Context, by, id, session string, check Check, act audit.Draft) ([]string, error)
}

// Check decides whether by may do it to an account.
type Check func(by, account Account) error

func administers(by, account Account) error { return by.Administers(account) }

// Accounts lists the accounts that an account has to do with as an administrator, each
// with its memberships of these posts alone.
func (l *Login) Accounts(ctx context.Context, by Account) ([]Account, error) {
	posts := by.Posts.Administering()
	if len(posts) == 0 {
		return nil, post.ErrForbidden
	}
	return l.store.AccountsSeen(ctx, posts, by.Admin)
}

// Disable shuts an account: nobody signs in to it, and its sessions, which it returns,
// have ended. Whoever calls has them leave calls and sockets, and the meetings of its
// posts know it. To shut it again is to do that again.
func (l *Login) Disable(ctx context.Context, by Account, id string) (Account, []string, error) {
	if id == by.ID {
		return Account{}, nil, ErrOwn
	}
	return l.store.DisableAccount(ctx, by.ID, id, administers, l.now(), l.did(audit.AccountDisabled, by.ID).On(audit.Account, id))
}

// Enable lets the person of an account sign in again.
func (l *Login) Enable(ctx context.Context, by Account, id string) (Account, error) {
	return l.store.EnableAccount(ctx, by.ID, id, administers, l.did(audit.AccountEnabled, by.ID).On(audit.Account, id))
}

// Reset makes a one-time code with which the person of an account comes in and sets a
// password without knowing the old one; codes of before are void. The old password
// works until then.
func (l *Login) Reset(ctx context.Context, by Account, id string) (Account, string, error) {
	if id == by.ID {
		return Account{}, "", ErrOwn
	}
	code, hash, err := l.secret()
	if err != nil {
		return Account{}, "", err
	}
	now := l.now()
	c := Code{Hash: hash, Account: id, CreatedAt: now, ExpiresAt: now.Add(InviteLife)}
	check := func(by, a Account) error {
		if err := by.Administers(a); err != nil {
			return err
		}
		if a.State() == Disabled {
			return ErrDisabled
		}
		return nil
	}
	a, err := l.store.ResetAccount(ctx, by.ID, c, check, l.did(audit.AccountReset, by.ID).On(audit.Account, id))
	return a, code, err
}

// SessionsFor lists the sessions of an account that are alive, last used first, for
// an administrator who may change it.
func (l *Login) SessionsFor(ctx context.Context, by Account, id string) ([]Session, error) {
	a, err := l.store.AccountWhole(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := by.Administers(a); err != nil {
		return nil, err
	}
	return l.alive(ctx, id)
}

// EndSessionsOf ends one session of an account, or all of them (""), for an
// administrator, and returns their ids. Whoever calls has them leave calls and sockets.
func (l *Login) EndSessionsOf(ctx context.Context, by Account, id, session string) ([]string, error) {
	return l.store.DropSessionsOf(ctx, by.ID, id, session, administers, l.did(audit.SessionEnded, by.ID).On(audit.Account, id))
}
