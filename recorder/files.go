package recorder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"aparte/recorder/seal"
)

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
