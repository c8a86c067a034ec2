package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"aparte/recorder"
	"aparte/recorder/seal"
)

// recordingKeysFolder is where the keys of recordings lie in the data folder.
const recordingKeysFolder = "recording-keys"

// recordingKeys are the keys by which this server opens the recordings that hosts may
// watch on it, one for each. What a recording has for this server, its parts and its film,
// is sealed to that key, and the key lies in dir, sealed to the server's own. It goes with
// the recording, and first: what is left then of the files, in a backup, in a replica or
// under a lock of the store, neither this server opens any more nor whoever has its key.
type recordingKeys struct {
	dir    string
	server serverKey
}

// path is that of the key of a recording.
func (k recordingKeys) path(id string) (string, error) {
	if err := recorder.CheckID(id); err != nil {
		return "", err
	}
	return filepath.Join(k.dir, id+".age"), nil
}

// of is the key of a recording. The zero serverKey: it has none, as those that are sealed
// to the archive alone, and those of before each had its own, which are sealed to the
// server's key itself. seal.ErrNotForUs: the server's key does not open it.
func (k recordingKeys) of(id string) (serverKey, error) {
	path, err := k.path(id)
	if err != nil {
		return serverKey{}, err
	}
	sealed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return serverKey{}, nil
	}
	var text []byte
	if err == nil {
		var plain *io.SectionReader
		if plain, err = seal.OpenFileAt(bytes.NewReader(sealed), int64(len(sealed)), k.server.identities); err == nil {
			text, err = io.ReadAll(plain)
		}
	}
	var own serverKey
	if err == nil {
		own, err = parseKey(text)
	}
	if err != nil {
		return serverKey{}, fmt.Errorf("key of recording %s: %w", id, err)
	}
	return own, nil
}

// need is the key of a recording of which a part begins: it is made with the first one.
// When it returns it would survive a power failure, as the part may.
func (k recordingKeys) need(id string) (serverKey, error) {
	if own, err := k.of(id); err != nil || own.is() {
		return own, err
	}
	text, _, err := seal.NewIdentityFile(time.Now())
	if err == nil {
		err = k.put(id, text)
	}
	if err != nil {
		return serverKey{}, fmt.Errorf("make the key of recording %s: %w", id, err)
	}
	return k.of(id)
}

// put seals a key to the server's and keeps it.
func (k recordingKeys) put(id string, text []byte) error {
	path, err := k.path(id)
	if err != nil {
		return err
	}
	var sealed bytes.Buffer
	w, err := seal.NewFile(&sealed, []seal.Recipient{k.server.public})
	if err == nil {
		_, err = w.Write(text)
		err = errors.Join(err, w.Close())
	}
	if err == nil {
		err = os.MkdirAll(k.dir, 0o700)
	}
	if err == nil {
		err = seal.SyncFolder(filepath.Dir(k.dir))
	}
	if err != nil {
		return err
	}
	return seal.WriteSecret(path, sealed.Bytes())
}

// forget deletes the key of a recording; none is no error.
func (k recordingKeys) forget(id string) error {
	path, err := k.path(id)
	if err != nil {
		return err
	}
	switch err := os.Remove(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return seal.SyncFolder(k.dir)
}

// identities open what is sealed for this server of a recording.
func (k recordingKeys) identities(id string) ([]seal.Identity, error) {
	own, err := k.of(id)
	return slices.Concat(own.identities, k.server.identities), err
}

// opening is the text of the keys that open parts sealed to these recipients: the
// recording's own alone, unless one of them is the server's. What decodes what strangers
// sent is given it, and should hold no key to anything else.
func (k recordingKeys) opening(id string, to []string) (string, error) {
	own, err := k.of(id)
	if err != nil {
		return "", err
	}
	if own.is() && !slices.ContainsFunc(to, k.server.opensFor) {
		return own.text, nil
	}
	return own.text + k.server.text, nil
}
