package keep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"aparte/recorder"
	"aparte/recorder/storage"
	"aparte/recorder/storage/storagetest"
)

// clock passes when it is told to. One goroutine at a time waits for it.
type clock struct {
	mu      sync.Mutex
	now     time.Time
	waiting chan waits
	asked   []time.Duration
}

type waits struct {
	d    time.Duration
	over chan time.Time
}

func newClock() *clock { return &clock{now: time.Now(), waiting: make(chan waits)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration) <-chan time.Time {
	over := make(chan time.Time, 1)
	c.waiting <- waits{d, over}
	return over
}

// pass lets whoever waits, or will, wait no longer.
func (c *clock) pass() {
	w := <-c.waiting
	c.mu.Lock()
	c.now = c.now.Add(w.d)
	c.asked = append(c.asked, w.d)
	now := c.now
	c.mu.Unlock()
	w.over <- now
}

// A real store goes away in the middle of a recording, and comes back: not a byte is
// lost, and the file stays here until then.
func TestARealStoreIsAway(t *testing.T) {
	gateway := storagetest.Start(t)
	store := gateway.Open(t, gateway.Bucket(t, "records", false))
	r := newRig(t, t.TempDir(), store)
	passing := newClock()
	r.cfg.Now, r.cfg.After = passing.Now, passing.After
	r.keeper = New(r.cfg)
	rec := r.begin()
	r.say(rec, 100_000)
	for r.keeper.Stats().Objects == 0 {
		passing.pass()
	}
	gateway.Stop()
	r.say(rec, 100_000)
	before := len(passing.asked)
	for r.keeper.Stats().Failures < 8 {
		passing.pass()
	}
	var pauses []time.Duration
	for _, d := range passing.asked[before:] {
		if d != lookEvery {
			pauses = append(pauses, d)
		}
	}
	if got := fmt.Sprint(pauses[:min(len(pauses), 7)]); got != "[1s 2s 4s 8s 16s 32s 1m0s]" {
		t.Errorf("pauses %s", got)
	}
	s := r.keeper.Stats()
	if !errors.Is(s.Err, storage.ErrUnreachable) || s.Behind < time.Minute || s.Objects != 1 {
		t.Errorf("away: %+v", s)
	}
	r.say(rec, 100_000)
	r.stop(rec, true) // nobody waits for the store
	want := r.file(1)
	gateway.Again(t)
	for r.keeper.Stats().Parts > 0 {
		select {
		case w := <-passing.waiting:
			w.over <- passing.Now()
		case <-time.After(20 * time.Millisecond): // it works
		}
	}
	if all, _ := r.joinedObjects(1); !bytes.Equal(all, want) || r.parts() != "1 there sum" {
		t.Errorf("back: %d of %d bytes, %s", len(all), len(want), r.parts())
	}
	if all := r.taken(); len(all) != 1 || !all[0].Whole {
		t.Errorf("taken: %+v", all)
	}
	r.close()
}

// crashData has this test's program record and bring away what it records until it is
// killed.
const crashData = "APARTE_TEST_KEEP_CRASH"

func crashing(data string) int {
	err := func() error {
		location, err := storage.ParseLocation(os.Getenv(crashData + "_AT"))
		if err != nil {
			return err
		}
		store, err := storage.OpenS3(location, storage.Credentials{AccessKey: storagetest.AccessKey, SecretKey: storagetest.SecretKey})
		if err != nil {
			return err
		}
		r := newRig(failing{}, data, store)
		// A minute is over at once.
		began := time.Now()
		r.cfg.Now = func() time.Time { return began.Add(600 * time.Since(began)) }
		r.cfg.After = func(d time.Duration) <-chan time.Time { return time.After(d / 600) }
		r.keeper = New(r.cfg)
		rec := r.begin()
		for {
			r.say(rec, 10_000)
			fmt.Println(r.keeper.Stats().Objects)
		}
	}()
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// failing is a test that ends the program.
type failing struct{ testing.TB }

func (failing) Helper() {}

func (failing) Fatal(args ...any) {
	fmt.Fprintln(os.Stderr, args...)
	os.Exit(1)
}

// A process that records and brings away is killed, three times, at the third with the
// store gone before. The next goes on: all parts are there, as they were here.
func TestKilled(t *testing.T) {
	gateway := storagetest.Start(t)
	address := gateway.Bucket(t, "records", false)
	data := t.TempDir()
	for life := range 3 {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), crashData+"="+data, crashData+"_AT="+address)
		var stderr strings.Builder
		child.Stderr = &stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		for objects := 0; objects < 3+life; {
			if _, err := fmt.Fscan(out, &objects); err != nil {
				t.Fatalf("it ended by itself: %v %s", err, stderr.String())
			}
		}
		if life == 2 {
			gateway.Stop()
			for range 3 { // some more that does not come there
				_, _ = fmt.Fscan(out, new(int))
			}
		}
		_ = child.Process.Kill()
		_, _ = io.Copy(io.Discard, out)
		_ = child.Wait()
	}
	gateway.Again(t)
	store := gateway.Open(t, address)
	r := newRig(t, data, store)
	want := make(map[uint32][]byte)
	for _, p := range must(recorder.Parts(r.config.Dir, id)) {
		if p.Here {
			want[p.Number] = r.file(p.Number)
		}
	}
	if len(want) == 0 {
		t.Fatal("nothing was left to bring away")
	}
	r.keep()
	for r.keeper.Stats().Parts > 0 {
		time.Sleep(10 * time.Millisecond) // a process of its own is asked
	}
	rec := r.begin()
	r.stop(rec, true)
	for r.keeper.Stats().Parts > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	for part, content := range want {
		if all, n := r.joinedObjects(part); !bytes.Equal(all, content) {
			t.Errorf("part %d: %d objects of %d bytes, want %d", part, n, len(all), len(content))
		}
	}
	if all := r.taken(); len(all) != 4 || !all[0].Whole || !all[3].Whole {
		t.Errorf("taken: %+v: %s", all, r.logged)
	}
	if err := r.keeper.Delete(context.Background(), id); err != nil {
		t.Error(err)
	}
	if left := must(store.List(t.Context(), "")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
