package recorder

// What recording costs, beside writing the same packets into a plain file.
//
// The load is that of a meeting of four: each sends 147 packets of 1,063 bytes (VP8 at
// 1.25 Mbit/s) and 50 of 80 bytes (Opus at 32 kbit/s) a second, together 197. The
// figures are CPU of the whole process, user and system, all threads
// (CLOCK_PROCESS_CPUTIME_ID), per packet; time spent waiting for the disk is in none.
//
// plain: the packets, each after its length, gathered for half a second and written to
// a file with one call; no sync.
// sealed: a Recording to two recipients, whose file says at once that it is synced.
// synced: the same with fdatasync.
// BenchmarkJournal does half-seconds one after the other, the modes taking turns, so
// that a noisy neighbour hits all. BenchmarkRooms records 25 such meetings for ten
// seconds as they happen, with fdatasync: the timers, wake-ups and locks of that are in
// its figure, and the senders' own as well.

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aparte/recorder/seal"
)

const (
	people         = 4
	packetsASecond = 197 // of one participant
	targetMicros   = 4
	targetPerCore  = 1000
)

func cpu(b *testing.B) time.Duration {
	b.Helper()
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// unsynced is a file whose sync costs nothing.
type unsynced struct{ seal.File }

func (unsynced) Sync() error { return nil }

// benchConfig is a server's, with two recipients.
func benchConfig(b *testing.B) Config {
	b.Helper()
	cfg := config(b)
	_, escrow, err := seal.NewIdentityFile(time.Now())
	if err != nil {
		b.Fatal(err)
	}
	cfg.Recipients = append([]seal.Recipient{}, cfg.Recipients[0], escrow)
	return cfg
}

// meeting is a recording of four who all agreed.
func meeting(b *testing.B, cfg Config, id string) *Recording {
	b.Helper()
	r, err := Start(cfg, About{ID: id, Room: id})
	if err != nil {
		b.Fatal(err)
	}
	for n := range uint32(people) {
		identity := fmt.Sprint("p", n)
		note(b, r, given(identity))
		r.Begin(tapped(2*n, identity))
		r.Begin(tapped(2*n+1, identity))
	}
	return r
}

// send gives packets from..to of a second of each participant.
func send(from, to int, give func(stream uint32, rtp []byte)) {
	video, audio := rtpOf[:1063], rtpOf[:80]
	for n := from; n < to; n++ {
		packet, kind := video, uint32(0)
		if n%4 == 3 { // 49 of 197
			packet, kind = audio, 1
		}
		for p := range uint32(people) {
			give(2*p+kind, packet)
		}
	}
}

var rtpOf = func() []byte {
	b := make([]byte, 1200)
	for i := range b {
		b[i] = byte(i * i)
	}
	return b
}()

func BenchmarkJournal(b *testing.B) {
	cfg := benchConfig(b)
	cfg.Every = time.Hour // the benchmark says when
	synced := meeting(b, cfg, "synced")
	cfg.disk = &disk{room: Room, create: func(folder string) (seal.File, error) {
		f, err := newPart(folder)
		return unsynced{f}, err
	}}
	sealed := meeting(b, cfg, "sealed")
	file, err := os.Create(filepath.Join(cfg.Dir, "plain"))
	if err != nil {
		b.Fatal(err)
	}
	var gathered []byte
	var spent [3]time.Duration
	half := packetsASecond / 2
	b.ResetTimer()
	for range b.N {
		for mode := range spent {
			before := cpu(b)
			switch mode {
			case 0:
				gathered = gathered[:0]
				send(0, half, func(_ uint32, rtp []byte) {
					gathered = binary.BigEndian.AppendUint32(gathered, uint32(len(rtp)))
					gathered = append(gathered, rtp...)
				})
				if _, err := file.Write(gathered); err != nil {
					b.Fatal(err)
				}
			default:
				r := []*Recording{sealed, synced}[mode-1]
				send(0, half, func(stream uint32, rtp []byte) { r.Packet(stream, time.Now(), rtp) })
				if err := r.Flush(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			spent[mode] += cpu(b) - before
		}
	}
	b.StopTimer()
	stop(b, sealed)
	stop(b, synced)
	if err := file.Close(); err != nil {
		b.Fatal(err)
	}
	packets := float64(b.N * half * people)
	micros := func(mode int) float64 { return float64(spent[mode].Nanoseconds()) / 1000 / packets }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(micros(1), "µs/packet-sealed")
	b.ReportMetric(micros(2), "µs/packet-synced")
	if b.N == 1 {
		return
	}
	fmt.Println()
	figure("recording, CPU a packet, two recipients", micros(1), targetMicros, "µs")
	figure("... with fdatasync", micros(2), targetMicros, "µs")
	figure("... a plain file, no sync", micros(0), 0, "µs")
	figure("... sealed and synced beside the plain file", micros(2)/micros(0), 0, "x")
	figure("... participants a core, calculated", 1e6/packetsASecond/micros(2), -targetPerCore, "")
}

func BenchmarkRooms(b *testing.B) {
	const rooms, seconds, every = 25, 10, 10 * time.Millisecond
	for range b.N {
		cfg := benchConfig(b)
		var recordings []*Recording
		for n := range rooms {
			recordings = append(recordings, meeting(b, cfg, fmt.Sprint("room-", n)))
		}
		var all sync.WaitGroup
		before, began := cpu(b), time.Now()
		for _, r := range recordings {
			all.Go(func() {
				sent := 0
				for tick := time.NewTicker(every); sent < seconds*packetsASecond; <-tick.C {
					due := min(int(time.Since(began)*packetsASecond/time.Second), seconds*packetsASecond)
					send(sent, due, func(stream uint32, rtp []byte) { r.Packet(stream, time.Now(), rtp) })
					sent = due
				}
			})
		}
		all.Wait()
		spent := cpu(b) - before
		var kept, lost uint64
		for _, r := range recordings {
			stop(b, r)
			kept, lost = kept+r.Stats().Packets, lost+r.Stats().Lost
		}
		if want := uint64(rooms * people * seconds * packetsASecond); kept+lost != want {
			b.Fatalf("%d packets, want %d", kept+lost, want)
		}
		micros := float64(spent.Nanoseconds()) / 1000 / float64(kept)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(micros, "µs/packet")
		fmt.Println()
		figure("recording 25 rooms of four as they happen, CPU a packet", micros, targetMicros, "µs")
		figure("... participants a core, calculated", 1e6/packetsASecond/micros, -targetPerCore, "")
		figure("... packets lost", float64(lost), 0, fmt.Sprintf("of %d", kept+lost))
	}
}

// figure prints one beside its target: 0 is none, a negative one is the least that is
// wanted. It never fails because of it: machines differ.
func figure(name string, value, target float64, unit string) {
	switch {
	case target == 0:
		fmt.Printf("%-58s %9.2f %9s %s\n", name, value, "", unit)
	case target > 0 && value <= target, target < 0 && value >= -target:
		fmt.Printf("%-58s %9.2f %9.2f %-5s ok\n", name, value, max(target, -target), unit)
	default:
		fmt.Printf("%-58s %9.2f %9.2f %-5s MISSED\n", name, value, max(target, -target), unit)
	}
}
