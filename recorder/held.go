package recorder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"aparte/recorder/seal"
)

// ErrHeld says that a recording is on legal hold.
var ErrHeld = errors.New("the recording is on legal hold")

// heldName is the file that tells whoever has only the folder that there is a hold. Whether
// there is one is not for it to decide: the server's database does, and has it follow.
const heldName = "held.json"

type held struct {
	Since time.Time `json:"since"`
}

// SetHeld notes in a recording's folder that it is on hold, zero: that it is not any more.
// fs.ErrNotExist: there is no folder of it here.
func SetHeld(dir, id string, since time.Time) error {
	if err := CheckID(id); err != nil {
		return err
	}
	folder := filepath.Join(dir, id)
	if !since.IsZero() {
		text, err := json.Marshal(held{since.UTC()})
		if err != nil {
			return err
		}
		return ReplaceFile(folder, heldName, append(text, '\n'))
	}
	switch err := os.Remove(filepath.Join(folder, heldName)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return seal.SyncFolder(folder)
}

// Held tells since when a recording's folder says that it is on hold; zero: it does not.
// What does not read is a hold of which nobody knows since when.
func Held(folder string) (since time.Time, is bool, err error) {
	text, err := os.ReadFile(filepath.Join(folder, heldName))
	if errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, err
	}
	var h held
	if json.Unmarshal(text, &h) != nil {
		h = held{}
	}
	return h.Since, true, nil
}

// refuseHeld is why a folder is not to be purged: ErrHeld.
func refuseHeld(folder string) error {
	since, is, err := Held(folder)
	switch {
	case err != nil:
		return err
	case is && since.IsZero():
		return fmt.Errorf("%s: %w", folder, ErrHeld)
	case is:
		return fmt.Errorf("%s: %w since %s", folder, ErrHeld, since.Format(time.DateOnly))
	}
	return nil
}
