package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aparte/recorder"
	"aparte/recorder/keep"
	"aparte/recorder/storage"
	"aparte/signaling/recording"
	"aparte/signaling/store"
)

const (
	// locksEvery is how often is looked what was decided about recordings where they are
	// locked, marksEvery where there is but a mark to set.
	locksEvery = 5 * time.Second
	marksEvery = time.Minute
	// locksPause is how long is waited at most after the store did not follow.
	locksPause = time.Minute
	// maxLocks is how many recordings are locked at a time.
	maxLocks = 200
)

// locks has what lies outside of the database follow what it says about recordings: a mark
// in the folder of each that is on hold, and object lock in the store. What fails is tried
// until it is done, also by later lives of this server.
type locks struct {
	// Set at creation.
	store  *store.Store
	dir    string // of recordings
	mode   storage.LockMode
	keeper *keep.Keeper // nil: there is no store
	log    *slog.Logger

	mu      sync.Mutex
	waiting int       // guarded by mu: recordings that are not locked as they should be
	since   time.Time // guarded by mu: since when there have been any; zero: there are none

	marked map[string]time.Time // owned by run: which folders say that they are on hold; nil: not looked yet
	said   string               // owned by run: what failed last, so that it is logged once
}

// run follows until ctx ends.
func (l *locks) run(ctx context.Context) {
	every := marksEvery
	if l.mode != storage.Unlocked {
		every = locksEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	pause, next := time.Duration(0), time.Time{}
	for {
		err := l.mark(ctx)
		if now := time.Now(); l.keeper != nil && !now.Before(next) {
			failed := l.follow(ctx)
			if pause = min(max(2*pause, every), locksPause); failed == nil {
				pause = 0
			}
			next, err = now.Add(pause), errors.Join(err, failed)
		}
		l.tell(ctx, err)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// tell logs what fails, once.
func (l *locks) tell(ctx context.Context, err error) {
	said := ""
	if err != nil {
		said = err.Error()
	}
	if said != l.said && said != "" && ctx.Err() == nil {
		l.log.WarnContext(ctx, "have what is kept of recordings follow what was decided about them", "err", err)
	}
	l.said = said
}

// mark has the folders of recordings say which are on hold.
func (l *locks) mark(ctx context.Context) error {
	held, err := l.store.HeldRecordings(ctx)
	if err != nil {
		return err
	}
	if l.marked == nil {
		if l.marked, err = markedIn(l.dir); err != nil {
			return err
		}
	}
	var failed error
	for id, since := range held {
		if was, is := l.marked[id]; is && was.Equal(since) {
			continue
		}
		switch err := recorder.SetHeld(l.dir, id, since); {
		case err == nil:
			l.marked[id] = since
		case !errors.Is(err, fs.ErrNotExist): // nothing of it is here
			failed = errors.Join(failed, err)
		}
	}
	for id := range l.marked {
		if _, is := held[id]; is {
			continue
		}
		if err := recorder.SetHeld(l.dir, id, time.Time{}); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		delete(l.marked, id)
	}
	return failed
}

// markedIn are the recordings whose folders say that they are on hold.
func markedIn(dir string) (map[string]time.Time, error) {
	marked := make(map[string]time.Time)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return marked, nil
	}
	for _, entry := range entries {
		if recorder.CheckID(entry.Name()) != nil || !entry.IsDir() {
			continue
		}
		since, is, err := recorder.Held(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		if is {
			marked[entry.Name()] = since
		}
	}
	return marked, err
}

// follow locks in the store what is not locked as it should be. The error is of what could
// not be; it holds the others up only where the store does not answer.
func (l *locks) follow(ctx context.Context) error {
	all, err := l.store.UnsettledLocks(ctx, l.mode != storage.Unlocked, maxLocks)
	if err != nil {
		return err
	}
	l.wait(len(all))
	var failed error
	left := len(all)
	for _, id := range all {
		err := l.settle(ctx, id)
		if err == nil {
			left--
			l.wait(left)
			continue
		}
		failed = errors.Join(failed, err)
		if errors.Is(err, storage.ErrUnreachable) || ctx.Err() != nil {
			break
		}
	}
	return failed
}

// wait notes how many recordings are not locked as they should be.
func (l *locks) wait(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = n
	switch {
	case n == 0:
		l.since = time.Time{}
	case l.since.IsZero():
		l.since = time.Now()
	}
}

// behind is how many recordings are not locked as they should be, and for how long there
// have been any.
func (l *locks) behind() (n int, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting > 0 {
		d = time.Since(l.since)
	}
	return l.waiting, d
}

// settle has all that the store has of a recording locked as is decided.
func (l *locks) settle(ctx context.Context, id string) error {
	lock, settled, err := l.store.LockRecording(ctx, id, l.mode != storage.Unlocked)
	if errors.Is(err, recording.ErrNone) {
		return nil // it was deleted
	}
	if err != nil || settled {
		return err
	}
	if err := l.keeper.Lock(ctx, id, l.there(lock)); err != nil {
		return err
	}
	return l.store.SettleLock(ctx, id, lock)
}

// there is a lock as the store has it.
func (l *locks) there(lock recording.Lock) storage.Lock {
	return storage.Lock{Mode: l.mode, Until: lock.Until, Hold: storage.Hold(lock.Hold)}
}

// decide is how what is brought to the store of a recording is locked now. Of what the
// database knows nothing nobody was told anything: it is not.
func (l *locks) decide(ctx context.Context, id string) (storage.Lock, error) {
	lock, _, err := l.store.LockRecording(ctx, id, l.mode != storage.Unlocked)
	if errors.Is(err, recording.ErrNone) {
		return storage.Lock{}, nil
	}
	return l.there(lock), err
}
