package recorder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aparte/recorder/seal"
)

// ErrElsewhere says that a part's file is not here any more: its mark says where it is.
var ErrElsewhere = errors.New("it is kept elsewhere")

// Mark is what is known of a part that nothing more is written to, in a file beside where
// it lies or lay: part-0001.json.
type Mark struct {
	Part     uint32    `json:"part"`
	Size     int64     `json:"size"`
	SHA256   string    `json:"sha256"`
	Modified time.Time `json:"modified"` // when it was last written to
	// Store is where it was brought before it was deleted here; "": it lies here.
	Store string `json:"store,omitempty"`
	// BrokenOff is of a part that was brought away without its closing.
	BrokenOff bool `json:"broken_off,omitempty"`
	// Room and Ending are of a part that was brought away and that another one may follow.
	Room   string       `json:"room,omitempty"`
	Ending *seal.Ending `json:"ending,omitempty"`
}

func markName(part uint32) string {
	return strings.TrimSuffix(seal.PartName(part), ".tar") + ".json"
}

// markNumber is which part's mark a file is by its name, or 0.
func markNumber(name string) uint32 {
	stem, is := strings.CutSuffix(name, ".json")
	if !is {
		return 0
	}
	return seal.PartNumber(stem + ".tar")
}

// MarkOf is the mark of a part; fs.ErrNotExist: it has none.
func MarkOf(dir, id string, part uint32) (Mark, error) {
	if err := CheckID(id); err != nil {
		return Mark{}, err
	}
	return markIn(filepath.Join(dir, id), part)
}

func markIn(folder string, part uint32) (Mark, error) {
	text, err := os.ReadFile(filepath.Join(folder, markName(part)))
	if err != nil {
		return Mark{}, err
	}
	var m Mark
	if err := json.Unmarshal(text, &m); err != nil || m.Part != part {
		return Mark{}, fmt.Errorf("%s in %s does not read: delete it, and it is made anew if the part is here", markName(part), folder)
	}
	return m, nil
}

// SetMark notes a part's mark, in place of another, so that it survives a power failure.
func SetMark(dir, id string, m Mark) error {
	if err := CheckID(id); err != nil {
		return err
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return ReplaceFile(filepath.Join(dir, id), markName(m.Part), append(text, '\n'))
}

// ReplaceFile writes a small file in place of another, so that it survives a power failure.
func ReplaceFile(folder, name string, content []byte) error {
	half, err := os.CreateTemp(folder, name+".*.new") // 0600
	if err != nil {
		return err
	}
	_, err = half.Write(content)
	if err = errors.Join(err, half.Sync(), half.Close()); err == nil {
		err = os.Rename(half.Name(), filepath.Join(folder, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(half.Name()))
	}
	return seal.SyncFolder(folder)
}

// halfMark tells whether a file is what a crash left of a mark.
func halfMark(name string) bool {
	before, is := strings.CutSuffix(name, ".new")
	if !is {
		return false
	}
	i := strings.LastIndexByte(before, '.')
	return i > 0 && (markNumber(before[:i]) > 0 || before[:i] == heldName)
}

// Away completes the mark of a part that has been brought to a store: with whether it broke
// off, and with what a further part has to know of it, which is read from the part's own
// file. Key is the node's; a part that is not its own, or damaged, can be followed by none.
func Away(dir, id string, m Mark, key seal.PublicKey) (Mark, error) {
	f, err := OpenPart(dir, id, m.Part)
	if err != nil {
		return m, err
	}
	defer f.Close()
	source, err := sourceOf(f, f.Name())
	if err != nil {
		return m, err
	}
	closed, err := seal.Closed(source)
	if err != nil {
		return m, err
	}
	m.BrokenOff = !closed
	if end, binding, err := seal.FindEnding(source, key); err == nil {
		m.Ending, m.Room = &end, binding.Room
	}
	return m, nil
}

// Release deletes the file of a part whose mark says that it is in a store. ErrInUse: it
// is being written.
func Release(dir, id string, part uint32) error {
	switch m, err := MarkOf(dir, id, part); {
	case err != nil:
		return err
	case m.Store == "":
		return fmt.Errorf("part %d of recording %s lies nowhere else", part, id)
	}
	path := filepath.Join(dir, id, seal.PartName(part))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := lock(f); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return seal.SyncFolder(filepath.Dir(path))
}

// marksIn are the marks of a folder's parts, by their numbers. One that does not read is
// left out: what it said of a part that is here can be found again.
func marksIn(folder string) (map[uint32]Mark, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	all := make(map[uint32]Mark)
	for _, entry := range entries {
		if n := markNumber(entry.Name()); n > 0 && entry.Type().IsRegular() {
			if m, err := markIn(folder, n); err == nil {
				all[n] = m
			}
		}
	}
	return all, nil
}
