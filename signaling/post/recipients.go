package post

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/name"
)

// Recordings of a post are sealed to the keys of its own list, if it has one; otherwise to
// the server's. So a post that takes its last key away goes back to the server's list, and
// where the server has none it records no more: nothing is ever sealed to nobody. Whether
// meetings are recorded at all is for security profiles to say.

// MaxRecipients is how many keys a post may have: as many as a recording, but for the
// server's own.
const MaxRecipients = 20

// Recipient is the public key of an archive that can open a post's recordings.
type Recipient struct {
	ID          string
	Name        string // what the post calls the archive
	Key         string
	Fingerprint string // of the key, as Fingerprint makes it
	AddedBy     string // account
	AddedByName string
	AddedAt     time.Time
}

// Recipients are the keys of a post, the oldest first.
type Recipients struct {
	Own []Recipient
	// Server is how many keys the server has for posts without any of their own.
	Server int
	// Changed is when the list last was, ChangedBy by whom (a name); zero: never.
	Changed   time.Time
	ChangedBy string
}

// Archive is what the server says of keys of archives.
type Archive struct {
	// Server is how many it has for posts without any of their own.
	Server int
	// Read reads a public key that somebody typed and returns it as it is kept: refused
	// with a *name.Error at "key".
	Read func(typed string) (string, error)
}

// Why a key is refused.
var (
	ErrManyRecipients = fmt.Errorf("a post has %d keys at most: remove one first", MaxRecipients)
	ErrNoRecipient    = errors.New("the post has no such key")
)

// What can be wrong with a key.
const (
	CodePrivateKey name.Code = "private-key" // it belongs on no server
	CodeClassicKey name.Code = "classic-key" // of the kind that is not hybrid, or nothing of age's
	CodeDamagedKey name.Code = "damaged-key"
	CodeKeyThere   name.Code = "key-there" // the post has it
)

// Fingerprint names a key in the trail and on the screen: the first half of its SHA-256.
func Fingerprint(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

// Recipients lists the keys of a post for its administrators.
func (p *Posts) Recipients(ctx context.Context, by, id string) (Recipients, error) {
	if _, err := p.at(ctx, by, id, Role.Administers); err != nil {
		return Recipients{}, err
	}
	all, err := p.store.Recipients(ctx, id)
	all.Server = p.archive.Server
	return all, err
}

// AddRecipient has recordings of the post that begin from now on sealed to one more key.
// Refused with a *name.Error or ErrManyRecipients.
func (p *Posts) AddRecipient(ctx context.Context, by, id, called, key string) (Recipient, error) {
	m, err := p.at(ctx, by, id, Role.Administers)
	if err != nil {
		return Recipient{}, err
	}
	r := Recipient{AddedBy: by, AddedAt: p.now()}
	if r.Name, err = name.Required("name", called, name.MaxName); err != nil {
		return Recipient{}, err
	}
	if r.Key, err = p.archive.Read(key); err != nil {
		return Recipient{}, err
	}
	if r.ID, err = newID(p.random); err != nil {
		return Recipient{}, err
	}
	r.Fingerprint = Fingerprint(r.Key)
	r, err = p.store.AddRecipient(ctx, by, m.Post.ID, r, p.did(audit.PostKeyAdded, by, id).With("fingerprint", r.Fingerprint))
	if err != nil {
		return Recipient{}, err
	}
	return r, p.recipientsChanged(ctx, id)
}

// RemoveRecipient has recordings that begin from now on be sealed to one key less; those
// that there are stay sealed to it. ErrNoRecipient if the post has none of that id.
func (p *Posts) RemoveRecipient(ctx context.Context, by, id, recipient string) error {
	err := p.store.RemoveRecipient(ctx, by, id, recipient, p.now(), p.did(audit.PostKeyRemoved, by, id))
	if err != nil {
		return err
	}
	return p.recipientsChanged(ctx, id)
}

// recipientsChanged has the meetings of a post follow what is stored of its keys.
func (p *Posts) recipientsChanged(ctx context.Context, id string) error {
	ctx = context.WithoutCancel(ctx) // it is stored: whether or not the caller waits
	p.telling.Lock()
	defer p.telling.Unlock()
	all, err := p.store.Recipients(ctx, id)
	if err != nil {
		return err
	}
	return p.hosting.RecipientsChanged(ctx, id, len(all.Own))
}
