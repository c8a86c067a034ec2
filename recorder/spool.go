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
)

// goodID is what a recording may be called: it is the name of its folder.
var goodID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

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
func ending(folder, room string, key *seal.NodeKey) (*seal.Ending, error) {
	names, err := partsIn(folder)
	if err != nil || len(names) == 0 {
		return nil, err
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

// PartInfo is a part of a recording on the disk.
type PartInfo struct {
	Number uint32 // from 1
	Bytes  int64
}

// Parts lists the parts of a recording in a folder of recordings, in order, also while
// it is written; fs.ErrNotExist: there is none of this id.
func Parts(dir, id string) ([]PartInfo, error) {
	if !goodID.MatchString(id) {
		return nil, fmt.Errorf("%q cannot be the id of a recording", id)
	}
	names, err := partsIn(filepath.Join(dir, id))
	if err != nil {
		return nil, err
	}
	all := make([]PartInfo, len(names))
	for i, name := range names {
		info, err := os.Lstat(filepath.Join(dir, id, name))
		if err != nil {
			return nil, err
		}
		all[i] = PartInfo{Number: seal.PartNumber(name), Bytes: info.Size()}
	}
	return all, nil
}

// OpenPart opens a part of a recording to be read, which its caller closes;
// fs.ErrNotExist: there is none. It locks nothing: whoever reads keeps nobody from
// going on with the recording, or from deleting it.
func OpenPart(dir, id string, part uint32) (*os.File, error) {
	all, err := Parts(dir, id)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(all, func(p PartInfo) bool { return p.Number == part }) {
		return nil, fmt.Errorf("part %d of recording %s: %w", part, id, fs.ErrNotExist)
	}
	return os.Open(filepath.Join(dir, id, seal.PartName(part)))
}

func sourceOf(f *os.File, name string) (seal.Source, error) {
	info, err := f.Stat()
	if err != nil {
		return seal.Source{}, err
	}
	if !info.Mode().IsRegular() {
		return seal.Source{}, fmt.Errorf("%s is no file", name)
	}
	return seal.Source{Name: name, ReaderAt: f, Size: info.Size()}, nil
}

// Files is a recording on the disk, opened to be read.
type Files struct {
	Parts []seal.Source // in order
	Lone  bool          // it is one part, given by itself
	open  []*os.File
}

// OpenFiles opens a recording's folder, or one part of it. It must be closed.
func OpenFiles(path string) (*Files, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	files := &Files{Lone: !info.IsDir()}
	folder, names := filepath.Dir(path), []string{filepath.Base(path)}
	if info.IsDir() {
		folder = path
		if names, err = partsIn(folder); err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("%s: %w", path, ErrNoRecording)
		}
	}
	for _, name := range names {
		f, err := os.Open(filepath.Join(folder, name))
		if err != nil {
			return nil, errors.Join(err, files.Close())
		}
		files.open = append(files.open, f)
		source, err := sourceOf(f, name)
		if err != nil {
			return nil, errors.Join(err, files.Close())
		}
		files.Parts = append(files.Parts, source)
	}
	return files, nil
}

// Close closes the files.
func (f *Files) Close() error {
	var all error
	for _, file := range f.open {
		all = errors.Join(all, file.Close())
	}
	return all
}

// Purged is what deleting a recording did.
type Purged struct {
	Parts int
	Bytes int64
	Left  []string // names in the folder that are of no recording, which is still there for them
}

// Purge deletes a recording from a folder, for good as far as names go: what the disk,
// its snapshots and backups keep of the bytes is sealed. It refuses a folder without a
// recording, and one that is being written.
func Purge(folder string) (Purged, error) {
	var done Purged
	entries, err := os.ReadDir(folder)
	if err != nil {
		return done, err
	}
	var ours []string
	for _, entry := range entries {
		name := entry.Name()
		if entry.Type().IsRegular() && (seal.PartNumber(name) > 0 || name == halfMade) {
			ours = append(ours, name)
		} else {
			done.Left = append(done.Left, name)
		}
	}
	if len(ours) == 0 {
		return done, fmt.Errorf("%s: %w", folder, ErrNoRecording)
	}
	// All are locked before any goes.
	for _, name := range ours {
		f, err := os.OpenFile(filepath.Join(folder, name), os.O_RDWR, 0)
		if err != nil {
			return done, err
		}
		defer f.Close()
		if err := lock(f); err != nil {
			return done, fmt.Errorf("%s: %w", folder, err)
		}
	}
	// The last first: what a failure leaves is the beginning of a recording.
	for _, name := range slices.Backward(ours) {
		path := filepath.Join(folder, name)
		info, err := os.Stat(path)
		if err != nil {
			return done, err
		}
		if err := os.Remove(path); err != nil {
			return done, err
		}
		done.Parts++
		done.Bytes += info.Size()
	}
	if err := seal.SyncFolder(folder); err != nil || len(done.Left) > 0 {
		return done, err
	}
	if err := os.Remove(folder); err != nil {
		return done, err
	}
	return done, seal.SyncFolder(filepath.Dir(filepath.Clean(folder)))
}

// room is what the file system of a folder has left for this process, in bytes.
func room(folder string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(folder, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil //nolint:unconvert,gosec // the widths differ between systems
}
