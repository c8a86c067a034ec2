package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
	"aparte/signaling/store/faulty"
)

// guestIn makes a link and a guest who waits, and returns how the guest calls.
func (h *house) guestIn(called string) meeting.Caller {
	h.t.Helper()
	h.makeLink(link.Shared)
	l := h.links[len(h.links)-1]
	token, _, err := h.Redeem(h.t.Context(), l.id, l.code, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	caller, err := h.Recognise(h.t.Context(), token)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.Knock(h.t.Context(), caller, meeting.Asking{Name: called}); err != nil {
		h.t.Fatal(err)
	}
	return caller
}

func (h *house) knockOf(called string) meeting.KnockView {
	h.t.Helper()
	knocks, err := h.Knocks(h.t.Context(), h.host, h.id)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, k := range knocks {
		if k.Name == called {
			return k
		}
	}
	h.t.Fatalf("no knock of %s", called)
	return meeting.KnockView{}
}

func furnished(t *testing.T) *house {
	t.Helper()
	h := newPowerHouse(t, 1)
	h.start()
	h.furnish()
	return h
}

// on fails one act on one kind of file for as long as the rule stands.
func on(a faulty.Act, f faulty.File, fault faulty.Fault) faulty.Rule {
	return func(o faulty.Op) faulty.Fault {
		if o.Act == a && o.File == f {
			return fault
		}
		return faulty.Fault{}
	}
}

// Whatever part of a commit fails, the host is told so, the guest still waits,
// and the next try succeeds: also when the server was restarted in between.
func TestACommitThatFailsDidNotHappen(t *testing.T) {
	for name, rule := range map[string]faulty.Rule{
		"write fails":   on(faulty.Write, faulty.Log, faulty.Fault{Code: faulty.IOError}),
		"write is torn": on(faulty.Write, faulty.Log, faulty.Fault{Code: faulty.IOError, Reached: 700}),
		"disk is full":  on(faulty.Write, faulty.Log, faulty.Fault{Code: faulty.Full, Reached: 3000}),
		"sync fails":    on(faulty.Sync, faulty.Log, faulty.Fault{Code: faulty.IOError}),
	} {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restarts %t", name, restarts), func(t *testing.T) {
				h := furnished(t)
				guest := h.guestIn("Inês")
				k := h.knockOf("Inês")
				h.disk.SetRule(rule)
				for range 3 {
					if _, err := h.Admit(t.Context(), h.host, h.id, k.ID, lobby.Everything()); !errors.Is(err, meeting.ErrUnavailable) || !errors.Is(err, ErrUnavailable) {
						t.Fatalf("admitted on a bad disk: %v", err)
					}
					if _, err := h.Claim(t.Context(), guest); !errors.Is(err, meeting.ErrNotAdmitted) {
						t.Fatalf("claim of who is not admitted: %v", err)
					}
				}
				if err := h.store.Healthy(t.Context()); !errors.Is(err, ErrUnavailable) {
					t.Errorf("health on a bad disk: %v", err)
				}
				h.disk.SetRule(nil)
				if restarts {
					h.stop()
					h.start()
				}
				if k := h.knockOf("Inês"); k.Status != lobby.Waiting {
					t.Errorf("afterwards Inês is %s", k.Status)
				}
				if _, err := h.Admit(t.Context(), h.host, h.id, k.ID, lobby.Everything()); err != nil {
					t.Fatalf("admit on a good disk: %v", err)
				}
				if _, err := h.Claim(t.Context(), guest); err != nil {
					t.Errorf("claim: %v", err)
				}
				if err := h.store.Healthy(t.Context()); err != nil {
					t.Errorf("health on a good disk: %v", err)
				}
			})
		}
	}
}

func (h *house) writeLarge(kilobytes int) {
	h.t.Helper()
	const each = 256
	for i := range kilobytes / each {
		value := strings.Repeat(string(rune('a'+i%26)), each<<10) // what does not change is not written
		err := h.store.write.do(h.t.Context(), func(ctx context.Context, q queries) error {
			_, err := q.ExecContext(ctx, `INSERT INTO signing_keys (name, secret, created_at) VALUES ($1, $2, 0)
				ON CONFLICT (name) DO UPDATE SET secret = excluded.secret`, "large", value)
			return err
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// A disk that has room for the log but not for the database: what was
// acknowledged stays in the log until there is room, also through a power failure.
func TestACheckpointThatFailsHarmsNothing(t *testing.T) {
	for name, rule := range map[string]faulty.Rule{
		"disk is full":  on(faulty.Write, faulty.Database, faulty.Fault{Code: faulty.Full, Reached: 100}),
		"write is torn": on(faulty.Write, faulty.Database, faulty.Fault{Code: faulty.IOError, Reached: 1500}),
		"sync fails":    on(faulty.Sync, faulty.Database, faulty.Fault{Code: faulty.IOError}),
	} {
		t.Run(name, func(t *testing.T) {
			h := furnished(t)
			h.disk.SetRule(rule)
			h.guestIn("Inês")
			h.writeLarge(2 * int(h.shortLog()) >> 10)
			if _, err := h.Admit(t.Context(), h.host, h.id, h.knockOf("Inês").ID, lobby.Everything()); err != nil {
				t.Fatal(err)
			}
			h.disk.Cut()
			h.stop()
			if err := h.disk.Restart(h.random(1)); err != nil {
				t.Fatal(err)
			}
			h.start()
			if k := h.knockOf("Inês"); k.Status != lobby.Admitted {
				t.Errorf("after the power failure Inês is %s", k.Status)
			}
			h.writeLarge(1 << 10)
			if size := h.disk.Largest(faulty.Database); size < 256<<10 {
				t.Errorf("with room again, only %d bytes reached the database", size)
			}
		})
	}
}

// shortLog has the log of a house trimmed early: at somewhat more than SQLite
// itself begins to move it, 4 MB.
func (h *house) shortLog() int64 {
	h.store.write.maxLog.Store(6 << 20)
	return 6 << 20
}

// Without the writer's own trimming the log of this test grows by all that is
// written, because there is always somebody who reads.
func TestConstantReadersDoNotLetTheLogGrow(t *testing.T) {
	h := furnished(t)
	limit := h.shortLog()
	var readers sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for range 2 { // they overlap: one of them always reads
		readers.Go(func() {
			for ctx.Err() == nil {
				if _, err := h.store.LoadMeeting(ctx, h.id); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	h.writeLarge(4 * int(limit) >> 10)
	stop()
	readers.Wait()
	if size := h.disk.Largest(faulty.Log); size > 2*limit {
		t.Errorf("the log grew to %d bytes, want %d or so", size, limit)
	}
}

// A reader that never ends keeps the log from being emptied, and nobody waits
// for it often; once it has ended the log is.
func TestOneLongReaderHoldsNobodyUp(t *testing.T) {
	h := furnished(t)
	limit := h.shortLog()
	tx, err := h.store.read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM meetings").Scan(&n); err != nil {
		t.Fatal(err)
	}
	h.writeLarge(3 * int(limit) >> 10)
	if size := h.disk.Largest(faulty.Log); size < 2*limit {
		t.Errorf("the log of a reader's snapshot is only %d bytes", size)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if n := h.disk.Done(faulty.Truncate, faulty.Log); n != 0 {
		t.Errorf("the log was emptied %d times while somebody read from it", n)
	}
	for range trimPause {
		if err := h.store.Healthy(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := h.disk.Done(faulty.Truncate, faulty.Log); n != 1 {
		t.Errorf("the log was emptied %d times after its reader had ended", n)
	}
}

// A crowd at the doors: each knock is durable when it is answered, and yet the
// disk is synced a few times only.
func TestAThousandKnocksNeedFewSyncs(t *testing.T) {
	h := furnished(t)
	const doors, crowd = 10, 1000
	var rooms []string
	var wg sync.WaitGroup
	callers := make([]meeting.Caller, crowd)
	for i := range crowd {
		if i%(crowd/doors) == 0 {
			h.ended = true // the last meeting is left alone
			h.furnish()
			rooms = append(rooms, h.id)
		}
		l := h.links[0]
		wg.Go(func() {
			token, _, err := h.Redeem(t.Context(), l.id, l.code, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if callers[i], err = h.Recognise(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	commits, syncs := h.store.write.commits.Load(), h.disk.Done(faulty.Sync, faulty.Log)
	begin := make(chan struct{})
	for i, c := range callers {
		wg.Go(func() {
			<-begin
			if _, err := h.Knock(t.Context(), c, meeting.Asking{Name: fmt.Sprint("guest ", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	close(begin)
	wg.Wait()
	commits, syncs = h.store.write.commits.Load()-commits, h.disk.Done(faulty.Sync, faulty.Log)-syncs
	t.Logf("%d knocks: %d commits, %d syncs of the log", crowd, commits, syncs)
	if commits > crowd/10 || syncs > crowd/10 {
		t.Errorf("%d commits and %d syncs for %d knocks at once, want a tenth at most", commits, syncs, crowd)
	}
	if syncs < int(commits) {
		t.Errorf("%d commits with %d syncs: some were acknowledged before they were durable", commits, syncs)
	}
	h.disk.Cut()
	h.stop()
	if err := h.disk.Restart(h.random(1)); err != nil {
		t.Fatal(err)
	}
	h.start()
	left := 0
	for _, id := range rooms {
		knocks, err := h.Knocks(t.Context(), h.host, id)
		if err != nil {
			t.Error(err)
		}
		left += len(knocks)
	}
	if left != crowd {
		t.Errorf("%d of %d knocks are left after the power failure", left, crowd)
	}
}

// Many hosts in many meetings share commits, too.
func TestManyMeetingsShareSyncs(t *testing.T) {
	h := furnished(t)
	const crowd = 300
	syncs := h.disk.Done(faulty.Sync, faulty.Log)
	var wg sync.WaitGroup
	for i := range crowd {
		wg.Go(func() {
			if _, err := h.Create(t.Context(), h.host, meeting.Draft{Title: fmt.Sprint("meeting ", i)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if syncs = h.disk.Done(faulty.Sync, faulty.Log) - syncs; syncs > crowd/5 {
		t.Errorf("%d syncs for %d meetings at once", syncs, crowd)
	}
	if all, err := h.store.MeetingsOf(t.Context(), h.host.Account, dakar.ID); err != nil || len(all) != crowd+1 {
		t.Errorf("%d meetings, %v", len(all), err)
	}
}

// Shared memory that cannot be had is an error of the start or of the call, not a hang.
func TestWithoutSharedMemoryNothingStarts(t *testing.T) {
	h := newPowerHouse(t, 1)
	h.disk.SetRule(on(faulty.Map, faulty.Database, faulty.Fault{Code: faulty.IOError}))
	if s, err := Open(t.Context(), h.dir, quiet); !errors.Is(err, ErrUnavailable) {
		t.Errorf("opened %v, %v", s, err)
	}
	h.disk.SetRule(nil)
	h.start()
	h.furnish()
}
