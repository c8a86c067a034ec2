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

// crashing records a packet every 2 ms that says when it was sent, and prints that.
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
		r, err := Start(Config{Dir: filepath.Join(data, "recordings"), Key: key, Recipients: to, Spare: 1}, about)
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
			fmt.Fprintln(out, n, at.UnixNano(), ".")
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
// time; everything before opens and verifies, over all parts.
func TestKilled(t *testing.T) {
	data := t.TempDir()
	key, err := seal.LoadNodeKey(data, "paris-1")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Dir: filepath.Join(data, "recordings"), Key: key, Recipients: archive().to, Spare: 1}
	var lasts []uint64 // the last packet that each life sent
	var times []int64  // when
	for range *crashes {
		last, at := untilKilled(t, data)
		lasts, times = append(lasts, last), append(times, at)
	}
	records, o := opened(t, cfg)
	if len(o.Report.Parts) != *crashes || o.Report.Closed() || o.Missing != 0 {
		t.Fatalf("%d parts, want %d: %q", len(o.Report.Parts), *crashes, o.Report.Unclosed)
	}
	kept := make([]uint64, *crashes)
	at := make([]time.Time, *crashes)
	for _, record := range records {
		p, ok := record.Event.(journal.Packet)
		if !ok {
			continue
		}
		i := record.Part - 1
		if n := binary.BigEndian.Uint64(p.RTP[12:]); n != kept[i]+1 {
			t.Fatalf("part %d: packet %d after %d", record.Part, n, kept[i])
		}
		kept[i]++
		at[i] = o.Report.Parts[i].Binding.Began.Add(record.At)
	}
	worst := time.Duration(0)
	for i := range *crashes {
		if kept[i] == 0 {
			t.Errorf("part %d: nothing of %d packets", i+1, lasts[i])
			continue
		}
		lost := time.Unix(0, times[i]).Sub(at[i])
		worst = max(worst, lost)
		if lost >= time.Second {
			t.Errorf("part %d: %s lost: %d of %d packets are there", i+1, lost, kept[i], lasts[i])
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

// untilKilled is one life: which packet it sent last, and when.
func untilKilled(t *testing.T, data string) (last uint64, at int64) {
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
		var n uint64
		var when int64
		if _, err := fmt.Sscan(lines.Text(), &n, &when); err == nil && strings.HasSuffix(lines.Text(), ".") && n == last+1 {
			last, at = n, when
		}
	}
	if err := child.Wait(); err == nil || last == 0 {
		t.Fatalf("it ended by itself after packet %d: %v %s", last, err, stderr.String())
	}
	kill.Stop()
	return last, at
}
