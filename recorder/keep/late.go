package keep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aparte/recorder"
	"aparte/recorder/seal"
	"aparte/recorder/storage"
)

// A put that is called off, or whose connection is cut, may still be on its way: in a proxy
// that has all of it, or in the store itself, which is about to commit it. Nobody tells
// when that is over, so that it may come after all that there was has been deleted. Each
// deletion in a store is therefore remembered in a file of its own, over restarts, and the
// store is looked at again after a while: what has come since is deleted, too.

// deletedFolder is where deletions are remembered, beside the recordings.
const deletedFolder = ".deleted"

// lookAfter is how long after a deletion the store is looked at again, for the n-th time
// from 0; false: no more. Most comes within a minute. A store takes no request that was
// signed more than 15 minutes before it got it; then there is only what it has got.
func lookAfter(n int) (time.Duration, bool) {
	looks := [...]time.Duration{time.Minute, 20 * time.Minute, 24 * time.Hour}
	if n < 0 || n >= len(looks) {
		return 0, false
	}
	return looks[n], true
}

// lockedPause is how long is waited where what came cannot be deleted yet.
const lockedPause = time.Hour

// deletion is one that is remembered.
type deletion struct {
	Store string    `json:"store"` // place
	At    time.Time `json:"at"`
	Looks int       `json:"looks"` // since
}

// due is when the store is looked at next.
func (d deletion) due() time.Time {
	after, _ := lookAfter(d.Looks)
	return d.At.Add(after)
}

func (k *Keeper) deletionFile(id string) string {
	return filepath.Join(k.cfg.Dir, deletedFolder, id+".json")
}

// remember has the store looked at again for a recording that is being deleted there.
func (k *Keeper) remember(id string, d deletion) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	folder := filepath.Join(k.cfg.Dir, deletedFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := recorder.ReplaceFile(folder, id+".json", append(text, '\n')); err != nil {
		return fmt.Errorf("remember the deletion: %w", err)
	}
	return nil
}

// remembered is a deletion; fs.ErrNotExist: there is nothing more to look at.
func (k *Keeper) remembered(id string) (d deletion, err error) {
	text, err := os.ReadFile(k.deletionFile(id))
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(text, &d); err != nil {
		return d, fmt.Errorf("%s does not read: %w", k.deletionFile(id), err)
	}
	return d, nil
}

// past ends the remembering.
func (k *Keeper) past(id string) error {
	if err := os.Remove(k.deletionFile(id)); err != nil {
		return err
	}
	return seal.SyncFolder(filepath.Join(k.cfg.Dir, deletedFolder))
}

// adoptDeletions goes on with those that an earlier life of this server remembered.
func (k *Keeper) adoptDeletions() {
	entries, err := os.ReadDir(filepath.Join(k.cfg.Dir, deletedFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.cfg.Log.Error("look for deletions of recordings", "err", err)
	}
	for _, entry := range entries {
		if id, is := strings.CutSuffix(entry.Name(), ".json"); is && recorder.CheckID(id) == nil {
			k.watch(id)
		}
	}
}

// watch looks at the store again for a recording that was deleted, as often as is due.
func (k *Keeper) watch(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over || k.late[id] != nil {
		return // whoever watches reads what is remembered now
	}
	ended := make(chan struct{})
	k.late[id] = ended
	go func() {
		defer close(ended)
		defer func() {
			k.mu.Lock()
			defer k.mu.Unlock()
			delete(k.late, id)
		}()
		k.lookAgain(k.ctx, id)
	}()
}

func (k *Keeper) lookAgain(ctx context.Context, id string) {
	said := ""
	for pause := time.Duration(0); ctx.Err() == nil; {
		d, err := k.remembered(id)
		if err != nil || d.Store != k.cfg.Place { // it is past, or of a store that is not ours now
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				k.cfg.Log.Error("look at a store again for a recording that was deleted", "recording", id, "err", err)
			}
			return
		}
		if wait := max(d.due().Sub(k.cfg.Now()), pause); wait > 0 {
			select {
			case <-k.cfg.After(wait):
			case <-ctx.Done():
				return
			}
		}
		if err = k.look(ctx, id); err == nil || errors.Is(err, fs.ErrNotExist) {
			pause = 0
			continue
		}
		if pause = longPause; errors.Is(err, storage.ErrLocked) {
			pause = lockedPause
		}
		if ctx.Err() == nil && said != err.Error() {
			said = err.Error()
			k.cfg.Log.Error("look whether anything came of a recording that was deleted", "recording", id, "err", err)
		}
	}
}

// look deletes what has come of a recording since it was deleted, if that is due.
func (k *Keeper) look(ctx context.Context, id string) error {
	over, err := k.alone(ctx, id)
	if err != nil {
		return err
	}
	defer over()
	d, err := k.remembered(id)
	if err != nil || k.cfg.Now().Before(d.due()) { // it was deleted once more
		return err
	}
	// Where a backup was put back it is a recording again.
	if parts, err := recorder.Parts(k.cfg.Dir, id); err == nil && len(parts) > 0 {
		k.cfg.Log.Warn("a recording that was deleted is here again: what there is of it in the store stays", "recording", id)
		return k.past(id)
	}
	if err := k.silent(); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, deleteTime)
	defer cancel()
	came, err := k.cfg.Store.List(within, id)
	if err != nil {
		return err
	}
	if len(came) > 0 {
		k.cfg.Log.Warn("what came to the store after its recording was deleted is deleted", "recording", id, "objects", len(came))
		if err := remove(within, k.cfg.Store, id); err != nil {
			return err
		}
	}
	d.Looks++
	if _, more := lookAfter(d.Looks); !more {
		return k.past(id)
	}
	return k.remember(id, d)
}
