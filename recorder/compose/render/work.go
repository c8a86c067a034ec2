package render

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// work is the folder in which a film is made. What is in it is not encrypted.
type work struct{ dir string }

// openWork makes the folder, or takes up one that was left. Nobody else may read it.
func openWork(dir string) (work, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return work{}, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return work{}, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return work{}, fmt.Errorf("%s: others may read this folder, and what is made in it is not encrypted: chmod 700", dir)
	}
	return work{dir}, nil
}

func (w work) path(name string) string { return filepath.Join(w.dir, name) }

func (w work) write(name, text string) error {
	return os.WriteFile(w.path(name), []byte(text), 0o600)
}

// made is what is remembered of a file that is whole.
type made struct {
	Key    string `json:"key"` // of what it was made of, and how
	SHA256 string `json:"sha256"`
}

// have says whether a file is there that was made of the same in the same way, and is as
// it was then.
func (w work) have(name, key string) (bool, error) {
	text, err := os.ReadFile(w.path(name + ".json"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, err
	}
	var m made
	if err := json.Unmarshal(text, &m); err != nil || m.Key != key {
		return false, nil //nolint:nilerr // torn: it is made again
	}
	sum, err := digest(w.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return sum == m.SHA256, err
}

// keep takes a file that is whole under its name, and remembers it.
func (w work) keep(name, key string) error {
	sum, err := digest(w.path(partial(name)))
	if err != nil {
		return err
	}
	if err := os.Rename(w.path(partial(name)), w.path(name)); err != nil {
		return err
	}
	text, err := json.Marshal(made{key, sum})
	if err != nil {
		return err
	}
	return w.write(name+".json", string(text))
}

// partial is what a file is called until it is whole.
func partial(name string) string { return "part-" + name }

// digest is a file's SHA-256.
func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// keyOf is one of all that makes a file what it is.
func keyOf(of ...any) (string, error) {
	text, err := json.Marshal(of)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
