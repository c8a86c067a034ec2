package throttle

import (
	"fmt"
	"testing"
	"time"
)

func TestTriesComeBackOneByOne(t *testing.T) {
	now := time.Unix(0, 0)
	th := New(10*time.Second, 3, 10, func() time.Time { return now })
	for range 100 { // looking takes nothing
		if th.Empty("a") {
			t.Fatal("empty before the first failure")
		}
	}
	for i := range 3 {
		if _, ok := th.Take("a"); !ok {
			t.Fatalf("failure %d was refused", i)
		}
	}
	if !th.Empty("a") {
		t.Error("not empty after the burst")
	}
	wait, ok := th.Take("a")
	if ok || wait != 10*time.Second {
		t.Fatalf("fourth failure: allowed %t, wait %s; want refused, 10s", ok, wait)
	}
	if _, ok := th.Take("b"); !ok {
		t.Error("another source is refused as well")
	}
	now = now.Add(9 * time.Second)
	if _, ok := th.Take("a"); ok {
		t.Error("allowed a second too early")
	}
	now = now.Add(time.Second)
	if _, ok := th.Take("a"); !ok {
		t.Error("refused after the wait")
	}
	now = now.Add(time.Hour)
	for range 3 {
		th.Take("a")
	}
	if _, ok := th.Take("a"); ok {
		t.Error("an hour of rest gave more than the burst")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	th := New(time.Minute, 1, 100, func() time.Time { return now })
	for i := range 10_000 {
		th.Take(fmt.Sprint(i))
	}
	if got := th.buckets; len(got.byKey) != 100 || got.byUse.Len() != 100 {
		t.Errorf("%d buckets, %d in order; want 100", len(got.byKey), got.byUse.Len())
	}
	if _, ok := th.Take("9999"); ok {
		t.Error("the most recent source was forgotten")
	}
}

func TestPausesDoubleAndEnd(t *testing.T) {
	now := time.Unix(0, 0)
	p := NewPauses(PauseConfig{Free: 3, First: time.Second, Longest: 10 * time.Second, Forget: time.Hour, Keys: 10}, func() time.Time { return now })
	fails := func(want time.Duration) {
		t.Helper()
		for range 5 { // asking during a pause makes it no longer
			if wait, ok := p.Begin("a"); ok != (want == 0) || wait != want {
				t.Fatalf("attempt: allowed %t, wait %s; want %s", ok, wait, want)
			}
			if want == 0 {
				return
			}
		}
		now = now.Add(want)
		if _, ok := p.Begin("a"); !ok {
			t.Fatalf("refused after a pause of %s", want)
		}
	}
	for _, want := range []int{0, 0, 0, 1, 2, 4, 8, 10, 10} {
		fails(time.Duration(want) * time.Second)
	}
	if _, ok := p.Begin("b"); !ok {
		t.Error("another key is refused as well")
	}
	now = now.Add(10 * time.Second)
	if _, ok := p.Begin("a"); !ok {
		t.Fatal("refused after the longest pause")
	}
	p.Right("a")
	for _, want := range []int{0, 0, 0, 1} {
		fails(time.Duration(want) * time.Second)
	}
	now = now.Add(time.Hour)
	for _, want := range []int{0, 0, 0, 1} {
		fails(time.Duration(want) * time.Second)
	}
}

func TestAttemptsAtTheSameMomentGainNothing(t *testing.T) {
	now := time.Unix(0, 0)
	p := NewPauses(PauseConfig{Free: 3, First: time.Second, Longest: time.Minute, Forget: time.Hour, Keys: 10}, func() time.Time { return now })
	begun := 0
	for range 100 { // none has failed yet
		if _, ok := p.Begin("a"); ok {
			begun++
		}
	}
	if begun != 3 {
		t.Errorf("%d attempts at once, want 3", begun)
	}
	p.Undo("a") // the server was busy
	if _, ok := p.Begin("a"); !ok {
		t.Error("what was not checked counts")
	}
}
