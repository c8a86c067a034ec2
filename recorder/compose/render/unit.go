package render

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode"

	"aparte/recorder/compose/confine"
)

// job is one run of the program.
type job struct {
	args []string
	dir  string             // where it works; "": nowhere, it only says something
	sees []string           // folders in which it may read besides
	cpu  time.Duration      // how much time of processors it may use; 0: cpuLeast
	read func(string) error // is given each line of its standard output
	// said is where the end of what it says on its standard error goes, saidMost bytes at most
	// if that is more than is kept otherwise.
	said     *string
	saidMost int
	// uses is told what it has used of processors, each second where the system knows that,
	// and at its end, before run returns; one call at a time. Nil: nobody wants to know.
	uses func(time.Duration)
}

const (
	// cpuLeast is what any job may use where nothing is said.
	cpuLeast = 10 * time.Minute
	// saidMost is how much of what it complains about is kept, in bytes.
	saidMost = 2 << 10
	// Limits of a job: bytes of addresses and of a file, and files open at once.
	memoryMost = 8 << 30
	fileMost   = 64 << 30
	openMost   = 1024
	// killedWithin is how long pipes stay open behind a job that was killed.
	killedWithin = 5 * time.Second
)

// startError is a job that could not even begin.
type startError struct{ error }

func (e *startError) Unwrap() error { return e.error }

// jobError is a job that failed.
type jobError struct{ error }

func (e *jobError) Unwrap() error { return e.error }

// run runs a job to its end.
func (t *Tool) run(ctx context.Context, j job) error {
	done := make(chan error, 1)
	go func() {
		// A thread of its own, which ends with this goroutine: what is started inherits
		// its priority, and is killed when it ends, as it does when we are killed.
		runtime.LockOSThread()
		done <- t.runHere(ctx, j)
	}()
	return <-done
}

func (t *Tool) runHere(ctx context.Context, j job) error {
	cmd, err := t.command(ctx, j)
	if err != nil {
		return &startError{err}
	}
	cmd.Env, cmd.WaitDelay = []string{}, killedWithin
	said := tail{most: max(j.saidMost, saidMost)}
	cmd.Stderr = &said
	var out io.ReadCloser
	if j.read != nil {
		if out, err = cmd.StdoutPipe(); err != nil {
			return err
		}
	}
	if err := t.isolation.start(cmd); err != nil {
		return &startError{err}
	}
	counted := j.count(cmd.Process.Pid)
	var wrong error
	if out != nil {
		lines := bufio.NewScanner(out)
		for wrong == nil && lines.Scan() {
			wrong = j.read(lines.Text())
		}
		if wrong = errors.Join(wrong, lines.Err()); wrong != nil {
			_ = cmd.Cancel()
		}
	}
	err = cmd.Wait()
	counted()
	if j.said != nil {
		*j.said = string(said.b)
	}
	if j.uses != nil && cmd.ProcessState != nil {
		j.uses(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime())
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case wrong != nil:
		return wrong
	case err != nil:
		return &jobError{fmt.Errorf("%s: %w%s", t.path, err, said.String())}
	}
	return nil
}

// countEvery is how often is told what a job has used of processors: what is not told is
// not known of a job that is killed together with us.
const countEvery = time.Second

// count tells what a process uses of processors, until stop.
func (j job) count(pid int) (stop func()) {
	if j.uses == nil {
		return func() {}
	}
	over := make(chan struct{})
	var counting sync.WaitGroup
	counting.Go(func() {
		ticker := time.NewTicker(countEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
			case <-over:
				return
			}
			if d, known := cpuOf(pid); known {
				j.uses(d)
			}
		}
	})
	return func() {
		close(over)
		counting.Wait()
	}
}

// command is the program with its arguments, or what confines itself and then becomes it.
func (t *Tool) command(ctx context.Context, j job) (*exec.Cmd, error) {
	dir := cmp.Or(j.dir, "/")
	if t.confiner == "" {
		cmd := exec.CommandContext(ctx, t.path, j.args...)
		cmd.Dir = dir
		return cmd, nil
	}
	rules := confine.Rules{Read: j.sees, CPU: max(cmp.Or(j.cpu, cpuLeast), time.Second), Memory: memoryMost, File: fileMost, Open: openMost}
	if j.dir != "" {
		absolute, err := filepath.Abs(j.dir)
		if err != nil {
			return nil, err
		}
		rules.Write = []string{absolute}
	}
	args, err := rules.Arguments(t.path, j.args)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, t.confiner, args...)
	cmd.Args[0], cmd.Dir = os.Args[0], dir
	return cmd, nil
}

// output is what it prints.
func (t *Tool) output(ctx context.Context, args ...string) (string, error) {
	var b strings.Builder
	err := t.run(ctx, job{args: args, read: func(line string) error {
		b.WriteString(line + "\n")
		return nil
	}})
	return b.String(), err
}

// tail keeps the end of what is written to it.
type tail struct {
	b    []byte
	most int
}

func (t *tail) Write(b []byte) (int, error) {
	t.b = append(t.b, b...)
	t.b = t.b[max(0, len(t.b)-t.most):]
	return len(b), nil
}

// String is the end of it, on one line, and has nothing in it that controls a terminal:
// media may be quoted in it.
func (t *tail) String() string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(string(t.b[max(0, len(t.b)-saidMost):]), ""))
	if text = strings.Join(strings.Fields(text), " "); text != "" {
		text = ": " + text
	}
	return text
}
