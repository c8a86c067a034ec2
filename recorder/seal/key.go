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
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// The files of a node's key, in its data folder.
const (
	NodeKeyFile   = "node.key"      // private, mode 0600
	PublicKeyFile = "node-key.json" // public
)

// NodeKey signs the recordings of one server. It proves which server wrote a file and
// that nothing was changed since; it opens nothing.
type NodeKey struct {
	signer note.Signer
	public PublicKey
}

// PublicKey is the half of a node's key that verifies.
type PublicKey struct {
	verifier note.Verifier
	text     string
}

// Public is what verifies this key's signatures.
func (k *NodeKey) Public() PublicKey { return k.public }

// String is the key as ParsePublicKey reads it: NAME+ID+KEY, of which the key is an
// algorithm byte (1, Ed25519) and 32 bytes in base64 (c2sp.org/signed-note).
func (k PublicKey) String() string { return k.text }

// Node is the name under which the node signs.
func (k PublicKey) Node() string {
	if k.verifier == nil {
		return ""
	}
	return k.verifier.Name()
}

// publicKey is the file that publishes a key.
type publicKey struct {
	Type      string `json:"type"` // "aparte-node-key"
	Node      string `json:"node"`
	Algorithm string `json:"algorithm"` // "Ed25519"
	Key       string `json:"key"`       // as String
}

const typeNodeKey = "aparte-node-key"

// MarshalJSON is how a node publishes its key.
func (k PublicKey) MarshalJSON() ([]byte, error) {
	return json.Marshal(publicKey{typeNodeKey, k.Node(), "Ed25519", k.text})
}

// ParsePublicKey reads a key as String writes it, or as MarshalJSON does.
func ParsePublicKey(text string) (PublicKey, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") {
		var published publicKey
		if err := json.Unmarshal([]byte(text), &published); err != nil {
			return PublicKey{}, fmt.Errorf("public key of a node: %w", err)
		}
		if published.Type != typeNodeKey {
			return PublicKey{}, fmt.Errorf("public key of a node: a JSON object of type %q, not %q", published.Type, typeNodeKey)
		}
		text = published.Key
	}
	verifier, err := note.NewVerifier(text)
	if err != nil {
		return PublicKey{}, fmt.Errorf("public key of a node: %.80q is neither what %s holds nor of the form NAME+ID+KEY", text, PublicKeyFile)
	}
	return PublicKey{verifier, text}, nil
}

// LoadNodeKey is the key of a data folder. It is made there if there is none, under the
// name given, and stays what it is then: whoever verifies has to know it. The public
// half is written beside it.
func LoadNodeKey(folder, name string) (*NodeKey, error) {
	path := filepath.Join(folder, NodeKeyFile)
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
	public, err := json.Marshal(key.public)
	if err != nil {
		return nil, err
	}
	if err := replace(filepath.Join(folder, PublicKeyFile), append(public, '\n')); err != nil {
		return nil, fmt.Errorf("publish key of this node: %w", err)
	}
	return key, nil
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
