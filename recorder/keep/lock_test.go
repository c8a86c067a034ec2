package keep

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aparte/recorder"
	"aparte/recorder/storage"
)

// locker is a store that locks, as S3 does: once something has been put under a name, its
// lock is the store's own.
type locker struct {
	storage.Storage
	mu      sync.Mutex
	locks   map[string]storage.Lock // by object
	decided storage.Lock
	put     func(name string) error // after it is there, before that is answered; may be nil
	fails   error                   // of everything about locks
	asked   int                     // to lock what is there
}

func (l *locker) PutLocked(ctx context.Context, name string, from io.Reader, size int64, lock storage.Lock) (storage.Object, error) {
	object, err := l.Put(ctx, name, from, size)
	if err != nil {
		return object, err
	}
	l.mu.Lock()
	l.locks[name] = lock
	put := l.put
	l.mu.Unlock()
	if put != nil {
		err = put(name)
	}
	return object, err
}

func (l *locker) Lock(_ context.Context, name string, lock storage.Lock) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails != nil {
		return l.fails
	}
	l.asked++
	there := l.locks[name]
	if lock.Mode != storage.Unlocked {
		there.Mode, there.Until = lock.Mode, lock.Until
	}
	if lock.Hold != storage.AsItIs {
		there.Hold = lock.Hold
	}
	l.locks[name] = there
	return nil
}

func (l *locker) Locks(context.Context) error { return l.fails }

func (l *locker) decide(context.Context, string) (storage.Lock, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.decided, nil
}

func (l *locker) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// told are the locks of all objects, each once.
func (l *locker) told() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen, all := make(map[storage.Lock]bool), []string(nil)
	for _, lock := range l.locks {
		if !seen[lock] {
			seen[lock] = true
			all = append(all, fmt.Sprintf("%s %s %s", lock.Mode, lock.Until.UTC().Format(time.TimeOnly), lock.Hold))
		}
	}
	return strings.Join(all, ", ")
}

// locking has a rig's parts locked.
func (r *rig) locking() *locker {
	l := &locker{Storage: r.faults, locks: make(map[string]storage.Lock)}
	r.cfg.Lock = &Locking{Store: l, Must: true, Decide: l.decide}
	return l
}

// Every object of a part is locked as it was decided last, whatever came between: while it
// was put, after its answer was lost, and while its part was on its way.
func TestAPartIsLockedAsWasDecidedLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), folder(t))
		l := r.locking()
		first := storage.Lock{Mode: storage.Governance, Until: time.Now().Add(24 * time.Hour)}
		l.decided = first
		r.keep()
		rec := r.begin()
		r.say(rec, 50_000)
		rest(objectTime + lookEvery)
		if got := l.told(); got != "governance 00:00:00 " {
			t.Errorf("while it is written it is locked %q", got)
		}

		// Decided while an object is being put: Lock does not see that one yet.
		held := first
		held.Hold = storage.On
		l.set(func() {
			l.put = func(string) error {
				l.mu.Lock()
				l.decided = held
				l.mu.Unlock()
				return nil
			}
		})
		r.say(rec, 50_000)
		rest(objectTime + lookEvery)
		if err := r.keeper.Lock(context.Background(), id, held); err != nil {
			t.Error(err)
		}
		if got := l.told(); got != "governance 00:00:00 on" || len(l.locks) != 2 {
			t.Errorf("on hold: %d objects, %q", len(l.locks), got)
		}

		// An answer that is lost: the object is there, under the lock of then.
		longer := held
		longer.Until = held.Until.Add(time.Hour)
		l.set(func() {
			l.put = func(string) error {
				l.mu.Lock()
				l.decided, l.put = longer, nil
				l.mu.Unlock()
				return errAway
			}
		})
		r.say(rec, 50_000)
		r.stop(rec, true)
		rest(5 * time.Minute)
		if err := r.keeper.Lock(context.Background(), id, longer); err != nil {
			t.Error(err)
		}
		if got := l.told(); got != "governance 01:00:00 on" || r.parts() != "1 there sum" {
			t.Errorf("in the end: %q, %s", got, r.parts())
		}
	})
}

// What a crash left between an object's arrival and its lock is of a part that is still
// here: the next life locks it before it lets the part go.
func TestALockThatACrashPreventedIsMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), folder(t))
		l := r.locking()
		r.keep()
		l.put = func(string) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.decided, l.fails = storage.Lock{Mode: storage.Compliance, Until: time.Now().Add(48 * time.Hour)}, errAway
			l.put = nil
			return nil
		}
		rec := r.begin()
		r.say(rec, 50_000)
		rest(objectTime + lookEvery)
		r.stop(rec, true)
		rest(time.Minute)
		r.close()
		if all := must(recorder.Parts(r.config.Dir, id)); len(all) != 1 || !all[0].Here {
			t.Fatalf("what is not locked yet was let go: %+v", all)
		}
		l.set(func() { l.fails = nil })
		r.keep()
		rest(5 * time.Minute)
		if len(l.locks) < 3 {
			t.Errorf("there are %d objects", len(l.locks))
		}
		for name, lock := range l.locks {
			if lock.Mode != storage.Compliance {
				t.Errorf("%s is locked %+v", name, lock)
			}
		}
		if r.parts() != "1 there sum" {
			t.Errorf("it is %s", r.parts())
		}
	})
}

// Retentions that are over are not asked for, which stores refuse; and nothing is locked of
// a recording that lies in another store.
func TestWhatIsNotLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), folder(t))
		l := r.locking()
		l.decided = storage.Lock{Mode: storage.Governance, Until: time.Now().Add(-time.Second), Hold: storage.On}
		r.keep()
		rec := r.begin()
		r.say(rec, 50_000)
		r.stop(rec, true)
		rest(time.Minute)
		if got := l.told(); got != " 00:00:00 on" {
			t.Errorf("after its time it is locked %q", got)
		}
		r.close()
		r.cfg.Place = "s3://another"
		r.keep()
		before := l.asked
		if err := r.keeper.Lock(context.Background(), id, storage.Lock{Hold: storage.Lifted}); !errors.Is(err, recorder.ErrElsewhere) || l.asked != before {
			t.Errorf("of another store: %v", err)
		}
		if err := r.keeper.Look(context.Background()); err != nil {
			t.Error(err)
		}
		l.set(func() { l.fails = storage.ErrNoLock })
		if err := r.keeper.Look(context.Background()); !errors.Is(err, storage.ErrNoLock) {
			t.Errorf("a store that does not lock: %v", err)
		}
	})
}
