package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"aparte/recorder/seal"
)

// keygenCommand makes the key of an archive. It belongs to whoever may open recordings
// and to no server: servers are given the public half.
type keygenCommand struct {
	File string `arg:"" placeholder:"FILE" help:"Where the private key is to be kept (mode 0600). It must not exist yet."`
}

// Run writes the private half and prints the public one.
func (c *keygenCommand) Run(p *process) error {
	if c.File == "" {
		return usageError{errors.New("no file is named for the private key, as in 'aparte keygen archive.key > archive.pub'")}
	}
	if info, err := os.Stat(c.File); err == nil && info.IsDir() {
		return usageError{fmt.Errorf("%s is a folder: name a file in it for the private key", c.File)}
	}
	file, recipient, err := seal.NewIdentityFile(time.Now())
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	switch err := seal.WriteSecret(c.File, file); {
	case errors.Is(err, fs.ErrExist):
		return usageError{fmt.Errorf("%s is there already and may be the only key of some recordings: name another file", c.File)}
	case err != nil:
		return usageError{fmt.Errorf("write %s: %w", c.File, err)}
	}
	fmt.Fprintf(p.stderr, "aparte: the private key is in %s. What is sealed to it cannot be opened without it: keep a copy elsewhere, and neither on a server.\n", c.File)
	fmt.Fprintf(p.stderr, "aparte: its fingerprint, by which a post's page names it, is %s\n", seal.Fingerprint(recipient.String()))
	_, err = fmt.Fprintln(p.stdout, recipient)
	return err
}
