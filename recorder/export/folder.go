package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"aparte/recorder/mux"
)

// Folder is what the files of an export go into. One goroutine uses it.
type Folder interface {
	// Begin comes first, once there is something to export.
	Begin() error
	// Create makes a file that is not there yet.
	Create(name string) (mux.File, error)
	// End comes last if Begin was called, whatever happened.
	End() error
}

// ErrNotEmpty says that there is something in the folder to export into.
var ErrNotEmpty = errors.New("the folder is not empty")

// OnDisk is a folder of this name. It is made if need be; what is in it is never
// overwritten: an export into one that is not empty is refused with [ErrNotEmpty].
func OnDisk(dir string) Folder { return &diskFolder{dir: dir} }

type diskFolder struct {
	dir  string
	root *os.Root
}

func (d *diskFolder) Begin() error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return err
	}
	d.root = root
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s: %w: name a new one to export into", d.dir, ErrNotEmpty)
	}
	return nil
}

func (d *diskFolder) Create(name string) (mux.File, error) {
	return d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
}

func (d *diskFolder) End() error {
	if d.root == nil {
		return nil
	}
	return d.root.Close()
}
