// Package throttle limits how often somebody may fail, in bounded memory.
//
// Throttle is for secrets that nobody can guess: check first, let what is right
// through whatever happened before, and Take for what was wrong. It
// slows guessing down and locks nobody out. Pauses is for passwords, which can
// be guessed: they come before the check. Bucket is the rule inside Throttle,
// for rules that are told the time.
package throttle

import (
	"sync"
	"time"
)

// Throttle has a bucket for each key.
type Throttle struct {
	// Set at creation.
	rate Rate
	now  func() time.Time

	mu      sync.Mutex
	buckets *recent[Bucket]
}

// New makes a throttle: burst tries at once, then one more each every. It
// remembers keys sources at most and forgets the longest unused first.
func New(every time.Duration, burst, keys int, now func() time.Time) *Throttle {
	return &Throttle{rate: Rate{every, burst}, now: now, buckets: newRecent[Bucket](keys)}
}

// Take takes a try, or says how long to wait for the next.
func (t *Throttle) Take(key string) (wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.buckets.get(key)
	*b, wait, ok = b.Take(t.rate, t.now())
	return wait, ok
}

// Empty reports whether Take would refuse.
func (t *Throttle) Empty(key string) bool { return t.Wait(key) > 0 }

// Wait is how long Take would refuse still.
func (t *Throttle) Wait(key string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, wait, _ := t.buckets.get(key).Take(t.rate, t.now())
	return wait
}
