package login

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"aparte/signaling/name"
)

// argon2id as OWASP's Password Storage Cheat Sheet gives it: 19 MiB, two passes,
// one lane.
const (
	argonMemoryKiB = 19 * 1024
	argonPasses    = 2
	argonLanes     = 1
	argonSalt      = 16
	argonKey       = 32
)

// Bounds on concurrent hashing: slots times 19 MiB of memory at most, and short
// queues that nobody waits in for long. What comes from a source of many wrong
// passwords has one slot of its own, so that it delays only its like.
const (
	hashSlots = 4
	hashQueue = 64
	slowSlots = 1
	slowQueue = 16
	hashWait  = 10 * time.Second
)

// Passwords have at least minPassword characters; a long sentence is welcome.
const (
	minPassword = 12
	maxPassword = 256 // bytes, after normalisation
	minDistinct = 5
)

// checkPassword refuses what is guessed first.
func checkPassword(password string, a Account) error {
	p := norm.NFKC.String(password)
	distinct := make(map[rune]bool)
	for _, r := range p {
		distinct[r] = true
	}
	lower := strings.ToLower(p)
	local, _, _ := strings.Cut(a.Email, "@")
	var reason string
	switch {
	case !utf8.ValidString(password) || len(p) > maxPassword:
		reason = "is too long or not valid UTF-8"
	case utf8.RuneCountInString(p) < minPassword:
		reason = fmt.Sprintf("needs at least %d characters", minPassword)
	case len(distinct) < minDistinct:
		reason = "repeats too few characters"
	case lower == a.Email || lower == strings.ToLower(a.Name) || len(local) > 3 && strings.Contains(lower, local):
		reason = "is too close to the name or email"
	case strings.Contains("abcdefghijklmnopqrstuvwxyz", lower), strings.Contains("0123456789012345", lower), strings.Contains("azertyuiopqsdfghjklmwxcvbn", lower), strings.Contains("qwertyuiopasdfghjklzxcvbnm", lower), strings.HasPrefix(lower, "motdepasse"), strings.HasPrefix(lower, "password"):
		reason = "is among the first to be guessed"
	default:
		return nil
	}
	return &name.Error{At: "password", Reason: reason}
}

// hasher bounds how many hash at a time.
type hasher struct {
	random     io.Reader
	fast, slow lane
	decoy      string // compared with where there is no hash
}

func newHasher(random io.Reader) *hasher {
	return &hasher{
		random: random, fast: newLane(hashSlots, hashQueue), slow: newLane(slowSlots, slowQueue),
		decoy: encode(make([]byte, argonSalt), make([]byte, argonKey)),
	}
}

// lane lets some hash at a time and some more wait.
type lane struct{ slots, queue chan struct{} }

func newLane(slots, queue int) lane {
	return lane{slots: make(chan struct{}, slots), queue: make(chan struct{}, queue)}
}

// enter waits for a slot; leave gives it back.
func (l lane) enter(ctx context.Context) error {
	select {
	case l.queue <- struct{}{}:
	default:
		return ErrBusy
	}
	defer func() { <-l.queue }()
	ctx, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	select {
	case l.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ErrBusy
	}
}

func (l lane) leave() { <-l.slots }

// hash returns the PHC string of a password with a fresh salt.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", fmt.Errorf("make salt: %w", err)
	}
	if err := h.fast.enter(ctx); err != nil {
		return "", err
	}
	defer h.fast.leave()
	key := argon2.IDKey([]byte(norm.NFKC.String(password)), salt, argonPasses, argonMemoryKiB, argonLanes, argonKey)
	return encode(salt, key), nil
}

// matches compares a password with a PHC string, when it is its turn in the lane.
// An empty string never matches and takes as long.
func (h *hasher) matches(ctx context.Context, turn lane, phc, password string) (bool, error) {
	known := phc != ""
	if !known {
		phc = h.decoy
	}
	memory, passes, lanes, salt, key, err := decode(phc)
	if err != nil {
		return false, err
	}
	if len(password) > 4*maxPassword {
		return false, nil
	}
	if err := turn.enter(ctx); err != nil {
		return false, err
	}
	defer turn.leave()
	got := argon2.IDKey([]byte(norm.NFKC.String(password)), salt, passes, memory, lanes, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1 && known, nil
}

func encode(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemoryKiB, argonPasses, argonLanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func decode(phc string) (memory, passes uint32, lanes uint8, salt, key []byte, err error) {
	fields := strings.Split(phc, "$")
	if len(fields) != 6 || fields[1] != "argon2id" || fields[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return 0, 0, 0, nil, nil, fmt.Errorf("stored password hash is of an unknown kind")
	}
	if _, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &memory, &passes, &lanes); err != nil {
		return 0, 0, 0, nil, nil, fmt.Errorf("stored password hash: %w", err)
	}
	b64 := base64.RawStdEncoding.Strict()
	if salt, err = b64.DecodeString(fields[4]); err != nil {
		return 0, 0, 0, nil, nil, fmt.Errorf("stored password hash: %w", err)
	}
	if key, err = b64.DecodeString(fields[5]); err != nil || len(key) == 0 || passes == 0 || lanes == 0 {
		return 0, 0, 0, nil, nil, fmt.Errorf("stored password hash is incomplete")
	}
	return memory, passes, lanes, salt, key, nil
}
