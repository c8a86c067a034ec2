package publish

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// talk is a room in which packets of 20 ms come from all microphones.
type talk struct {
	floor  *Floor
	tracks []*Track
	now    time.Time
}

func newTalk(seats, mics int) *talk {
	k := &talk{floor: NewFloor(seats)}
	k.now = k.floor.start.Add(time.Second)
	for i := range mics {
		k.tracks = append(k.tracks, NewTrack(TrackConfig{ID: fmt.Sprint(i), Kind: Audio, Floor: k.floor}))
	}
	return k
}

// pass lets d pass; levels are in -dBov, by microphone; the others are silent.
func (k *talk) pass(d time.Duration, levels map[int]uint8) {
	for end := k.now.Add(d); k.now.Before(end); k.now = k.now.Add(20 * time.Millisecond) {
		for i, t := range k.tracks {
			level, speaks := levels[i]
			if !speaks {
				level = 90
			}
			if !t.Closed() {
				k.floor.hear(t, level, k.now)
			}
		}
	}
}

func (k *talk) heard() string {
	var on []string
	for i, t := range k.tracks {
		if !t.Resting() {
			on = append(on, fmt.Sprint(i))
		}
	}
	return strings.Join(on, " ")
}

func TestFloor(t *testing.T) {
	type step struct {
		d      time.Duration
		levels map[int]uint8
		want   string // heard at its end
	}
	const ms = time.Millisecond
	for _, c := range []struct {
		name        string
		seats, mics int
		steps       []step
	}{
		{"no more microphones than seats", 3, 3, []step{{time.Second, nil, "0 1 2"}, {time.Second, map[int]uint8{2: 30}, "0 1 2"}}},
		{"a voice is heard after two packets", 3, 5, []step{
			{time.Second, nil, "0 1 2"},
			{20 * ms, map[int]uint8{4: 30}, "0 1 2"},
			{20 * ms, map[int]uint8{4: 30}, "1 2 4"},
			{10 * time.Second, nil, "1 2 4"}, // and keeps its seat in silence
		}},
		{"a click is no voice", 3, 4, []step{
			{time.Second, nil, "0 1 2"},
			{20 * ms, map[int]uint8{3: 10}, "0 1 2"},
			{20 * ms, nil, "0 1 2"},
			{20 * ms, map[int]uint8{3: 10}, "0 1 2"},
		}},
		{"the longest silent one goes", 2, 3, []step{
			{time.Second, map[int]uint8{0: 30}, "0 1"},
			{time.Second, map[int]uint8{1: 30}, "0 1"},
			{100 * ms, map[int]uint8{2: 30}, "1 2"},
			{700 * ms, nil, "1 2"},
			{100 * ms, map[int]uint8{0: 30}, "0 2"},
		}},
		{"nobody is cut off by an equal", 2, 3, []step{
			{time.Second, map[int]uint8{0: 30, 1: 30}, "0 1"},
			{5 * time.Second, map[int]uint8{0: 30, 1: 30, 2: 28}, "0 1"},
		}},
		{"one who is clearly louder comes through", 2, 3, []step{
			{2 * time.Second, map[int]uint8{0: 30, 1: 40}, "0 1"},
			{180 * ms, map[int]uint8{0: 30, 1: 40, 2: 20}, "0 1"},
			{60 * ms, map[int]uint8{0: 30, 1: 40, 2: 20}, "0 2"},
			{900 * ms, map[int]uint8{0: 19, 1: 18, 2: 20}, "0 2"}, // equals again
		}},
		{"pauses between words change nothing", 1, 2, []step{
			{time.Second, map[int]uint8{0: 30}, "0"},
			{400 * ms, map[int]uint8{1: 30}, "0"},
			{time.Second, map[int]uint8{0: 30}, "0"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newTalk(c.seats, c.mics)
			for i, s := range c.steps {
				if k.pass(s.d, s.levels); k.heard() != s.want {
					t.Fatalf("step %d: %s heard, want %s", i, k.heard(), s.want)
				}
			}
		})
	}
}

func TestFloorGivesSeatsOfThoseWhoLeave(t *testing.T) {
	k := newTalk(2, 4)
	k.pass(time.Second, nil)
	k.pass(time.Second, map[int]uint8{3: 30})
	k.pass(time.Second, map[int]uint8{2: 30})
	if k.heard() != "2 3" {
		t.Fatal(k.heard())
	}
	k.pass(time.Second, map[int]uint8{0: 30})
	if k.heard() != "0 2" {
		t.Fatal(k.heard())
	}
	k.tracks[0].Close()
	k.tracks[0].Close()
	if got := k.heard(); got != "0 2 3" { // 0 is closed and no matter
		t.Fatal(got)
	}
	k.tracks[1].Close()
	k.tracks[2].Close()
	k.tracks[3].Close()
	if len(k.floor.members) != 0 || len(k.floor.holders) != 0 {
		t.Fatal("tracks that ended are kept")
	}
	k.floor.hear(NewTrack(TrackConfig{}), 30, k.now)
	k.floor.enter(k.tracks[0], 0)
	if len(k.floor.members) != 1 {
		t.Fatal("a packet that came late brought a closed track back")
	}
}

// One participant publishes as many microphones as there are seats and shouts into
// all of them: the others are heard all the same, and get the seats of who leaves.
func TestNobodyTakesTheWholeFloor(t *testing.T) {
	k := newTalk(3, 0)
	for i, owner := range []string{"PA_a", "PA_b", "PA_c", "PA_x", "PA_x", "PA_x", "PA_x"} {
		k.tracks = append(k.tracks, NewTrack(TrackConfig{ID: fmt.Sprint(i), Kind: Audio, Floor: k.floor, Owner: owner}))
	}
	shouts := map[int]uint8{3: 0, 4: 0, 5: 0, 6: 0}
	k.pass(5*time.Second, shouts)
	if got := k.heard(); strings.Count(got, " ") != 2 || !strings.ContainsAny(got, "012") {
		t.Fatalf("%s heard: one participant has the whole floor", got)
	}
	for i := range 3 {
		shouts[i] = 30
		k.pass(100*time.Millisecond, shouts)
		delete(shouts, i)
		if !strings.Contains(k.heard(), fmt.Sprint(i)) {
			t.Errorf("%d speaks, and %s are heard", i, k.heard())
		}
		k.pass(time.Second, shouts)
	}
	for i := range 2 { // both speak, and the third place is for the one who shouts
		shouts[i] = 30
	}
	k.pass(5*time.Second, shouts)
	if got := k.heard(); !strings.HasPrefix(got, "0 1 ") {
		t.Errorf("%s heard", got)
	}
	k.tracks[0].Close()
	if !strings.Contains(k.heard(), "2") {
		t.Errorf("%s heard after one left", k.heard())
	}
}

// Several microphones of one participant are all heard while nobody else wants to be.
func TestSecondMicrophonesAreHeardWhileThereIsRoom(t *testing.T) {
	k := newTalk(3, 0)
	for i, owner := range []string{"PA_a", "PA_a", "PA_b"} {
		k.tracks = append(k.tracks, NewTrack(TrackConfig{ID: fmt.Sprint(i), Kind: Audio, Floor: k.floor, Owner: owner}))
	}
	k.pass(time.Second, map[int]uint8{0: 30, 1: 30})
	if k.heard() != "0 1 2" {
		t.Fatal(k.heard())
	}
}

// Of 50 who babble at random, few switches: nobody's words are chopped.
func TestFloorIsSteady(t *testing.T) {
	k := newTalk(3, 50)
	switches, before := 0, ""
	for i := range 600 { // a minute; who speaks changes every second or so
		k.pass(100*time.Millisecond, map[int]uint8{i / 10 * 7 % 50: 30, i / 13 * 11 % 50: 33, i / 17 * 3 % 50: 36})
		if k.heard() != before {
			switches++
			before = k.heard()
		}
		if n := len(k.floor.holders); n != 3 {
			t.Fatal(n)
		}
	}
	if switches > 160 { // 60+46+35 new voices
		t.Fatalf("%d switches", switches)
	}
}

// A track without levels cannot be judged: it is heard.
func TestNoLevelNoFloor(t *testing.T) {
	k := newTalk(1, 2)
	if k.heard() != "0 1" {
		t.Fatal(k.heard())
	}
}

func TestFloorAllocatesNothing(t *testing.T) {
	k := newTalk(3, 6)
	k.pass(2*time.Second, nil)
	i := 0
	if n := testing.AllocsPerRun(500, func() {
		i++
		for j, tr := range k.tracks {
			level := uint8(90)
			if j == i/50%6 {
				level = 30
			}
			k.floor.hear(tr, level, k.now)
		}
		k.now = k.now.Add(20 * time.Millisecond)
	}); n != 0 {
		t.Fatal(n)
	}
}
