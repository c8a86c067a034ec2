package keep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sort"

	"aparte/recorder/storage"
)

// joined reads a part from the objects it lies in, one after the other. What is read from
// an object's first byte to its last is compared with the index, before its end is told.
type joined struct {
	ctx     context.Context // Open's
	store   storage.Storage
	folder  string
	objects []Object
	begins  []int64 // of each object
	size    int64

	at     int64
	in     int // the object that is open
	open   io.ReadCloser
	digest hash.Hash // nil: not from its beginning on
}

func newJoined(ctx context.Context, store storage.Storage, folder string, objects []Object) *joined {
	j := &joined{ctx: ctx, store: store, folder: folder}
	for _, o := range objects {
		if o.Size == 0 {
			continue
		}
		j.objects, j.begins = append(j.objects, o), append(j.begins, j.size)
		j.size += o.Size
	}
	return j
}

func (j *joined) Read(p []byte) (int, error) {
	if j.at >= j.size {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if j.open == nil {
		if err := j.enter(); err != nil {
			return 0, err
		}
	}
	object, end := j.objects[j.in], j.begins[j.in]+j.objects[j.in].Size
	n, err := j.open.Read(p[:min(int64(len(p)), end-j.at)])
	if j.digest != nil {
		j.digest.Write(p[:n])
	}
	j.at += int64(n)
	if j.at == end {
		wrong := j.digest != nil && object.SHA256 != "" && hex.EncodeToString(j.digest.Sum(nil)) != object.SHA256
		err = j.leave()
		if wrong {
			j.at -= int64(n)
			return 0, fmt.Errorf("%s/%s: %w", j.folder, object.Name, storage.ErrDamaged)
		}
		return n, err
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("%s/%s: %w", j.folder, object.Name, err), j.leave())
	}
	return n, err
}

// enter opens the object that the next byte is in.
func (j *joined) enter() error {
	j.in = sort.Search(len(j.begins), func(i int) bool { return j.begins[i] > j.at }) - 1
	object := j.objects[j.in]
	file, err := j.store.Open(j.ctx, j.folder+"/"+object.Name)
	if err != nil {
		return err
	}
	if got := file.Object().Size; got != object.Size {
		return errors.Join(fmt.Errorf("%s/%s: %w: it has %d bytes instead of %d", j.folder, object.Name, storage.ErrDamaged, got, object.Size), file.Close())
	}
	j.digest = nil
	within := j.at - j.begins[j.in]
	if within == 0 {
		j.digest = sha256.New()
	} else if _, err := file.Seek(within, io.SeekStart); err != nil {
		return errors.Join(err, file.Close())
	}
	j.open = file
	return nil
}

func (j *joined) leave() error {
	if j.open == nil {
		return nil
	}
	open := j.open
	j.open = nil
	return open.Close()
}

func (j *joined) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += j.at
	case io.SeekEnd:
		offset += j.size
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, errors.New("seek: no such place")
	}
	if offset == j.at {
		return offset, nil
	}
	j.at = offset
	return offset, j.leave()
}

func (j *joined) Close() error { return j.leave() }

// readerAt reads a part from the objects it lies in, wherever one asks.
type readerAt struct {
	ctx     context.Context // the call's, as this is
	store   storage.Storage
	folder  string
	objects []Object
}

func (r readerAt) ReadAt(p []byte, at int64) (n int, err error) {
	j := newJoined(r.ctx, r.store, r.folder, r.objects)
	defer func() { err = errors.Join(err, j.Close()) }()
	if _, err := j.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	return io.ReadFull(j, p)
}
