package recorder

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"aparte/recorder/journal"
	"aparte/recorder/seal"
)

// `make soak` kills it more often.
var crashes = flag.Int("crashes", 5, "how often a process that records is killed")

// crashDir is the environment variable that makes this test's program one that records
// until it is killed.
const crashDir = "APARTE_TEST_CRASH_DIR"

// waited is how long the disk has let a recording wait.
type waited struct {
	mu    sync.Mutex
	since time.Time // of what it has not answered yet
	total time.Duration
}

func (w *waited) disk() *disk {
	return &disk{room: Room, create: func(folder string) (seal.File, error) {
		f, err := newPart(folder)
		return &timed{File: f, on: w}, err
	}}
}

// until is how long it was in all.
func (w *waited) until(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.since.IsZero() {
		return w.total
	}
	return w.total + now.Sub(w.since)
}

func (w *waited) begin() (end func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since = time.Now()
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.total += time.Since(w.since)
		w.since = time.Time{}
	}
}

// timed is a file of which is counted how long the disk takes.
type timed struct {
	seal.File
	on *waited
}

func (f *timed) Write(b []byte) (int, error) {
	defer f.on.begin()()
	return f.File.Write(b)
}

func (f *timed) Sync() error {
	defer f.on.begin()()
	return f.File.Sync()
}

// crashing records a packet every 2 ms that says when it was sent, and prints that, and
// how long the disk has let it wait.
func crashing(data string) int {
	err := func() error {
		key, err := seal.LoadNodeKey(data, "paris-1")
		if err != nil {
			return err
		}
		to, err := seal.ParseRecipients(os.Getenv(crashDir + "_TO"))
		if err != nil {
			return err
		}
		var on waited
		r, err := Start(Config{Dir: filepath.Join(data, "recordings"), Key: key, Recipients: to, Spare: 1, disk: on.disk()}, about)
		if err != nil {
			return err
		}
		if err := r.Note(given("anne")); err != nil {
			return err
		}
		r.Begin(tapped(1, "anne"))
		out := bufio.NewWriter(os.Stdout)
		for n := uint64(1); ; n++ {
			at := time.Now()
			r.Packet(1, at, rtp(n))
			fmt.Fprintln(out, n, at.UnixNano(), int64(on.until(at)), ".")
			if err := out.Flush(); err != nil {
				return err
			}
			time.Sleep(2 * time.Millisecond)
		}
	}()
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// A process that records is killed, over and over. Less than a second is lost each
// time, unless the disk takes more than half of one; everything before opens and
// verifies, over all parts.
func TestKilled(t *testing.T) {
	data := t.TempDir()
	key, err := seal.LoadNodeKey(data, "paris-1")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Dir: filepath.Join(data, "recordings"), Key: key, Recipients: archive().to, Spare: 1}
	var lives [][]sent
	for range *crashes {
		lives = append(lives, untilKilled(t, data))
	}
	records, o := opened(t, cfg)
	if len(o.Report.Parts) != *crashes || o.Report.Closed() || o.Missing != 0 {
		t.Fatalf("%d parts, want %d: %q", len(o.Report.Parts), *crashes, o.Report.Unclosed)
	}
	kept := make([]int, *crashes)
	for _, record := range records {
		p, ok := record.Event.(journal.Packet)
		if !ok {
			continue
		}
		i := record.Part - 1
		if n := binary.BigEndian.Uint64(p.RTP[12:]); n != uint64(kept[i])+1 {
			t.Fatalf("part %d: packet %d after %d", record.Part, n, kept[i])
		}
		kept[i]++
	}
	worst := time.Duration(0)
	for i, all := range lives {
		if kept[i] > len(all) { // the last line was cut
			continue
		}
		from, to := all[max(kept[i], 1)-1], all[len(all)-1]
		lost, disk := to.at.Sub(from.at), to.disk-from.disk
		worst = max(worst, lost)
		if lost >= time.Second+max(disk-time.Second/2, 0) {
			t.Errorf("part %d: %s lost, in which the disk took %s: %d of %d packets are there", i+1, lost, disk, kept[i], len(all))
		}
	}
	t.Logf("killed %d times, at most %s lost", *crashes, worst)
	// It can still be ended properly.
	r := start(t, cfg)
	stop(t, r)
	if _, o := opened(t, cfg); !o.Report.Closed() {
		t.Error(o.Report.Unclosed)
	}
}

// sent is what a process said of a packet: when it came, and how long the disk had let it
// wait until then.
type sent struct {
	at   time.Time
	disk time.Duration
}

// untilKilled is one life: the packets that it sent, from 1.
func untilKilled(t *testing.T, data string) (all []sent) {
	t.Helper()
	life := 1200*time.Millisecond + time.Duration(rand.Int64N(int64(800*time.Millisecond)))
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+data, crashDir+"_TO="+archive().to[0].String())
	var stderr strings.Builder
	child.Stderr = &stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var kill *time.Timer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if kill == nil {
			kill = time.AfterFunc(life, func() { _ = child.Process.Kill() })
		}
		// The last line may be cut.
		var n int
		var when, disk int64
		if _, err := fmt.Sscan(lines.Text(), &n, &when, &disk); err == nil && strings.HasSuffix(lines.Text(), ".") && n == len(all)+1 {
			all = append(all, sent{time.Unix(0, when), time.Duration(disk)})
		}
	}
	if err := child.Wait(); err == nil || len(all) == 0 {
		t.Fatalf("it ended by itself after packet %d: %v %s", len(all), err, stderr.String())
	}
	kill.Stop()
	return all
}
