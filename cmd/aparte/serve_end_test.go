package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// A part that does not end keeps no process from ending.
func TestStoppingHasALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if !ended(func() { time.Sleep(stopLimit - time.Second) }, stopLimit) {
			t.Error("given up too early")
		}
		never := make(chan struct{})
		if ended(func() { <-never }, stopLimit) {
			t.Error("what never ends has ended")
		}
		if took := time.Since(began); took != 2*stopLimit-time.Second {
			t.Errorf("took %s", took)
		}
		close(never)
	})
}
