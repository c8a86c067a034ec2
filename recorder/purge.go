package recorder

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"aparte/recorder/seal"
)

// FilmFolder is where a film of a recording lies, in its folder.
const FilmFolder = "film"

// Purged is what deleting a recording did.
type Purged struct {
	Parts int
	Bytes int64
	Left  []string // names in the folder that are of no recording, which is still there for them
	Away  []Mark   // of parts that had been brought away: they are there still
}

// Purge deletes a recording from a folder, for good as far as names go: what the disk,
// its snapshots and backups keep of the bytes is sealed. It refuses a folder without a
// recording, one that is being written, and one that says that there is a hold (ErrHeld),
// unless held: whoever asks knows. When its context ends it stops between two files; what is
// left then is the beginning of a recording, which the next Purge deletes.
func Purge(ctx context.Context, folder string, held bool) (Purged, error) {
	var done Purged
	if err := refuseHeld(folder); err != nil && !held {
		return done, err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return done, err
	}
	var ours []string
	film, marked := false, false
	for _, entry := range entries {
		switch name := entry.Name(); {
		case entry.Type().IsRegular() && (seal.PartNumber(name) > 0 || markNumber(name) > 0 || name == halfMade || halfMark(name)):
			ours = append(ours, name)
		case entry.Type().IsRegular() && name == heldName:
			marked = true
		case entry.IsDir() && name == FilmFolder:
			film = true
		default:
			done.Left = append(done.Left, name)
		}
	}
	if len(ours) == 0 && !marked {
		return done, fmt.Errorf("%s: %w", folder, ErrNoRecording)
	}
	marks, err := marksIn(folder)
	if err != nil {
		return done, err
	}
	for n, m := range marks {
		if m.Store != "" && !slices.Contains(ours, seal.PartName(n)) {
			done.Away = append(done.Away, m)
		}
	}
	slices.SortFunc(done.Away, func(a, b Mark) int { return cmp.Compare(a.Part, b.Part) })
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
	if film {
		if err := os.RemoveAll(filepath.Join(folder, FilmFolder)); err != nil {
			return done, err
		}
	}
	if marked { // it goes with what it is of; the folder is this recording's alone
		ours = append([]string{heldName}, ours...)
	}
	// The last first: what a failure leaves is the beginning of a recording.
	for _, name := range slices.Backward(ours) {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		path := filepath.Join(folder, name)
		info, err := os.Stat(path)
		if err != nil {
			return done, err
		}
		if err := os.Remove(path); err != nil {
			return done, err
		}
		if markNumber(name) == 0 && !halfMark(name) && name != heldName {
			done.Parts++
			done.Bytes += info.Size()
		}
	}
	if err := seal.SyncFolder(folder); err != nil || len(done.Left) > 0 {
		return done, err
	}
	if err := os.Remove(folder); err != nil {
		return done, err
	}
	return done, seal.SyncFolder(filepath.Dir(filepath.Clean(folder)))
}
