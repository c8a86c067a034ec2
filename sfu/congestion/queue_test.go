package congestion

import (
	"testing"
	"time"
)

func TestStandingQueue(t *testing.T) {
	const base = 30 * time.Millisecond
	for _, c := range []struct {
		name   string
		delay  func(i int) time.Duration // of packet i, one every 10 ms
		before usage
		want   usage
	}{
		{"bursts that drain are none", func(i int) time.Duration { return base + time.Duration(i%8)*20*time.Millisecond }, overuse, normal},
		{"one that stays is", func(i int) time.Duration { return base + min(time.Duration(i)*time.Millisecond, 50*time.Millisecond) }, overuse, overuse},
		{"a full one that no longer grows", func(i int) time.Duration {
			return base + min(time.Duration(i)*5*time.Millisecond, 300*time.Millisecond)
		}, normal, overuse},
		{"a small one drains first", func(i int) time.Duration { return base + min(time.Duration(i)*time.Millisecond, 40*time.Millisecond) }, normal, underuse},
		{"a free path", func(int) time.Duration { return base }, normal, normal},
	} {
		var s standing
		at := time.Hour
		for i := range 200 {
			at += 10 * time.Millisecond
			s.arrive(c.delay(i), at)
		}
		if got := c.before.judge(s.queue()); got != c.want {
			t.Errorf("%s: %v with a queue of %v, want %v", c.name, got, s.queue(), c.want)
		}
	}
}

// A longer route is not a queue for ever.
func TestStandingQueueForgets(t *testing.T) {
	var s standing
	at := time.Hour
	for range 2500 {
		at += 10 * time.Millisecond
		took := 30 * time.Millisecond
		if at > time.Hour+2*time.Second {
			took = 230 * time.Millisecond
		}
		s.arrive(took, at)
	}
	if q := s.queue(); q != 0 {
		t.Fatal(q)
	}
}
