package export

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"aparte/recorder/journal"
	"aparte/sfu/tap"
)

// tape is a journal that is being made, in any order.
type tape struct {
	part    uint32
	began   time.Time
	records []journal.Record
	next    uint32
}

func newTape() *tape { return &tape{part: 1, began: time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)} }

// laterTape is the next part, begun so long after the first one by the server's clock.
func laterTape(part uint32, after time.Duration) *tape {
	t := newTape()
	t.part, t.began = part, t.began.Add(after)
	return t
}

func (t *tape) add(at time.Duration, e journal.Event) {
	t.records = append(t.records, journal.Record{At: at, Event: e})
}

// stream begins one.
func (t *tape) stream(at time.Duration, s tap.Stream) uint32 {
	t.next++
	s.ID = t.next
	t.add(at, journal.Begin{Stream: s})
	return t.next
}

func (t *tape) packet(at time.Duration, stream uint32, p *rtp.Packet) {
	raw, err := p.Marshal()
	if err != nil {
		panic(err)
	}
	t.add(at, journal.Packet{Stream: stream, RTP: raw})
}

// bytes is the journal of the part, in the order of arrival.
func (t *tape) bytes() []byte {
	slices.SortStableFunc(t.records, func(a, b journal.Record) int { return int(a.At - b.At) })
	b := journal.Append(nil, 0, journal.Head{Part: t.part, Began: t.began})
	for _, r := range t.records {
		b = journal.Append(b, r.At, r.Event)
	}
	return b
}

func export(t testing.TB, raw []byte) (*Index, string) {
	t.Helper()
	dir := t.TempDir()
	index, err := Export(t.Context(), Config{
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }, Into: OnDisk(dir),
	})
	if err != nil {
		t.Fatal(err)
	}
	return index, dir
}

// sender is somebody's clock, and the way to us.
type sender struct {
	drift  float64       // 1e-6 is one part in a million: how fast its clock runs
	wander float64       // and by how much that changes up and down, over 20 minutes
	offset time.Duration // of its clock to ours at the beginning
	steps  []clockStep   // its clock is set
	delay  time.Duration // one way, at least
	random *rand.Rand
}

type clockStep struct {
	at time.Duration
	by time.Duration
}

// local is how much of its own time has passed since the beginning.
func (s *sender) local(t time.Duration) time.Duration {
	const round = float64(20*time.Minute) / (2 * math.Pi)
	return t + time.Duration(float64(t)*s.drift+s.wander*round*math.Sin(float64(t)/round))
}

// when is the inverse: when so much of its own time has passed.
func (s *sender) when(local time.Duration) time.Duration {
	t := local
	for range 4 {
		t += local - s.local(t)
	}
	return t
}

// ntp is its wall clock (RFC 5905, 6).
func (s *sender) ntp(t time.Duration) uint64 {
	wall := s.local(t) + s.offset
	for _, x := range s.steps {
		if t >= x.at {
			wall += x.by
		}
	}
	const epoch = 3_900_000_000 // some second
	return uint64(epoch)<<32 + uint64(int64(wall/time.Microsecond)*(1<<32)/1_000_000)
}

// jittered is when what was sent at t arrives: 15 ms on average above the least, and in
// one of fifty cases a spike.
func (s *sender) jittered(t time.Duration) time.Duration {
	d := s.random.ExpFloat64() * 15
	if s.random.IntN(50) == 0 {
		d += s.random.Float64() * 200
	}
	return t + s.delay + time.Duration(d*float64(time.Millisecond))
}
