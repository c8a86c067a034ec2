package measure

import (
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"os"
	"testing"
	"time"
)

func TestHistogram(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Count() != 0 {
		t.Error("an empty histogram knows something")
	}
	const n = 100_000 // one for every microsecond
	const all = n * time.Microsecond
	for i := range n {
		h.Add(time.Duration(i+1) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{
		0.001: all / 1000, 0.5: all / 2, 0.95: all * 95 / 100, 0.99: all * 99 / 100, 1: all,
	} {
		if got := h.Quantile(q); got < want || got > want+want/subBuckets+time.Microsecond {
			t.Errorf("quantile %g: %s, want %s to a 64th", q, got, want)
		}
	}
	if s := h.Summary(); s.Count != n || s.Max != all {
		t.Errorf("%+v", s)
	}
}

func TestHistogramEdges(t *testing.T) {
	var h Histogram
	h.Add(-time.Second)
	if h.Max() != 0 || h.Quantile(1) != 0 {
		t.Error("less than nothing counts as nothing")
	}
	h.Add(time.Hour)
	if got := h.Quantile(1); got > time.Hour || got < time.Minute {
		t.Errorf("an hour is %s", got)
	}
	for v := uint64(1); v < 1<<39; v = v*3/2 + 1 {
		if i := bucket(v); upper(i) < int64(v) || i > 0 && upper(i-1) >= int64(v) {
			t.Fatalf("%d is in bucket %d, which ends at %d after %d", v, i, upper(i), upper(i-1))
		}
	}
}

func TestProcess(t *testing.T) {
	if _, err := OpenProcess(1 << 30); err == nil {
		t.Error("there is no such process")
	}
	p, err := OpenProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if rss, err := p.RSS(); err != nil || rss < 1<<20 {
		t.Errorf("RSS %d, %v", rss, err)
	}
	got, err := parseCPU([]byte("7 (a) b) S 1 1 1 0 -1 4194304 1 0 0 0 250 50 0 0 20 0 8 0"))
	if err != nil || got != 3*time.Second {
		t.Errorf("CPU %s, %v", got, err)
	}
	for _, bad := range []string{"", "7 (x) S 1 2", "7 (x) S 1 1 1 0 -1 4194304 1 0 0 0 a b 0"} {
		if _, err := parseCPU([]byte(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	if _, err := parseRSS("Name: x\n"); err == nil {
		t.Error("status without VmRSS was taken")
	}
}

func TestGoServer(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /nothing/", func(http.ResponseWriter, *http.Request) {})
	s := httptest.NewServer(mux)
	defer s.Close()
	g := NewGoServer(s.URL + "/")
	m, err := g.Memory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.Objects < 1000 || m.Heap < m.Objects || m.Stack < 1000 || m.Goroutines < 2 {
		t.Errorf("%+v", m)
	}
	if _, err := NewGoServer(s.URL + "/nothing").Memory(t.Context()); err == nil {
		t.Error("a server without profiles was taken")
	}
}
