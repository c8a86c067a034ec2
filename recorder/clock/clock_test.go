package clock

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
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
	return counted(s, 8, from, to, 2, bend, straight)
}

func straight(t float64) float64 { return t }

// counted is a stream that counts otherwise than time goes by: media says what it is at. It
// sends nothing new while that stands still. Ways differ by the seed.
func counted(s *Sender, seed uint64, from, to, every float64, bend, media func(t float64) float64) *Stream {
	random := rand.New(rand.NewPCG(7, seed))
	st := s.Stream(48000)
	arrives := func(t float64) time.Duration {
		return time.Duration((t + 0.030 + random.ExpFloat64()*0.015) * float64(time.Second))
	}
	type event struct {
		at   time.Duration
		take func(at time.Duration)
	}
	var all []event
	reported, sent, when := from, math.Inf(-1), from
	for n := 0.0; from+n*0.02 < to; n++ {
		t := from + n*0.02
		if x := media(t); x > sent {
			sent, when = x, t
			all = append(all, event{arrives(t), func(at time.Duration) { st.Packet(at, int64(x*48000)) }})
		}
		if t-reported >= every {
			reported = t
			// What a sender says of now it reckons from what it sent last.
			now := sent + t - when
			all = append(all, event{arrives(t), func(at time.Duration) { st.Report(at, ntp(bend(t)), int64(now*48000)) }})
		}
	}
	slices.SortStableFunc(all, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	for _, one := range all {
		one.take(one.at)
	}
	return st
}

func apart(a, b *Stream, t float64) time.Duration { return a.At(int64(t*48000)) - b.At(int64(t*48000)) }

func TestTimes(t *testing.T) {
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
	}{{"no report", straight, 1.5}, {"lies", lies, 60}, {"noise", noise, 60}} {
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

// A stream does not count what it lost: a machine that is too slow, a microphone that is
// plugged out and another in, a lid that is closed.
func TestAStreamThatStandsStill(t *testing.T) {
	set := func(at, by float64) func(float64) float64 {
		return func(t float64) float64 {
			if t >= at {
				return t + by
			}
			return t
		}
	}
	still := func(at, long float64) func(float64) float64 {
		return func(t float64) float64 { return min(t, max(at, t-long)) }
	}
	for _, tt := range []struct {
		name  string
		clock func(t float64) float64
		media func(t float64) float64
		every float64 // a report
		to    float64
		most  time.Duration
	}{
		{"for half a second", straight, still(100.3, 0.5), 5, 300, 5 * time.Millisecond},
		{"for a minute", straight, still(100.3, 60), 5, 300, 5 * time.Millisecond},
		{"twice", straight, func(t float64) float64 { return still(70.31, 0.7)(still(50.31, 2)(t)) }, 5, 300, 5 * time.Millisecond},
		{"and the clock is set", set(170, -3), still(100.3, 0.5), 2, 300, 5 * time.Millisecond},
		{"and the clock is set meanwhile", set(103, 9), still(100, 7), 2, 300, 5 * time.Millisecond},
		{"soon after it began", straight, still(7.3, 0.4), 5, 22, 5 * time.Millisecond},
		{"one in a hundred is lost", straight, func(t float64) float64 { return 0.99 * t }, 5, 300, 5 * time.Millisecond},
		{"a little is lost each second", straight, func(t float64) float64 { return t - 0.03*math.Floor(t) }, 5, 300, 60 * time.Millisecond},
		{"a busy machine, and another microphone", straight, func(t float64) float64 {
			return still(12.21, 2)(t) - 0.08*math.Floor(t/1.7)
		}, 4, 42, 140 * time.Millisecond},
		{"it makes up for what it lost", straight, func(t float64) float64 { return min(1.025*t, t+0.55) }, 5, 40, 40 * time.Millisecond},
		{"it makes up for it a minute later", straight, func(t float64) float64 {
			if t > 111.05 {
				return t
			}
			return still(50.31, 2)(t)
		}, 5, 300, 5 * time.Millisecond},
		{"it makes up at once", straight, func(t float64) float64 {
			if t < 51 {
				return min(t, 50)
			}
			return t
		}, 5, 100, 5 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var worst time.Duration
			for seed := range uint64(6) {
				s := &Sender{}
				pictures := told(s, 0, tt.to, tt.clock)
				sound := counted(s, seed, 0, tt.to, tt.every, tt.clock, tt.media)
				later := told(s, tt.to*0.9, tt.to, tt.clock)
				s.Solve()
				for x := 0.0; x < tt.to-5; x += 0.1 {
					if tt.media(x+0.02) <= tt.media(x) || tt.media(x) <= tt.media(x-0.02) {
						continue // nothing was sent
					}
					worst = max(worst, (sound.At(int64(tt.media(x)*48000)) - pictures.At(int64(x*48000))).Abs())
				}
				if d := apart(later, pictures, tt.to-1).Abs(); d > 5*time.Millisecond {
					t.Errorf("a stream that began later is %v apart", d)
				}
				if d := pictures.At(int64(tt.to*48000)).Seconds() - tt.to - 0.030; math.Abs(d) > 0.005 {
					t.Errorf("in the end it is off by %.4f s", d)
				}
				for _, one := range []*Stream{pictures, sound, later} {
					if one.Approximate() {
						t.Error("approximate")
					}
				}
			}
			if t.Logf("sound and pictures are at most %v apart", worst); worst > tt.most {
				t.Errorf("sound and pictures are %v apart", worst)
			}
		})
	}
}

// Between what was lost and what was made up for, the way is as long as either, however
// little is left of both.
func TestGapsThatMakeUpForEachOther(t *testing.T) {
	c := curve{knots: []point{{10, 1}}}
	c.climb([]gap{{x: 10, by: 0.5}, {x: 12, by: -0.4999}}, 1.06)
	if between, after := c.at(11)-11, c.at(13)-13; math.Abs(between-1.5) > 0.05 || math.Abs(after-1.06) > 1e-9 {
		t.Errorf("%.3f between them, %.3f after them, want 1.5 and 1.06", between, after)
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
