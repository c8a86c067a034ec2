package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A machine without ffmpeg composes nothing, says so, and does everything else.
func TestWithoutFFmpeg(t *testing.T) {
	t.Setenv("PATH", "")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	var out, log strings.Builder
	command := func(args ...string) int {
		out.Reset()
		log.Reset()
		return run(t.Context(), args, &process{stdout: &out, stderr: &log, environ: os.Environ})
	}
	if err := os.WriteFile(at("journal"), spoken(), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := command("record", "compose", dir, "-o", at("film")); code != exitFailed || !strings.Contains(log.String(), "composition unavailable: ") || !strings.Contains(log.String(), "install ffmpeg") {
		t.Errorf("%d %s", code, log.String())
	}
	if _, err := os.Stat(at("film")); !os.IsNotExist(err) {
		t.Errorf("there is a folder: %v", err)
	}
	if code := command("record", "export", dir, "-o", at("media")); code != exitOK || !strings.Contains(out.String(), "microphone.webm") {
		t.Errorf("export: %d %s", code, log.String())
	}
	if code := command("keygen", at("archive.key")); code != exitOK {
		t.Errorf("keygen: %d %s", code, log.String())
	}
}
