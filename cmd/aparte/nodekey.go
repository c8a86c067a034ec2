package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"aparte/recorder/seal"
)

// nodeKeyCommand looks after the key that recordings are signed with.
type nodeKeyCommand struct {
	Rotate nodeKeyRotate `cmd:"" help:"Make another key, which the server takes into use when it starts next. The one of now stays published, with its times."`
}

type nodeKeyRotate struct {
	DataDir string `default:"/var/lib/aparte" env:"APARTE_DATA_DIR" placeholder:"DIR" help:"Folder of the server's key."`
}

// Run makes the key, whether or not the server runs.
func (c *nodeKeyRotate) Run(p *process) error {
	next, err := seal.RotateNodeKey(c.DataDir)
	waits := filepath.Join(c.DataDir, seal.NextKeyFile)
	switch {
	case errors.Is(err, seal.ErrNoNodeKey):
		return usageError{fmt.Errorf("data_dir %s: %w: the server makes one when it starts", c.DataDir, err)}
	case errors.Is(err, fs.ErrExist):
		return usageError{fmt.Errorf("%s waits already: start the server anew, or delete it", waits)}
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrPermission):
		return usageError{fmt.Errorf("data_dir %s: %w", c.DataDir, err)}
	case err != nil:
		return fmt.Errorf("rotate the node's key: %w", err)
	}
	fmt.Fprintf(p.stderr, "aparte: the server signs with this key once it is started anew; until then it waits in %s. Give %s to those who verify, again, after that.\n", waits, seal.PublicKeyFile)
	_, err = fmt.Fprintln(p.stdout, next)
	return err
}
