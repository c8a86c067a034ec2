package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"filippo.io/age"
)

// WrongKeyError says that no key at hand opens a recording, and which would: by
// fingerprint, as a post's page has them.
type WrongKeyError struct {
	SealedTo []string // as the parts say; empty: they cannot be read
	Given    []string
}

func (e *WrongKeyError) Error() string {
	if len(e.SealedTo) == 0 {
		return ErrNotForUs.Error()
	}
	return fmt.Sprintf("%v, whose fingerprints are %s (given: %s)", ErrNotForUs, strings.Join(e.SealedTo, ", "), strings.Join(e.Given, ", "))
}

// Unwrap is ErrNotForUs.
func (e *WrongKeyError) Unwrap() error { return ErrNotForUs }

func newWrongKeyError(parts []Source, with []Identity) *WrongKeyError {
	e := &WrongKeyError{}
	for _, r := range SealedTo(parts) {
		e.SealedTo = append(e.SealedTo, Fingerprint(r))
	}
	for _, identity := range with {
		if r, ok := identity.Recipient(); ok {
			e.Given = append(e.Given, Fingerprint(r.String()))
		}
	}
	return e
}

// SealedTo is to which recipients the parts say that they are sealed, of those parts that
// can be read.
func SealedTo(parts []Source) (recipients []string) {
	for _, part := range parts {
		b, err := Peek(part)
		if err != nil {
			continue
		}
		for _, r := range b.Recipients {
			if !slices.Contains(recipients, r) {
				recipients = append(recipients, r)
			}
		}
	}
	return recipients
}

// Fits says whether a key opens a recording, by the first thing in it that is sealed: who
// gave the wrong one should not learn it after an hour of it was verified. It is a
// *WrongKeyError where none does, and nil where there is nothing to try them on.
func Fits(parts []Source, with []Identity) error {
	identities := make([]age.Identity, len(with))
	for i, identity := range with {
		identities[i] = identity.Identity
	}
	for _, part := range parts {
		in := members{in: part, size: part.Size}
		for {
			m, err := in.next()
			if d := (*damage)(nil); errors.Is(err, io.EOF) || errors.As(err, &d) {
				break
			} else if err != nil {
				return fmt.Errorf("%s: %w", part.Name, err)
			}
			if path.Ext(m.name) != ".age" {
				continue
			}
			if _, err := age.Decrypt(bytes.NewReader(m.content), identities...); err == nil {
				return nil
			} else if err = unsealed(err); errors.Is(err, ErrNotForUs) {
				return newWrongKeyError(parts, with)
			}
			// Its header is damaged: the next one may not be.
		}
	}
	return nil
}
