package main

import (
	"context"
	"errors"
	"slices"
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

// What a server that is tried out on this machine says of itself, measured for real.
func TestTheServerLooksAtItself(t *testing.T) {
	s, c, _ := recordingServer(t)
	report, err := s.checkup.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
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
