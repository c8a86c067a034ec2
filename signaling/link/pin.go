package link

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"aparte/signaling/throttle"
)

// A PIN is six digits that reach the guest by another channel than the link.
//
// Six digits are a million: a hash that anybody can compute, however slow, gives
// them away to whoever reads the database. So the proof of a PIN is a MAC under
// a key that is derived from the link's secret, which the server does not have,
// and the server keeps a hash of that proof. It learns no PIN, cannot guess one
// from what it stores, and a wrong try costs it one SHA-256.

// PINDigits is how long a PIN is.
const PINDigits = 6

// PINHash is SHA-256 of the proof of a link's PIN. The zero value is no PIN.
type PINHash [sha256.Size]byte

// pinInfo separates the key of PINs from the redemption code.
const pinInfo = "aparte/link/pin"

// PINProof derives the proof of a PIN from the 32 bytes of a link's secret, as
// browsers do.
func PINProof(secret []byte, pin string) ([]byte, error) {
	if len(secret) != 32 {
		return nil, fmt.Errorf("link secret of %d bytes", len(secret))
	}
	key, err := hkdf.Key(sha256.New, secret, nil, pinInfo, sha256.Size)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(pin))
	return h.Sum(nil), nil
}

// MakePIN makes a PIN where no browser is at hand.
func MakePIN(random io.Reader) (string, error) {
	n, err := rand.Int(random, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("make PIN: %w", err)
	}
	return fmt.Sprintf("%0*d", PINDigits, n), nil
}

// HasPIN reports whether the link asks for a PIN.
func (l Link) HasPIN() bool { return l.PINHash != PINHash{} }

// matchesPIN compares a proof (base64url) in constant time.
func (l Link) matchesPIN(proof string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(proof)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(raw)
	return subtle.ConstantTimeCompare(sum[:], l.PINHash[:]) == 1 && l.HasPIN()
}

// ErrPINRequired says that the link asks for a PIN and none was sent.
var ErrPINRequired = errors.New("link asks for a PIN")

// PINError says that a PIN was wrong, and how many tries are left before each
// costs a pause.
type PINError struct{ TriesLeft int }

func (e *PINError) Error() string { return fmt.Sprintf("wrong PIN, %d tries left", e.TriesLeft) }

// PauseError says how long no PIN is looked at.
type PauseError struct{ Wait time.Duration }

func (e *PauseError) Error() string { return "too many wrong PINs, wait " + e.Wait.String() }

// PIN tries: five are free for a link and a source, then each costs a pause,
// twice as long as the last. All sources of one link together have a generous
// bound: a crowd of sources gains 4,320 of a million PINs a day, and a guest
// among them waits 20 seconds rather than being locked out.
const (
	pinFree       = 5
	pinFirstPause = 30 * time.Second
	pinLongest    = time.Hour
	pinForget     = 24 * time.Hour
	pinEvery      = 20 * time.Second
	pinBurst      = 200
	pinKeys       = 50_000
)

// Guesses counts wrong PINs. They are asked of guests alone, once for a browser
// or tab: neither a host nor who has passed is ever held up by them. Methods may
// be called from any goroutine, but for one link from one at a time.
type Guesses struct {
	bySource *throttle.Pauses
	byLink   *throttle.Throttle
}

// NewGuesses counts by a clock.
func NewGuesses(now func() time.Time) *Guesses {
	return &Guesses{
		bySource: throttle.NewPauses(throttle.PauseConfig{Free: pinFree, First: pinFirstPause, Longest: pinLongest, Forget: pinForget, Keys: pinKeys}, now),
		byLink:   throttle.New(pinEvery, pinBurst, pinKeys, now),
	}
}

// Try compares the proof of a PIN: nil, ErrPINRequired, *PINError or
// *PauseError. During a pause nothing is compared.
func (g *Guesses) Try(l Link, proof, source string) error {
	if proof == "" {
		return ErrPINRequired
	}
	key := l.ID + " " + source
	if wait := g.byLink.Wait(l.ID); wait > 0 {
		return &PauseError{wait}
	}
	if wait, ok := g.bySource.Begin(key); !ok {
		return &PauseError{wait}
	}
	if l.matchesPIN(proof) {
		g.bySource.Right(key)
		return nil
	}
	g.byLink.Take(l.ID)
	return &PINError{TriesLeft: g.bySource.Left(key)}
}
