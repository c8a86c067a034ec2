package sdktest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// journal is what happened in a test, in order, and how tests wait: a
// condition is looked at again whenever something happened, never by time.
type journal struct {
	t     *testing.T
	began time.Time

	mu      sync.Mutex
	lines   []string
	changed chan struct{} // closed and replaced when something happens
	ended   bool
}

func newJournal(t *testing.T) *journal {
	j := &journal{t: t, began: time.Now(), changed: make(chan struct{})}
	t.Cleanup(func() {
		j.mu.Lock()
		j.ended = true
		j.mu.Unlock()
		if t.Failed() {
			t.Logf("what happened:\n%s", j.text(100, 50))
		}
	})
	return j
}

// note writes a line down and wakes those who wait.
func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf("%7.3f ", time.Since(j.began).Seconds())+fmt.Sprintf(format, args...))
	j.wakeLocked()
}

// wake is note without a line: a packet came.
func (j *journal) wake() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.wakeLocked()
}

func (j *journal) wakeLocked() {
	close(j.changed)
	j.changed = make(chan struct{})
}

func (j *journal) next() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changed
}

// text is the beginning and the end of it.
func (j *journal) text(first, last int) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	if len(lines) > first+last {
		lines = slices.Concat(lines[:first], []string{"..."}, lines[len(lines)-last:])
	}
	return strings.Join(lines, "\n")
}

// wait returns when the condition holds, and fails the test when it does not
// in time.
func (j *journal) wait(what string, holds func() bool) {
	j.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		changed := j.next()
		if holds() {
			j.note("-- %s", what)
			return
		}
		select {
		case <-changed:
		case <-limit.C:
			j.t.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}
