// Package login says who an agent is: local accounts, their passwords, one-time
// codes, sessions. Start at Login.SignIn.
//
// Secrets are kept as hashes only: passwords with argon2id, everything random
// with SHA-256. Whoever fails learns nothing about which accounts exist, neither
// from the answer nor from the time it takes.
package login

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/post"
	"aparte/signaling/throttle"
)

// Life of sessions and codes.
const (
	SessionIdle     = 12 * time.Hour
	SessionAbsolute = 7 * 24 * time.Hour
	InviteLife      = 7 * 24 * time.Hour
	SetupLife       = 24 * time.Hour
	// touchEvery is how precisely idleness is kept; each touch is a write.
	touchEvery = 5 * time.Minute
	// touchWait is how long that write is waited for.
	touchWait = 2 * time.Second
	// codeTrust is how long after a one-time sign-in a password can be set
	// without the old one.
	codeTrust = time.Hour
)

// Why login refuses.
var (
	ErrRefused   = errors.New("wrong email or password, or code used or expired")
	ErrNoSession = errors.New("no such session, or it has expired")
	ErrNoSuch    = errors.New("no such session of this account")
	ErrTaken     = errors.New("an account with this email exists")
	ErrSetUp     = errors.New("already set up")
	ErrCurrent   = errors.New("current password is wrong")
	ErrBusy      = errors.New("too many are signing in at this moment")
)

// TooManyError says how long to wait before another attempt.
type TooManyError struct{ Wait time.Duration }

func (e *TooManyError) Error() string { return "too many failed attempts, wait " + e.Wait.String() }

// Account is a local account.
type Account struct {
	ID        string
	Name      string
	Email     string // lower case
	Admin     bool   // of the installation: may make posts
	Posts     post.Memberships
	CreatedAt time.Time
	// SeenAt is the last use of one of its sessions, to within minutes; zero: never.
	// DisabledAt is zero where its person may sign in.
	SeenAt, DisabledAt time.Time
}

// Session is an agent's browser.
type Session struct {
	ID        string
	Account   string
	TokenHash [32]byte
	ByCode    bool    // began with a one-time code
	Browser   Browser // of the last use
	Place     string  // about where that was (Shorten); "": not known
	CreatedAt time.Time
	UsedAt    time.Time
}

// Code is a one-time code; Account is empty for the set-up code.
type Code struct {
	Hash      [32]byte
	Account   string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Store keeps accounts. Whatever is changed is changed together with its acts'
// entries in the audit trail, or not at all.
type Store interface {
	AccountStore
	// AccountByEmail returns the account and its password's hash, or ErrRefused.
	AccountByEmail(ctx context.Context, email string) (Account, string, error)
	// AccountByID returns the account and its password's hash, or ErrRefused.
	AccountByID(ctx context.Context, id string) (Account, string, error)
	AnyAccount(ctx context.Context) (bool, error)
	// AddAccountBy returns ErrTaken if the email is used, and post.ErrNotFound or
	// post.ErrForbidden if by ("": the server) does not administer its posts.
	AddAccountBy(ctx context.Context, by string, a Account, c Code, acts ...audit.Draft) error
	// SetUp adds the first account and its post, uses the code and begins the
	// session, or does nothing: ErrSetUp if there is an account, ErrRefused for a
	// bad code.
	SetUp(ctx context.Context, code [32]byte, a Account, password string, s Session, acts ...audit.Draft) error
	// SetPassword sets it, ends the account's other sessions and returns their ids.
	SetPassword(ctx context.Context, account, password, keepSession string, acts ...audit.Draft) ([]string, error)
	AddCode(ctx context.Context, c Code, acts ...audit.Draft) error
	// CodeOf says whose unused code it is ("": the set-up code), or ErrRefused.
	// It uses nothing up and writes nothing.
	CodeOf(ctx context.Context, code [32]byte, now time.Time) (string, error)
	// SignInOnce uses the code and begins the session (whose Account it fills
	// in), or does nothing: ErrRefused, also of an account that is disabled.
	SignInOnce(ctx context.Context, code [32]byte, s Session, acts ...audit.Draft) (Account, error)
	// AddSession returns ErrRefused if the account is disabled.
	AddSession(ctx context.Context, s Session, acts ...audit.Draft) error
	// SessionByToken and SessionByID return ErrNoSession if there is none.
	SessionByToken(ctx context.Context, tokenHash [32]byte) (Session, Account, error)
	SessionByID(ctx context.Context, id string) (Session, error)
	// SessionsOf lists an account's sessions, last used first.
	SessionsOf(ctx context.Context, account string) ([]Session, error)
	// DropSessionOf ends a session of an account: ErrNoSession if it has none of this id.
	DropSessionOf(ctx context.Context, account, id string, acts ...audit.Draft) error
	// TouchSession notes the use of a session, and of its account. Without a from
	// (the zero value) it was one over a socket: browser and place stay.
	TouchSession(ctx context.Context, id string, now time.Time, from From) error
	DropSession(ctx context.Context, id string, acts ...audit.Draft) error
	// Note records acts that changed nothing.
	Note(ctx context.Context, acts ...audit.Draft) error
}

// Login signs agents in. Methods may be called from any goroutine.
type Login struct {
	store  Store
	now    func() time.Time
	random io.Reader
	log    *slog.Logger
	hasher *hasher

	// Nobody is locked out by what others did wrong, so nothing is counted by
	// account alone, and by source alone only what was wrong already: wrong codes
	// are refused longer (right ones never), and passwords from a source of many
	// wrong ones take turns in a lane of their own.
	passwords *throttle.Pauses   // by account and source
	wrong     *throttle.Throttle // passwords, by source
	codes     *throttle.Throttle // wrong codes, by source
	refusals  *audit.Refusals
}

// New makes a Login. now is the clock, random gives the secrets.
func New(store Store, now func() time.Time, random io.Reader, log *slog.Logger) *Login {
	truncated := func() time.Time { return now().UTC().Truncate(time.Millisecond) }
	return &Login{
		store: store, now: truncated, random: random, log: log, hasher: newHasher(random),
		passwords: throttle.NewPauses(throttle.PauseConfig{
			Free: 5, First: time.Second, Longest: 5 * time.Minute, Forget: time.Hour, Keys: 10_000,
		}, now),
		wrong: throttle.New(2*time.Second, 60, 10_000, now),
		codes: throttle.New(2*time.Second, 60, 10_000, now), refusals: audit.NewRefusals(truncated),
	}
}

// secret makes a random token or code, and its hash.
func (l *Login) secret() (text string, hash [32]byte, err error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(l.random, raw); err != nil {
		return "", hash, fmt.Errorf("make secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), sha256.Sum256(raw), nil
}

// hashOf is the hash of a token or code as sent; what cannot be one gets the
// hash of nothing, which nothing stored has.
func hashOf(text string) [32]byte {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != 32 {
		return [32]byte{}
	}
	return sha256.Sum256(raw)
}

func (l *Login) id() (string, error) {
	raw := make([]byte, 16)
	if _, err := io.ReadFull(l.random, raw); err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

func (l *Login) newSession(account string, byCode bool, from From) (Session, string, error) {
	token, hash, err := l.secret()
	if err != nil {
		return Session{}, "", err
	}
	id, err := l.id()
	if err != nil {
		return Session{}, "", err
	}
	now := l.now()
	return Session{
		ID: id, Account: account, TokenHash: hash, ByCode: byCode,
		Browser: from.Browser, Place: from.Place, CreatedAt: now, UsedAt: now,
	}, token, nil
}

func (s Session) alive(now time.Time) bool {
	return now.Sub(s.UsedAt) < SessionIdle && now.Sub(s.CreatedAt) < SessionAbsolute
}
