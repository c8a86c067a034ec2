package recorder

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"aparte/recorder/seal"
)

// PartInfo is a part of a recording.
type PartInfo struct {
	Number uint32 // from 1
	Bytes  int64
	Here   bool  // its file is in the folder
	Mark   *Mark // nil: it has none, as while it is written
	// BrokenOff: it has no closing, as also while it is written.
	BrokenOff bool
}

// Parts lists the parts of a recording in a folder of recordings, in order, also while
// it is written, and those that were brought away from there; fs.ErrNotExist: there is
// none of this id.
func Parts(dir, id string) ([]PartInfo, error) {
	if err := CheckID(id); err != nil {
		return nil, err
	}
	folder := filepath.Join(dir, id)
	names, err := partsIn(folder)
	if err != nil {
		return nil, err
	}
	marks, err := marksIn(folder)
	if err != nil {
		return nil, err
	}
	var all []PartInfo
	for _, name := range names {
		p, err := partHere(folder, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was brought away just now: its mark is there
		}
		if err != nil {
			return nil, err
		}
		if m, is := marks[p.Number]; is {
			p.Mark = &m
			delete(marks, p.Number)
		}
		all = append(all, p)
	}
	for n, m := range marks {
		if m.Store != "" {
			all = append(all, PartInfo{Number: n, Bytes: m.Size, Mark: &m, BrokenOff: m.BrokenOff})
		}
	}
	slices.SortFunc(all, func(a, b PartInfo) int { return cmp.Compare(a.Number, b.Number) })
	return all, nil
}

// partHere is a part whose file is in a folder.
func partHere(folder, name string) (PartInfo, error) {
	f, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		return PartInfo{}, err
	}
	defer f.Close()
	source, err := sourceOf(f, f.Name())
	if err != nil {
		return PartInfo{}, err
	}
	closed, err := seal.Closed(source)
	return PartInfo{Number: seal.PartNumber(name), Bytes: source.Size, Here: true, BrokenOff: !closed}, err
}

// OpenPart opens a part of a recording to be read, which its caller closes;
// fs.ErrNotExist: there is none. It locks nothing: whoever reads keeps nobody from
// going on with the recording, or from deleting it.
func OpenPart(dir, id string, part uint32) (*os.File, error) {
	all, err := Parts(dir, id)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(all, func(p PartInfo) bool { return p.Number == part && p.Here }) {
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

// OpenFiles opens a recording's folder, or one part of it, under the names that parts have
// on a server or under those that they are downloaded by. It must be closed. A folder that
// holds none is ErrNoRecording, a file that is none ErrNoPart.
func OpenFiles(path string) (*Files, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	files := &Files{Lone: !info.IsDir()}
	folder, names := filepath.Dir(path), []string{filepath.Base(path)}
	nameOf := func(file string) string {
		if short := shortName.FindString(file); short != "" {
			return short
		}
		return file
	}
	if info.IsDir() {
		folder = path
		if names, err = partsIn(folder); err != nil {
			return nil, err
		}
		if err := allHere(folder, names); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(names) == 0 {
			if names, err = partsTakenAway(folder); err != nil {
				return nil, err
			}
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
		source, err := sourceOf(f, nameOf(name))
		if err != nil {
			return nil, errors.Join(err, files.Close())
		}
		files.Parts = append(files.Parts, source)
		// One that is called so is looked at whatever is in it: it may be damaged.
		if files.Lone && seal.PartNumber(source.Name) == 0 && !seal.Begins(source) {
			return nil, errors.Join(fmt.Errorf("%s: %w", path, ErrNoPart), files.Close())
		}
	}
	return files, nil
}

// shortName is what a part is called in its folder, at the end of the longer name under
// which it is taken away.
var shortName = regexp.MustCompile(`part-[0-9]{4,9}\.tar$`)

// partsTakenAway lists the parts of a folder that they were downloaded to, in order.
func partsTakenAway(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	of := make(map[uint32]string)
	for _, entry := range entries {
		n := seal.PartNumber(shortName.FindString(entry.Name()))
		if n == 0 || !entry.Type().IsRegular() {
			continue
		}
		if other, is := of[n]; is {
			return nil, fmt.Errorf("%s: %s and %s are both part %d: give each recording a folder of its own", folder, other, entry.Name(), n)
		}
		of[n] = entry.Name()
	}
	var names []string
	for _, n := range slices.Sorted(maps.Keys(of)) {
		names = append(names, of[n])
	}
	return names, nil
}

// allHere refuses a folder from which parts were brought away.
func allHere(folder string, names []string) error {
	marks, err := marksIn(folder)
	if err != nil {
		return err
	}
	for n, m := range marks {
		if m.Store != "" && !slices.Contains(names, seal.PartName(n)) {
			return fmt.Errorf("part %d: %w, in %s: get all of it with 'aparte record fetch'", n, ErrElsewhere, m.Store)
		}
	}
	return nil
}

// Close closes the files.
func (f *Files) Close() error {
	var all error
	for _, file := range f.open {
		all = errors.Join(all, file.Close())
	}
	return all
}
