package render

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"aparte/recorder/compose"
	"aparte/recorder/export"
)

// fourIntervals is a meeting in which the picture changes three times.
func fourIntervals(t *testing.T) *studio {
	s := newStudio(t, 2, "anne", "bob")
	s.picture(t, "anne", "camera", "color=red:s=320x180:r=25", 0, 2)
	s.picture(t, "bob", "camera", "color=blue:s=320x180:r=25", 0.5, 1)
	s.picture(t, "bob", "screen_share", "color=yellow:s=320x180:r=25", 1, 1)
	s.sound(t, "anne", "0.1*sin(2*PI*500*t)", 0, 2)
	return s
}

// What was made before the program was killed is not made again, and what was being made
// dies with it.
func TestKilled(t *testing.T) {
	if os.Getenv("COMPOSE_MEDIA") != "" {
		toBeKilled(t)
		return
	}
	s := fourIntervals(t)
	text, err := json.Marshal(s.index)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, export.IndexName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(t.TempDir(), "work")
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilled$", "-test.v")
	child.Env = append(os.Environ(), "COMPOSE_MEDIA="+s.dir, "COMPOSE_WORK="+work, "COMPOSE_DIR="+t.TempDir())
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	// It waits once the second interval is done.
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "two are done" {
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Fatal("it was not killed")
	}
	before := filesIn(t, work)
	for _, want := range []string{"interval-000001.mkv", "interval-000002.mkv", "mix.flac"} {
		if !slices.Contains(before, want) {
			t.Fatalf("%s was not made: %v", want, before)
		}
	}
	if slices.Contains(before, "interval-000003.mkv") {
		t.Fatalf("it was killed too late: %v", before)
	}
	// Something happened to one of them meanwhile.
	if err := os.Truncate(filepath.Join(work, "interval-000001.mkv"), 1000); err != nil {
		t.Fatal(err)
	}
	result, path := s.compose(t, Config{Work: work})
	// One sound is measured, mixed and measured again, and there are four intervals.
	if result.Made != 7 || result.Reused != 4 {
		t.Errorf("%d steps, of which %d were made before: want 7 and 4", result.Made, result.Reused)
	}
	d := decode(t, path)
	if len(d.frames) != 50 || d.colour(0.2, 320, 300) != "red" || d.colour(0.7, 960, 300) != "blue" || d.colour(1.2, 500, 300) != "yellow" {
		t.Errorf("%d pictures, not those that were sent: %s, %s, %s", len(d.frames), d.colour(0.2, 320, 300), d.colour(0.7, 960, 300), d.colour(1.2, 500, 300))
	}
	again, _ := s.compose(t, Config{Work: work})
	if again.Reused != 7 {
		t.Errorf("the same once more: %d of %d steps were made before", again.Reused, again.Made)
	}
	// The sound is the same in another layout, and so is what shows the screen.
	other, _ := s.compose(t, Config{Work: work, Layout: compose.Speaker})
	if other.Reused != 5 {
		t.Errorf("another layout: %d of %d steps were made before, want 5", other.Reused, other.Made)
	}
}

// toBeKilled is the other process.
func toBeKilled(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(os.Getenv("COMPOSE_MEDIA"), export.IndexName))
	if err != nil {
		t.Fatal(err)
	}
	var index export.Index
	if err := json.Unmarshal(text, &index); err != nil {
		t.Fatal(err)
	}
	_, err = Compose(t.Context(), Config{
		Tool: tool(t), Index: &index, Media: os.Getenv("COMPOSE_MEDIA"), Work: os.Getenv("COMPOSE_WORK"), Dir: os.Getenv("COMPOSE_DIR"),
		Layout: compose.Grid, Language: compose.English, Format: WebM, Threads: 2,
		Progress: func(p Progress) {
			if p.Stage == "pictures" && p.Done.Seconds() == 1 {
				fmt.Println("two are done")
				select {}
			}
		},
	})
	t.Fatal(err)
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Whoever calls it off is obeyed at once, and no process is left.
func TestCalledOff(t *testing.T) {
	found := tool(t)
	ctx, cancel := context.WithCancel(t.Context())
	pid := 0
	err := found.run(ctx, job{args: []string{"-v", "error", "-f", "lavfi", "-i", "testsrc2", "-f", "null", "-", "-progress", "pipe:1"}, dir: t.TempDir(), read: func(string) error {
		if pid == 0 {
			pid = childOf(t)
			cancel()
		}
		return nil
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if pid == 0 || !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		t.Errorf("process %d is still there", pid)
	}
}

// childOf is the one process that we started.
func childOf(t *testing.T) (pid int) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if _, err := fmt.Sscan(strings.TrimSpace(string(text)), &pid); err == nil {
			return pid
		}
	}
	t.Fatal("no process was started")
	return 0
}
