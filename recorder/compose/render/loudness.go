package render

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"aparte/recorder/compose"
)

// evenly makes of a sound with holes one without, at its own times: what is lost or was
// not sent is silence. More than 15 ms off and it is put right.
const evenly = "aresample=48000:async=1:min_hard_comp=0.015:first_pts=0,aformat=sample_fmts=fltp:channel_layouts=stereo"

// measured has ffmpeg say the loudness of all it heard at its end, and of nothing before.
const measured = "ebur128=framelog=verbose"

// silence is what has no loudness, in LUFS.
const silence = -70

var integratedLine = regexp.MustCompile(`(?m)^ *I: *(-?[0-9.]+) LUFS$`)

// loudnessIn is what measured has said, in LUFS.
func loudnessIn(said string) (float64, error) {
	all := integratedLine.FindAllStringSubmatch(said, -1)
	if len(all) == 0 {
		return 0, fmt.Errorf("measure the loudness: %w", errUnheard)
	}
	return strconv.ParseFloat(all[len(all)-1][1], 64)
}

var errUnheard = errors.New("ffmpeg did not say it")

// measure measures a sound of the export, at each moment if it has to tell who speaks:
// that costs twice as much.
func (r *renderer) measure(ctx context.Context, s compose.Sound, moments bool) (compose.Loudness, error) {
	l := compose.Loudness{Identity: s.Identity, Start: s.Start, Integrated: math.Inf(-1)}
	sum, err := r.digest(s.File)
	if err != nil {
		return l, err
	}
	key, err := keyOf("loudness", r.tool.version, sum, moments)
	if err != nil {
		return l, err
	}
	name := "loudness-" + sum[:16] + ".txt"
	var read struct {
		Integrated float64
		Momentary  []float64
	}
	err = r.step(name, key, func(part string) error {
		var err error
		if moments {
			read.Integrated, read.Momentary, err = r.listen(ctx, s.File)
		} else {
			read.Integrated, err = r.hear(ctx, append(r.input(s.File, 1), "-map", "0:a:0"), evenly+",")
		}
		if err != nil {
			return err
		}
		text, err := json.Marshal(read)
		if err != nil {
			return err
		}
		return r.work.write(part, string(text))
	})
	if err != nil {
		return l, err
	}
	text, err := os.ReadFile(r.work.path(name))
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return l, err
	}
	l.Integrated, l.Momentary = read.Integrated, read.Momentary
	return l, nil
}

// hear is the loudness of an input, after a filter.
func (r *renderer) hear(ctx context.Context, input []string, filter string) (float64, error) {
	var said string
	args := slices.Concat([]string{"-nostdin", "-hide_banner", "-nostats", "-v", "info"}, input, []string{"-af", filter + measured, "-f", "null", "-"})
	if err := r.run(ctx, job{args: args, said: &said}); err != nil {
		return 0, err
	}
	return loudnessIn(said)
}

// listen is the loudness of a sound of the export, and that of each moment.
func (r *renderer) listen(ctx context.Context, file string) (integrated float64, momentary []float64, err error) {
	integrated = silence
	args := append(r.input(file, 1), "-map", "0:a:0", "-af", evenly+",ebur128=metadata=1,ametadata=mode=print:file=-", "-f", "null", "-")
	err = r.run(ctx, job{args: append(quiet(), args...), read: func(line string) error {
		name, value, ok := strings.Cut(line, "=")
		if !ok || name != "lavfi.r128.M" && name != "lavfi.r128.I" {
			return nil
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			v = -120
		}
		if name == "lavfi.r128.M" {
			momentary = append(momentary, v)
		} else {
			integrated = v
		}
		return nil
	}})
	return integrated, momentary, err
}

// The loudness of a film: EBU R 128 as the web has it, in LUFS, and how far below full scale
// its peaks stay, as a factor: 2 dB, of which what a decoder makes of it takes the last half.
const (
	wanted = -16.0
	peak   = 0.794
)

// toWanted are the filters that bring a mix of a loudness to the wanted one, as a whole:
// what would be louder than the peak for a moment is held down for that moment. "" for silence.
func toWanted(loudness float64) string {
	if loudness <= silence {
		return ""
	}
	return fmt.Sprintf("volume=%.2fdB,alimiter=limit=%.3f:level=false:latency=true,", wanted-loudness, peak)
}
