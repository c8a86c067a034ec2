// Package link holds the rules of guest links: who may come in by one, when,
// and how often. Start at Link.Usable.
//
// A link's URL is https://HOST/i/LINKID#SECRET. The secret never reaches the
// server. The guest's browser derives a redemption code from it and sends that;
// the host's browser derived the same code when it made the link, and sent only
// its hash. So neither the database nor a log can open a link.
package link

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"aparte/signaling/name"
)

// Kind tells whom a link is for.
type Kind string

// A personal link is for one named person and binds to the first session that
// knocks with it. A shared link is for anyone who has it, with a cap on uses.
const (
	Personal Kind = "personal"
	Shared   Kind = "shared"
)

// Limits on links.
const (
	// MaxUses is the largest cap of a shared link.
	MaxUses = 1000
	// MaxLife is how long a link of the Standard profile lives at most.
	MaxLife = 90 * 24 * time.Hour
)

// CodeHash is SHA-256 of the 32 bytes of a redemption code.
type CodeHash [sha256.Size]byte

// Link is a guest link. Times are zero where absent.
type Link struct {
	ID           string
	Meeting      string
	Kind         Kind
	Label        string
	GuestName    string // personal: who is invited
	Organisation string
	MaxUses      int // shared: 0 is no cap of its own
	Uses         int // sessions that have knocked
	ValidFrom    time.Time
	ExpiresAt    time.Time
	RevokedAt    time.Time
	CreatedAt    time.Time
	CreatedBy    string // account
	CodeHash     CodeHash
	Unbound      bool   // made by the server, which has seen the secret
	Session      string // personal: the lobby session it is bound to
}

// Draft is what a host says about a link to be.
type Draft struct {
	Kind         Kind
	Label        string
	GuestName    string
	Organisation string
	MaxUses      int
	ValidFrom    time.Time
	ExpiresAt    time.Time
	CodeHash     string // base64url without padding
	Unbound      bool
}

// Why a link does not open its meeting. Only the holder of the right secret is
// told.
var (
	ErrUnknown = errors.New("unknown link or wrong secret")
	ErrRevoked = errors.New("link was revoked")
	ErrExpired = errors.New("link has expired")
	ErrFull    = errors.New("link has no uses left")
	ErrInUse   = errors.New("link is bound to another session")
)

// EarlyError says that a link is not valid yet.
type EarlyError struct{ ValidFrom time.Time }

func (e *EarlyError) Error() string { return "link is valid from " + e.ValidFrom.Format(time.RFC3339) }

// New checks a draft and makes the link. A refusal is a *name.Error.
func New(d Draft, id, meeting, by string, now time.Time) (Link, error) {
	l := Link{
		ID: id, Meeting: meeting, Kind: d.Kind, MaxUses: d.MaxUses,
		ValidFrom: d.ValidFrom, ExpiresAt: d.ExpiresAt, CreatedAt: now, CreatedBy: by, Unbound: d.Unbound,
	}
	var err error
	if l.Label, err = name.Optional("label", d.Label, name.MaxTitle); err != nil {
		return Link{}, err
	}
	if l.Organisation, err = name.Optional("organisation", d.Organisation, name.MaxName); err != nil {
		return Link{}, err
	}
	switch d.Kind {
	case Personal:
		if l.GuestName, err = name.Required("guest_name", d.GuestName, name.MaxName); err != nil {
			return Link{}, err
		}
		if d.MaxUses != 0 {
			return Link{}, &name.Error{At: "max_uses", Reason: "is for shared links only"}
		}
	case Shared:
		if d.GuestName != "" {
			return Link{}, &name.Error{At: "guest_name", Reason: "is for personal links only"}
		}
		if d.MaxUses < 0 || d.MaxUses > MaxUses {
			return Link{}, &name.Error{At: "max_uses", Reason: fmt.Sprintf("must be between 1 and %d", MaxUses)}
		}
	default:
		return Link{}, &name.Error{At: "kind", Reason: "must be personal or shared"}
	}
	switch {
	case !d.ExpiresAt.After(now):
		return Link{}, &name.Error{At: "expires_at", Reason: "must be in the future"}
	case d.ExpiresAt.Sub(now) > MaxLife:
		return Link{}, &name.Error{At: "expires_at", Reason: "must be within 90 days"}
	case !d.ValidFrom.IsZero() && !d.ValidFrom.Before(d.ExpiresAt):
		return Link{}, &name.Error{At: "valid_from", Reason: "must be before the end of validity"}
	}
	if l.CodeHash, err = ParseCodeHash(d.CodeHash); err != nil {
		return Link{}, &name.Error{At: "code_hash", Reason: "must be 32 bytes in base64url without padding"}
	}
	return l, nil
}

// Revoked reports whether the link was revoked.
func (l Link) Revoked() bool { return !l.RevokedAt.IsZero() }

// Usable says whether a session may come in by the link now: nil, or the reason
// why not. A session that the link is bound to, or that has used it, asks about
// validity only (known).
func (l Link) Usable(session string, known bool, now time.Time) error {
	switch {
	case l.Revoked():
		return ErrRevoked
	case !now.Before(l.ExpiresAt):
		return ErrExpired
	case now.Before(l.ValidFrom):
		return &EarlyError{l.ValidFrom}
	case l.Kind == Personal && l.Session != "" && l.Session != session:
		return ErrInUse
	case l.Kind == Shared && l.MaxUses > 0 && l.Uses >= l.MaxUses && !known:
		return ErrFull
	}
	return nil
}

// Use counts the first knock of a session, and binds a personal link to it.
func (l Link) Use(session string) Link {
	l.Uses++
	if l.Kind == Personal {
		l.Session = session
	}
	return l
}

// Revoke ends the link for good; revoking twice keeps the first time.
func (l Link) Revoke(now time.Time) Link {
	if !l.Revoked() {
		l.RevokedAt = now
	}
	return l
}

// Matches reports whether code (base64url) is the link's redemption code, in
// time that depends neither on the code nor on whether it can be decoded.
func (l Link) Matches(code string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if err != nil || len(raw) != sha256.Size {
		raw = make([]byte, sha256.Size)
		err = ErrUnknown
	}
	sum := sha256.Sum256(raw)
	same := subtle.ConstantTimeCompare(sum[:], l.CodeHash[:])
	return same == 1 && err == nil
}

// Decoy is a link that no code opens: what an unknown id is compared with, so
// that it takes as long as a wrong secret. No 32 bytes are known to hash to it.
func Decoy() Link { return Link{} }

// ParseCodeHash decodes base64url without padding.
func ParseCodeHash(s string) (CodeHash, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return CodeHash{}, fmt.Errorf("decode code hash: %w", err)
	}
	if len(raw) != sha256.Size {
		return CodeHash{}, fmt.Errorf("decode code hash: %d bytes", len(raw))
	}
	return CodeHash(raw), nil
}
