package api

import (
	"context"
	"errors"
	"time"

	"aparte/signaling/login"
)

// AdministeredAccount is an account as an administrator of one of its posts sees it.
type AdministeredAccount struct {
	Account
	State      string     `json:"state" enum:"invited,active,disabled" doc:"invited: has never signed in. disabled: may not sign in, and acts for no post."`
	SeenAt     *time.Time `json:"seen_at,omitempty" doc:"Last use, to within minutes; absent: never."`
	DisabledAt *time.Time `json:"disabled_at,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
}

// AccountList is the accounts of the posts that one administers, by name.
type AccountList struct {
	Accounts []AdministeredAccount `json:"accounts" nullable:"false"`
}

type (
	inAccount struct {
		Account string `path:"account" maxLength:"64"`
	}
	inAccountSession struct {
		Account string `path:"account" maxLength:"64"`
		Session string `path:"session" maxLength:"64"`
	}
)

func administeredOf(v login.Account) AdministeredAccount {
	return AdministeredAccount{
		Account: accountOf(v), State: string(v.State()), SeenAt: optional(v.SeenAt), DisabledAt: optional(v.DisabledAt), CreatedAt: v.CreatedAt.UTC(),
	}
}

func (a *API) listAccounts(ctx context.Context, _ *none) (*output[AccountList], error) {
	all, err := a.login.Accounts(ctx, theAgent(ctx).account)
	if err != nil {
		return nil, err
	}
	list := AccountList{Accounts: make([]AdministeredAccount, len(all))}
	for i, v := range all {
		list.Accounts[i] = administeredOf(v)
	}
	return &output[AccountList]{list}, nil
}

// disableAccount answers once nothing of the account is in any call or socket.
func (a *API) disableAccount(ctx context.Context, in *inAccount) (*output[AdministeredAccount], error) {
	disabled, ended, err := a.login.Disable(ctx, theAgent(ctx).account, in.Account)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(a.leave(ctx, ended), a.follow(ctx, disabled)); err != nil {
		return nil, err
	}
	return &output[AdministeredAccount]{administeredOf(disabled)}, nil
}

func (a *API) enableAccount(ctx context.Context, in *inAccount) (*output[AdministeredAccount], error) {
	enabled, err := a.login.Enable(ctx, theAgent(ctx).account, in.Account)
	if err != nil {
		return nil, err
	}
	if err := a.follow(ctx, enabled); err != nil {
		return nil, err
	}
	return &output[AdministeredAccount]{administeredOf(enabled)}, nil
}

// follow has the meetings of an account's posts know whether it acts for them.
func (a *API) follow(ctx context.Context, v login.Account) (all error) {
	for _, id := range v.Posts.IDs() {
		all = errors.Join(all, a.posts.Changed(ctx, v.ID, id))
	}
	return all
}

// leave takes sessions that have ended out of calls, network checks and sockets. They
// are gone from the database: it goes on also when the caller has left.
func (a *API) leave(ctx context.Context, sessions []string) (all error) {
	ctx = context.WithoutCancel(ctx)
	for _, id := range sessions {
		a.checks.End(checkOf(id))
		all = errors.Join(all, a.meetings.EndSession(ctx, id))
	}
	return all
}

func (a *API) resetAccount(ctx context.Context, in *inAccount) (*output[InvitedAccount], error) {
	account, code, err := a.login.Reset(ctx, theAgent(ctx).account, in.Account)
	if err != nil {
		return nil, err
	}
	return &output[InvitedAccount]{InvitedAccount{Account: accountOf(account), InviteURL: a.signInURL(code)}}, nil
}

func (a *API) listAccountSessions(ctx context.Context, in *inAccount) (*output[OwnSessions], error) {
	all, err := a.login.SessionsFor(ctx, theAgent(ctx).account, in.Account)
	if err != nil {
		return nil, err
	}
	return sessionList(all, theAgent(ctx).session), nil
}

func (a *API) endAccountSession(ctx context.Context, in *inAccountSession) (*none, error) {
	ended, err := a.login.EndSessionsOf(ctx, theAgent(ctx).account, in.Account, in.Session)
	if err != nil {
		return nil, err
	}
	return &none{}, a.leave(ctx, ended)
}

func (a *API) endAccountSessions(ctx context.Context, in *inAccount) (*none, error) {
	ended, err := a.login.EndSessionsOf(ctx, theAgent(ctx).account, in.Account, "")
	if err != nil {
		return nil, err
	}
	return &none{}, a.leave(ctx, ended)
}
