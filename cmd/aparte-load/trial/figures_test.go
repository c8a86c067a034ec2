package trial

import (
	"bufio"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"aparte/cmd/aparte-load/load"
)

// forwardingResults is where `make bench` keeps what BenchmarkForward of package sfu said.
var forwardingResults = flag.String("forwarding", "", "file with the output of BenchmarkForward, for the table")

// BenchmarkFigures measures once what a participant costs and how soon media comes, and
// prints it beside the targets. It never fails because of a figure: machines differ.
func BenchmarkFigures(b *testing.B) {
	for range b.N {
		if b.N > 1 {
			b.Fatal("run it with -benchtime 1x")
		}
		var t table
		t.forwarding(b)
		t.mesh(b)
		for _, signal := range []string{"v1", "v0"} {
			t.idle(b, signal)
		}
		for _, signal := range []string{"v1", "v0"} {
			t.firstMedia(b, signal, 1.2)
			t.firstMedia(b, signal, 20)
		}
		fmt.Printf("\n%s\n", t.text.String())
	}
}

type table struct{ text strings.Builder }

// row adds a figure; target 0 is none.
func (t *table) row(name string, value, target float64, unit string) {
	if t.text.Len() == 0 {
		fmt.Fprintf(&t.text, "%-58s %9s %9s\n", "figure", "measured", "target")
	}
	if target == 0 {
		fmt.Fprintf(&t.text, "%-58s %9.2f %9s %s\n", name, value, "", unit)
		return
	}
	verdict := "ok"
	if value > target {
		verdict = "OVER TARGET"
	}
	fmt.Fprintf(&t.text, "%-58s %9.2f %9.2f %-5s %s\n", name, value, target, unit, verdict)
}

// forwarding takes the figure of the benchmark that ran before.
func (t *table) forwarding(b *testing.B) {
	if *forwardingResults == "" {
		return
	}
	f, err := os.Open(*forwardingResults)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || !strings.HasPrefix(fields[0], "BenchmarkForward/") || !strings.Contains(fields[0], "/burst=8/") {
			continue
		}
		for i := 1; i < len(fields); i++ {
			if x, err := strconv.ParseFloat(fields[i-1], 64); err == nil && fields[i] == "x-plain" {
				_, what, _ := strings.Cut(fields[0], "/")
				t.row("forwarding, CPU beside plain Pion, "+what, x, 0.35, "x")
			}
		}
	}
}

// run measures a plan on a server of its own. A few come and go before: what is made
// once with the first of all, such as type descriptors and pools, is no participant's.
func (t *table) run(b *testing.B, signal string, perSecond float64, d time.Duration, plan load.Plan) *load.Report {
	p := start(b)
	few := plan
	few.Rooms, few.Mesh, few.Subscribers = 1, min(plan.Mesh, 2), min(plan.Subscribers, 2)
	t.load(b, p, signal, perSecond, time.Second, few)
	return t.load(b, p, signal, perSecond, d, plan)
}

func (t *table) load(b *testing.B, p *program, signal string, perSecond float64, d time.Duration, plan load.Plan) *load.Report {
	plan.Audio, plan.Video, plan.Speakers = true, load.VideoSimulcast, 1
	plan.VideoBps, plan.AudioBps, plan.FPS, plan.Prefix = 1_700_000, 32_000, 30, rand.Text()
	r, err := load.Run(b.Context(), load.Config{
		Plan: plan, URL: p.url, Keys: keys, Single: signal == "v1", JoinsPerSecond: perSecond,
		Duration: d, JoinLimit: patience, Settle: time.Second, Process: p.process, Go: p.profiles,
	})
	if err != nil {
		b.Fatal(err)
	}
	if !r.OK() || len(r.Failures) > 0 {
		b.Logf("%d of %d joined, failures %v", r.Joined, r.Participants, r.Failures)
	}
	return r
}

// memory is what the server had more with everybody in than before the first, by
// participant: what objects that are still used and stacks take, and beside it what the
// heap's spans and the process take, gaps and garbage included.
func (t *table) memory(name string, r *load.Report, target float64) {
	const mib = 1 << 20
	n := float64(r.Joined) * mib
	idle, peak := r.Memory.Idle, r.Memory.Peak
	t.row(name+", objects in use and stacks", float64(peak.LiveBytes-idle.LiveBytes)/n, target, "MiB")
	t.row("    heap spans and stacks", float64(peak.InUseBytes-idle.InUseBytes)/n, 0, "MiB")
	t.row("    RSS", float64(peak.RSSBytes-idle.RSSBytes)/n, 0, "MiB")
}

func (t *table) mesh(b *testing.B) {
	r := t.run(b, "v1", 10, 10*time.Second, load.Plan{Rooms: 1, Mesh: 10})
	t.memory("participant of a mesh of 10", r, 3)
	t.row("server CPU of a forwarded packet, mesh of 10", r.CPUPerForwarded/1000, 0, "us")
	t.row("latency of video through the server, p99", ms(r.VideoLatency.P99), 0, "ms")
	if r.Lost > 0 || r.Tracks < r.TracksWanted {
		b.Logf("mesh: %d packets lost, %d of %d tracks", r.Lost, r.Tracks, r.TracksWanted)
	}
}

func (t *table) idle(b *testing.B, signal string) {
	// After ten seconds the server gives up the ways that they did not take.
	r := t.run(b, signal, 40, 15*time.Second, load.Plan{Rooms: 10, Subscribers: 10})
	t.memory("idle participant, "+signal, r, 0.25)
}

// firstMedia lets them come further apart than two key frame requests may be, 500 ms,
// and in a crowd: whoever comes sooner after another is begun from the ring.
func (t *table) firstMedia(b *testing.B, signal string, perSecond float64) {
	r := t.run(b, signal, perSecond, time.Second, load.Plan{Rooms: 1, Publishers: 1, Subscribers: 50})
	for _, f := range []struct {
		what     string
		p50, p95 time.Duration
	}{
		{"first packet", r.FirstMedia.P50, r.FirstMedia.P95},
		{"first key frame", r.FirstKeyframe.P50, r.FirstKeyframe.P95},
	} {
		name := fmt.Sprintf("%s after the transport is up, %s, %g joins/s", f.what, signal, perSecond)
		t.row(name+", p50", ms(f.p50), 50, "ms")
		t.row(name+", p95", ms(f.p95), 50, "ms")
	}
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }
