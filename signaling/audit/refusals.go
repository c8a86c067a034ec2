package audit

import (
	"strconv"
	"sync"
	"time"

	"aparte/signaling/throttle"
)

// Refusals bounds how many refusals enter the trail: whoever is refused can try
// without end. What exceeds the bound is counted and told by the next that is
// written. Methods may be called from any goroutine.
type Refusals struct {
	now      func() time.Time
	bySource *throttle.Throttle

	mu         sync.Mutex
	all        throttle.Bucket
	unrecorded int
}

// Of one source ten refusals at once and then one a minute; of all together 500
// and then 8,640 a day, some 5 MB.
const (
	refusalsOfSource = 10
	refusalsEvery    = time.Minute
)

var refusalsOfAll = throttle.Rate{Every: 10 * time.Second, Burst: 500}

// NewRefusals makes the bound; now is the clock.
func NewRefusals(now func() time.Time) *Refusals {
	return &Refusals{now: now, bySource: throttle.New(refusalsEvery, refusalsOfSource, 10_000, now)}
}

// Admit says whether a refusal of a source is to be written, and completes it
// with the time, the source and how many were left out since the last one.
func (r *Refusals) Admit(source string, d Draft) (Draft, bool) {
	_, ok := r.bySource.Take(source)
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if ok {
		r.all, _, ok = r.all.Take(refusalsOfAll, now)
	}
	if !ok {
		r.unrecorded++
		return Draft{}, false
	}
	if r.unrecorded > 0 {
		d = d.With("unrecorded", strconv.Itoa(r.unrecorded))
		r.unrecorded = 0
	}
	d.Time = now
	return d.Typed("source", source), true
}
