package seal

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
)

// private is what may be a private key: of an archive, as age writes them, or of a node
// (c2sp.org/signed-note). Also half of one, and one that was copied badly.
var private = regexp.MustCompile(`(?i)(AGE-SECRET-KEY-|PRIVATE\+KEY\+)\S*`)

// HasPrivateKey says whether there may be a private key in a text, whole or damaged.
func HasPrivateKey(text string) bool { return private.MatchString(text) }

// HidePrivateKeys is a text without what may be a private key in it, to be shown or kept
// in a log.
func HidePrivateKeys(text string) string {
	return private.ReplaceAllString(text, "(a private key)")
}

// WriteSecret makes a file of mode 0600, whole or not at all, and never in place of
// another: the error is then fs.ErrExist.
func WriteSecret(path string, secret []byte) error {
	half, err := writeBeside(path, secret, 0o600)
	if err != nil {
		return err
	}
	// A link, unlike a renaming, does not replace what is there.
	err = os.Link(half, path)
	return errors.Join(err, os.Remove(half), SyncFolder(filepath.Dir(path)))
}

// replace writes a public file, whole or not at all.
func replace(path string, content []byte) error {
	half, err := writeBeside(path, content, 0o644)
	if err != nil {
		return err
	}
	if err := os.Rename(half, path); err != nil {
		return errors.Join(err, os.Remove(half))
	}
	return SyncFolder(filepath.Dir(path))
}

// writeBeside writes a file on the same disk, under another name.
func writeBeside(path string, content []byte, mode os.FileMode) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// SyncFolder makes the names in a folder durable.
func SyncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
