package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aparte/signaling/health"
)

func found(r health.Report, code health.Code) (health.Finding, bool) {
	i := slices.IndexFunc(r.Findings, func(f health.Finding) bool { return f.Code == code })
	if i < 0 {
		return health.Finding{}, false
	}
	return r.Findings[i], true
}

// looked is what is found at once by a look that waits longer than its users would: what is
// written to the database of a busy machine takes seconds.
func looked(t *testing.T, s *server, c *Config) health.Report {
	t.Helper()
	h := newCheckup(s, c)
	h.wait = hangLimit
	report, err := h.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// What a server that is tried out on this machine says of itself, measured for real.
func TestTheServerLooksAtItself(t *testing.T) {
	s, c, _ := recordingServer(t)
	report := looked(t, s, c)
	for _, code := range []health.Code{
		health.ServerRuns, health.ServerTrial, health.DatabaseAnswers, health.BackupUnknown, health.DiskData, health.MediaQuiet,
		health.AddressLocal, health.UDPOpen, health.TCPOpen, health.TURNPlain, health.TLSLocal, health.RecordingsOn,
	} {
		if _, ok := found(report, code); !ok {
			t.Errorf("%s is missing in %+v", code, report.Findings)
		}
	}
	disk, _ := found(report, health.DiskData)
	if len(disk.Values) != 4 || disk.Values[0].Text != c.DataDir || disk.Values[1].Number <= 0 || disk.Values[2].Number < disk.Values[1].Number {
		t.Errorf("disk: %+v", disk)
	}
	if _, ok := found(report, health.DiskRecordings); ok {
		t.Error("recordings lie on the same disk, which is told once")
	}
	if took, _ := found(report, health.DatabaseAnswers); took.Values[0].Number <= 0 {
		t.Errorf("database: %+v", took)
	}
	// A missing folder is not known; it is not an empty disk.
	if got := lookAtDisk(health.ForData, c.DataDir+"/none"); got.Known {
		t.Errorf("a missing folder: %+v", got)
	}
}

// Whatever does not answer, the administrators are answered within seconds; and many of
// them ask the database no more often than one.
func TestAServerThatHangsSaysSo(t *testing.T) {
	s, c, _ := recordingServer(t)
	synctest.Test(t, func(t *testing.T) {
		h := newCheckup(s, c)
		var asked atomic.Int32
		hang := make(chan struct{})
		h.database.ask = func(context.Context) health.Database {
			begun := time.Now()
			asked.Add(1)
			<-hang
			return health.Database{Answered: true, Took: time.Since(begun)}
		}
		h.disks.ask = func(context.Context) []health.Disk { <-hang; return nil }
		h.films.ask = func(context.Context) *health.Films { return nil }
		h.calls.ask = func(context.Context) int { <-hang; return 0 }
		begun := time.Now()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				report, err := h.Report(t.Context())
				silent, ok := found(report, health.DatabaseSilent)
				if err != nil || !ok || silent.Level != health.Broken || silent.Values[0].Number != lookWait.Seconds() {
					t.Errorf("%+v, %v", silent, err)
				}
				for _, code := range []health.Code{health.DiskUnknown, health.LoadUnknown} {
					if _, ok := found(report, code); !ok {
						t.Errorf("%s is missing", code)
					}
				}
			})
		}
		all.Wait()
		if took := time.Since(begun); took != lookWait || asked.Load() != 1 {
			t.Errorf("20 answers after %s, having asked %d times; want %s and 1", took, asked.Load(), lookWait)
		}

		// Who does not wait goes without an answer, and leaves the look to the others.
		time.Sleep(lookedFresh)
		gone, leave := context.WithCancel(t.Context())
		all.Go(func() { _, _ = h.Report(t.Context()) })
		synctest.Wait()
		leave()
		if _, err := h.Report(gone); !errors.Is(err, context.Canceled) {
			t.Errorf("who left: %v", err)
		}
		all.Wait()
		report, err := h.Report(t.Context())
		if silent, _ := found(report, health.DatabaseSilent); err != nil || silent.Values[0].Number != 2*lookWait.Seconds()+lookedFresh.Seconds() || asked.Load() != 1 {
			t.Errorf("later: %+v, %v, asked %d times", silent, err, asked.Load())
		}

		// The answer comes at last: it took as long as it took.
		close(hang)
		time.Sleep(lookedFresh)
		report, err = h.Report(t.Context())
		if late, ok := found(report, health.DatabaseAnswers); err != nil || !ok || late.Level != health.Broken {
			t.Errorf("at last: %+v, %v", late, err)
		}
		time.Sleep(lookedFresh)
		report, err = h.Report(t.Context())
		if now, ok := found(report, health.DatabaseAnswers); err != nil || !ok || now.Level != health.Fine {
			t.Errorf("again well: %+v, %v", now, err)
		}
	})
}

// Room for the recordings of a post that there is not is told at the start, in the log, and
// by the server's health, until there is one: it may be made later.
func TestQuotasOfNoPostAreTold(t *testing.T) {
	const nobody, made = "gTmpFq3vQ0yvG2qfXy0Y1w", "hTmpFq3vQ0yvG2qfXy0Y1w"
	config := defaults()
	config.Listen, config.Admin.Listen, config.DataDir, config.Media.UDPPort, config.Media.Addresses = "127.0.0.1:0", "127.0.0.1:0", t.TempDir(), 0, []string{"127.0.0.1"}
	config.Recordings.PostQuotas = map[string]string{nobody: "1GB", made: "0"}
	var logged bytes.Buffer
	s, err := build(t.Context(), &config, true, slog.New(slog.NewTextHandler(&logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), drainTime)
		defer cancel()
		s.stop(ctx)
	})
	for _, id := range []string{nobody, made} {
		if n := strings.Count(logged.String(), "post="+id); n != 1 || !strings.Contains(logged.String(), "recordings.post_quotas") {
			t.Errorf("%s is told %d times: %s", id, n, &logged)
		}
	}
	told := func() (all []string) {
		t.Helper()
		for _, f := range looked(t, s, &config).Findings {
			if f.Code == health.RecordingsNobody {
				all = append(all, string(f.Level)+" "+f.Values[0].Text)
			}
		}
		return all
	}
	if got := told(); !slices.Equal(got, []string{"attention " + nobody, "attention " + made}) {
		t.Errorf("told %q", got)
	}
	db, err := sql.Open("sqlite", filepath.Join(config.DataDir, "aparte.db")+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `INSERT INTO posts (id, name, time_zone, languages, address, phone, email, web, created_at)
		VALUES ($1, 'Dakar', 'Africa/Dakar', 'fr', '', '', '', '', 1)`, made); err != nil {
		t.Fatal(err)
	}
	if got := told(); !slices.Equal(got, []string{"attention " + nobody}) {
		t.Errorf("once the other one was made: %q", got)
	}
}
