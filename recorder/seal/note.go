package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Format is the version of the format that this package writes and reads.
const Format = 1

// Hash is a SHA-256, written in hexadecimal.
type Hash [sha256.Size]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText is the hash in hexadecimal.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads 64 lower-case hexadecimal digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) || bytes.ContainsAny(text, "ABCDEF") {
		return fmt.Errorf("%.70q is not a SHA-256 in hexadecimal", text)
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// link is the hash of the chain after a segment.
func link(previous, digest Hash) Hash {
	var both [2 * sha256.Size]byte
	copy(both[:], previous[:])
	copy(both[sha256.Size:], digest[:])
	return sha256.Sum256(both[:])
}

// The types of statement.
const (
	typeBinding = "aparte-recording-binding"
	typeSegment = "aparte-recording-segment"
	typeClosing = "aparte-recording-closing"
)

// Binding says what a part belongs to. It is readable by whoever has the file, so it
// names nobody.
type Binding struct {
	Type       string    `json:"type"`
	Format     int       `json:"format"`
	Recording  string    `json:"recording"` // id
	Part       uint32    `json:"part"`      // from 1
	Room       string    `json:"room"`      // id
	Node       string    `json:"node"`      // whose key signs
	Policy     string    `json:"policy"`    // by which rule it was recorded
	Recipients []string  `json:"recipients"`
	Began      time.Time `json:"began"`
	// Previous is where the part before ended. Nil in the first.
	Previous *Ending `json:"previous,omitempty"`
}

// Ending is where a part ended, as the server found it that began the next one.
type Ending struct {
	Part     uint32 `json:"part"`
	Segments uint64 `json:"segments"` // whole and signed
	Hash     Hash   `json:"hash"`     // of the chain after the last
	Left     int64  `json:"left"`     // bytes after it, of a segment that was cut; 0 where the part was closed
}

// segmentNote is what the node signs of each segment.
type segmentNote struct {
	Type      string `json:"type"`
	Recording string `json:"recording"`
	Part      uint32 `json:"part"`
	Segment   uint64 `json:"segment"` // from 1
	Digest    Hash   `json:"digest"`
	Previous  Hash   `json:"previous"` // the chain before it
}

// Closing is a part's end.
type Closing struct {
	Type      string    `json:"type"`
	Recording string    `json:"recording"`
	Part      uint32    `json:"part"`
	Segments  uint64    `json:"segments"`
	Hash      Hash      `json:"hash"` // of the chain after the last segment
	Ended     time.Time `json:"ended"`
	// Final is false where the server was stopped and the recording was not.
	Final bool `json:"final"`
	// Reason is why, in a word: "stopped", "shutdown", or what went wrong.
	Reason  string `json:"reason"`
	Packets uint64 `json:"packets"` // written in this part
	Bytes   uint64 `json:"bytes"`   // of those packets
	Lost    uint64 `json:"lost"`    // packets that gaps tell of
	// Manifest is SHA-256 of manifest.age.
	Manifest Hash `json:"manifest"`
}

// statement is one of the three kinds.
type statement interface{ check() error }

func (b *Binding) check() error {
	switch {
	case b.Type != typeBinding:
		return fmt.Errorf("is a %q, not a binding", b.Type)
	case b.Format != Format:
		return fmt.Errorf("is of format %d; this program reads %d", b.Format, Format)
	case b.Recording == "" || b.Part == 0 || len(b.Recipients) == 0:
		return errors.New("lacks its recording, its part or its recipients")
	case (b.Part == 1) != (b.Previous == nil):
		return fmt.Errorf("part %d does not say right whether another was before it", b.Part)
	case b.Previous != nil && b.Previous.Part != b.Part-1:
		return fmt.Errorf("part %d says that part %d was before it", b.Part, b.Previous.Part)
	}
	return nil
}

func (s *segmentNote) check() error {
	if s.Type != typeSegment {
		return fmt.Errorf("is a %q, not a segment's", s.Type)
	}
	return nil
}

func (c *Closing) check() error {
	if c.Type != typeClosing {
		return fmt.Errorf("is a %q, not a closing", c.Type)
	}
	return nil
}

// sign makes a note of a statement.
func sign(s statement, key *NodeKey) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("statement %w", err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: string(text) + "\n"}, key.signer)
}

// Why a note is not believed.
var (
	errForged   = errors.New("its signature is wrong")
	errStranger = errors.New("it is not signed by the node's key")
)

// strangerError is errStranger, and which key it says it is signed with.
type strangerError struct{ id string } // NODE+ID

func (e *strangerError) Error() string { return errStranger.Error() }
func (e *strangerError) Unwrap() error { return errStranger }

// maxNote is more than a binding with twenty recipients has.
const maxNote = 64 << 10

// readNote reads a note and believes it if key has signed it, or whoever did if key is
// zero. Exactly one way of writing a note is accepted.
func readNote(message []byte, key PublicKey, into statement) error {
	_, err := readSigned(message, key, into)
	return err
}

// readSigned is readNote, and which key has signed it, by its id.
func readSigned(message []byte, key PublicKey, into statement) (signer uint32, err error) {
	if len(message) > maxNote {
		return 0, fmt.Errorf("it has %d bytes, at most %d are allowed", len(message), maxNote)
	}
	text, signer, err := openNote(message, key)
	if err != nil {
		return 0, err
	}
	return signer, decodeNote(text, into)
}

func decodeNote(text string, into statement) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("it does not read: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("it says more than one thing")
	}
	if err := into.check(); err != nil {
		return fmt.Errorf("it %w", err)
	}
	return nil
}

func openNote(message []byte, key PublicKey) (text string, signer uint32, err error) {
	n, err := note.Open(message, key.verifiers())
	unverified, invalid := (*note.UnverifiedNoteError)(nil), (*note.InvalidSignatureError)(nil)
	switch {
	case errors.As(err, &invalid):
		return "", 0, errForged
	case errors.As(err, &unverified):
		if key.verifier != nil {
			by := unverified.Note.UnverifiedSigs[0]
			return "", 0, &strangerError{keyID(by.Name, by.Hash)}
		}
		n = unverified.Note
	case err != nil:
		return "", 0, errors.New("it is not a signed note")
	}
	signatures := append(n.Sigs, n.UnverifiedSigs...)
	if len(signatures) != 1 {
		return "", 0, fmt.Errorf("it has %d signatures, not one", len(signatures))
	}
	// Base64 has spare bits, and whoever could change them could say the file is another.
	raw, err := base64.StdEncoding.DecodeString(signatures[0].Base64)
	again := fmt.Sprintf("%s\n— %s %s\n", n.Text, signatures[0].Name, base64.StdEncoding.EncodeToString(raw))
	if err != nil || again != string(message) {
		return "", 0, errForged
	}
	return n.Text, signatures[0].Hash, nil
}
