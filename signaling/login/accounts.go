package login

import (
	"context"
	"errors"
	"net/mail"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"aparte/signaling/audit"
	"aparte/signaling/name"
	"aparte/signaling/post"
)

func normalEmail(s string) string { return strings.ToLower(strings.TrimSpace(norm.NFC.String(s))) }

// checkEmail accepts a plain address in ASCII, without display name or comment.
func checkEmail(typed string) (string, error) {
	email := normalEmail(typed)
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || len(email) > 254 || strings.ContainsFunc(email, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", &name.Error{At: "email", Reason: "is not an email address"}
	}
	return email, nil
}

func (l *Login) newAccount(typedName, typedEmail string, admin bool) (Account, error) {
	called, err := name.Required("name", typedName, name.MaxName)
	if err != nil {
		return Account{}, err
	}
	email, err := checkEmail(typedEmail)
	if err != nil {
		return Account{}, err
	}
	id, err := l.id()
	if err != nil {
		return Account{}, err
	}
	return Account{ID: id, Name: called, Email: email, Admin: admin, CreatedAt: l.now()}, nil
}

// Invite makes an account without a password, and the one-time code with which
// its person comes in and sets one.
func (l *Login) Invite(ctx context.Context, typedName, typedEmail string, at ...post.Membership) (Account, string, error) {
	return l.invite(ctx, "", typedName, typedEmail, false, at)
}

// InviteAs is Invite on behalf of an administrator of the post, who may leave it
// out ("") when there is no other one to choose.
func (l *Login) InviteAs(ctx context.Context, by Account, typedName, typedEmail, postID, role string) (Account, string, error) {
	administered := by.Posts.Administering()
	switch {
	case len(administered) == 0:
		return Account{}, "", post.ErrForbidden
	case postID == "" && len(administered) > 1:
		return Account{}, "", &name.Error{At: "post", Reason: "is required: you administer several posts"}
	case postID == "":
		postID = administered[0]
	case !slices.Contains(administered, postID):
		return Account{}, "", &name.Error{At: "post", Reason: "is not a post you administer"}
	}
	parsed := post.Agent
	if role != "" {
		var err error
		if parsed, err = post.ParseRole(role); err != nil {
			return Account{}, "", err
		}
	}
	m, _ := by.Posts.At(postID)
	return l.invite(ctx, by.ID, typedName, typedEmail, false, post.Memberships{{Post: m.Post, Role: parsed}})
}

// InviteAdmin is Invite for an administrator of the installation.
func (l *Login) InviteAdmin(ctx context.Context, typedName, typedEmail string, at ...post.Membership) (Account, string, error) {
	return l.invite(ctx, "", typedName, typedEmail, true, at)
}

func (l *Login) invite(ctx context.Context, by, typedName, typedEmail string, admin bool, at post.Memberships) (Account, string, error) {
	a, err := l.newAccount(typedName, typedEmail, admin)
	if err != nil {
		return Account{}, "", err
	}
	a.Posts = at
	code, hash, err := l.secret()
	if err != nil {
		return Account{}, "", err
	}
	c := Code{Hash: hash, Account: a.ID, CreatedAt: a.CreatedAt, ExpiresAt: a.CreatedAt.Add(InviteLife)}
	if err := l.store.AddAccountBy(ctx, by, a, c, l.made(audit.AccountCreated, by, a)...); err != nil {
		return Account{}, "", err
	}
	return a, code, nil
}

// SetupCode makes the code of POST /setup if there is no account yet; otherwise
// it returns "". Codes made before are still good until they expire.
func (l *Login) SetupCode(ctx context.Context) (string, error) {
	set, err := l.store.AnyAccount(ctx)
	if err != nil || set {
		return "", err
	}
	code, hash, err := l.secret()
	if err != nil {
		return "", err
	}
	now := l.now()
	return code, l.store.AddCode(ctx, Code{Hash: hash, CreatedAt: now, ExpiresAt: now.Add(SetupLife)}, l.did(audit.SetupOffered, ""))
}

// SetUp makes the first post and the first account, which administers both the
// post and the installation, and signs it in.
func (l *Login) SetUp(ctx context.Context, code, typedName, typedEmail, password string, first post.Draft, from From) (Account, string, error) {
	if err := l.checkSetUp(ctx, code, from.Source); err != nil {
		return Account{}, "", err
	}
	a, err := l.newAccount(typedName, typedEmail, true)
	if err != nil {
		return Account{}, "", err
	}
	founded, err := post.Make(first, l.random, a.CreatedAt)
	if wrong, ok := errors.AsType[*name.Error](err); ok {
		return Account{}, "", &name.Error{At: "post." + wrong.At, Reason: wrong.Reason, Code: wrong.Code}
	}
	if err != nil {
		return Account{}, "", err
	}
	a.Posts = post.Memberships{{Post: founded, Role: post.Administrator}}
	if err := checkPassword(password, a); err != nil {
		return Account{}, "", err
	}
	hash, err := l.hasher.hash(ctx, password)
	if err != nil {
		return Account{}, "", err
	}
	s, token, err := l.newSession(a.ID, false, from)
	if err != nil {
		return Account{}, "", err
	}
	acts := append(post.Created(founded, a.ID), l.made(audit.AccountSetUp, a.ID, a)...)
	if err := l.store.SetUp(ctx, hashOf(code), a, hash, s, append(acts, l.signedIn(a.ID, s))...); err != nil {
		return Account{}, "", err
	}
	return a, token, nil
}

// checkSetUp looks at the code before anything costs much: ErrSetUp if there is
// an account, ErrRefused or *TooManyError for a wrong code.
func (l *Login) checkSetUp(ctx context.Context, code, source string) error {
	owner, err := l.store.CodeOf(ctx, hashOf(code), l.now())
	if err == nil && owner == "" {
		return nil
	}
	if err == nil {
		err = ErrRefused // an invitation sets nothing up
	}
	if err = l.charge(ctx, err, source); !errors.Is(err, ErrRefused) {
		return err
	}
	set, failed := l.store.AnyAccount(ctx)
	switch {
	case failed != nil:
		return failed
	case set:
		return ErrSetUp
	default:
		return err
	}
}

// SetPassword sets one's password and ends one's other sessions, whose ids it
// returns. The current password is needed, unless there is none yet or the
// session began with a one-time code within the hour.
func (l *Login) SetPassword(ctx context.Context, s Session, password, current, source string) ([]string, error) {
	a, old, err := l.store.AccountByID(ctx, s.Account)
	if err != nil {
		return nil, err
	}
	if err := checkPassword(password, a); err != nil {
		return nil, err
	}
	fresh := s.ByCode && l.now().Sub(s.CreatedAt) < codeTrust
	if old != "" && !fresh {
		if err := l.confirm(ctx, a, old, current, source); err != nil {
			return nil, err
		}
	}
	hash, err := l.hasher.hash(ctx, password)
	if err != nil {
		return nil, err
	}
	return l.store.SetPassword(ctx, a.ID, hash, s.ID, l.did(audit.PasswordSet, a.ID).On(audit.Session, s.ID))
}

// confirm checks the current password, as limited as signing in.
func (l *Login) confirm(ctx context.Context, a Account, hash, current, source string) error {
	ok, err := l.guess(ctx, "confirm\x00"+a.ID, source, hash, current)
	if err == nil && !ok {
		err = ErrCurrent
	}
	if err != nil {
		l.noteRefused(ctx, audit.Did(audit.PasswordRefused).By(audit.Agent, a.ID), err, source)
	}
	return err
}
