package keep

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aparte/recorder/storage/storagetest"
)

// hands is a clock that is moved by hand, for as many as wait.
type hands struct {
	mu    sync.Mutex
	now   time.Time
	waits map[chan time.Time]time.Time
	asked int // how often somebody began to wait
}

func (c *hands) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *hands) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	over := make(chan time.Time, 1)
	c.waits[over] = c.now.Add(d)
	c.asked++
	return over
}

func (c *hands) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// awaited returns once somebody has begun to wait since it was that often: who has looked
// at the clock and does not wait yet would not see it moved.
func (c *hands) awaited(t *testing.T, before int) (now int) {
	t.Helper()
	soon(t, "nobody waits", func() bool {
		now = c.waiting()
		return now > before
	})
	return now
}

func (c *hands) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for over, at := range c.waits {
		if !c.now.Before(at) {
			over <- c.now
			delete(c.waits, over)
		}
	}
}

// soon waits for what is done by others in real time.
func soon(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal(what)
		}
	}
}

// What was put, and called off by a deletion, and is committed by a real store after that
// said it was done, does not stay: also if the server was started anew meanwhile.
func TestWhatComesAfterADeletion(t *testing.T) {
	for _, restarted := range []bool{false, true} {
		gateway := storagetest.Start(t)
		slow := gateway.Slowly(t)
		store := gateway.Open(t, gateway.Bucket(t, "records", false))
		r := newRig(t, t.TempDir(), store)
		passing := &hands{now: time.Now(), waits: make(map[chan time.Time]time.Time)}
		r.cfg.Now, r.cfg.After = passing.Now, passing.After
		r.keeper = New(r.cfg)
		rec := r.begin()
		r.say(rec, 50_000)
		slow.Hold()
		r.stop(rec, true)
		if path := <-slow.Arrived; !strings.HasSuffix(path, objectName(id, 1, 1)) {
			t.Fatalf("%s is put", path)
		}
		waits := passing.waiting() // what puts is held, and looks at no clock
		if err := r.keeper.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		waits = passing.awaited(t, waits)
		there := func() int {
			all, err := store.List(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		looks := func() int {
			d, err := r.keeper.remembered(id)
			if errors.Is(err, fs.ErrNotExist) {
				return -1
			}
			if err != nil {
				t.Fatal(err)
			}
			return d.Looks
		}
		if there() != 0 || looks() != 0 {
			t.Fatalf("deleted: there are %d objects, and %d looks", there(), looks())
		}
		slow.Release()
		if there() != 1 {
			t.Fatal("the store did not commit what was called off")
		}
		if restarted {
			r.close()
			r.keeper = New(r.cfg)
			waits = passing.awaited(t, waits)
		}
		passing.move(59 * time.Second)
		if there() != 1 {
			t.Error("it is looked too soon")
		}
		passing.move(time.Second)
		soon(t, "it is not looked again", func() bool { return looks() == 1 })
		if n := there(); n != 0 || !strings.Contains(r.logged.String(), "deleted is deleted") {
			t.Errorf("after a minute %d objects are there; %s", n, r.logged)
		}
		waits = passing.awaited(t, waits)
		passing.move(19 * time.Minute)
		soon(t, "it is not looked for the second time", func() bool { return looks() == 2 })
		passing.awaited(t, waits)
		passing.move(24 * time.Hour)
		soon(t, "it is remembered for ever", func() bool { return looks() == -1 })
		r.close()
	}
}

// A store that is away is looked at when it is back; what is deleted once more is looked at
// anew; and what was put back of a backup stays.
func TestDeletionsAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, t.TempDir(), folder(t))
		r.keep()
		put := func(name string) {
			t.Helper()
			if _, err := r.store.Put(t.Context(), name, strings.NewReader("late"), 4); err != nil {
				t.Fatal(err)
			}
		}
		there := func() int { return len(must(r.store.List(t.Context(), id))) }
		if err := r.keeper.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		put(objectName(id, 1, 1))
		put(id + "/film/1/film") // what is made of it, too
		rest(50 * time.Second)
		if err := r.keeper.Delete(t.Context(), id); err != nil || there() != 0 {
			t.Fatalf("deleted once more: %v, %d objects", err, there())
		}
		put(objectName(id, 1, 1))
		rest(55 * time.Second)
		if there() != 1 {
			t.Error("it is looked again a minute after the first deletion")
		}
		lists := func(err error) {
			r.faults.mu.Lock()
			defer r.faults.mu.Unlock()
			r.faults.unlisted = err
		}
		lists(errAway)
		rest(10 * time.Minute)
		lists(nil)
		if there() != 1 || strings.Count(r.logged.String(), "level=ERROR") != 1 {
			t.Errorf("a store that is away: %s", r.logged)
		}
		rest(time.Minute)
		if there() != 0 {
			t.Error("it is not looked again once the store is back")
		}
		rec := r.begin() // as if it were put back
		r.say(rec, 5000)
		r.stop(rec, true)
		rest(time.Hour)
		if got := r.parts(); got != "1 there sum" {
			t.Errorf("what was put back is %q", got)
		}
		if _, err := os.Stat(r.keeper.deletionFile(id)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("it is still remembered: %v", err)
		}
		r.close()
	})
}
