package trial

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aparte/cmd/aparte-load/client"
	"aparte/cmd/aparte-load/measure"
)

// patience is how long anything may take before a test gives up: far more than it
// needs, on slow cores that run other things too.
const patience = time.Minute

// program is the server under test, in a process of its own.
type program struct {
	cmd      *exec.Cmd
	url      string // ws://127.0.0.1:PORT
	agent    string // one-time sign-in of the demo agent
	profiles *measure.GoServer
	process  *measure.Process
	ended    chan struct{}

	mu  sync.Mutex
	log bytes.Buffer // guarded by mu
}

var keys = client.Keys{Key: "devkey", Secret: "secret"}

// start runs the program in dev mode on free ports; it is stopped with the test.
func start(t testing.TB) *program {
	t.Helper()
	path := os.Getenv("BIN_APARTE")
	if path == "" {
		path = filepath.Join("..", "..", "..", "bin", "aparte")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: this test needs the built program: run 'make build', or name it in BIN_APARTE", err)
	}
	cmd := exec.CommandContext(t.Context(), path, "serve", "--dev", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--media-udp-port", "0", "--media-addresses", "127.0.0.1", "--data-dir", t.TempDir())
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "APARTE_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	// Ended by stop, not by the context, which is over before the test's cleanup.
	cmd.Cancel = func() error { return nil }
	p := &program{cmd: cmd, ended: make(chan struct{})}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := make(chan map[string]string, 1)
	var readers sync.WaitGroup
	readers.Go(func() { p.read(stdout, told) })
	readers.Go(func() { p.read(stderr, nil) })
	go func() {
		readers.Wait()
		_ = cmd.Wait() // stop looks at the state
		close(p.ended)
	}()
	t.Cleanup(func() { p.stop(t) })
	select {
	case lines := <-told:
		p.url = strings.Replace(lines["listening"], "http", "ws", 1)
		p.agent = lines["agent"]
		admin, _, _ := strings.Cut(lines["admin"], " ")
		p.profiles = measure.NewGoServer(admin)
	case <-p.ended:
		t.Fatalf("the program ended:\n%s", p.logs())
	case <-time.After(patience):
		t.Fatalf("the program did not start in %s:\n%s", patience, p.logs())
	}
	if p.process, err = measure.OpenProcess(cmd.Process.Pid); err != nil {
		t.Fatal(err)
	}
	return p
}

// read keeps the output; told gets what it says about itself, once it has said all.
func (p *program) read(r io.Reader, told chan<- map[string]string) {
	said := map[string]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		p.mu.Lock()
		p.log.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
		name, value, _ := strings.Cut(lines.Text(), ": ")
		said[name] = strings.TrimSpace(value)
		if told != nil && said["listening"] != "" && said["admin"] != "" {
			told <- said
			told = nil
		}
	}
}

func (p *program) logs() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

func (p *program) stop(t testing.TB) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(patience):
		// Its goroutines say why.
		_ = p.cmd.Process.Signal(syscall.SIGQUIT)
		select {
		case <-p.ended:
		case <-time.After(patience):
			_ = p.cmd.Process.Kill()
			<-p.ended
		}
		t.Errorf("the program did not stop in %s", patience)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the program ended with %d:\n%s", code, p.logs())
	}
}
