package render

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/recorder/compose"
	"aparte/recorder/export"
)

// A film that takes more of the processors than it may ends, and says why; what is made of
// it stays, and is no film.
func TestTooCostly(t *testing.T) {
	s := fourIntervals(t)
	cfg := Config{
		Tool: tool(t), Index: s.index, Media: s.dir, Work: filepath.Join(t.TempDir(), "work"), Dir: t.TempDir(),
		Layout: compose.Grid, Language: compose.English, Format: WebM, Threads: 2, CPU: time.Second / 4,
	}
	_, err := Compose(t.Context(), cfg)
	if !errors.Is(err, ErrTooCostly) || !strings.Contains(err.Error(), " of a processor were used, and it is not done") {
		t.Errorf("%v", err)
	}
	if made := filesIn(t, cfg.Dir); len(made) > 0 {
		t.Errorf("there is %v", made)
	}
	cfg.CPU = 0
	if _, err := Compose(t.Context(), cfg); err != nil {
		t.Errorf("with what it may use otherwise: %v", err)
	}
}

// One job alone is ended, too, when it has used up what there was for all.
func TestTooCostlyAtOnce(t *testing.T) {
	r := &renderer{tool: &Tool{path: "/bin/sh", confiner: confiner}, media: t.TempDir(), work: work{t.TempDir()}, cpu: time.Hour, cpuAll: time.Second, ownBegan: OwnCPU(), progress: func(Progress) {}}
	err := r.run(t.Context(), job{args: []string{"-c", "while :; do :; done"}})
	if !errors.Is(err, ErrTooCostly) {
		t.Errorf("%v", err)
	}
	if err := r.run(t.Context(), job{args: []string{"-c", ":"}}); !errors.Is(err, ErrTooCostly) {
		t.Errorf("after that: %v", err)
	}
	if failed := (*jobError)(nil); errors.As(err, &failed) {
		t.Errorf("it looks like a stream that cannot be decoded: %v", err)
	}
}

// What a program uses is told while it runs, so that nothing is lost of one that is killed
// together with us; and who goes on begins with what was used before.
func TestWhatWasSpentCounts(t *testing.T) {
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	var told []time.Duration
	r := &renderer{tool: &Tool{path: "/bin/sh", confiner: confiner}, media: t.TempDir(), work: work{t.TempDir()}, cpu: time.Hour, cpuAll: time.Hour, cpuUsed: time.Minute, ownBegan: OwnCPU()}
	r.progress = func(now Progress) {
		if told = append(told, now.Spent); len(told) == 2 {
			kill()
		}
	}
	err := r.run(ctx, job{args: []string{"-c", "while :; do :; done"}})
	if !errors.Is(err, context.Canceled) || len(told) < 2 || told[0] <= time.Minute || told[1] <= told[0] || !slices.IsSorted(told) {
		t.Errorf("%v, told: %v", err, told)
	}
	if used := r.used(); used < told[1] || used > told[1]+time.Minute {
		t.Errorf("%v were used, %v were told", used, told)
	}

	s := fourIntervals(t)
	cfg := Config{
		Tool: tool(t), Index: s.index, Media: s.dir, Work: filepath.Join(t.TempDir(), "work"), Dir: t.TempDir(),
		Layout: compose.Grid, Language: compose.English, Format: WebM, Threads: 2, CPU: time.Hour, Spent: time.Hour - time.Second/4,
	}
	if _, err := Compose(t.Context(), cfg); !errors.Is(err, ErrTooCostly) || !strings.Contains(err.Error(), "1h0m0") {
		t.Errorf("with what was used before: %v", err)
	}
}

// Planning counts, too: a film ends when it alone is too much.
func TestPlanningCounts(t *testing.T) {
	s := newStudio(t, 60, "anne")
	s.sound(t, "anne", "0", 0, 60)
	index := *s.index
	for n := range 12_000 { // people who come and go, each at a time of their own, and without anything to be seen
		identity := fmt.Sprint("p", n)
		index.People = append(index.People, export.Person{Identity: identity, Name: identity})
		index.Events = append(index.Events, export.Event{Kind: "consent", Identity: identity, Answer: "given"},
			export.Event{At: float64(n) / 500, Kind: "joined", Identity: identity, Name: identity}, export.Event{At: float64(n)/500 + 25, Kind: "left", Identity: identity})
	}
	r := &renderer{tool: tool(t), media: s.dir, work: work{t.TempDir()}, cpu: time.Hour, cpuAll: time.Second, ownBegan: OwnCPU(), digests: map[string]string{}, progress: func(Progress) {}}
	began := OwnCPU()
	_, _, _, err := r.plan(t.Context(), Config{Index: &index, Layout: compose.Grid, Language: compose.English})
	if took := OwnCPU() - began; !errors.Is(err, ErrTooCostly) || took > 3*time.Second/2 {
		t.Errorf("after %v: %v", took, err)
	}
}
