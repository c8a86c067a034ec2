package forward

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aparte/sfu/congestion"
)

// timeline is what a subscriber was sent, as a string of states that differ.
type timeline struct {
	d      *DownTrack
	states []string
	t      testing.TB
}

func (l *timeline) note(now time.Time) {
	state := fmt.Sprint(l.d.Stats().Layer)
	if l.d.Held() {
		state = "held"
	}
	if n := len(l.states); n == 0 || l.states[n-1] != state {
		l.states = append(l.states, state)
		if testing.Verbose() {
			l.t.Logf("%6.1fs %s estimate %d", now.Sub(bubbleStart).Seconds(), state, l.d.sub.Path().EstimateBps)
		}
	}
}

func (l *timeline) String() string { return strings.Join(l.states, " ") }

// The whole rule: 2 Mbit/s, 300 kbit/s, 80 kbit/s, and back. Layers go down, then
// the picture stops, the voice goes on all the time; when the path comes back so
// does everything, by itself, and nothing swings.
func TestFollowsThePath(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := newNetLink(4_000_000)
		video, _ := r.join(l)
		air := newOnAir(r, l)
		phase := func(d time.Duration, capacity int64) *timeline {
			l.set(capacity)
			line := &timeline{d: video, t: t}
			air.run(d, line.note)
			return line
		}
		phase(10*time.Second, 4_000_000)
		if got := video.Stats().Layer; got != 2 {
			t.Fatalf("layer %d with 4 Mbit/s, path %+v", got, l.sub.Path())
		}
		l.take(audioSSRC)

		line := phase(20*time.Second, 300_000)
		if got := line.String(); got != "2 0" && got != "2 -1 0" && got != "2 1 0" && got != "2 1 -1 0" {
			t.Errorf("with 300 kbit/s: %s", got)
		}
		line = phase(20*time.Second, 80_000)
		if !video.Held() {
			t.Errorf("with 80 kbit/s: %s, path %+v", line, l.sub.Path())
		}
		arrived, lost := l.take(audioSSRC)
		t.Logf("voice: %d arrived, %d lost at the bottleneck", len(arrived), lost)
		for i := range arrived[1:] {
			if d := arrived[i+1].SequenceNumber - arrived[i].SequenceNumber; lost == 0 && d != 1 {
				t.Fatalf("we lost voice: %d after %d", arrived[i+1].SequenceNumber, arrived[i].SequenceNumber)
			}
		}
		// Steady: five more seconds and not one lost, video is out of the way.
		phase(5*time.Second, 80_000)
		if arrived, lost = l.take(audioSSRC); lost != 0 || len(arrived) < 245 {
			t.Errorf("voice with 80 kbit/s: %d of 250 arrived, %d lost", len(arrived), lost)
		}

		line = phase(20*time.Second, 4_000_000)
		if got := video.Stats().Layer; got != 2 {
			t.Errorf("20 s after the path came back: layer %d (%s), path %+v", got, line, l.sub.Path())
		}
		line = phase(30*time.Second, 4_000_000)
		if line.String() != "2" {
			t.Errorf("swings afterwards: %s", line)
		}
	})
}

// At any capacity what is sent settles, and stays.
func TestSettles(t *testing.T) {
	for _, capacity := range []int64{120_000, 200_000, 300_000, 800_000, 2_500_000} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				l := newNetLink(capacity)
				video, _ := r.join(l)
				air := newOnAir(r, l)
				air.run(30*time.Second, nil)
				l.take(audioSSRC)
				l.take(downSSRC)
				line := &timeline{d: video, t: t}
				const d = 30 * time.Second
				air.run(d, line.note)
				packets, lostVideo := l.take(downSSRC)
				voice, lost := l.take(audioSSRC)
				t.Logf("%s; video %d bit/s, %d lost; voice %d arrived, %d lost; %+v", line, bps(packets, d), lostVideo, len(voice), lost, l.sub.Path())
				if len(line.states) > 4 { // one trial and back
					t.Errorf("swings: %s", line)
				}
				if lost > 15 || len(voice) < 1470 {
					t.Errorf("voice: %d of 1500 arrived", len(voice))
				}
			})
		})
	}
}

// One subscriber's path is nothing to another.
func TestPathsAreApart(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		narrow, wide := newNetLink(4_000_000), newNetLink(4_000_000)
		a, _ := r.join(narrow)
		b, _ := r.join(wide)
		air := newOnAir(r, narrow, wide)
		air.run(10*time.Second, nil)
		if a.Stats().Layer != 2 || b.Stats().Layer != 2 {
			t.Fatal(a.Stats().Layer, b.Stats().Layer)
		}
		wide.take(downSSRC)
		narrow.set(150_000)
		line := &timeline{d: b, t: t}
		air.run(20*time.Second, line.note)
		packets, lost := wide.take(downSSRC)
		if line.String() != "2" || lost != 0 {
			t.Errorf("the other one: %s, %d lost", line, lost)
		}
		checkWhole(t, packets)
		if a.Stats().Layer > 0 {
			t.Errorf("the narrow one still gets layer %d", a.Stats().Layer)
		}
	})
}

// On a path that is wide enough nothing is ever held, lowered or queued: not while
// it is being found out how wide it is, and not when others join.
func TestWidePathsAreNeverLimited(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := newNetLink(50_000_000)
		video, _ := r.join(l)
		air := newOnAir(r, l)
		lowest := map[*DownTrack]int{}
		run := func(d time.Duration, downs ...*DownTrack) {
			air.run(d, func(time.Time) {
				for _, down := range downs {
					lowest[down] = min(lowest[down], down.Stats().Layer)
					if down.Held() {
						t.Fatalf("held: %+v", l.sub.Path())
					}
				}
			})
		}
		run(2*time.Second, video)
		downs := []*DownTrack{video}
		lowest[video] = 2
		for range 8 { // one more each few seconds: 1.7 Mbit/s each
			d := l.sub.NewDownTrack(r.video)
			b := binding(nil)
			b.Writer, b.SSRC, b.RTXSSRC = l, downSSRC+100+uint32(len(downs)), downRTX+200+uint32(len(downs))
			d.Bind(b)
			lowest[d] = 2
			run(time.Second, downs...) // it takes a key frame to begin
			downs = append(downs, d)
			run(4*time.Second, downs...)
		}
		for i, d := range downs {
			if lowest[d] != 2 {
				t.Errorf("picture %d fell to layer %d", i, lowest[d])
			}
		}
		if st := l.sub.Path(); st.PacedDrops != 0 || st.EstimateBps < 12_000_000 {
			t.Errorf("%+v", st)
		}
	})
}

// A publisher need not send what no path has room for, but one step more than that.
func TestReach(t *testing.T) {
	all := congestion.Rates{{100}, {300}, {900}}
	low := congestion.Rates{{100}}
	for _, tt := range []struct {
		name  string
		now   congestion.Choice
		most  int
		rates congestion.Rates
		want  int
	}{
		{"nothing limited", congestion.All, 2, all, 2},
		{"held", congestion.Paused, 2, all, 0},
		{"the lowest", congestion.Choice{Layer: 0, Temporal: 3}, 2, all, 1},
		{"the middle", congestion.Choice{Layer: 1, Temporal: 3}, 2, all, 2},
		{"the lowest, more is not wanted", congestion.Choice{Layer: 0, Temporal: 3}, 0, all, 2},
		{"all that comes", congestion.Choice{Layer: 0, Temporal: 3}, 2, low, 2},
		{"held, and nothing comes", congestion.Paused, 2, congestion.Rates{}, 2},
	} {
		var d DownTrack
		d.measureReach(&congestion.Wish{Hold: &congestion.Hold{Now: tt.now}, Most: tt.most, Rates: tt.rates})
		if got := d.Reach(); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
