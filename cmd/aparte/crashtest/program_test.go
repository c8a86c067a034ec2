package crashtest

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long anything may take before a test gives up: far more than it
// needs, on slow cores that run other things too.
const patience = time.Minute

// program is the server under test, in a process of its own.
type program struct {
	cmd   *exec.Cmd
	lines map[string]string // what it printed: listening, setup ...
	ended chan struct{}

	mu  sync.Mutex
	log bytes.Buffer // guarded by mu
}

// aparte is a command of the built program.
func aparte(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path := os.Getenv("BIN_APARTE")
	if path == "" {
		path = filepath.Join("..", "..", "..", "bin", "aparte")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: this test needs the built program: run 'make build', or name it in BIN_APARTE", err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "APARTE_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	return cmd
}

// start runs the program on a data folder and free ports. It is killed with the
// test, if not before.
func start(t *testing.T, data string, more ...string) *program {
	t.Helper()
	cmd := aparte(t, append([]string{
		"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--media-udp-port", "0", "--media-addresses", "127.0.0.1", "--data-dir", data,
	}, more...)...)
	p := &program{cmd: cmd, lines: make(map[string]string), ended: make(chan struct{})}
	cmd.Stderr = p
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := make(chan struct{})
	go func() {
		scanner := bufio.NewScanner(stdout)
		for scanner.Scan() {
			name, value, _ := strings.Cut(scanner.Text(), ": ")
			p.lines[name] = strings.TrimSpace(value)
			if name == "admin" { // the last one
				close(told)
				break
			}
		}
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	select {
	case <-told:
	case <-p.ended:
		t.Fatalf("the program ended:\n%s", p.logs())
	case <-time.After(patience):
		t.Fatalf("the program did not start in %s:\n%s", patience, p.logs())
	}
	return p
}

// Write keeps what the program logs.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *program) logs() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// kill ends the program as kill -9 does, and waits until it is gone.
func (p *program) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}
