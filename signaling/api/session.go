package api

import (
	"context"
	"errors"
	"net/http"

	"aparte/signaling/login"
	"aparte/signaling/post"
)

// cookieName is the agents' session cookie. __Host- binds it to this host, to
// TLS and to the path / (RFC 6265bis, section 4.1.3.2).
func (a *API) cookieName() string {
	if a.secure {
		return "__Host-aparte"
	}
	return "aparte"
}

func (a *API) cookie(token string, maxAge int) http.Cookie {
	return http.Cookie{
		Name: a.cookieName(), Value: token, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: a.secure, SameSite: http.SameSiteLaxMode,
	}
}

func accountOf(v login.Account) Account {
	out := Account{ID: v.ID, Name: v.Name, Email: v.Email, Admin: v.Admin, Posts: make([]PostRole, len(v.Posts))}
	for i, m := range v.Posts {
		out.Posts[i] = PostRole{ID: m.Post.ID, Name: m.Post.Name, Role: string(m.Role)}
	}
	return out
}

// welcome answers with the account and its cookie.
func (a *API) welcome(account login.Account, token string, err error) (*signedIn, error) {
	if err != nil {
		return nil, err
	}
	return &signedIn{
		SetCookie: a.cookie(token, int(login.SessionAbsolute.Seconds())),
		Body:      SignedIn{Account: accountOf(account)},
	}, nil
}

func (a *API) getSession(ctx context.Context, _ *none) (*output[SignedIn], error) {
	return &output[SignedIn]{SignedIn{accountOf(theAgent(ctx).account)}}, nil
}

func (a *API) signIn(ctx context.Context, in *input[Credentials]) (*signedIn, error) {
	return a.welcome(a.login.SignIn(ctx, in.Body.Email, in.Body.Password, a.from(request(ctx))))
}

func (a *API) signInOnce(ctx context.Context, in *input[OneTimeCode]) (*signedIn, error) {
	return a.welcome(a.login.SignInOnce(ctx, in.Body.Code, a.from(request(ctx))))
}

func (a *API) setUp(ctx context.Context, in *input[Setup]) (*signedIn, error) {
	b := in.Body
	first := post.Draft{Name: "Aparté", TimeZone: "UTC", Languages: []string{"fr"}}
	if b.Post != nil {
		first = postDraft(*b.Post)
	}
	return a.welcome(a.login.SetUp(ctx, b.Code, b.Name, b.Email, b.Password, first, a.from(request(ctx))))
}

// signOut ends the session everywhere, calls included. Without one it is done
// already.
func (a *API) signOut(ctx context.Context, _ *none) (*signedOut, error) {
	out := &signedOut{SetCookie: a.cookie("", -1)}
	k, err := a.whoIs(request(ctx))
	switch {
	case errors.Is(err, login.ErrNoSession):
		return out, nil // nobody is signed in: what was asked for
	case err != nil:
		return nil, err // the session lives on, and so must its cookie
	}
	if err := a.login.SignOut(ctx, k.session); err != nil {
		return nil, err
	}
	return out, a.leave(ctx, []string{k.session.ID})
}

func (a *API) createAccount(ctx context.Context, in *input[AccountDraft]) (*output[InvitedAccount], error) {
	b := in.Body
	account, code, err := a.login.InviteAs(ctx, theAgent(ctx).account, b.Name, b.Email, b.Post, b.Role)
	if err != nil {
		return nil, err
	}
	for _, m := range account.Posts {
		if err := a.posts.Changed(ctx, account.ID, m.Post.ID); err != nil {
			return nil, err
		}
	}
	return &output[InvitedAccount]{InvitedAccount{Account: accountOf(account), InviteURL: a.signInURL(code)}}, nil
}

// signInURL is a link that signs in once. The fragment reaches no log.
func (a *API) signInURL(code string) string { return a.origins[0] + "/signin#" + code }

func (a *API) setPassword(ctx context.Context, in *input[PasswordChange]) (*none, error) {
	ended, err := a.login.SetPassword(ctx, theAgent(ctx).session, in.Body.Password, in.Body.Current, a.source(request(ctx)))
	if err != nil {
		return nil, err
	}
	return &none{}, a.leave(ctx, ended)
}
