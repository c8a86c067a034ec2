package main

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A mistake in the flags is one line that names it.
func TestBadFlags(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--mesh 2 --nonsense", "--nonsense"},
		{"", "nobody to join"},
		{"--mesh=-1", "negative"},
		{"--rooms 0 --mesh 2", "--rooms"},
		{"--mesh 2 --video vp8", "--video"},
		{"--mesh 2 --video none --no-audio", "nothing to publish"},
		{"--mesh 2 --fps 0", "--fps"},
		{"--mesh 2 --video-kbps 1", "--video-kbps"},
		{"--mesh 2 --audio-kbps 1", "--audio-kbps"},
		{"--mesh 2 --screen 3", "--screen"},
		{"--mesh 2 --signal v2", "--signal"},
		{"--mesh 2 --duration 0s", "--duration"},
		{"--mesh 2 --joins-per-second 0", "--joins-per-second"},
		{"--mesh 2 --url 127.0.0.1:7880", "--url"},
		{"--mesh 2 --server-pid 1073741824", "--server-pid"},
		{"--mesh 2 --server-pprof nowhere", "--server-pprof"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), strings.Fields(c.args), &out, &errs)
		if code != exitUsage || !strings.Contains(errs.String(), c.want) || strings.Count(errs.String(), "\n") != 1 || out.Len() > 0 {
			t.Errorf("%q: code %d, %q on stdout, %q on stderr; want %d and one line with %q",
				c.args, code, out.String(), errs.String(), exitUsage, c.want)
		}
	}
}

// Joins that fail are told by their reason, and by the exit code.
func TestRefused(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "room full", http.StatusServiceUnavailable)
	}))
	defer s.Close()
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"--url", s.URL, "--subscribers", "3", "--duration", "1ms", "--joins-per-second", "1000", "--json"}, &out, &errs)
	var report struct {
		Participants, Joined int
		Failures             map[string]int
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	if code != exitFailed || report.Participants != 3 || report.Joined != 0 || report.Failures["refused with 503"] != 3 {
		t.Errorf("code %d, %+v", code, report)
	}
	if !strings.Contains(errs.String(), "3 of 3 did not get in") {
		t.Errorf("stderr: %q", errs.String())
	}
}

// Nobody listening there is told as well.
func TestNoServer(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "ws://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"--url", address, "--subscribers", "1", "--duration", "1ms"}, &out, &errs); code != exitFailed {
		t.Errorf("code %d", code)
	}
	if !strings.Contains(out.String(), "1 × dial") {
		t.Errorf("stdout: %q", out.String())
	}
}
