package sdktest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is one running program.
type server struct {
	// Set at creation.
	cmd   *exec.Cmd
	base  *url.URL // http://127.0.0.1:PORT
	agent *url.URL // one-time sign-in of the demo agent; nil with data of an earlier run
	ended chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
	err error // how it ended
}

// start runs the program on a free port and waits until it says that it is
// ready.
func start(path, dataDir string, flags ...string) (*server, error) {
	return startAs(func(*exec.Cmd) {}, path, dataDir, flags...)
}

// startAs has its process prepared before it starts.
func startAs(prepare func(*exec.Cmd), path, dataDir string, flags ...string) (*server, error) {
	cmd := exec.Command(path, append([]string{
		"serve", "--dev", "--listen", "127.0.0.1:0",
		"--admin-listen", "127.0.0.1:0", "--media-udp-port", "0", "--data-dir", dataDir,
	}, flags...)...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, binVariable+"=") && !strings.HasPrefix(v, "APARTE_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	prepare(cmd)
	s := &server{cmd: cmd, ended: make(chan struct{})}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	ready := make(chan map[string]string, 1)
	var readers sync.WaitGroup
	readers.Go(func() { s.read(stdout, ready) })
	readers.Go(func() { s.read(stderr, nil) })
	go func() {
		readers.Wait()
		err := cmd.Wait()
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
		close(s.ended)
	}()
	select {
	case lines := <-ready:
		s.base, err = url.Parse(lines["listening"])
		if link := lines["agent"]; err == nil && link != "" {
			s.agent, err = url.Parse(link)
		}
		if err != nil {
			s.kill()
			return nil, err
		}
		return s, nil
	case <-s.ended:
		return nil, fmt.Errorf("%s ended before it was ready: %w\n%s", path, s.err, s.logs())
	case <-time.After(patience):
		s.kill()
		return nil, fmt.Errorf("%s did not tell how to get in within %s\n%s", path, patience, s.logs())
	}
}

// read keeps the output. The program is ready when it has told where it
// listens and either how to sign in or that it has accounts already.
func (s *server) read(r io.Reader, ready chan<- map[string]string) {
	told := map[string]string{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		s.mu.Lock()
		s.log.WriteString(lines.Text() + "\n")
		s.mu.Unlock()
		if ready == nil {
			continue
		}
		name, value, _ := strings.Cut(lines.Text(), ": ")
		told[name] = value
		if told["listening"] != "" && told["agent"]+told["data"] != "" {
			ready <- told
			ready = nil
		}
	}
}

// metric reads one of the program's figures; 0 before it has any.
func (s *server) metric(t *testing.T, name string) int {
	t.Helper()
	_, admin, _ := strings.Cut(s.logs(), "admin: ")
	admin, _, _ = strings.Cut(admin, "\n")
	resp, err := http.Get(strings.TrimSpace(admin) + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.Atoi(strings.TrimSpace(value))
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

func (s *server) logs() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// kill ends it without a chance to say good-bye.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// panicked is how a log tells of a panic, which ids do not by chance.
var panicked = regexp.MustCompile(`panic\(|(?m:^|[^\w-])panic(?:ked)?(?m:$|[^\w-])`)

// stop asks it to end and tells how it did.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		<-s.ended
		return fmt.Errorf("the server ended before it was asked to: %w\n%s", s.err, s.logs())
	}
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.kill()
		return fmt.Errorf("the server did not end within %s of SIGTERM\n%s", patience, s.logs())
	}
	log := s.logs()
	switch {
	case s.err != nil:
		return fmt.Errorf("the server ended with %w\n%s", s.err, log)
	case panicked.MatchString(log):
		return fmt.Errorf("the server panicked\n%s", log)
	}
	return nil
}

// ownServer is a server for one test, which may kill it.
func ownServer(t *testing.T, dataDir string, flags ...string) *server {
	t.Helper()
	return ownServerAs(t, func(*exec.Cmd) {}, dataDir, flags...)
}

// ownServerAs has its process prepared before it starts.
func ownServerAs(t *testing.T, prepare func(*exec.Cmd), dataDir string, flags ...string) *server {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	s, err := startAs(prepare, path, dataDir, flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		select {
		case <-s.ended:
			return
		default:
		}
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// signIn returns an HTTP client that is the demo agent. The link works once.
func (s *server) signIn(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: patience}
	post(t, client, s.base.JoinPath("api/v1/session/one-time"), fmt.Sprintf(`{"code":%q}`, s.agent.Fragment))
	return client
}

// post returns the body of a successful answer.
func post(t *testing.T, client *http.Client, u *url.URL, body string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.String(), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return do(t, client, req)
}

func get(t *testing.T, client *http.Client, u *url.URL) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, client, req)
}

func do(t *testing.T, client *http.Client, req *http.Request) []byte {
	t.Helper()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if res.StatusCode >= 300 {
		t.Fatalf("%s %s: %s\n%s", req.Method, req.URL.Path, res.Status, answer)
	}
	return answer
}
