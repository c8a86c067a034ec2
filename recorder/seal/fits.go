package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"

	"filippo.io/age"
)

// Fits says whether a key opens a recording, by the first thing in it that is sealed: who
// gave the wrong one should not learn it after an hour of it was verified. It is
// ErrNotForUs where none does, and nil where there is nothing to try them on.
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
				return err
			}
			// Its header is damaged: the next one may not be.
		}
	}
	return nil
}
