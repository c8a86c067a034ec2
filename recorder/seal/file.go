package seal

import (
	"io"

	"filippo.io/age"
)

// NewFile seals a whole file, such as a film, to recipients: what is written comes out at
// dst as one age file, which is whole once it was closed. Dst stays open.
func NewFile(dst io.Writer, to []Recipient) (io.WriteCloser, error) {
	all := make([]age.Recipient, len(to))
	for i, r := range to {
		all[i] = r.hybrid
	}
	return age.Encrypt(dst, all...)
}

// OpenFileAt opens what NewFile sealed, of that size, to be read from any place: each
// 64 KiB are decrypted and verified when they are read, and no more is held in memory. The
// size is verified here. ErrNotForUs: no key opens it. The reader may be used at several
// places at a time, if src may.
func OpenFileAt(src io.ReaderAt, size int64, with []Identity) (*io.SectionReader, error) {
	all := make([]age.Identity, len(with))
	for i, identity := range with {
		all[i] = identity.Identity
	}
	plain, length, err := age.DecryptReaderAt(src, size, all...)
	if err != nil {
		return nil, unsealed(err)
	}
	return io.NewSectionReader(plain, 0, length), nil
}
