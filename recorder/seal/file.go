package seal

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
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

const typeFile = "aparte-recording-file"

// fileNote says of which recording a whole file is, and which of it. Age tells nobody who
// sealed something, or as what: without it anything that is sealed to a key could be put in
// the place of a film, and would be opened as that.
type fileNote struct {
	Type      string `json:"type"`
	Recording string `json:"recording"`
	File      string `json:"file"` // "film", ...
	// Header is the SHA-256 of the age header. The key of the contents is in it, sealed, and
	// no two files have the same: whoever does not have that key has no other contents for it.
	Header Hash `json:"header"`
}

func (n *fileNote) check() error {
	if n.Type != typeFile {
		return fmt.Errorf("is a %q, not a file's", n.Type)
	}
	return nil
}

// maxHeader is more than the header of a file that is sealed to as many as are allowed.
const maxHeader = 64 << 10

// headerOf is the digest of a sealed file's header.
func headerOf(sealed io.ReaderAt) (Hash, error) {
	begins := make([]byte, maxHeader)
	n, err := sealed.ReadAt(begins, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Hash{}, err
	}
	header, err := age.ExtractHeader(bytes.NewReader(begins[:n]))
	if err != nil {
		return Hash{}, fmt.Errorf("%w: it is no sealed file: %w", ErrTampered, err)
	}
	return sha256.Sum256(header), nil
}

// SignFile is a note by which the node says of which recording a sealed file is, and which.
func SignFile(sealed io.ReaderAt, recording, file string, key *NodeKey) ([]byte, error) {
	header, err := headerOf(sealed)
	if err != nil {
		return nil, err
	}
	return sign(&fileNote{typeFile, recording, file, header}, key)
}

// VerifyFile tells whether a sealed file is the one that a note of the node names, of that
// recording: ErrTampered. What is in it is verified as it is read.
func VerifyFile(sealed io.ReaderAt, note []byte, recording, file string, key PublicKey) error {
	header, err := headerOf(sealed)
	if err != nil {
		return err
	}
	var said fileNote
	if err := readNote(note, key, &said); err != nil {
		return fmt.Errorf("%w: the note of its file %s is not believed: %w", ErrTampered, file, err)
	}
	if said.Recording != recording || said.File != file || said.Header != header {
		return fmt.Errorf("%w: in the place of %s is %s of recording %.80q, or something else", ErrTampered, file, said.File, said.Recording)
	}
	return nil
}
