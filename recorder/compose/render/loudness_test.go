package render

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aparte/recorder/compose"
)

// Whoever comes and goes has a sound for each time: all are measured in a few runs, each
// as it would be by itself, and none again.
func TestManySoundsAreMeasuredAtOnce(t *testing.T) {
	s := newStudio(t, 4, "anne")
	s.sound(t, "anne", "0.5*sin(2*PI*500*t)", 0, 2)
	s.sound(t, "anne", "0.1*sin(2*PI*500*t)", 0, 3)
	s.sound(t, "anne", "0.02*sin(2*PI*500*t)", 0, 1)
	var sounds []compose.Sound
	for n := range soundsAtOnce + 2 {
		text, err := os.ReadFile(filepath.Join(s.dir, s.index.Files[n%3].Name))
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("again-%d.webm", n)
		void := []byte{0xec, 0x82, byte(n), 0} // an element that says nothing, so that no two are the same
		if err := os.WriteFile(filepath.Join(s.dir, name), append(text, void...), 0o600); err != nil {
			t.Fatal(err)
		}
		sounds = append(sounds, compose.Sound{File: name, Identity: "anne", Start: time.Duration(n)})
	}
	sounds = append(sounds, sounds[0])

	// ffmpeg, which counts how often it is run.
	counted := *tool(t)
	runs := filepath.Join(t.TempDir(), "runs")
	script := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(script, fmt.Appendf(nil, "#!/bin/sh\necho >>%s\nexec %s \"$@\"\n", runs, counted.path), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	counted.path, counted.confiner = script, ""
	for _, moments := range []bool{false, true} {
		r := &renderer{tool: &counted, media: s.dir, work: work{t.TempDir()}, threads: 1, cpu: time.Hour, cpuAll: time.Hour, ownBegan: OwnCPU(), digests: map[string]string{}, progress: func(Progress) {}}
		for again, want := range []int{2, 0} {
			if err := os.WriteFile(runs, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			loud, err := r.measure(t.Context(), sounds, moments)
			if err != nil {
				t.Fatal(err)
			}
			for n, l := range loud {
				i := n % 3
				if n == len(sounds)-1 {
					i = 0
				}
				if want := []float64{-9.7, -23.7, -37.7}[i]; math.Abs(l.Integrated-want) > 0.5 || l.Start != sounds[n].Start || l.Identity != "anne" {
					t.Errorf("moments: %t, sound %d: %.1f LUFS, want %.1f", moments, n, l.Integrated, want)
				}
				if want := []int{20, 30, 10}[i]; moments != (len(l.Momentary) > 0) || moments && (len(l.Momentary) < want-1 || len(l.Momentary) > want+1) {
					t.Errorf("moments: %t, sound %d: %d of them", moments, n, len(l.Momentary))
				}
			}
			text, err := os.ReadFile(runs)
			if got := strings.Count(string(text), "\n"); err != nil || got != want {
				t.Errorf("moments: %t, time %d: %d runs, want %d, %v", moments, again+1, got, want, err)
			}
		}
		if left, _ := filepath.Glob(r.work.path("moments-*")); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}
