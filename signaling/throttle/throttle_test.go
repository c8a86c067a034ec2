package throttle

import (
	"fmt"
	"testing"
	"time"
)

func TestOnlyFailuresCount(t *testing.T) {
	now := time.Unix(0, 0)
	th := New(10*time.Second, 3, 10, func() time.Time { return now })
	for range 100 { // honest attempts
		if _, ok := th.Take("a"); !ok {
			t.Fatal("an honest attempt was refused")
		}
		th.Refund("a")
	}
	for i := range 3 {
		if _, ok := th.Take("a"); !ok {
			t.Fatalf("failure %d was refused", i)
		}
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
	if len(th.buckets) != 100 || th.order.Len() != 100 {
		t.Errorf("%d buckets, %d in order; want 100", len(th.buckets), th.order.Len())
	}
	if _, ok := th.Take("9999"); ok {
		t.Error("the most recent source was forgotten")
	}
}
