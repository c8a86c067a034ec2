package recorder

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData returns once what was written, and how long the file is, survives a power
// failure. When it was last read or changed may be forgotten.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return err
		}
	}
}
