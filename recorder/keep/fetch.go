package keep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"aparte/recorder"
	"aparte/recorder/seal"
	"aparte/recorder/storage"
)

// Fetched is a part that was taken from a store.
type Fetched struct {
	Name   string // of the file
	Bytes  int64
	SHA256 string
	// Whole tells that it was closed there: its index is there, and it is what that says.
	Whole bool
}

// Fetch takes a recording from a store into a folder that must not be there yet, as
// 'aparte record verify' and 'open' take it. Of a part that is still on its way it takes
// what is there. recorder.ErrNoRecording: there is nothing of this id. After an error the
// folder is gone again.
func Fetch(ctx context.Context, store storage.Storage, id, dir string) ([]Fetched, error) {
	there, err := partsAt(ctx, store, id)
	if err != nil {
		return nil, err
	}
	if len(there) == 0 {
		return nil, fmt.Errorf("%s: %w", id, recorder.ErrNoRecording)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	var all []Fetched
	for _, f := range there {
		one, err := fetchPart(ctx, store, id, f, dir)
		if err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		all = append(all, one)
	}
	return all, seal.SyncFolder(dir)
}

func fetchPart(ctx context.Context, store storage.Storage, id string, f found, dir string) (Fetched, error) {
	var objects []Object
	want := ""
	if f.index {
		index, err := readIndex(ctx, store, id, f.part)
		if err != nil {
			return Fetched{}, err
		}
		objects, want = index.Objects, index.SHA256
	} else {
		for i, o := range f.objects {
			objects = append(objects, Object{Name: fmt.Sprintf("%08d.tar", i+1), Size: o.Size})
		}
	}
	name := seal.PartName(f.part)
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return Fetched{}, err
	}
	from := newJoined(ctx, store, folderOf(id, f.part), objects)
	digest := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, digest), from)
	if err = errors.Join(err, from.Close(), file.Sync(), file.Close()); err != nil {
		return Fetched{}, err
	}
	got := hex.EncodeToString(digest.Sum(nil))
	if f.index && got != want {
		return Fetched{}, fmt.Errorf("%s: %w: its index says SHA-256 %s, it has %s", name, storage.ErrDamaged, want, got)
	}
	return Fetched{Name: name, Bytes: n, SHA256: got, Whole: f.index}, nil
}
