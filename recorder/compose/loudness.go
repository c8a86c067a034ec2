package compose

import (
	"cmp"
	"math"
	"slices"
	"time"

	"aparte/recorder/export"
)

// Loudness is how loud a sound of the export is (EBU R 128).
type Loudness struct {
	Identity   string
	Start      time.Duration // in the recording
	Integrated float64       // LUFS, of all that is not silence
	Momentary  []float64     // LUFS of 400 ms each, every LoudnessEvery; the first of those that end there
}

// LoudnessEvery is how far momentary values are apart.
const LoudnessEvery = 100 * time.Millisecond

const (
	momentaryLength = 400 * time.Millisecond
	// quiet is what counts as nothing said, even by somebody with a poor microphone, and
	// belowUsual how much softer than their usual voice somebody's voice may be, in LU.
	quiet, belowUsual = -50.0, 12.0
)

// Heard is who speaks when, the loudest first, as the meeting's own server would have
// told: for recordings that have nothing of it. Each voice is measured by its own usual
// loudness, so that a good microphone makes nobody the speaker.
func Heard(sounds []Loudness) (events []export.Event) {
	type voice struct {
		identity string
		above    float64
	}
	from, to := time.Duration(math.MaxInt64), time.Duration(0)
	for _, s := range sounds {
		from = min(from, s.Start)
		to = max(to, s.Start+time.Duration(len(s.Momentary))*LoudnessEvery)
	}
	var last []string
	for at := from; at <= to; at += LoudnessEvery {
		var loud []voice
		for _, s := range sounds {
			i := int((at - s.Start) / LoudnessEvery)
			if at < s.Start || i >= len(s.Momentary) || s.Momentary[i] < max(quiet, s.Integrated-belowUsual) {
				continue
			}
			loud = append(loud, voice{s.Identity, s.Momentary[i] - s.Integrated})
		}
		slices.SortStableFunc(loud, func(a, b voice) int { return cmp.Compare(b.above, a.above) })
		now := []string{}
		for _, v := range loud {
			if !slices.Contains(now, v.identity) {
				now = append(now, v.identity)
			}
		}
		if !slices.Equal(now, last) {
			// What is measured is what was said up to then.
			told := max(at+LoudnessEvery-momentaryLength/2, 0)
			events = append(events, export.Event{At: told.Seconds(), Kind: "speaking", Identities: now})
			last = now
		}
	}
	return events
}

// Gain is by how many dB a sound is made louder, so that all come in the same: at most so
// much that its noise does not become a voice.
func (l Loudness) Gain() float64 {
	const wanted, least, most = -20.0, -15.0, 18.0
	if l.Integrated < quiet {
		return 0
	}
	return min(max(wanted-l.Integrated, least), most)
}
