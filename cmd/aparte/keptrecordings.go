package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"aparte/recorder"
	"aparte/recorder/keep"
	"aparte/recorder/seal"
	"aparte/recorder/storage"
	"aparte/signaling/recording"
	"aparte/signaling/store"
)

// recordingsFolder is where recordings lie in the data folder.
const recordingsFolder = "recordings"

// kept is the recording.Kept of this server: the files of its recordings, whether it can
// make others or not.
type kept struct {
	dir    string
	key    *seal.NodeKey
	keeper *keep.Keeper
	place  string // of the store; "": there is none
	store  *storage.S3
	full   atomic.Bool // the store was when the server started
	locks  *locks

	filmKey serverKey         // opens the keys of recordings; none: nothing can be watched here
	keys    recordingKeys     // open what of each is for this server
	objects []storage.Storage // of films, the first for new ones; none: there are no films
	films   *films            // that makes them; set once, before anything is asked; nil: nothing does

	mu   sync.Mutex
	open map[string]<-chan struct{} // by recording: closed when its last part is; guarded by mu
}

// openKept makes it, and the server's key if there is none: a post may have its calls
// recorded any day.
func openKept(ctx context.Context, c *Config, decided *store.Store, origin string, log *slog.Logger) (*kept, error) {
	k := &kept{dir: filepath.Join(c.DataDir, recordingsFolder), open: make(map[string]<-chan struct{})}
	config := keep.Config{Dir: k.dir, Now: time.Now, After: time.After, Log: log}
	u, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	if k.filmKey, err = loadServerKey(c.Recordings.ServerKey); err != nil {
		return nil, err
	}
	k.keys = recordingKeys{filepath.Join(c.DataDir, recordingKeysFolder), k.filmKey}
	if k.key, err = seal.LoadNodeKey(c.DataDir, u.Hostname()); err != nil {
		return nil, err
	}
	config.Key = k.key.Public()
	s3, place, full, err := openStore(ctx, c, log)
	if err != nil {
		return nil, err
	}
	k.locks = &locks{store: decided, dir: k.dir, mode: storage.LockMode(c.Recordings.StoreLock), log: log}
	if s3 != nil {
		config.Store, config.Place = s3, place
		config.Lock = &keep.Locking{Store: s3, Must: k.locks.mode != storage.Unlocked, Decide: k.locks.decide}
		k.objects = append(k.objects, s3)
	}
	if _, err := os.Lstat(k.dir); err == nil || k.filmKey.is() {
		here, err := storage.OpenFolder(k.dir)
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR) {
			return nil, usageError{fmt.Errorf("data_dir %s: %w (it is a folder of the user aparte runs as)", c.DataDir, err)}
		}
		if err != nil {
			return nil, err
		}
		k.objects = append(k.objects, here)
	}
	k.place, k.keeper = config.Place, keep.New(config)
	k.store = s3
	k.full.Store(full)
	if s3 != nil {
		k.locks.keeper = k.keeper
	}
	k.tellStrangers(ctx, decided, log)
	return k, nil
}

// tellStrangers names recordings in the folder of which the database knows nothing, as after
// a backup of it was restored: no time is kept for them, so that nothing ever deletes them.
func (k *kept) tellStrangers(ctx context.Context, decided *store.Store, log *slog.Logger) {
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		return // there is none; what else is wrong with it is told by whoever writes there
	}
	for _, entry := range entries {
		if !entry.IsDir() || recorder.CheckID(entry.Name()) != nil {
			continue
		}
		switch known, err := decided.KnowsRecording(ctx, entry.Name()); {
		case err != nil:
			log.WarnContext(ctx, "look for recordings that the database does not know", "err", err)
			return
		case !known:
			log.WarnContext(ctx, "the database knows nothing of a recording: nothing will delete it (docs/backup.md)", "recording", entry.Name(), "folder", filepath.Join(k.dir, entry.Name()))
		}
	}
}

// Delete implements recording.Kept. Whoever calls it has it stored that the deletion began:
// no hold comes in between.
func (k *kept) Delete(ctx context.Context, id string) error {
	if err := recorder.CheckID(id); err != nil {
		return fmt.Errorf("delete recording: %w", err)
	}
	// Its key goes before anything else: whatever fails after that, as where the store is
	// away, nobody opens here what is left.
	if err := k.keys.forget(id); err != nil {
		return fmt.Errorf("delete key of recording %s: %w", id, err)
	}
	if k.place != "" { // a hold that was lifted a moment ago may not be lifted there
		if err := k.locks.settle(ctx, id); err != nil {
			return fmt.Errorf("delete recording %s: %w", id, err)
		}
	}
	if k.films != nil {
		if err := k.films.forget(ctx, id); err != nil {
			return fmt.Errorf("delete film of recording %s: %w", id, err)
		}
	}
	if err := k.deleteFilms(ctx, id, anyTake); err != nil {
		return fmt.Errorf("delete film of recording %s: %w", id, err)
	}
	if err := k.keeper.Delete(ctx, id); err != nil {
		return fmt.Errorf("delete recording %s: %w", id, err)
	}
	return nil
}

// Parts implements recording.Kept.
func (k *kept) Parts(ctx context.Context, id string) ([]recording.Part, error) {
	writing := k.writes(id) // before it is looked what there is
	found, err := k.keeper.Parts(ctx, id)
	if err != nil {
		return nil, ofStore(err)
	}
	all := make([]recording.Part, len(found))
	for i, p := range found {
		closed := !writing || i < len(found)-1
		all[i] = recording.Part{
			Number: int(p.Number), Bytes: p.Bytes, Closed: closed, BrokenOff: closed && p.BrokenOff, SHA256: p.SHA256, Stored: recording.Stored(p.Stored),
		}
	}
	return all, nil
}

// OpenPart implements recording.Kept.
func (k *kept) OpenPart(ctx context.Context, id string, number int) (recording.PartFile, error) {
	all, err := k.Parts(ctx, id)
	if err != nil {
		return recording.PartFile{}, err
	}
	i := slices.IndexFunc(all, func(p recording.Part) bool { return p.Number == number })
	if i < 0 {
		return recording.PartFile{}, recording.ErrNone
	}
	if !all[i].Closed {
		return recording.PartFile{}, recording.ErrWriting
	}
	f, modified, err := k.keeper.Open(ctx, id, uint32(number)) //nolint:gosec // it is one of those there are
	if errors.Is(err, fs.ErrNotExist) {
		return recording.PartFile{}, recording.ErrNone
	}
	if err != nil {
		return recording.PartFile{}, ofStore(err)
	}
	return recording.PartFile{ReadSeekCloser: f, Part: all[i], Modified: modified}, nil
}

// ofStore is why something cannot be read, by who is to blame: a store that does not answer
// is no fault of the server's.
func ofStore(err error) error {
	if errors.Is(err, storage.ErrUnreachable) {
		return fmt.Errorf("%w: %w", recording.ErrStoreAway, err)
	}
	return err
}

// NodeKey implements recording.Kept.
func (k *kept) NodeKey() (recording.NodeKey, error) {
	key := k.key.Public()
	told := recording.NodeKey{Node: key.Node(), Key: key.String(), From: key.From()}
	for _, e := range key.Earlier() {
		told.Earlier = append(told.Earlier, recording.EarlierKey(e))
	}
	return told, nil
}

// writes tells whether the last part of a recording is being written, or about to be.
func (k *kept) writes(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	done, is := k.open[id]
	if !is {
		return false
	}
	select {
	case <-done:
		delete(k.open, id)
		return false
	default:
		return true
	}
}

// setWrites notes that the last part of a recording is written until done is closed.
func (k *kept) setWrites(id string, done <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open[id] = done
}
