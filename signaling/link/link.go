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

	"golang.org/x/text/language"

	"aparte/signaling/name"
	"aparte/signaling/role"
)

// Kind tells whom a link is for.
type Kind string

// A personal link is for one named person and binds to the browser that knocks
// with it first (binding.go). A shared link is for anyone who has it, with a cap
// on uses.
const (
	Personal Kind = "personal"
	Shared   Kind = "shared"
)

// Limits on links.
const (
	// MaxUses is the largest cap of a shared link.
	MaxUses = 1000
	// MaxLife is how long a link lives at most in whatever profile.
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
	Role         role.Role // of who comes in by it: guest or observer
	MaxUses      int       // shared: 0 is no cap of its own
	Uses         int       // sessions that have knocked
	ValidFrom    time.Time
	ExpiresAt    time.Time
	RevokedAt    time.Time
	CreatedAt    time.Time
	CreatedBy    string // account
	CodeHash     CodeHash
	Unbound      bool       // made by the server, which has seen the secret
	Session      string     // personal: the lobby session it is bound to
	Key          Thumbprint // personal: the browser's key it is bound to; "": to the tab of Session alone
	PINHash      PINHash    // zero: no PIN
	Language     string     // BCP 47; "": the browser decides
	OpenedAt     time.Time  // when somebody first opened it with the right secret, since it was issued
	Issue        int        // how often it was issued anew; sessions of an older issue are void
	IssuedAt     time.Time  // when that was last; zero: never
}

// Binding is what a personal link is bound to.
type Binding string

// A link is bound to a browser that can prove its key, or to a single tab where
// the browser could not keep one.
const (
	BoundToNobody  Binding = "none"
	BoundToBrowser Binding = "browser"
	BoundToTab     Binding = "tab"
)

// Binding says what the link is bound to.
func (l Link) Binding() Binding {
	switch {
	case l.Key != "":
		return BoundToBrowser
	case l.Session != "":
		return BoundToTab
	default:
		return BoundToNobody
	}
}

// Draft is what a host says about a link to be.
type Draft struct {
	Kind         Kind
	Label        string
	GuestName    string
	Organisation string
	Role         role.Role // guest or observer; "": guest
	MaxUses      int
	ValidFrom    time.Time
	ExpiresAt    time.Time
	CodeHash     string // base64url without padding
	Unbound      bool
	PINHash      string // base64url without padding; "": no PIN
	Language     string // BCP 47
}

// Why a link does not open its meeting. Only the holder of the right secret is
// told.
var (
	ErrUnknown = errors.New("unknown link or wrong secret")
	ErrRevoked = errors.New("link was revoked")
	ErrExpired = errors.New("link has expired")
	ErrFull    = errors.New("link has no uses left")
	ErrInUse   = errors.New("link is bound to another browser or tab")
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
	if l.Role, err = parseRole("role", string(d.Role)); err != nil {
		return Link{}, err
	}
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
	if err := checkValidity(d.ValidFrom, d.ExpiresAt, now); err != nil {
		return Link{}, err
	}
	if l.Language, err = parseLanguage("language", d.Language); err != nil {
		return Link{}, err
	}
	if err := l.setSecret(d.CodeHash, d.PINHash); err != nil {
		return Link{}, err
	}
	return l, nil
}

func checkValidity(from, to, now time.Time) error {
	switch {
	case !to.After(now):
		return &name.Error{At: "expires_at", Reason: "must be in the future"}
	case to.Sub(now) > MaxLife:
		return &name.Error{At: "expires_at", Reason: "must be within 90 days"}
	case !from.IsZero() && !from.Before(to):
		return &name.Error{At: "valid_from", Reason: "must be before the end of validity"}
	}
	return nil
}

// parseRole returns what somebody is who comes in by a link; "" is a guest.
func parseRole(field, as string) (role.Role, error) {
	switch r := role.Role(as); r {
	case "":
		return role.Guest, nil
	case role.Guest, role.Observer:
		return r, nil
	default:
		return "", &name.Error{At: field, Reason: "must be guest or observer"}
	}
}

// parseLanguage returns a language tag (BCP 47) in its canonical form.
func parseLanguage(field, tag string) (string, error) {
	if tag == "" {
		return "", nil
	}
	parsed, err := language.Parse(tag)
	if err != nil || parsed == language.Und {
		return "", &name.Error{At: field, Reason: "must be a language tag such as fr or pt-BR (BCP 47)"}
	}
	return parsed.String(), nil
}

// setSecret takes the hashes of what is derived from a new secret. An empty
// pinHash is no PIN.
func (l *Link) setSecret(codeHash, pinHash string) error {
	var err error
	if l.CodeHash, err = ParseCodeHash(codeHash); err != nil {
		return &name.Error{At: "code_hash", Reason: "must be 32 bytes in base64url without padding"}
	}
	l.PINHash = PINHash{}
	if pinHash == "" {
		return nil
	}
	hash, err := ParseCodeHash(pinHash)
	if err != nil || PINHash(hash) == (PINHash{}) {
		return &name.Error{At: "pin_hash", Reason: "must be 32 bytes in base64url without padding"}
	}
	l.PINHash = PINHash(hash)
	return nil
}

// Revoked reports whether the link was revoked.
func (l Link) Revoked() bool { return !l.RevokedAt.IsZero() }

// Holder is who comes by a link.
type Holder struct {
	Session string     // lobby session
	Key     Thumbprint // of the browser, if it proved one
	Known   bool       // has used the link already: is not counted again
}

// Usable says whether somebody may come in by the link now: nil, or the reason
// why not. Whom the link is bound to, or who has used it, is asked about
// validity only.
func (l Link) Usable(by Holder, now time.Time) error {
	switch {
	case l.Revoked():
		return ErrRevoked
	case !now.Before(l.ExpiresAt):
		return ErrExpired
	case now.Before(l.ValidFrom):
		return &EarlyError{l.ValidFrom}
	case l.Kind == Personal && l.Session != "" && l.Session != by.Session && (l.Key == "" || l.Key != by.Key):
		return ErrInUse
	case l.Kind == Shared && l.MaxUses > 0 && l.Uses >= l.MaxUses && !by.Known:
		return ErrFull
	}
	return nil
}

// Use counts the first knock of a session, and binds a personal link to its
// browser, or to it alone where there is no key.
func (l Link) Use(session string, key Thumbprint) Link {
	l.Uses++
	if l.Kind == Personal {
		l.Session, l.Key = session, key
	}
	return l
}

// Born is when the link got its present secret.
func (l Link) Born() time.Time {
	if l.IssuedAt.IsZero() {
		return l.CreatedAt
	}
	return l.IssuedAt
}

// Open notes when the link was first opened.
func (l Link) Open(now time.Time) Link {
	if l.OpenedAt.IsZero() {
		l.OpenedAt = now
	}
	return l
}

// Reissue gives the link a new secret, and a new PIN if it had one, for the same
// person: the old secret and the binding are dead, and every session of before
// is void. expiresAt is zero where the end stays as it is. A refusal is
// ErrRevoked or a *name.Error.
func (l Link) Reissue(codeHash, pinHash string, expiresAt, now time.Time) (Link, error) {
	if l.Revoked() {
		return Link{}, ErrRevoked
	}
	if expiresAt.IsZero() {
		expiresAt = l.ExpiresAt
	}
	if err := checkValidity(l.ValidFrom, expiresAt, now); err != nil {
		return Link{}, err
	}
	if l.HasPIN() && pinHash == "" {
		return Link{}, &name.Error{At: "pin_hash", Reason: "is required: the link has a PIN"}
	}
	old := l.CodeHash
	if err := l.setSecret(codeHash, pinHash); err != nil {
		return Link{}, err
	}
	if l.CodeHash == old {
		return Link{}, &name.Error{At: "code_hash", Reason: "must be of a new secret"}
	}
	l.ExpiresAt, l.IssuedAt, l.OpenedAt = expiresAt, now, time.Time{}
	l.Session, l.Key, l.Uses, l.Unbound = "", "", 0, false
	l.Issue++
	return l, nil
}

// Extend moves the end of validity, forward or back. Whoever is in or waits is
// not concerned: the end closes the way in. A refusal is ErrRevoked or a
// *name.Error.
func (l Link) Extend(expiresAt, now time.Time) (Link, error) {
	if l.Revoked() {
		return Link{}, ErrRevoked
	}
	if err := checkValidity(l.ValidFrom, expiresAt, now); err != nil {
		return Link{}, err
	}
	l.ExpiresAt = expiresAt
	return l, nil
}

// SetPIN sets, changes or (pinHash "") takes away the link's PIN. Who has passed
// the old one is not asked again. A refusal is ErrRevoked or a *name.Error.
func (l Link) SetPIN(pinHash string) (Link, error) {
	if l.Revoked() {
		return Link{}, ErrRevoked
	}
	codeHash := base64.RawURLEncoding.EncodeToString(l.CodeHash[:])
	err := l.setSecret(codeHash, pinHash)
	return l, err
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
