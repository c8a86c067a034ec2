package render

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aparte/recorder/compose"
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
	r := &renderer{tool: &Tool{path: "/bin/sh", confiner: confiner}, media: t.TempDir(), work: work{t.TempDir()}, cpu: time.Hour, cpuAll: time.Second}
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
