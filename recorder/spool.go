package recorder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"

	"aparte/recorder/seal"
)

// Why a recording's folder is refused.
var (
	// ErrEnded says that a recording was ended, so that nothing can be added to it.
	ErrEnded = errors.New("the recording has been ended")
	// ErrInUse says that a recording is being written.
	ErrInUse = errors.New("the recording is being written: stop it in the meeting, or stop the server")
	// ErrNoRecording says that a folder holds none.
	ErrNoRecording = errors.New("no recording here: a folder of one holds part-0001.tar and so on")
	// ErrNoPart says that a file is none of a recording.
	ErrNoPart = errors.New("no recording here: it neither is called part-0001.tar nor begins as the file of a part does")
)

// goodID is what a recording may be called: it is the name of its folder.
var goodID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// CheckID refuses what can be the id of no recording: ids are names of folders.
func CheckID(id string) error {
	if !goodID.MatchString(id) {
		return fmt.Errorf("%q cannot be the id of a recording: letters, digits, - and _, at most 64", id)
	}
	return nil
}

// halfMade is the name of a part that has no binding yet. It counts for nothing.
const halfMade = "part.new"

// partFile is a part on the disk.
type partFile struct{ *os.File }

func (f partFile) Sync() error { return syncData(f.File) }

func (f partFile) Truncate(size int64) error {
	if err := f.File.Truncate(size); err != nil {
		return err
	}
	_, err := f.Seek(size, io.SeekStart)
	return err
}

// lock keeps others from a file for as long as it is open.
func lock(f *os.File) error {
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return ErrInUse
	case err != nil:
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}

// newPart makes the file of the next part, still without its name.
func newPart(folder string) (seal.File, error) {
	path := filepath.Join(folder, halfMade)
	// Of a process that is gone: whoever was alive would have the recording's last part.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return partFile{f}, nil
}

// publish gives a part its name, once it has its binding.
func publish(folder string, part uint32) error {
	path := filepath.Join(folder, seal.PartName(part))
	// A link, unlike a renaming, replaces nothing.
	if err := os.Link(filepath.Join(folder, halfMade), path); err != nil {
		return err
	}
	return errors.Join(os.Remove(filepath.Join(folder, halfMade)), seal.SyncFolder(folder))
}

// makeFolder makes a recording's folder, and those above it, for this user alone.
func makeFolder(folder string) error {
	above := filepath.Dir(folder)
	if err := os.MkdirAll(above, 0o700); err != nil {
		return err
	}
	switch err := os.Mkdir(folder, 0o700); {
	case err == nil:
		return seal.SyncFolder(above)
	case errors.Is(err, fs.ErrExist):
		return nil
	default:
		return err
	}
}

// partsIn lists the parts of a folder, in order.
func partsIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, entry := range entries {
		if seal.PartNumber(entry.Name()) > 0 && entry.Type().IsRegular() {
			names = append(names, entry.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int { return int(seal.PartNumber(a)) - int(seal.PartNumber(b)) })
	return names, nil
}

// ending says where the last part of a folder ended, nil if there is none. Its room must
// be the one given.
func ending(folder, room string, key *seal.NodeKey) (end *seal.Ending, err error) {
	for range 2 {
		// It may be brought away just now: then its mark says so the next time.
		end, err = endingIn(folder, room, key)
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrInUse) {
			break
		}
	}
	return end, err
}

func endingIn(folder, room string, key *seal.NodeKey) (*seal.Ending, error) {
	names, err := partsIn(folder)
	if err != nil {
		return nil, err
	}
	marks, err := marksIn(folder)
	if err != nil {
		return nil, err
	}
	var here, away uint32
	if len(names) > 0 {
		here = seal.PartNumber(names[len(names)-1])
	}
	for n, m := range marks {
		if m.Store != "" {
			away = max(away, n)
		}
	}
	switch {
	case here == 0 && away == 0:
		return nil, nil
	case away >= here: // where both are, the file is about to go
		return endingOf(marks[away], room)
	}
	last := names[len(names)-1]
	f, err := os.Open(filepath.Join(folder, last))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := lock(f); err != nil {
		return nil, err
	}
	source, err := sourceOf(f, last)
	if err != nil {
		return nil, err
	}
	end, binding, err := seal.FindEnding(source, key.Public())
	switch {
	case errors.Is(err, seal.ErrFinal):
		return nil, ErrEnded
	case err != nil:
		return nil, fmt.Errorf("%s is not of this server, or damaged: %w", last, err)
	case binding.Room != room:
		return nil, fmt.Errorf("%s is of room %q, not of %q", last, binding.Room, room)
	}
	return &end, nil
}

// endingOf is where a part ended that was brought away.
func endingOf(m Mark, room string) (*seal.Ending, error) {
	switch {
	case m.Ending == nil:
		return nil, ErrEnded // or it was damaged
	case m.Room != room:
		return nil, fmt.Errorf("part %d is of room %q, not of %q", m.Part, m.Room, room)
	}
	return m.Ending, nil
}

// Room is what the file system of a folder has left for this process, in bytes.
func Room(folder string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(folder, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert,gosec // the widths differ between systems
}
