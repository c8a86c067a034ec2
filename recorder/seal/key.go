package seal

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// The files of a node's key, in its data folder.
const (
	NodeKeyFile   = "node.key"      // private, mode 0600
	NextKeyFile   = "node.key.next" // the same, to be taken into use at the next start
	PublicKeyFile = "node-key.json" // public
)

// NodeKey signs the recordings of one server. It proves which server wrote a file and
// that nothing was changed since; it opens nothing.
type NodeKey struct {
	signer note.Signer
	public PublicKey
}

// PublicKey is what verifies the recordings of a node: the public half of its key, and of
// those that it had before.
type PublicKey struct {
	verifier note.Verifier
	text     string
	from     time.Time // zero: not known
	earlier  []earlierKey
}

// earlierKey is one that a node signed with until it had another.
type earlierKey struct {
	verifier    note.Verifier
	text        string
	from, until time.Time // from zero: not known
}

// Earlier is a key that a node signed with before.
type Earlier struct {
	Key         string    // as PublicKey.String
	From, Until time.Time // From zero: not known
}

// Public is what verifies this key's signatures.
func (k *NodeKey) Public() PublicKey { return k.public }

// String is the key as ParsePublicKey reads it: NAME+ID+KEY, of which the key is an
// algorithm byte (1, Ed25519) and 32 bytes in base64 (c2sp.org/signed-note). Of the keys
// before it says nothing.
func (k PublicKey) String() string { return k.text }

// From is since when the node has signed with it; zero: not known.
func (k PublicKey) From() time.Time { return k.from }

// Earlier are the keys that the node had before, the last one first.
func (k PublicKey) Earlier() []Earlier {
	var all []Earlier
	for _, e := range k.earlier {
		all = append(all, Earlier{e.text, e.from, e.until})
	}
	return all
}

// Node is the name under which the node signs.
func (k PublicKey) Node() string {
	if k.verifier == nil {
		return ""
	}
	return k.verifier.Name()
}

// keyID is how a key is named beside another: NAME+ID, with which it begins as a text.
func keyID(name string, hash uint32) string { return fmt.Sprintf("%.80s+%08x", name, hash) }

// ids names the key, and those before it.
func (k PublicKey) ids() string {
	if k.verifier == nil {
		return ""
	}
	all := keyID(k.verifier.Name(), k.verifier.KeyHash())
	if n := len(k.earlier); n > 0 {
		all += fmt.Sprintf(" (nor with one of the %d before it)", n)
	}
	return all
}

// verifiers are those of all its keys; none where it is zero.
func (k PublicKey) verifiers() note.Verifiers {
	var all []note.Verifier
	if k.verifier != nil {
		all = append(all, k.verifier)
	}
	for _, e := range k.earlier {
		all = append(all, e.verifier)
	}
	return note.VerifierList(all...)
}

// signedBy is that one of its keys alone whose id a signature has; zero for any other.
// until is when it was replaced; zero: it was not.
func (k PublicKey) signedBy(id uint32) (one PublicKey, until time.Time) {
	if k.verifier != nil && k.verifier.KeyHash() == id {
		return PublicKey{verifier: k.verifier, text: k.text}, time.Time{}
	}
	for _, e := range k.earlier {
		if e.verifier.KeyHash() == id {
			return PublicKey{verifier: e.verifier, text: e.text}, e.until
		}
	}
	return PublicKey{}, time.Time{}
}

// publicKey is the file that publishes a key.
type publicKey struct {
	Type      string         `json:"type"` // "aparte-node-key"
	Node      string         `json:"node"`
	Algorithm string         `json:"algorithm"` // "Ed25519"
	Key       string         `json:"key"`       // as String
	From      *time.Time     `json:"from,omitempty"`
	Earlier   []publishedKey `json:"earlier,omitempty"` // the last one first
}

type publishedKey struct {
	Key   string     `json:"key"`
	From  *time.Time `json:"from,omitempty"`
	Until time.Time  `json:"until"`
}

const typeNodeKey = "aparte-node-key"

// MarshalJSON is how a node publishes its keys.
func (k PublicKey) MarshalJSON() ([]byte, error) {
	known := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		return &t
	}
	published := publicKey{typeNodeKey, k.Node(), "Ed25519", k.text, known(k.from), nil}
	for _, e := range k.earlier {
		published.Earlier = append(published.Earlier, publishedKey{e.text, known(e.from), e.until})
	}
	return json.Marshal(published)
}

// maxEarlier bounds the file that publishes a key.
const maxEarlier = 1000

// errPrivate is said of a private key where a public one is wanted.
var errPrivate = errors.New("it is a private key: the public one is in " + PublicKeyFile)

// ParsePublicKey reads a key as String writes it, or with those before it as MarshalJSON
// does. Its errors quote nothing of a text that is none: it may be a private one.
func ParsePublicKey(text string) (PublicKey, error) {
	text = trimKey(text)
	if HasPrivateKey(text) {
		return PublicKey{}, fmt.Errorf("public key of a node: %w", errPrivate)
	}
	var published publicKey
	if strings.HasPrefix(text, "{") {
		if err := json.Unmarshal([]byte(text), &published); err != nil {
			return PublicKey{}, fmt.Errorf("public key of a node: %w", err)
		}
		if published.Type != typeNodeKey {
			return PublicKey{}, fmt.Errorf("public key of a node: a JSON object whose type is not %q", typeNodeKey)
		}
		if len(published.Earlier) > maxEarlier {
			return PublicKey{}, fmt.Errorf("public key of a node: %d earlier ones, at most %d are allowed", len(published.Earlier), maxEarlier)
		}
		text = published.Key
	}
	verifier, err := readVerifier(text)
	if err != nil {
		return PublicKey{}, err
	}
	k := PublicKey{verifier: verifier, text: text}
	if published.From != nil {
		k.from = *published.From
	}
	ids := map[uint32]bool{verifier.KeyHash(): true}
	for _, e := range published.Earlier {
		before := earlierKey{text: e.Key, until: e.Until}
		if before.verifier, err = readVerifier(e.Key); err != nil {
			return PublicKey{}, err
		}
		if e.From != nil {
			before.from = *e.From
		}
		id := before.verifier.KeyHash()
		if ids[id] || e.Until.IsZero() {
			return PublicKey{}, fmt.Errorf("public key of a node: the earlier one %s is there twice, or does not say until when it signed", keyID(before.verifier.Name(), id))
		}
		ids[id] = true
		k.earlier = append(k.earlier, before)
	}
	return k, nil
}

func readVerifier(text string) (note.Verifier, error) {
	verifier, err := note.NewVerifier(text)
	if err != nil {
		return nil, fmt.Errorf("public key of a node: it is neither what %s holds nor of the form NAME+ID+KEY", PublicKeyFile)
	}
	return verifier, nil
}

// after is a key that replaces what was published until now.
func (k PublicKey) after(published PublicKey, now time.Time) PublicKey {
	now = now.UTC().Round(time.Microsecond)
	switch {
	case published.verifier == nil:
		k.from = now
	case published.verifier.KeyHash() == k.verifier.KeyHash():
		k.from, k.earlier = published.from, published.earlier
	default:
		k.from = now
		k.earlier = slices.DeleteFunc(slices.Clone(published.earlier), func(e earlierKey) bool { return e.verifier.KeyHash() == k.verifier.KeyHash() })
		k.earlier = slices.Insert(k.earlier, 0, earlierKey{published.verifier, published.text, published.from, now})
	}
	return k
}

// LoadNodeKey is the key of a data folder. It is made there if there is none, under the
// name given, and stays what it is then: whoever verifies has to know it. One that
// RotateNodeKey has put beside it takes its place. The public half is written beside it,
// with those of the keys that were published there before.
func LoadNodeKey(folder, name string) (*NodeKey, error) {
	path := filepath.Join(folder, NodeKeyFile)
	if err := takeNext(folder); err != nil {
		return nil, fmt.Errorf("rotate key of this node: %w", err)
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeNodeKey(path, name); err != nil {
			return nil, fmt.Errorf("make key of this node: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("key of this node: %w", err)
	}
	key, err := parseNodeKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("key of this node, %s: %w; restore it from a backup, or move it away and a new one is made, which those who verify must then be told", path, err)
	}
	before, err := published(folder)
	if err != nil {
		return nil, err
	}
	key.public = key.public.after(before, time.Now())
	public, err := json.Marshal(key.public)
	if err != nil {
		return nil, err
	}
	if err := replace(filepath.Join(folder, PublicKeyFile), append(public, '\n')); err != nil {
		return nil, fmt.Errorf("publish key of this node: %w", err)
	}
	return key, nil
}

// takeNext has the key that waits, if there is one, take the place of the other, whose
// private half is gone then.
func takeNext(folder string) error {
	path := filepath.Join(folder, NextKeyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := parseNodeKey(string(text)); err != nil {
		return fmt.Errorf("%s: %w; delete it, and the key stays what it is", path, err)
	}
	return os.Rename(path, filepath.Join(folder, NodeKeyFile))
}

// published is what a data folder publishes; zero: nothing.
func published(folder string) (PublicKey, error) {
	path := filepath.Join(folder, PublicKeyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return PublicKey{}, nil
	}
	if err != nil {
		return PublicKey{}, err
	}
	k, err := ParsePublicKey(string(text))
	if err != nil {
		return PublicKey{}, fmt.Errorf("%s: %w; restore it from where a copy is kept, or move it away: keys of before are then in it no more", path, err)
	}
	return k, nil
}

// ErrNoNodeKey says that a data folder has no key that could be replaced.
var ErrNoNodeKey = errors.New("there is no key of a node")

// RotateNodeKey makes another key for the node of a data folder. It is taken into use when
// the server starts next; a recording that goes on then has parts of both. It returns the
// public half, and fs.ErrExist where one waits already.
func RotateNodeKey(folder string) (PublicKey, error) {
	text, err := os.ReadFile(filepath.Join(folder, NodeKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return PublicKey{}, ErrNoNodeKey
	}
	if err != nil {
		return PublicKey{}, err
	}
	now, err := parseNodeKey(string(text))
	if err != nil {
		return PublicKey{}, err
	}
	path := filepath.Join(folder, NextKeyFile)
	if err := makeNodeKey(path, now.public.Node()); err != nil {
		return PublicKey{}, err
	}
	if text, err = os.ReadFile(path); err != nil {
		return PublicKey{}, err
	}
	next, err := parseNodeKey(string(text))
	if err != nil {
		return PublicKey{}, err
	}
	return next.public, nil
}

func makeNodeKey(path, name string) error {
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return err
	}
	if _, err := note.NewVerifier(public); err != nil {
		return fmt.Errorf("a node cannot be called %q: a name has neither spaces nor plus signs", name)
	}
	return WriteSecret(path, []byte(secret+"\n"))
}

func parseNodeKey(text string) (*NodeKey, error) {
	secret := strings.TrimSpace(text)
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, errors.New("it is not a private key") // the library's error is as silent
	}
	public, err := publicHalf(secret)
	if err != nil {
		return nil, err
	}
	return &NodeKey{signer, public}, nil
}

// publicHalf is what verifies for a private key, PRIVATE+KEY+NAME+ID+KEY.
func publicHalf(secret string) (PublicKey, error) {
	fields := strings.SplitN(secret, "+", 5)
	raw, err := base64.StdEncoding.DecodeString(fields[4])
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return PublicKey{}, errors.New("it is not a private key")
	}
	public := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	text, err := note.NewEd25519VerifierKey(fields[2], public)
	if err != nil {
		return PublicKey{}, err
	}
	return ParsePublicKey(text)
}
