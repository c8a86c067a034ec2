package render

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrBusy says that another run makes a film in a work folder.
var ErrBusy = errors.New("another run is at work in this folder: wait for its end, or name another one")

// Lock has a work folder for this run alone, until release or the end of the process: two
// would write the same names. It leaves nothing in the folder; ErrBusy if another has it.
func Lock(dir string) (release func() error, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrBusy
		}
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, err), f.Close())
	}
	return f.Close, nil
}
