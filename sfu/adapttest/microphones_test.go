package adapttest

import (
	"fmt"
	"testing"
	"time"
)

// Six microphones in a meeting, of which three are heard, and one that is pinned:
// who speaks is heard from the first syllable, pauses change nothing, and each
// subscriber sees one stream per microphone without a gap in its numbers and with
// times that follow the clock.
func TestOfManyMicrophonesThreeAreHeard(t *testing.T) {
	inWorld(t, true, func(t *testing.T, w *world) {
		viewer := w.client("viewer", false, true)
		var mics []*source
		for i := range 6 {
			mics = append(mics, w.microphone(fmt.Sprintf("speaker-%d", i)))
		}
		heard := func(m *source) (now bool) {
			viewer.with(m.sid, func(s *stream) { now = time.Since(s.lastAt) < 200*time.Millisecond })
			return now
		}
		count := func() (n int) {
			for _, m := range mics {
				if heard(m) {
					n++
				}
			}
			return n
		}
		w.until("three are heard", 10*time.Second, func() bool { return count() == 3 })
		viewer.want(mics[5].sid, 0, 0, 1)
		w.until("and the one that is pinned", 5*time.Second, func() bool { return heard(mics[5]) })
		if n := count(); n > 4 {
			t.Fatalf("%d are heard", n)
		}

		// Everybody speaks in turn, a second each with half a second of overlap.
		var worst time.Duration
		for turn := range 10 {
			m := mics[turn%5]
			var said uint16
			rested := !heard(m)
			begun := time.Now()
			m.level.Store(25)
			w.until("who speaks is heard", 2*time.Second, func() bool {
				found := false
				viewer.with(m.sid, func(s *stream) {
					for _, v := range s.voices {
						if v.level == 25 && v.at.After(begun) {
							found, said = true, v.n
							break
						}
					}
				})
				return found
			})
			// The first loud packet was the one after begun: what came first of it is
			// how much of the word is missing.
			first := uint16(begun.Sub(m.begun)/(20*time.Millisecond)) + 1
			if rested && said > first+1 {
				t.Errorf("turn %d: the word began with packet %d, heard from %d on", turn, first, said)
			}
			viewer.with(m.sid, func(s *stream) {
				for _, v := range s.voices {
					if v.n == said {
						worst = max(worst, v.at.Sub(begun))
					}
				}
			})
			time.Sleep(time.Second)
			m.level.Store(127)
			if n := count(); n > 4 {
				t.Errorf("turn %d: %d are heard", turn, n)
			}
		}
		t.Logf("the first packet of a word is there after %v at most", worst)

		// A conversation of two with pauses shorter than a breath, a noise, and a
		// cough: nobody loses a place.
		seats := func() (list string) {
			for i, m := range mics {
				if heard(m) {
					list += fmt.Sprint(i)
				}
			}
			return list
		}
		a, b := mics[4], mics[3]
		a.level.Store(25)
		time.Sleep(time.Second)
		before, changes := seats(), 0
		for i := range 60 {
			a.level.Store(int32(25 + 102*(i%2)))
			b.level.Store(int32(127 - 102*(i%2)))
			if i%10 == 5 { // a click of one packet
				mics[0].level.Store(20)
				time.Sleep(20 * time.Millisecond)
				mics[0].level.Store(127)
			}
			time.Sleep(400 * time.Millisecond)
			if now := seats(); now != before {
				changes++
				before = now
			}
		}
		if changes > 1 {
			t.Errorf("%d changes in a conversation of two", changes)
		}

		for i, m := range mics {
			viewer.with(m.sid, func(s *stream) {
				for k := 1; k < len(s.voices); k++ {
					v, u := s.voices[k], s.voices[k-1]
					if v.seq != u.seq+1 {
						t.Errorf("microphone %d: number %d after %d", i, v.seq, u.seq)
					}
					if got, want := v.ts-u.ts, uint32(v.n-u.n)*960; got != want {
						t.Errorf("microphone %d: time moved by %d between packets %d and %d, want %d", i, got, u.n, v.n, want)
					}
				}
			})
		}
	})
}
