// Package throttle limits how often somebody may fail: a bucket of tries by key,
// in a bounded map. Take one before the attempt, give it back if the attempt was
// honest; so only failures count, and a crowd behind one address is not stopped.
//
// golang.org/x/time/rate cannot give back what was taken at once.
package throttle

import (
	"container/list"
	"sync"
	"time"
)

// Throttle has a bucket for each key.
type Throttle struct {
	// Set at creation.
	every time.Duration
	burst float64
	keys  int
	now   func() time.Time

	mu      sync.Mutex
	buckets map[string]*list.Element // of *bucket
	order   *list.List               // most recently used in front
}

// bucket holds tries, as of a time; guarded by Throttle.mu.
type bucket struct {
	key   string
	tries float64
	at    time.Time
}

// New makes a throttle: burst tries at once, then one more each every. It
// remembers keys sources at most and forgets the longest unused first.
func New(every time.Duration, burst, keys int, now func() time.Time) *Throttle {
	return &Throttle{every: every, burst: float64(burst), keys: keys, now: now, buckets: make(map[string]*list.Element), order: list.New()}
}

// Take takes a try, or says how long to wait for the next.
func (t *Throttle) Take(key string) (wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.bucket(key)
	if b.tries < 1 {
		return time.Duration((1 - b.tries) * float64(t.every)), false
	}
	b.tries--
	return 0, true
}

// Refund gives a try back: the attempt was honest.
func (t *Throttle) Refund(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.bucket(key)
	b.tries = min(t.burst, b.tries+1)
}

// bucket finds or makes a key's bucket, filled up to now.
func (t *Throttle) bucket(key string) *bucket {
	now := t.now()
	if e, ok := t.buckets[key]; ok {
		t.order.MoveToFront(e)
		b := e.Value.(*bucket)
		if passed := now.Sub(b.at); passed > 0 {
			b.tries = min(t.burst, b.tries+float64(passed)/float64(t.every))
			b.at = now
		}
		return b
	}
	b := &bucket{key: key, tries: t.burst, at: now}
	t.buckets[key] = t.order.PushFront(b)
	if t.order.Len() > t.keys {
		oldest := t.order.Back()
		t.order.Remove(oldest)
		delete(t.buckets, oldest.Value.(*bucket).key)
	}
	return b
}
