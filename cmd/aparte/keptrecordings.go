package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"aparte/recorder"
	"aparte/recorder/seal"
	"aparte/signaling/recording"
)

// recordingsFolder is where recordings lie in the data folder.
const recordingsFolder = "recordings"

// kept is the recording.Kept of this server: the files of its recordings, whether it can
// make others or not.
type kept struct {
	dir string
	key *seal.NodeKey // nil: this server has never recorded, and cannot

	mu   sync.Mutex
	open map[string]<-chan struct{} // by recording: closed when its last part is; guarded by mu
}

// openKept makes it. The key of a server that can record is made if there is none.
func openKept(c *Config, origin string) (*kept, error) {
	k := &kept{dir: filepath.Join(c.DataDir, recordingsFolder), open: make(map[string]<-chan struct{})}
	if len(c.Recordings.Recipients) == 0 {
		_, err := os.Lstat(filepath.Join(c.DataDir, seal.NodeKeyFile))
		if errors.Is(err, fs.ErrNotExist) {
			return k, nil
		}
		if err != nil {
			return nil, err
		}
	}
	u, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	k.key, err = seal.LoadNodeKey(c.DataDir, u.Hostname())
	return k, err
}

// Delete implements recording.Kept.
func (k *kept) Delete(_ context.Context, id string) error {
	if _, err := k.partsOf(id); err != nil {
		return fmt.Errorf("delete recording %s: %w", id, err)
	}
	folder := filepath.Join(k.dir, id)
	done, err := recorder.Purge(folder)
	if errors.Is(err, recorder.ErrNoRecording) { // of a deletion that was broken off the folder is left
		err = os.Remove(folder)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(folder); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
	case err == nil && len(done.Left) > 0:
		err = fmt.Errorf("its folder holds what is of no recording: %q", done.Left)
	}
	if err != nil {
		return fmt.Errorf("delete recording %s: %w", id, err)
	}
	return nil
}

// partsOf are the parts of a recording; nothing is no error, what can be the id of none is.
func (k *kept) partsOf(id string) ([]recorder.PartInfo, error) {
	all, err := recorder.Parts(k.dir, id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return all, err
}

// Parts implements recording.Kept.
func (k *kept) Parts(_ context.Context, id string) ([]recording.Part, error) {
	writing := k.writes(id) // before it is looked what there is
	found, err := k.partsOf(id)
	if err != nil {
		return nil, err
	}
	all := make([]recording.Part, len(found))
	for i, p := range found {
		all[i] = recording.Part{Number: int(p.Number), Bytes: p.Bytes, Closed: !writing || i < len(found)-1}
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
	f, err := recorder.OpenPart(k.dir, id, uint32(number)) //nolint:gosec // it is one of those there are
	if errors.Is(err, fs.ErrNotExist) {
		return recording.PartFile{}, recording.ErrNone
	}
	if err != nil {
		return recording.PartFile{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return recording.PartFile{}, errors.Join(err, f.Close())
	}
	return recording.PartFile{ReadSeekCloser: f, Part: all[i], Modified: info.ModTime()}, nil
}

// NodeKey implements recording.Kept.
func (k *kept) NodeKey() (recording.NodeKey, error) {
	if k.key == nil {
		return recording.NodeKey{}, recording.ErrNoRecorder
	}
	key := k.key.Public()
	return recording.NodeKey{Node: key.Node(), Key: key.String()}, nil
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
