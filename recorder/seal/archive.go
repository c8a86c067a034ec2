package seal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"filippo.io/age"
)

// MaxRecipients is to how many a recording may be sealed: each adds 1.6 KB to every
// segment. MaxArchives of them may be of archives, which leaves room for the key of a
// server that makes films.
const (
	MaxRecipients = MaxArchives + 1
	MaxArchives   = 20
)

// Recipient is the public half of an archive's key: whoever has the other half can
// open what is sealed to it. It is hybrid, ML-KEM-768 with X25519: recordings are kept
// for years, and whoever copies one today may have a quantum computer then.
type Recipient struct{ hybrid *age.HybridRecipient }

func (r Recipient) String() string { return r.hybrid.String() }

// Fingerprint names a recipient where the whole of it is too long to compare: the first
// half of the SHA-256 of its text, in hexadecimal.
func Fingerprint(recipient string) string {
	sum := sha256.Sum256([]byte(recipient))
	return hex.EncodeToString(sum[:16])
}

// Why a text is no recipient.
var (
	ErrPrivateKey = errors.New("is a private key, which does not belong on a server: give what 'aparte keygen' printed, which begins with age1pq1")
	ErrNotHybrid  = errors.New("is not a hybrid one, which begins with age1pq1: make one with 'aparte keygen' or 'age-keygen -pq'")
	ErrDamagedKey = errors.New("is damaged: copy it again, it is one line of about 2,000 characters")
)

// ParseRecipients reads recipients, one each, and refuses none at all, too many, one
// twice and any that is not hybrid: age lets nobody mix the two, and a recording with
// one classic recipient would be no safer than that one.
func ParseRecipients(texts ...string) ([]Recipient, error) {
	if len(texts) == 0 {
		return nil, errors.New("a recording needs a recipient: make an archive's key with 'aparte keygen' and give its public half")
	}
	if len(texts) > MaxRecipients {
		return nil, fmt.Errorf("%d recipients, at most %d are allowed", len(texts), MaxRecipients)
	}
	var all []Recipient
	for i, text := range texts {
		text = trimKey(text)
		if HasPrivateKey(text) {
			return nil, fmt.Errorf("recipient %d %w", i+1, ErrPrivateKey)
		}
		if !strings.HasPrefix(text, "age1pq1") {
			return nil, fmt.Errorf("recipient %d, %.20q, %w", i+1, text, ErrNotHybrid)
		}
		hybrid, err := age.ParseHybridRecipient(text)
		if err != nil {
			return nil, fmt.Errorf("recipient %d, %.20q..., %w", i+1, text, ErrDamagedKey)
		}
		for j, other := range all {
			if other.String() == hybrid.String() {
				return nil, fmt.Errorf("recipient %d is the same as recipient %d", i+1, j+1)
			}
		}
		all = append(all, Recipient{hybrid})
	}
	return all, nil
}

// trimKey is a line of a key without white space around it, and byte order marks, which are
// none to Unicode: editors put one before a file, and texts that are joined carry them on.
func trimKey(line string) string {
	return strings.TrimFunc(line, func(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' })
}

// Identity is a private key of an archive.
type Identity struct{ age.Identity }

// Recipient is its public half; false: it is no hybrid key.
func (i Identity) Recipient() (Recipient, bool) {
	hybrid, ok := i.Identity.(*age.HybridIdentity)
	if !ok {
		return Recipient{}, false
	}
	return Recipient{hybrid.Recipient()}, true
}

// NewIdentityFile makes an archive's key: the file to be kept, in the form of age's own
// tools, and its public half.
func NewIdentityFile(now time.Time) (file []byte, public Recipient, err error) {
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, Recipient{}, err
	}
	public = Recipient{identity.Recipient()}
	file = fmt.Appendf(nil, "# created: %s\n# public key: %s\n%s\n", now.UTC().Format(time.RFC3339), public, identity)
	return file, public, nil
}

// ParseIdentities reads a file of keys, one a line, with comments. White space around a
// line, and the mark that Notepad begins a file with, are none of a key.
func ParseIdentities(file []byte) ([]Identity, error) {
	var lines []string
	for line := range strings.Lines(string(file)) {
		lines = append(lines, trimKey(line))
	}
	parsed, err := age.ParseIdentities(strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		// age's error may quote a line, and the line may be a key.
		return nil, errors.New("no file of keys as 'aparte keygen' makes them: lines that begin with AGE-SECRET-KEY-PQ-1, and comments")
	}
	var all []Identity
	for _, identity := range parsed {
		all = append(all, Identity{identity})
	}
	return all, nil
}

// unsealed is age's readers and errors, in words of recordings.
func unsealed(err error) error {
	if none := (*age.NoIdentityMatchError)(nil); errors.As(err, &none) {
		return ErrNotForUs
	}
	return err
}

// ErrNotForUs says that no key at hand opens a segment.
var ErrNotForUs = errors.New("none of the keys opens it: the recording is sealed to others")
