package audit

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Entry is an event as it is kept: its canonical form, its hash, and beside it
// what can be purged.
type Entry struct {
	Seq      uint64
	Event    []byte // canonical
	Hash     Hash
	Personal map[string]Personal
}

// Head is where a chain stands: a stretch of it, from First with the hash before
// it (Prev) to Seq with its hash. The head of a whole chain has First 1 and Prev
// zero. Fields stand in the order of their JSON names, as RFC 8785 sorts them.
type Head struct {
	First uint64    `json:"first"`
	Hash  Hash      `json:"hash"`
	Post  string    `json:"post"`
	Prev  Hash      `json:"prev"`
	Seq   uint64    `json:"seq"`  // 0: nothing yet
	Time  time.Time `json:"time"` // of event Seq
}

// Start is the head of a post's chain before its first event.
func Start(post string) Head { return Head{First: 1, Post: post} }

// link is the hash of an event that follows a hash.
func link(prev Hash, canonical []byte) Hash {
	sum := sha256.New()
	sum.Write(prev[:])
	sum.Write(canonical)
	return Hash(sum.Sum(nil))
}

// Append makes the next event of the chain from a draft, with salts from random,
// and returns the chain's head after it.
func (h Head) Append(d Draft, random io.Reader) (Entry, Head, error) {
	e := Event{
		Act: d.Act, Actor: d.Actor, Detail: d.Detail, Meeting: d.Meeting, Post: h.Post,
		Seq: h.Seq + 1, Subjects: d.Subjects, Time: d.Time.UTC().Truncate(time.Millisecond),
	}
	if e.Act == "" || e.Actor.Kind == "" || e.Time.IsZero() {
		return Entry{}, h, fmt.Errorf("audit event %q by %q at %s is incomplete", e.Act, e.Actor.Kind, e.Time)
	}
	entry := Entry{Seq: e.Seq}
	for _, field := range slices.Sorted(maps.Keys(d.Personal)) {
		if entry.Personal == nil {
			entry.Personal = make(map[string]Personal, len(d.Personal))
			e.Personal = make(map[string]Digest, len(d.Personal))
		}
		p := Personal{Text: strings.ToValidUTF8(d.Personal[field], "\uFFFD")}
		if _, err := io.ReadFull(random, p.Salt[:]); err != nil {
			return Entry{}, h, fmt.Errorf("make salt: %w", err)
		}
		entry.Personal[field], e.Personal[field] = p, p.Digest()
	}
	var err error
	if entry.Event, err = e.Canonical(); err != nil {
		return Entry{}, h, err
	}
	entry.Hash = link(h.Hash, entry.Event)
	h.Seq, h.Hash, h.Time = e.Seq, entry.Hash, e.Time
	return entry, h, nil
}

// signedPrefix keeps a signature of a head from standing for anything else.
const signedPrefix = "aparte audit head v1\n"

// SignedHead is a head that the post vouched for. Kept elsewhere it is an anchor.
type SignedHead struct {
	Head      Head  `json:"head"`
	PublicKey Bytes `json:"public_key"` // Ed25519
	Signature Bytes `json:"signature"`  // Ed25519, over signedPrefix and the head's canonical form
}

// Sign vouches for a head.
func (h Head) Sign(key ed25519.PrivateKey) (SignedHead, error) {
	text, err := encode(h)
	if err != nil {
		return SignedHead{}, err
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return SignedHead{}, errors.New("audit key is no Ed25519 key")
	}
	return SignedHead{Head: h, PublicKey: Bytes(public), Signature: ed25519.Sign(key, append([]byte(signedPrefix), text...))}, nil
}

// Genuine reports whether the signature is by the key that stands beside it.
func (s SignedHead) Genuine() bool {
	text, err := encode(s.Head)
	return err == nil && len(s.PublicKey) == ed25519.PublicKeySize &&
		ed25519.Verify(ed25519.PublicKey(s.PublicKey), append([]byte(signedPrefix), text...), s.Signature)
}

// Bytes are base64url without padding in text.
type Bytes []byte

func (b Bytes) String() string { return base64.RawURLEncoding.EncodeToString(b) }

// MarshalText writes base64url.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (b *Bytes) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	if err != nil {
		return fmt.Errorf("%q is not base64url", text)
	}
	*b = raw
	return nil
}
