package link

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"sync"
	"time"
)

// A guest's browser makes a key pair for a link at its first knock and keeps the
// private half where no page can read it. With every proof it signs what the
// proof is for, so that one made for a link, a session or a moment is worth
// nothing for another.

// PublicKey is the P-256 key of a guest's browser, an uncompressed point (SEC 1,
// section 2.3.3). The zero value is no key.
type PublicKey [65]byte

// Thumbprint names a key (RFC 7638, SHA-256, base64url). "" is no key.
type Thumbprint string

// Thumbprint is the name of the key.
func (k PublicKey) Thumbprint() Thumbprint {
	if k == (PublicKey{}) {
		return ""
	}
	b64 := base64.RawURLEncoding
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, b64.EncodeToString(k[1:33]), b64.EncodeToString(k[33:])))
	return Thumbprint(b64.EncodeToString(sum[:]))
}

// ErrProof says that a proof of a browser's key does not hold: another key,
// another statement, or a challenge that is spent or too old.
var ErrProof = errors.New("proof of the browser's key does not hold")

// Proof is a browser's proof that it holds a key, as it was sent: base64url
// without padding. Challenge is empty at a knock, whose challenge is the
// session's.
type Proof struct{ PublicKey, Signature, Challenge string }

// What a browser signs: one of these, a line feed, and the public key as sent.
// Ids and challenges are base64url, so that no line can hold another.
const (
	knockDomain  = "aparte/link/knock/v1"
	returnDomain = "aparte/link/return/v1"
)

// KnockStatement is what is signed at a knock.
func KnockStatement(link, session, challenge string) string {
	return strings.Join([]string{knockDomain, link, session, challenge}, "\n")
}

// ReturnStatement is what is signed to come back through a link.
func ReturnStatement(link, challenge string) string {
	return strings.Join([]string{returnDomain, link, challenge}, "\n")
}

// Verify returns the key that signed the statement, or ErrProof. Signatures are
// r and s of 32 bytes each, as WebCrypto makes them (IEEE P1363).
func (p Proof) Verify(statement string) (PublicKey, error) {
	b64 := base64.RawURLEncoding.Strict()
	raw, err := b64.DecodeString(p.PublicKey)
	if err != nil || len(raw) != len(PublicKey{}) {
		return PublicKey{}, ErrProof
	}
	signature, err := b64.DecodeString(p.Signature)
	if err != nil || len(signature) != 64 {
		return PublicKey{}, ErrProof
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raw)
	if err != nil {
		return PublicKey{}, ErrProof
	}
	sum := sha256.Sum256([]byte(statement + "\n" + p.PublicKey))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(key, sum[:], r, s) {
		return PublicKey{}, ErrProof
	}
	return PublicKey(raw), nil
}

// challengeLife is how long a browser has to answer a challenge.
const challengeLife = 2 * time.Minute

// maxSpent bounds how many spent challenges are remembered; each took a valid
// proof, and lives no longer than challengeLife. Of one link there are no more
// than maxSpentOf: who has one must not keep the guests of others from coming back.
const (
	maxSpent   = 100_000
	maxSpentOf = 1_000
)

// Challenges makes challenges for coming back and takes each once. What it has
// handed out it does not remember: whoever asks for many costs nothing and
// pushes nobody out. They hold until the process ends. Methods may be called
// from any goroutine.
type Challenges struct {
	random io.Reader // set at creation

	mu     sync.Mutex
	secret []byte // made at first use
	spent  map[string]spent
	of     map[string]int // spent ones, by link
}

type spent struct {
	link string
	end  time.Time
}

// NewChallenges makes challenges from random bytes.
func NewChallenges(random io.Reader) *Challenges {
	return &Challenges{random: random, spent: make(map[string]spent), of: make(map[string]int)}
}

// A challenge is a nonce, its end in milliseconds, and the MAC of both and the link.
const (
	challengeNonce = 16
	challengeBody  = challengeNonce + 8
	challengeLen   = challengeBody + sha256.Size
)

// Make makes a challenge for a link.
func (c *Challenges) Make(link string, now time.Time) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.secret == nil {
		secret := make([]byte, 32)
		if _, err := io.ReadFull(c.random, secret); err != nil {
			return "", fmt.Errorf("make secret of challenges: %w", err)
		}
		c.secret = secret
	}
	raw := make([]byte, challengeNonce, challengeLen)
	if _, err := io.ReadFull(c.random, raw); err != nil {
		return "", fmt.Errorf("make challenge: %w", err)
	}
	raw = binary.BigEndian.AppendUint64(raw, uint64(now.Add(challengeLife).UnixMilli()))
	raw = append(raw, c.mac(link, raw)...)
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// Spend takes a challenge that was made for the link, once; ErrProof otherwise.
// Call it when the signature over it holds.
func (c *Challenges) Spend(link, challenge string, now time.Time) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	if err != nil || len(raw) != challengeLen {
		return ErrProof
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.secret == nil || subtle.ConstantTimeCompare(raw[challengeBody:], c.mac(link, raw[:challengeBody])) != 1 {
		return ErrProof
	}
	end := time.UnixMilli(int64(binary.BigEndian.Uint64(raw[challengeNonce:challengeBody])))
	c.forget(now)
	if _, before := c.spent[challenge]; before || !now.Before(end) || len(c.spent) >= maxSpent || c.of[link] >= maxSpentOf {
		return ErrProof
	}
	c.spent[challenge] = spent{link, end}
	c.of[link]++
	return nil
}

// forget drops what is too old to be spent again. Requires mu.
func (c *Challenges) forget(now time.Time) {
	for challenge, s := range c.spent {
		if now.Before(s.end) {
			continue
		}
		delete(c.spent, challenge)
		if c.of[s.link]--; c.of[s.link] == 0 {
			delete(c.of, s.link)
		}
	}
}

func (c *Challenges) mac(link string, body []byte) []byte {
	h := hmac.New(sha256.New, c.secret)
	h.Write(body)
	h.Write([]byte(link))
	return h.Sum(nil)
}
