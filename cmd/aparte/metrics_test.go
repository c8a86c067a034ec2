package main

import (
	"context"
	"flag"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"aparte/recorder/keep"
	"aparte/sfu"
	"aparte/sfu/relay"
	"aparte/sfu/transport"
	"aparte/signaling/hook"
	"aparte/signaling/token"
	"aparte/signaling/wire"
)

var update = flag.Bool("update", false, "write testdata/metrics.txt anew")

// Dashboards and alerts go by these names: one that goes or changes breaks them.
func TestNamesOfMetrics(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	engine, err := transport.NewEngine(transport.Config{Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	hooks, err := hook.New(hook.Config{URLs: []string{"http://127.0.0.1/"}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	rooms := sfu.New(sfu.Config{Engine: engine, Log: log})
	signals := wire.NewServer(wire.Config{SFU: rooms, Log: log, Authorizer: token.Integration{Now: time.Now}})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := rooms.Close(ctx); err != nil {
			t.Error(err)
		}
		signals.Close()
		hooks.Close(ctx)
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	keeper := keep.New(keep.Config{Dir: t.TempDir(), Now: time.Now, After: time.After, Log: log})
	t.Cleanup(func() { _ = keeper.Close(context.Background()) }) // nothing is on its way
	families, err := metrics(&server{
		engine: engine, rooms: rooms, signals: signals, hooks: hooks, exchange: relay.NewExchange(), kept: &kept{place: "s3://records", keeper: keeper},
	}).Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "aparte_") {
			continue // of the Go runtime and of the process
		}
		for _, m := range f.Metric {
			line := f.GetName()
			for _, l := range m.Label {
				line += " " + l.GetName() + "=" + l.GetValue()
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	const golden = "testdata/metrics.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("metrics are\n%s\nwant those of %s; if that is meant: go test ./cmd/aparte -run TestNamesOfMetrics -update", got, golden)
	}
}
