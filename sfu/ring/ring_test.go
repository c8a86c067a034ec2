package ring

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"aparte/sfu/codec"
)

const ms = int64(time.Millisecond)

func small() Config {
	return Config{Span: time.Second, MinPackets: 8, MaxPackets: 64, MinBytes: 4096, MaxBytes: 64 << 10}
}

func packet(at int64, payload string) *Packet {
	return &Packet{Meta: Meta{Arrival: at}, Payload: []byte(payload)}
}

func TestUnwrap(t *testing.T) {
	var u Unwrapper
	for _, c := range []struct {
		seq  uint16
		want uint64
	}{
		{65534, 1<<16 + 65534},
		{65535, 1<<16 + 65535},
		{1, 2<<16 + 1},         // wrapped, 0 missing
		{0, 2 << 16},           // late
		{65533, 1<<16 + 65533}, // from before the wrap
		{30000, 2<<16 + 30000},
		{62000, 2<<16 + 62000},
		{3, 3<<16 + 3},
	} {
		if got := u.Extend(c.seq); got != c.want {
			t.Fatalf("%d: %d, want %d", c.seq, got, c.want)
		}
	}
}

func TestInsert(t *testing.T) {
	type step struct {
		seq    uint16
		status Status
		gap    uint64 // missing before it
	}
	for _, c := range []struct {
		name  string
		steps []step
	}{
		{"in order", []step{{1, Stored, 0}, {2, Stored, 0}, {3, Stored, 0}}},
		{"duplicate", []step{{1, Stored, 0}, {2, Stored, 0}, {1, Duplicate, 0}, {2, Duplicate, 0}}},
		{"gap filled", []step{{1, Stored, 0}, {4, Stored, 2}, {3, Stored, 0}, {2, Stored, 0}, {3, Duplicate, 0}, {5, Stored, 0}}},
		{"wrap", []step{{65534, Stored, 0}, {65535, Stored, 0}, {0, Stored, 0}, {2, Stored, 1}, {1, Stored, 0}, {65535, Duplicate, 0}}},
		{"before the first", []step{{10, Stored, 0}, {9, Stored, 0}, {11, Stored, 0}}},
		{"too old", []step{{100, Stored, 0}, {101, Stored, 0}, {20, Late, 0}, {102, Stored, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := New(small())
			for i, s := range c.steps {
				p := packet(int64(i)*ms, fmt.Sprint(s.seq))
				got := r.Insert(s.seq, p)
				if got.Status != s.status || got.ExtSeq-got.GapStart != s.gap || uint16(got.ExtSeq) != s.seq {
					t.Fatalf("step %d: %+v", i, got)
				}
				if s.status != Stored {
					continue
				}
				buf := make([]byte, MaxPayload)
				if q, ok := r.Get(got.ExtSeq, buf); !ok || string(q.Payload) != fmt.Sprint(s.seq) || q.ExtSeq != p.ExtSeq {
					t.Fatalf("step %d: %+v %v", i, q, ok)
				}
			}
		})
	}
}

func TestOversized(t *testing.T) {
	if got := New(small()).Insert(1, &Packet{Payload: make([]byte, MaxPayload+1)}); got.Status != Oversized {
		t.Fatal(got)
	}
}

// A source that starts over with old-looking numbers is taken up again; a run of
// stray packets is not.
func TestRestart(t *testing.T) {
	r := New(small())
	for i := range uint16(50) {
		r.Insert(30000+i, packet(int64(i)*ms, "a"))
	}
	r.Insert(500, packet(50*ms, "stray"))
	high := r.seqs.Highest()
	if res := r.Insert(30050, packet(50*ms, "a")); res.ExtSeq != high+1 {
		t.Fatal("a stray packet moved the numbering")
	}
	restarted := false
	for i := range uint16(2 * restartAfter) {
		p := packet(51*ms, "b")
		switch res := r.Insert(5+i, p); res.Status {
		case Late:
			if restarted {
				t.Fatal("late after the restart")
			}
		case Restarted:
			restarted = true
			if p.Epoch != 1 || res.ExtSeq <= high {
				t.Fatalf("%+v epoch %d", res, p.Epoch)
			}
		}
	}
	if !restarted {
		t.Fatal("never restarted")
	}
}

func TestNewSource(t *testing.T) {
	r := New(small())
	first := r.Insert(100, packet(0, "a"))
	r.NewSource(7)
	p := packet(1, "b")
	res := r.Insert(7, p)
	if res.Status != Stored || res.GapStart != res.ExtSeq || res.ExtSeq <= first.ExtSeq || p.Epoch != 1 {
		t.Fatalf("%+v epoch %d", res, p.Epoch)
	}
}

func TestReadInOrderOfArrival(t *testing.T) {
	r := New(small())
	cursor := r.Cursor()
	for i, seq := range []uint16{1, 3, 2, 5, 4} {
		r.Insert(seq, packet(int64(i), fmt.Sprint(seq)))
	}
	b := NewBatch(3, 8000)
	var got []string
	for round := 0; ; round++ {
		b.Reset()
		var lost int
		cursor, lost = r.Read(cursor, b)
		if lost != 0 {
			t.Fatal("lost", lost)
		}
		if len(b.Packets) == 0 {
			break
		}
		for _, p := range b.Packets {
			got = append(got, string(p.Payload))
		}
	}
	if fmt.Sprint(got) != "[1 3 2 5 4]" {
		t.Fatal(got)
	}
}

// A reader that comes too late is told how much it missed, and goes on.
func TestSlowReader(t *testing.T) {
	r := New(Config{Span: 0, MinPackets: 8, MaxPackets: 8, MinBytes: 4096, MaxBytes: 4096})
	for i := range uint16(20) {
		r.Insert(i, packet(int64(i)*ms, fmt.Sprint(i)))
	}
	b := NewBatch(64, 64*MaxPayload)
	next, lost := r.Read(0, b)
	if next != 20 || lost != 12 || len(b.Packets) != 8 || string(b.Packets[0].Payload) != "12" {
		t.Fatal(next, lost, len(b.Packets))
	}
}

func TestKeyframeStartSurvivesWrap(t *testing.T) {
	r := New(small())
	r.Insert(65535, packet(0, "old"))
	key := packet(1, "key")
	key.Facts = codec.Facts{Keyframe: true}
	r.Insert(0, key)
	r.Insert(1, packet(2, "delta"))
	k, ok := r.KeyframeStart()
	if !ok || k.ExtSeq != key.ExtSeq || uint16(k.ExtSeq) != 0 || k.Arrival != 1 || k.Cursor != 1 || k.Bytes != len("keydelta") {
		t.Fatalf("%+v %v", k, ok)
	}
	for i := range uint16(200) {
		r.Insert(2+i, packet(3+int64(i)*100*ms, "x"))
	}
	if _, ok := r.KeyframeStart(); ok {
		t.Fatal("a key frame that is gone was found")
	}
}

// The ring grows until it holds the span, no further, and shrinks again.
func TestMemoryFollowsNeed(t *testing.T) {
	r := New(VideoConfig())
	start := r.Bytes()
	at, seq := int64(1), uint16(65000)
	feed := func(packets int, size int, every int64) {
		for range packets {
			r.Insert(seq, &Packet{Meta: Meta{Arrival: at}, Payload: make([]byte, size)})
			seq++
			at += every
		}
	}
	feed(2500, 1200, 4*ms) // 2.4 Mbit/s
	busy := r.Bytes()
	if !holds(r, seq, 250) {
		t.Fatalf("less than a second kept in %d bytes", busy)
	}
	if busy < 300_000 || busy > 900_000 {
		t.Fatalf("%d bytes for 300 kB a second", busy)
	}
	feed(4000, 100, 100*ms)
	if idle := r.Bytes(); idle > 4*start {
		t.Fatalf("%d bytes after the stream went quiet, %d at the start", idle, start)
	}
	feed(10_000, 1500, ms/10)
	if most := r.Bytes(); most > 1<<20+1024*136 {
		t.Fatalf("%d bytes, above the bound", most)
	}
}

// Lost packets take slots too: what is younger than the span stays, and what is
// repaired late finds its place, from the very first packets on.
func TestYoungPacketsStayThroughLoss(t *testing.T) {
	r := New(VideoConfig())
	var received, lost []uint16
	for i := range uint16(400) {
		if i%5 == 3 {
			lost = append(lost, i)
			continue
		}
		received = append(received, i)
		r.Insert(i, packet(1+int64(i)*2*ms, fmt.Sprint(i)))
	}
	for _, i := range received {
		if !r.Has(1<<16 + uint64(i)) {
			t.Fatalf("packet %d is gone after less than a second", i)
		}
	}
	for _, i := range lost {
		if res := r.Insert(i, packet(801*ms, "late")); res.Status != Stored {
			t.Fatalf("late packet %d: %+v", i, res)
		}
	}
}

func holds(r *Ring, next uint16, n uint16) bool {
	for i := range n {
		if !r.Has(r.seqs.Peek(next - 1 - i)) {
			return false
		}
	}
	return true
}

// Resizing keeps cursors and contents.
func TestResizeKeepsReaders(t *testing.T) {
	r := New(small())
	var cursor uint64
	b := NewBatch(1, MaxPayload)
	for i := range uint16(300) {
		r.Insert(i, packet(int64(i)*ms, fmt.Sprint(i)))
		if i%3 != 0 || i < 6 {
			continue
		}
		b.Reset()
		next, lost := r.Read(cursor, b)
		if want := fmt.Sprint(cursor); lost == 0 && string(b.Packets[0].Payload) != want {
			t.Fatalf("read %q, want %s", b.Packets[0].Payload, want)
		}
		cursor = next
	}
	if len(r.slots) <= 8 {
		t.Fatal("never grew")
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	r := New(VideoConfig())
	payload := make([]byte, 1200)
	at, seq := int64(1), uint16(0)
	insert := func() {
		at += 4 * ms
		seq++
		r.Insert(seq, &Packet{Meta: Meta{Arrival: at}, Payload: payload})
	}
	for range 5000 {
		insert()
	}
	b := NewBatch(16, 16*MaxPayload)
	cursor := r.Cursor()
	if n := testing.AllocsPerRun(2000, func() {
		insert()
		b.Reset()
		cursor, _ = r.Read(cursor, b)
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// FuzzRing inserts what the fuzzer likes and compares with a map.
func FuzzRing(f *testing.F) {
	f.Add([]byte{0, 1, 10, 0, 2, 10, 255, 255, 3})
	f.Add(bytes.Repeat([]byte{1, 2, 200}, 100))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := New(Config{Span: 50 * time.Millisecond, MinPackets: 4, MaxPackets: 32, MinBytes: 3000, MaxBytes: 16 << 10})
		stored := map[uint64]string{}
		at := int64(1)
		for ; len(in) >= 3; in = in[3:] {
			seq := uint16(in[0])<<8 | uint16(in[1])
			at += int64(in[2]) * ms / 4
			payload := bytes.Repeat([]byte{in[0] ^ in[1]}, 1+int(in[2])*5)
			p := &Packet{Meta: Meta{Arrival: at}, Payload: payload}
			res := r.Insert(seq, p)
			if res.GapStart > res.ExtSeq {
				t.Fatalf("%+v", res)
			}
			if res.Status == Stored || res.Status == Restarted {
				stored[res.ExtSeq] = string(payload)
			}
		}
		buf := make([]byte, MaxPayload)
		for ext, want := range stored {
			if p, ok := r.Get(ext, buf); ok && (string(p.Payload) != want || p.ExtSeq != ext) {
				t.Fatalf("%d: %d bytes, want %d", ext, len(p.Payload), len(want))
			}
		}
		b := NewBatch(8, 8*MaxPayload)
		for cursor := uint64(0); cursor < r.Cursor(); {
			b.Reset()
			next, _ := r.Read(cursor, b)
			if next <= cursor {
				t.Fatal("no progress")
			}
			cursor = next
			for _, p := range b.Packets {
				if string(p.Payload) != stored[p.ExtSeq] {
					t.Fatalf("%d: read something else", p.ExtSeq)
				}
			}
		}
	})
}

func BenchmarkInsertRead(b *testing.B) {
	r := New(VideoConfig())
	payload := make([]byte, 1200)
	batch := NewBatch(16, 16*MaxPayload)
	at, seq, cursor := int64(1), uint16(0), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		at += 4 * ms
		seq++
		r.Insert(seq, &Packet{Meta: Meta{Arrival: at}, Payload: payload})
		batch.Reset()
		cursor, _ = r.Read(cursor, batch)
	}
}
