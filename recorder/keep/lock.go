package keep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"aparte/recorder"
	"aparte/recorder/storage"
)

// Locking is how objects are locked in the store, so that nobody deletes them there.
//
// Whether they are stands outside, and may change while one is on its way: an object is put
// locked as it stands then, and is looked at again once it is there. Lock has all others
// follow. So none is left as it stood before, whatever comes first; and what a crash leaves
// in between is of a part that is still here, whose objects are locked anew.
type Locking struct {
	// Store is Config's. Must: it is one that locks, or it is of no use.
	Store Locker
	Must  bool
	// Decide says how a recording is to be locked now. An error leaves its parts here.
	Decide func(ctx context.Context, id string) (storage.Lock, error)
}

// Locker is a store that locks.
type Locker interface {
	PutLocked(ctx context.Context, name string, from io.Reader, size int64, l storage.Lock) (storage.Object, error)
	Lock(ctx context.Context, name string, l storage.Lock) error
	Locks(ctx context.Context) error
}

// decided is how a recording is to be locked. What is over is no retention: stores refuse it.
func (k *Keeper) decided(ctx context.Context, id string) (storage.Lock, error) {
	l, err := k.cfg.Lock.Decide(ctx, id)
	if err != nil {
		return l, fmt.Errorf("lock recording %s: %w", id, err)
	}
	return k.stillOn(l), nil
}

func (k *Keeper) stillOn(l storage.Lock) storage.Lock {
	if !l.Until.After(k.cfg.Now()) {
		l = storage.Lock{Hold: l.Hold}
	}
	return l
}

// lockFor is what of a recording's lock an object of it has; false: it is of none. What was
// made of the parts (recorder.FilmFolder) can be made again, and is replaced at times: it
// has the hold alone, and no retention.
func lockFor(id, name string, lock storage.Lock) (storage.Lock, bool) {
	if _, _, is := partOf(name); is {
		return lock, true
	}
	return storage.Lock{Hold: lock.Hold}, strings.HasPrefix(name, id+"/"+recorder.FilmFolder+"/")
}

// Made puts what was made of a recording into the store, below recorder.FilmFolder, on
// hold if the recording is, from its first moment on. There has to be a store.
func (k *Keeper) Made(ctx context.Context, id, name string, from io.Reader, size int64) (storage.Object, error) {
	return k.putting(id)(ctx, name, from, size)
}

// putting puts objects of a recording, locked as it is decided.
func (k *Keeper) putting(id string) putFunc {
	if k.cfg.Lock == nil {
		return k.cfg.Store.Put
	}
	return func(ctx context.Context, name string, from io.Reader, size int64) (storage.Object, error) {
		decided := func() (storage.Lock, error) {
			l, err := k.decided(ctx, id)
			l, _ = lockFor(id, name, l)
			return l, err
		}
		before, err := decided()
		if err != nil {
			return storage.Object{}, err
		}
		object, err := k.cfg.Lock.Store.PutLocked(ctx, name, from, size, before)
		there := errors.Is(err, storage.ErrExists) // of an earlier try, perhaps with another lock
		if err != nil && !there {
			return object, err
		}
		now, failed := decided()
		if failed == nil && (there || !now.Equal(before)) {
			failed = k.cfg.Lock.Store.Lock(ctx, name, now)
		}
		if failed != nil { // the next try finds it there
			return storage.Object{}, failed
		}
		return object, err
	}
}

// putFunc is how an object is put: as storage.Storage's Put.
type putFunc func(ctx context.Context, name string, from io.Reader, size int64) (storage.Object, error)

// relock locks an object of an earlier try as is decided now.
func (k *Keeper) relock(ctx context.Context, id, name string) error {
	if k.cfg.Lock == nil {
		return nil
	}
	l, err := k.decided(ctx, id)
	if err != nil {
		return err
	}
	return k.cfg.Lock.Store.Lock(ctx, name, l)
}

// Lock locks all objects of a recording's parts that are in the store, and has what was
// made of them follow its hold; nothing is no error. recorder.ErrElsewhere: some are in
// another one, and none was locked.
func (k *Keeper) Lock(ctx context.Context, id string, l storage.Lock) error {
	if err := k.elsewhere(id); err != nil {
		return err
	}
	if err := k.silent(); err != nil {
		return err
	}
	err := k.lockAll(ctx, id, k.stillOn(l))
	if errors.Is(err, storage.ErrUnreachable) { // then nobody else need ask for a while
		k.noteFailure(err)
	}
	return err
}

func (k *Keeper) lockAll(ctx context.Context, id string, l storage.Lock) error {
	listed, err := k.cfg.Store.List(ctx, id)
	if err != nil {
		return err
	}
	for _, o := range listed {
		l, is := lockFor(id, o.Name, l)
		if !is {
			continue
		}
		within, cancel := context.WithTimeout(ctx, listTime)
		err := k.cfg.Lock.Store.Lock(within, o.Name, l)
		cancel()
		if err != nil && !errors.Is(err, storage.ErrNone) { // it was deleted meanwhile
			return err
		}
	}
	return nil
}

// elsewhere is recorder.ErrElsewhere where a part of a recording is in another store than
// this one; nil: none is.
func (k *Keeper) elsewhere(id string) error {
	parts, err := recorder.Parts(k.cfg.Dir, id)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, p := range parts {
		if m := p.Mark; m != nil && m.Store != "" && m.Store != k.cfg.Place {
			return fmt.Errorf("part %d: %w, in %s: name that as recordings.store, so that it can be deleted", m.Part, recorder.ErrElsewhere, m.Store)
		}
	}
	return nil
}
