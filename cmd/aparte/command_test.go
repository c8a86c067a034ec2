package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aparte/recorder/compose/confine"
	"aparte/recorder/compose/render"
	"aparte/sfu/leaktest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == confine.Verb { // as a server under test looks what ffmpeg can
		main()
	}
	testscript.Main(leaktest.Tests{Runner: m}, map[string]func(){"aparte": main})
}

func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"capture":   capture,
			"exits":     exits,
			"hides":     hides,
			"lock":      lock,
			"mode":      mode,
			"body":      body,
			"setsecret": setSecret,
			"speak":     speak,
			"spoil":     spoil,
			"taken":     taken,
			"takenudp":  takenUDP,
			"tamper":    tamper,
			"trail":     trail,
		},
	})
}

// exits runs a command and wants this exit code: "! exec" takes any failure.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("run: %v", err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// secretOf is the secret line of a key's file.
func secretOf(ts *testscript.TestScript, file string) (secret string) {
	for line := range strings.Lines(ts.ReadFile(file)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			secret = line
		}
	}
	return secret
}

// setSecret puts the secret of a key's file into a variable of the environment.
func setSecret(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], secretOf(ts, args[1]))
}

// body makes a file of a node's key without what it begins with.
func body(ts *testscript.TestScript, _ bool, args []string) {
	_, after, _ := strings.Cut(secretOf(ts, args[0]), "KEY+")
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(after+"\n"), 0o600))
}

// hides runs "exits CODE COMMAND..." and wants nothing printed of the secret of the file that
// comes first, be it eight characters of it. "<FILE>" among the arguments is that secret.
func hides(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: hides FILE CODE COMMAND...")
	}
	secret := secretOf(ts, args[0])
	rest := slices.Clone(args[1:])
	for i := range rest {
		rest[i] = strings.ReplaceAll(rest[i], "<"+args[0]+">", secret)
	}
	exits(ts, false, rest)
	printed := strings.ToUpper(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	// What begins a key, and the name and the id of a node, are no secret; its last part may have
	// a plus of its own.
	body := strings.TrimPrefix(strings.TrimPrefix(secret, "AGE-SECRET-KEY-"), "PQ-1")
	if fields := strings.SplitN(strings.TrimPrefix(secret, "PRIVATE+KEY+"), "+", 3); len(fields) == 3 {
		body = fields[2]
	}
	if len(body) < 40 {
		ts.Fatalf("%s has no secret", args[0])
	}
	for i := range len(body) - 7 {
		if strings.Contains(printed, strings.ToUpper(body[i:i+8])) {
			ts.Fatalf("%q of the secret is printed", body[i:i+8])
		}
	}
}

func taken(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
}

func takenUDP(ts *testscript.TestScript, _ bool, args []string) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = c.Close() })
	ts.Setenv(args[0], fmt.Sprint(c.LocalAddr().(*net.UDPAddr).Port))
}

// started is a server run within the test. Ending its context is what SIGTERM
// does.
type started struct {
	lines map[string]string // what it printed: agent, guest, setup ...
	stop  context.CancelFunc
	code  chan int
	log   *strings.Builder // of the whole run; read it after wait
}

const hangLimit = 30 * time.Second

func start(t *testing.T, want string, args ...string) *started {
	t.Helper()
	out, in := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	s := &started{lines: map[string]string{}, stop: cancel, code: make(chan int, 1), log: &strings.Builder{}}
	args = append([]string{
		"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--media-udp-port", "0", "--media-addresses", "127.0.0.1",
	}, args...)
	go func() {
		s.code <- run(ctx, args, &process{stdout: in, stderr: s.log, environ: func() []string { return nil }})
		_ = in.Close()
	}()
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		name, value, _ := strings.Cut(scanner.Text(), ": ")
		s.lines[name] = value
		if name == want {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return s
		}
	}
	t.Fatalf("server ended with %d before it printed %q:\n%s", <-s.code, want, s.log)
	return nil
}

func (s *started) wait(t *testing.T) int {
	t.Helper()
	s.stop()
	select {
	case code := <-s.code:
		return code
	case <-time.After(hangLimit):
		t.Fatal("the server does not stop")
		return -1
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := http.Client{Timeout: hangLimit, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestDevelopmentServer(t *testing.T) {
	s := start(t, "admin", "--dev")
	for _, want := range []string{"listening", "agent", "guest"} {
		if !strings.HasPrefix(s.lines[want], "http://127.0.0.1:") {
			t.Errorf("%s: %q", want, s.lines[want])
		}
	}
	_, secret, _ := strings.Cut(s.lines["guest"], "#")
	if len(secret) != 43 {
		t.Errorf("the guest link's secret has %d characters, want 43 (256 bits)", len(secret))
	}
	if code, body := get(t, s.lines["listening"]+"/healthz"); code != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %q", code, body)
	}
	if code, body := get(t, s.lines["admin"]+"/metrics"); code != 200 || !strings.Contains(body, "aparte_forwarded_packets_total 0") {
		t.Errorf("metrics: %d %q", code, body)
	}
	if code, _ := get(t, s.lines["listening"]+"/metrics"); code != 404 {
		t.Errorf("metrics on the public listener: %d, want 404", code)
	}
	if code := s.wait(t); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, s.log)
	}
	for name, secretLine := range s.lines {
		if _, fragment, ok := strings.Cut(secretLine, "#"); ok && strings.Contains(s.log.String(), fragment) {
			t.Errorf("the secret of %s is in the log", name)
		}
	}
}

// Outside --dev there is no account, no default password and no demo: one link
// makes the first account, and stays the way in until it has been used.
func TestFirstStart(t *testing.T) {
	data := t.TempDir()
	first := start(t, "admin", "--data-dir", data)
	if !strings.Contains(first.lines["setup"], "/setup#") {
		t.Errorf("setup: %q", first.lines["setup"])
	}
	if first.lines["agent"]+first.lines["guest"] != "" {
		t.Error("demo links outside --dev")
	}
	if code := first.wait(t); code != exitOK {
		t.Errorf("exit code %d:\n%s", code, first.log)
	}
	second := start(t, "admin", "--data-dir", data)
	if !strings.Contains(second.lines["setup"], "/setup#") {
		t.Error("no set-up link at the second start, although nobody has set up")
	}
	second.wait(t)
}

func TestTwoServersDoNotShareData(t *testing.T) {
	data := t.TempDir()
	first := start(t, "admin", "--data-dir", data)
	var log strings.Builder
	code := run(t.Context(), []string{"serve", "--listen", "127.0.0.1:0", "--admin-listen=", "--data-dir", data, "--media-addresses", "127.0.0.1"},
		&process{stdout: io.Discard, stderr: &log, environ: func() []string { return nil }})
	if code != exitUsage || !strings.Contains(log.String(), "data_dir "+data) {
		t.Errorf("second server: %d %q", code, log.String())
	}
	first.wait(t)
}

// lock is another run of "aparte record compose" that has a work folder, until the script ends.
func lock(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: lock DIR")
	}
	release, err := render.Lock(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(func() { _ = release() })
}
