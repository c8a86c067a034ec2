package threats

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aparte/recorder/storage/storagetest"
)

// patience is how long anything may take before a test gives up: far more than it
// needs, on slow cores that run other things too.
const patience = time.Minute

// The API key of the programs that open rooms of their own.
const (
	apiKey    = "integration"
	apiSecret = "a-secret-of-the-tests-long-enough-for-anybody"
)

// program is the server under test, in a process of its own.
type program struct {
	t       testing.TB
	cmd     *exec.Cmd
	dir     string // its data
	url     string // http://127.0.0.1:PORT
	setup   string // code of the first account; "" when there is one
	ended   chan struct{}
	readers sync.WaitGroup

	mu  sync.Mutex
	log bytes.Buffer // guarded by mu
}

// binary is the built program.
func binary(t testing.TB) string {
	t.Helper()
	path := os.Getenv("BIN_APARTE")
	if path == "" {
		path = filepath.Join("..", "..", "..", "bin", "aparte")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: this test needs the built program: run 'make build', or name it in BIN_APARTE", err)
	}
	return path
}

// command is the program without any of this environment's settings.
func command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary(t), args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "APARTE_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	return cmd
}

// start runs the program as an operator does, without --dev, on free ports. It is
// stopped with the test.
func start(t testing.TB, flags ...string) *program {
	t.Helper()
	return startOn(t, t.TempDir(), flags...)
}

// startPublic runs the program as one that browsers know by another address, which is
// what it then prints; it is still asked on loopback.
func startPublic(t testing.TB, public string) *program {
	t.Helper()
	address := storagetest.Reserved(t) // it tells no other than the public one
	p := start(t, "--listen", address, "--public-url", public)
	p.url = "http://" + address
	return p
}

func startOn(t testing.TB, dir string, flags ...string) *program {
	t.Helper()
	config := filepath.Join(dir, "aparte.yaml")
	if err := os.WriteFile(config, []byte("integration:\n  keys:\n    "+apiKey+": "+apiSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, dir: dir, ended: make(chan struct{})}
	p.cmd = command(t, append([]string{
		"serve", "--config", config, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--media-udp-port", "0", "--media-addresses", "127.0.0.1", "--data-dir", filepath.Join(dir, "data"), "--log-level", "debug",
	}, flags...)...)
	// Ended by stop, not by the context, which is over before the test's cleanup.
	p.cmd.Cancel = func() error { return nil }
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	told := make(chan map[string]string, 1)
	p.readers.Go(func() { p.read(stdout, told) })
	p.readers.Go(func() { p.read(stderr, nil) })
	go func() {
		p.readers.Wait()
		_ = p.cmd.Wait() // stop looks at the state
		close(p.ended)
	}()
	t.Cleanup(p.stop)
	select {
	case lines := <-told:
		p.url = lines["listening"]
		_, p.setup, _ = strings.Cut(lines["setup"], "#")
	case <-p.ended:
		t.Fatalf("the program ended:\n%s", p.logs())
	case <-time.After(patience):
		t.Fatalf("the program did not start in %s:\n%s", patience, p.logs())
	}
	return p
}

// read keeps the log; told gets what the program says about itself, once it has said all.
func (p *program) read(r io.Reader, told chan<- map[string]string) {
	said := map[string]string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		if told == nil {
			p.mu.Lock()
			p.log.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			continue
		}
		said[name] = strings.TrimSpace(value)
		if said["admin"] != "" { // the last line
			told <- said
			told = nil
		}
	}
}

// logs is what the program wrote to standard error.
func (p *program) logs() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// panicked is how a log tells of a panic. Ids do not by chance, as they do with its five letters:
// a log has tens of thousands that are chosen at random.
var panicked = regexp.MustCompile(`panic\(|(?m:^|[^\w-])panic(?:ked)?(?m:$|[^\w-])`)

func (p *program) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.ended
		p.t.Errorf("the program did not stop in %s", patience)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 || panicked.MatchString(p.logs()) {
		p.t.Errorf("the program ended with %d:\n%s", code, p.logs())
	}
}
