package storage

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// halfMade begins the name of what is not whole yet. No object's name does.
const halfMade = ".put-"

// Folder is a Storage on this machine: an object is a file of its name, with its SHA-256
// in a file beside it, .NAME.sha256, as `sha256sum -c` reads it. One process at a time has
// it.
type Folder struct {
	root *os.Root
	mu   sync.Mutex // held while names come and go, never while bytes do
}

// OpenFolder opens a folder, which it makes if there is none, for this user alone. What a
// process that was killed left half made is removed. It must be closed.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{root: root}
	entries, err := fs.ReadDir(root.FS(), ".")
	for _, entry := range entries {
		if err == nil && strings.HasPrefix(entry.Name(), halfMade) {
			err = root.Remove(entry.Name())
		}
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return f, nil
}

// Close ends it. Files that were opened stay open.
func (f *Folder) Close() error { return f.root.Close() }

// Put implements [Storage].
func (f *Folder) Put(ctx context.Context, name string, from io.Reader, size int64) (Object, error) {
	if err := CheckName(name); err != nil {
		return Object{}, err
	}
	object, err := f.put(ctx, name, from, size)
	return object, f.because("put", name, err)
}

func (f *Folder) put(ctx context.Context, name string, from io.Reader, size int64) (Object, error) {
	if _, err := f.root.Lstat(name); err == nil {
		return Object{}, fs.ErrExist
	}
	digest := sha256.New()
	half, err := f.write(io.TeeReader(&untilDone{ctx, from}, digest), size)
	if err != nil {
		return Object{}, err
	}
	sum := hex.EncodeToString(digest.Sum(nil))
	line := fmt.Sprintf("%s  %s\n", sum, path.Base(name))
	mark, err := f.write(strings.NewReader(line), int64(len(line)))
	if err != nil {
		return Object{}, errors.Join(err, f.root.Remove(half))
	}
	err = f.publish(name, half, mark)
	if err = errors.Join(err, f.root.Remove(half)); err != nil {
		return Object{}, err
	}
	return f.stat(name)
}

// write makes a file that has no name of an object yet.
func (f *Folder) write(from io.Reader, size int64) (half string, err error) {
	half = halfMade + rand.Text()
	file, err := f.root.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	if _, err = io.CopyN(file, from, size); errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, f.root.Remove(half))
	}
	return half, nil
}

// publish gives a file its name, after its mark. The mark of an object that is there is
// not touched; one that a crash left without its object is replaced.
func (f *Folder) publish(name, half, mark string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	folder := path.Dir(name)
	err := f.root.MkdirAll(folder, 0o700)
	if err == nil {
		if _, err = f.root.Lstat(name); err == nil {
			err = fs.ErrExist
		} else if errors.Is(err, fs.ErrNotExist) {
			err = f.root.Rename(mark, markOf(name))
		}
	}
	if err != nil {
		return errors.Join(err, f.root.Remove(mark))
	}
	if err := f.sync(folder); err != nil { // the mark first
		return err
	}
	// A link, unlike a renaming, replaces nothing.
	if err := f.root.Link(half, name); err != nil {
		return err
	}
	for {
		if err := f.sync(folder); err != nil || folder == "." {
			return err
		}
		folder = path.Dir(folder)
	}
}

func markOf(name string) string {
	return path.Join(path.Dir(name), "."+path.Base(name)+".sha256")
}

// sync makes the names in a folder durable.
func (f *Folder) sync(folder string) error {
	dir, err := f.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// stat is what is known of an object: fs.ErrNotExist where there is no file of its name.
func (f *Folder) stat(name string) (Object, error) {
	info, err := f.root.Lstat(name)
	if err != nil {
		return Object{}, err
	}
	if !info.Mode().IsRegular() {
		return Object{}, fs.ErrNotExist
	}
	object := Object{Name: name, Size: info.Size(), Modified: info.ModTime()}
	if line, err := f.root.ReadFile(markOf(name)); err == nil {
		if sum, _, _ := strings.Cut(string(line), " "); isDigest(sum) {
			object.SHA256 = sum
		}
	}
	return object, nil
}

type folderFile struct {
	*os.File
	object Object
}

func (f folderFile) Object() Object { return f.object }

// Open implements [Storage].
func (f *Folder) Open(_ context.Context, name string) (File, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	object, err := f.stat(name)
	if err != nil {
		return nil, f.because("open", name, err)
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, f.because("open", name, err)
	}
	return folderFile{file, object}, nil
}

// List implements [Storage].
func (f *Folder) List(ctx context.Context, below string) ([]Object, error) {
	if below == "" {
		below = "."
	} else if err := CheckName(below); err != nil {
		return nil, err
	}
	var all []Object
	err := fs.WalkDir(f.root.FS(), below, func(name string, entry fs.DirEntry, found error) error {
		err := errors.Join(absent(found), ctx.Err()) // absent: deleted meanwhile, or never there
		if err == nil && entry != nil && !entry.IsDir() && name != below && CheckName(name) == nil {
			var object Object
			if object, err = f.stat(name); err == nil {
				all = append(all, object)
			}
		}
		return absent(err)
	})
	if err != nil {
		return nil, f.because("list", below, err)
	}
	slices.SortFunc(all, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Delete implements [Storage]. Folders that it leaves empty go as well.
func (f *Folder) Delete(_ context.Context, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.because("delete", name, f.remove(name))
}

// remove holds mu.
func (f *Folder) remove(name string) error {
	if info, err := f.root.Lstat(name); err == nil && !info.Mode().IsRegular() {
		return nil // it is no object
	}
	// A crash in between leaves a mark, which the next deletion finds.
	for _, gone := range []string{name, markOf(name)} {
		if err := absent(f.root.Remove(gone)); err != nil {
			return err
		}
	}
	folder := path.Dir(name)
	for ; folder != "."; folder = path.Dir(folder) {
		if err := absent(f.root.Remove(folder)); err != nil {
			break // something else is in it
		}
	}
	return absent(f.sync(folder))
}

// absent is an error, unless it says that something is not there.
func absent(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	return err
}

// because is what went wrong, in the words of all storages.
func (f *Folder) because(op, name string, err error) error {
	if err == nil {
		return nil
	}
	e := &Error{Op: op, Name: name, Err: err}
	switch {
	case absent(err) == nil:
		e.Kind, e.Err = ErrNone, nil
	case errors.Is(err, fs.ErrExist):
		e.Kind, e.Err = ErrExists, nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Kind, e.Remedy = ErrFull, "make room on the disk of "+f.root.Name()
	case errors.Is(err, fs.ErrPermission):
		e.Kind, e.Remedy = ErrRefused, "let the user that aparte runs as write in "+f.root.Name()
	}
	return e
}

// untilDone reads until its context is over.
type untilDone struct {
	ctx  context.Context // the call's, as this is
	from io.Reader
}

func (r *untilDone) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}
