package keep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"time"

	"aparte/recorder"
	"aparte/recorder/seal"
	"aparte/recorder/storage"
)

// How a part is cut into objects, and how long is waited after a failure.
const (
	objectSize  = 8 << 20
	objectTime  = time.Minute
	lookEvery   = 5 * time.Second // whether there is an object's worth already
	firstPause  = time.Second
	longPause   = time.Minute
	objectWait  = 5 * time.Minute // for one object: 8 MiB at 220 kbit/s
	checkBuffer = 1 << 20
)

// key tells parts apart.
type key struct {
	id   string
	part uint32
}

func (k key) String() string { return fmt.Sprintf("part %d of recording %s", k.part, k.id) }

// job is one part on its way. It belongs to its goroutine, but for what says otherwise.
type job struct {
	*Keeper
	key
	written func() int64    // bytes that are on the disk, in whole members; nil: it is closed
	done    <-chan struct{} // closed when it is; nil: it is
	stop    context.CancelFunc
	ended   chan struct{} // closed when the goroutine has

	covered time.Time // guarded by Keeper.mu: until when all that was written is there
	behind  bool      // guarded by Keeper.mu: there is more
	said    string    // guarded by Keeper.mu: what failed last, so that it is logged once
}

// run brings the part away, however often it takes.
func (j *job) run(ctx context.Context) {
	var u *upload // nil until it is known what is there
	defer func() {
		if u != nil {
			_ = u.file.Close() // it was only read
		}
	}()
	pause := time.Duration(0)
	for ctx.Err() == nil {
		moved, err := j.once(ctx, &u)
		switch {
		case err == nil, ctx.Err() != nil:
			return
		case errors.Is(err, fs.ErrNotExist): // it was deleted, or brought away in another life
			return
		}
		j.failed(j, err)
		if moved {
			pause = 0
		}
		pause = min(max(2*pause, firstPause), longPause)
		select {
		case <-j.cfg.After(pause):
		case <-ctx.Done():
		}
	}
}

// once goes on to the end of the part; at first where the store says that it is. Moved
// tells whether anything came there.
func (j *job) once(ctx context.Context, u **upload) (moved bool, err error) {
	if *u == nil {
		if *u, err = j.open(ctx); err != nil {
			return false, err
		}
	}
	for {
		before := (*u).index.Size
		over, err := (*u).next(ctx)
		moved = moved || (*u).index.Size > before
		if over || err != nil {
			return moved, err
		}
	}
}

// open begins a try, and finds what earlier ones have done.
func (j *job) open(ctx context.Context) (*upload, error) {
	file, err := recorder.OpenPart(j.cfg.Dir, j.id, j.part)
	if err != nil {
		return nil, err
	}
	u := &upload{job: j, file: file, whole: sha256.New(), cut: j.cfg.Now(), index: Index{Type: typeIndex, Recording: j.id, Part: j.part, Objects: []Object{}}}
	if j.cfg.Store != nil {
		if err := u.resume(ctx); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	return u, nil
}

// until is closed when nothing more is written.
func (j *job) until() <-chan struct{} {
	if j.done != nil {
		return j.done
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}

// upload is how far a part has come.
type upload struct {
	*job
	file  *os.File
	whole hash.Hash // of what is there
	index Index     // of what is there
	cut   time.Time // when it was cut last
}

// size is how much there is of the part, and whether that is all.
func (u *upload) size() (int64, bool, error) {
	if u.done != nil {
		select {
		case <-u.done:
		default:
			return u.written(), false, nil
		}
	}
	info, err := u.file.Stat()
	if err != nil {
		return 0, false, err
	}
	return info.Size(), true, nil
}

// resume finds what an earlier try, or an earlier life of this server, has brought there,
// and compares all of it with what is here.
func (u *upload) resume(ctx context.Context) error {
	parts, err := partsAt(ctx, u.cfg.Store, u.id)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if p.part != u.part {
			continue
		}
		for _, o := range p.objects {
			size, _, err := u.size()
			if err != nil {
				return err
			}
			if u.index.Size+o.Size > size {
				return fmt.Errorf("%s: %w: there are more bytes than here", o.Name, storage.ErrDamaged)
			}
			digest, whole, err := u.read(ctx, u.index.Size+o.Size)
			if err != nil {
				return err
			}
			if err := same(ctx, u.cfg.Store, o.Name, digest, o.Size); err != nil {
				return err
			}
			if err := u.relock(ctx, u.id, o.Name); err != nil {
				return err
			}
			u.has(digest, o.Size, whole)
		}
	}
	return nil
}

// read reads on, to a place: what lies before it has these sums, the stretch and the whole.
func (u *upload) read(ctx context.Context, to int64) (digest string, whole hash.Hash, err error) {
	clone, err := u.whole.(hash.Cloner).Clone() // a stretch that fails is read again
	if err != nil {
		return "", nil, err
	}
	stretch := sha256.New()
	from := io.NewSectionReader(u.file, u.index.Size, to-u.index.Size)
	if _, err := io.CopyN(io.MultiWriter(stretch, clone), reading{ctx, from}, to-u.index.Size); err != nil {
		return "", nil, err
	}
	return hex.EncodeToString(stretch.Sum(nil)), clone, nil
}

// has notes an object that is there.
func (u *upload) has(digest string, size int64, whole hash.Hash) {
	u.index.Objects = append(u.index.Objects, Object{Name: fmt.Sprintf("%08d.tar", len(u.index.Objects)+1), Size: size, SHA256: digest})
	u.index.Size += size
	u.whole = whole
}

// next puts what is due, or waits until something is; over: all of it is there, and no
// more here.
func (u *upload) next(ctx context.Context) (over bool, err error) {
	now := u.cfg.Now()
	size, all, err := u.size()
	if err != nil {
		return false, err
	}
	waiting := size - u.index.Size
	u.told(waiting, all, now)
	switch {
	case u.cfg.Store == nil && all:
		return true, u.sum(ctx, size)
	case u.cfg.Store == nil:
	case waiting >= objectSize, waiting > 0 && (all || now.Sub(u.cut) >= objectTime):
		return false, u.put(ctx, size, now)
	case all:
		return true, u.finish(ctx)
	}
	look := u.cfg.After(lookEvery)
	if u.cfg.Store == nil {
		look = nil
	}
	select {
	case <-look:
	case <-u.until():
	case <-ctx.Done():
		return false, ctx.Err()
	}
	return false, nil
}

// turn waits until it is this one's turn, which ends with over: so many at once read from
// the disk, as where a first start finds a folder full of parts.
func (u *upload) turn(ctx context.Context) (over func(), err error) {
	select {
	case u.turns <- struct{}{}:
		return func() { <-u.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// sum makes the mark of a part that stays here.
func (u *upload) sum(ctx context.Context, size int64) error {
	over, err := u.turn(ctx)
	if err != nil {
		return err
	}
	defer over()
	digest, whole, err := u.read(ctx, size)
	if err != nil {
		return err
	}
	u.has(digest, size, whole)
	return u.mark("")
}

// put puts one object.
func (u *upload) put(ctx context.Context, size int64, now time.Time) error {
	over, err := u.turn(ctx)
	if err != nil {
		return err
	}
	defer over()
	to, err := seal.Cut(u.file, size, u.index.Size, objectSize)
	if err != nil {
		return err
	}
	digest, whole, err := u.read(ctx, to)
	if err != nil {
		return err
	}
	n := to - u.index.Size
	name := objectName(u.id, u.part, len(u.index.Objects)+1)
	within, cancel := context.WithTimeout(ctx, objectWait)
	defer cancel()
	object, err := u.putting(u.id)(within, name, io.NewSectionReader(u.file, u.index.Size, n), n)
	switch {
	case errors.Is(err, storage.ErrExists): // its answer was lost
		err = same(within, u.cfg.Store, name, digest, n)
	case err == nil && object.SHA256 != digest:
		err = fmt.Errorf("%s: %w", name, storage.ErrDamaged)
	}
	if err != nil {
		return err
	}
	u.has(digest, n, whole)
	if to == size {
		u.cut = now
		u.told(0, false, now)
	}
	u.brought(n)
	return nil
}

// finish closes the part in the store, and deletes it here.
func (u *upload) finish(ctx context.Context) error {
	u.index.SHA256 = hex.EncodeToString(u.whole.Sum(nil))
	if err := u.index.put(ctx, u.cfg.Store, u.putting(u.id)); err != nil {
		return err
	}
	if err := u.mark(u.cfg.Place); err != nil {
		return err
	}
	return recorder.Release(u.cfg.Dir, u.id, u.part)
}

// mark notes what is known of the part.
func (u *upload) mark(place string) error {
	info, err := u.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != u.index.Size {
		return fmt.Errorf("%s has grown after its end", u.key)
	}
	m := recorder.Mark{Part: u.part, Size: u.index.Size, SHA256: hex.EncodeToString(u.whole.Sum(nil)), Modified: info.ModTime().UTC(), Store: place}
	if place != "" {
		if m, err = recorder.Away(u.cfg.Dir, u.id, m, u.cfg.Key); err != nil {
			return err
		}
	}
	return recorder.SetMark(u.cfg.Dir, u.id, m)
}

// reading reads until its context is over.
type reading struct {
	ctx  context.Context // the call's, as this is
	from io.Reader
}

func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p[:min(len(p), checkBuffer)])
}
