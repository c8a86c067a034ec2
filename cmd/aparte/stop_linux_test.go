package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aparte/recorder"
	"aparte/recorder/journal"
	"aparte/recorder/seal"
	"aparte/sfu/tap"
)

// endingContext ends when it was asked so many times whether it has.
type endingContext struct {
	context.Context //nolint:containedctx // it is one
	left            atomic.Int64
	done            chan struct{}
}

func endingAfter(ctx context.Context, asked int64) *endingContext {
	e := &endingContext{Context: ctx, done: make(chan struct{})}
	e.left.Store(asked)
	return e
}

func (e *endingContext) Done() <-chan struct{} { return e.done }

func (e *endingContext) Err() error {
	switch left := e.left.Add(-1); {
	case left > 0:
		return nil
	case left == 0:
		close(e.done)
	}
	return context.Canceled
}

// sealedRecording is one of some segments in a folder of its own: DIR/rec, DIR/node-key.json,
// DIR/archive.key.
func sealedRecording(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	private, public, err := seal.NewIdentityFile(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	key, err := seal.LoadNodeKey(dir, "paris-1")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "archive.key"), private, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := recorder.Start(recorder.Config{Dir: dir, Key: key, Recipients: []seal.Recipient{public}, Spare: 1}, recorder.About{ID: "rec", Room: "room-1", Policy: "protected", By: "anne"})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(r.Note(journal.Joined{Identity: "anne", Name: "Anne Bernard", Kind: "host"}), r.Note(journal.Consent{Identity: "anne", Answer: journal.Given}))
	r.Begin(tap.Stream{ID: 1, Identity: "anne", Track: "TR_a", Source: "microphone", Mime: "audio/opus", PayloadType: 111, ClockRate: 48000, Channels: 2})
	for n := range 5 {
		r.Packet(1, time.Now(), []byte{0x80, 111, 0, byte(n), 0, 0, byte(n << 2), 0, 0, 0, 0, 1, 0xf8, 0xff, 0xfe})
		err = errors.Join(err, r.Flush(t.Context()))
	}
	if err = errors.Join(err, r.Stop(t.Context(), "anne", "")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Wherever a signal comes, the commands end with their own exit code and a word, and leave
// nothing in the clear.
func TestCommandsStopAtASignal(t *testing.T) {
	dir := sealedRecording(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	try := func(ctx context.Context, args ...string) (int, string) {
		var out strings.Builder
		code := run(ctx, append([]string{"record"}, args...), &process{stdout: &out, stderr: &out, environ: func() []string { return nil }})
		return code, out.String()
	}
	if code, said := try(t.Context(), "open", at("rec"), "-i", at("archive.key"), "-o", at("plain"), "--node-key", at("node-key.json")); code != exitOK {
		t.Fatalf("%d: %s", code, said)
	}
	for name, args := range map[string][]string{
		"verify": {"verify", at("rec"), "--node-key", at("node-key.json")},
		"open":   {"open", at("rec"), "-i", at("archive.key"), "-o", at("out"), "--node-key", at("node-key.json")},
		"export": {"export", at("plain"), "-o", at("out")},
	} {
		stopped := 0
		for asked := int64(1); asked < 1000; asked++ {
			code, said := try(endingAfter(t.Context(), asked), args...)
			if code == exitOK {
				break
			}
			if stopped++; code != exitStopped || !strings.Contains(said, "aparte: stopped by a signal") || strings.Contains(said, "context canceled") {
				t.Fatalf("%s, stopped when it asked for the %dth time: %d: %s", name, asked, code, said)
			}
			if _, err := os.Stat(at("out")); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("%s, stopped when it asked for the %dth time, left its folder: %v", name, asked, err)
			}
		}
		if stopped < 3 {
			t.Errorf("%s was stopped at %d places", name, stopped)
		}
		_ = os.RemoveAll(at("out"))
	}
	// Folders that were there stay, empty.
	if err := os.Mkdir(at("out"), 0o700); err != nil {
		t.Fatal(err)
	}
	code, said := try(endingAfter(t.Context(), 4), "export", at("plain"), "-o", at("out"))
	if left, err := os.ReadDir(at("out")); code != exitStopped || err != nil || len(left) > 0 {
		t.Errorf("%d: %s, left %v, %v", code, said, left, err)
	}
	if code, said := try(endingAfter(t.Context(), 1), "purge", at("rec")); code != exitStopped || !strings.Contains(said, "the same command deletes the rest") {
		t.Errorf("purge: %d: %s", code, said)
	}
	if code, said := try(t.Context(), "purge", at("rec")); code != exitOK {
		t.Errorf("purge: %d: %s", code, said)
	}
}

// pipe is a FIFO that somebody waits at.
func pipe(t *testing.T, path string) string {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The program itself: one signal ends a command that waits for its key, with exit code 130;
// where one does not suffice, the next kills.
func TestSignals(t *testing.T) {
	dir := sealedRecording(t)
	published, err := os.ReadFile(filepath.Join(dir, "node-key.json"))
	if err != nil || !json.Valid(published) {
		t.Fatal(err)
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		key := pipe(t, filepath.Join(t.TempDir(), "key"))
		var said bytes.Buffer
		c := exec.CommandContext(t.Context(), "aparte", "record", "open", filepath.Join(dir, "rec"), "-i", key, "-o", filepath.Join(dir, "out"))
		c.Stderr = &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(key, os.O_WRONLY, 0) // once it is read
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		_ = w.Close()
		if c.ProcessState.ExitCode() != exitStopped || !strings.Contains(said.String(), "aparte: stopped by a signal") {
			t.Errorf("%v: %v: %s", signal, c.ProcessState, said.String())
		}
	}

	// It waits for a file to open, which nothing ends.
	key, part := pipe(t, filepath.Join(t.TempDir(), "key")), pipe(t, filepath.Join(t.TempDir(), "part-0001.tar"))
	c := exec.CommandContext(t.Context(), "aparte", "record", "verify", part, "--node-key", key)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, published, 0); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for running := true; running; {
		select {
		case <-ended:
			running = false
		case <-again.C:
			_ = c.Process.Signal(syscall.SIGTERM)
		}
	}
	status, is := c.ProcessState.Sys().(syscall.WaitStatus)
	if killed := is && status.Signaled() && status.Signal() == syscall.SIGTERM; !killed && c.ProcessState.ExitCode() != exitStopped {
		t.Errorf("%v", c.ProcessState)
	}
}
