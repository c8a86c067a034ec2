package clock

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// ntp is a wall clock at some seconds after an arbitrary moment.
func ntp(seconds float64) uint64 {
	return uint64(int64(4e9+seconds)<<32) + uint64(math.Mod(seconds, 1)*(1<<32))
}

// told is a stream of 48 kHz whose sender reports every two seconds and sends every 20
// ms for so long; bend says what its clock shows at a time.
func told(s *Sender, from, to float64, bend func(t float64) float64) *Stream {
	random := rand.New(rand.NewPCG(7, 8))
	st := s.Stream(48000)
	arrives := func(t float64) time.Duration {
		return time.Duration((t + 0.030 + random.ExpFloat64()*0.015) * float64(time.Second))
	}
	n := 0
	for t := from; t < to; t += 0.2 {
		st.Packet(arrives(t), int64(t*48000))
		if n++; n%10 == 0 {
			st.Report(arrives(t), ntp(bend(t)), int64(t*48000))
		}
	}
	return st
}

func apart(a, b *Stream, t float64) time.Duration { return a.At(int64(t*48000)) - b.At(int64(t*48000)) }

func TestTimes(t *testing.T) {
	straight := func(t float64) float64 { return t }
	for _, tt := range []struct {
		name  string
		bend  func(t float64) float64
		apart time.Duration // of two streams of the sender
		off   time.Duration // of the fastest packet's arrival
	}{
		{"alike", straight, time.Millisecond, 5 * time.Millisecond},
		{"set forward", func(t float64) float64 {
			if t > 100 {
				return t + 7
			}
			return t
		}, time.Millisecond, 5 * time.Millisecond},
		{"set twice", func(t float64) float64 {
			switch {
			case t > 300:
				return t + 3600
			case t > 100:
				return t - 0.5
			}
			return t
		}, time.Millisecond, 5 * time.Millisecond},
		{"one report is wrong", func(t float64) float64 {
			if math.Abs(t-100) < 1 {
				return t + 30
			}
			return t
		}, time.Millisecond, 5 * time.Millisecond},
		{"reports jitter by 5 ms", func(t float64) float64 { return t + math.Mod(t*1e4, 10)*1e-3 - 5e-3 }, 8 * time.Millisecond, 12 * time.Millisecond},
	} {
		s := &Sender{}
		a, b := told(s, 0, 600, tt.bend), told(s, 50, 600, tt.bend)
		late := told(s, 400, 600, tt.bend) // began after the clock was set
		s.Solve()
		for x := 0.0; x <= 600; x += 7 {
			if d := apart(a, b, x).Abs(); x >= 50 && d > tt.apart {
				t.Errorf("%s: at %.0f s two streams are %v apart", tt.name, x, d)
			}
			if d := apart(a, late, x).Abs(); x >= 400 && d > 2*tt.apart {
				t.Errorf("%s: at %.0f s the third stream is %v apart", tt.name, x, d)
			}
			if d := a.At(int64(x*48000)).Seconds() - x - 0.030; math.Abs(d) > tt.off.Seconds() {
				t.Errorf("%s: at %.0f s it is off by %.4f s", tt.name, x, d)
			}
		}
		if a.Approximate() || b.Approximate() || late.Approximate() {
			t.Errorf("%s: approximate", tt.name)
		}
	}
}

func TestWithoutReportsArrivalCounts(t *testing.T) {
	lies := func(t float64) float64 { return 5 * t }
	random := rand.New(rand.NewPCG(1, 1))
	noise := func(float64) float64 { return random.Float64() * 1e6 }
	for _, tt := range []struct {
		name string
		bend func(t float64) float64
		from float64
	}{{"one report", func(t float64) float64 { return t }, 1.8}, {"lies", lies, 60}, {"noise", noise, 60}} {
		s := &Sender{}
		st := told(s, 0, tt.from+0.3, tt.bend)
		s.Solve()
		if !st.Approximate() {
			t.Errorf("%s: not approximate", tt.name)
		}
		for x := 0.0; x < tt.from; x += 5 {
			if d := st.At(int64(x*48000)).Seconds() - x - 0.030; d < -0.01 || d > 0.1 {
				t.Errorf("%s: at %.0f s off by %.3f s", tt.name, x, d)
			}
		}
	}
	s := &Sender{}
	silent := s.Stream(90000)
	s.Solve()
	if !silent.Approximate() || silent.At(90000) != time.Second {
		t.Error("a stream of which nothing came")
	}
}

// FuzzSender: whatever is reported, there is a time, and time does not run backwards by
// more than clocks may differ.
func FuzzSender(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &Sender{}
		st := []*Stream{s.Stream(48000), s.Stream(1)}
		at, rtp := time.Duration(0), int64(0)
		for len(b) >= 12 {
			one := st[b[0]&1]
			at += time.Duration(b[1]) * time.Millisecond
			rtp += int64(int8(b[2]))<<(b[3]&31) + int64(b[3])
			if b[0]&2 == 0 {
				one.Packet(at, rtp)
			} else {
				one.Report(at, uint64(b[4])<<56|uint64(b[5])<<40|uint64(b[6])<<32|uint64(b[7])<<24, rtp)
			}
			b = b[12:]
		}
		s.Solve()
		for _, one := range st {
			for _, x := range []int64{0, rtp, -rtp, math.MaxInt32, math.MinInt32} {
				_ = one.At(x)
			}
		}
	})
}
