package render

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// loudness is what is remembered of a sound.
type loudness struct {
	Integrated float64
	Momentary  []float64
}

// due is a sound that is to be measured.
type due struct {
	file      string // of the export
	name, key string // of what is remembered of it
}

// measure measures sounds of the export, at each moment if that has to tell who speaks,
// which costs twice as much. Whoever comes and goes has a sound for each time, and a job
// costs more to start than a short one to measure: so one job measures many.
func (r *renderer) measure(ctx context.Context, sounds []compose.Sound, moments bool) ([]compose.Loudness, error) {
	var names []string
	var all []due
	for _, s := range sounds {
		sum, err := r.digest(s.File)
		if err != nil {
			return nil, err
		}
		one := due{file: s.File, name: "loudness-" + sum[:16] + ".txt"}
		if one.key, err = keyOf("loudness", r.tool.version, sum, moments); err != nil {
			return nil, err
		}
		have := slices.Contains(names, one.name) // the same sound twice
		if !have {
			if have, err = r.work.have(one.name, one.key); err != nil {
				return nil, err
			}
		}
		names = append(names, one.name)
		if r.stepped(have); !have {
			all = append(all, one)
		}
	}
	for some := range slices.Chunk(all, soundsAtOnce) {
		err := r.listen(ctx, some, moments)
		if failed := (*jobError)(nil); errors.As(err, &failed) && len(some) > 1 {
			for _, one := range some { // which of them is it?
				if err = r.listen(ctx, []due{one}, moments); err != nil {
					return nil, fmt.Errorf("%s: %w", one.file, err)
				}
			}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", some[0].file, err)
		}
	}
	out := make([]compose.Loudness, len(sounds))
	for i, s := range sounds {
		text, err := os.ReadFile(r.work.path(names[i]))
		if err != nil {
			return nil, err
		}
		var read loudness
		if err := json.Unmarshal(text, &read); err != nil {
			return nil, err
		}
		out[i] = compose.Loudness{Identity: s.Identity, Start: s.Start, Integrated: read.Integrated, Momentary: read.Momentary}
	}
	return out, nil
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

// saidEach is how many bytes a job says of each sound at most, with how it was read.
const saidEach = 4 << 10

// listen measures sounds in one job, and remembers what it found.
func (r *renderer) listen(ctx context.Context, all []due, moments bool) error {
	var graph strings.Builder
	var inputs, maps []string
	for i, one := range all {
		inputs = append(inputs, r.input(one.file, 1)...)
		fmt.Fprintf(&graph, "[%d:a:0]%s,ebur128@s%d=framelog=verbose", i, evenly, i)
		if moments {
			fmt.Fprintf(&graph, ":metadata=1,ametadata=mode=print:key=lavfi.r128.M:file=%s", momentsName(i))
		}
		fmt.Fprintf(&graph, "[o%d];", i)
		maps = append(maps, "-map", fmt.Sprintf("[o%d]", i))
	}
	var said string
	args := slices.Concat([]string{"-nostdin", "-hide_banner", "-nostats", "-v", "info", "-y", "-filter_complex_threads", strconv.Itoa(r.threads)}, inputs,
		[]string{"-filter_complex", strings.TrimSuffix(graph.String(), ";")}, maps, []string{"-f", "null", "-"})
	if err := r.run(ctx, job{args: args, said: &said, saidMost: len(all) * saidEach}); err != nil {
		return err
	}
	found := eachIn(said)
	for i, one := range all {
		integrated, is := found[i]
		if !is {
			return fmt.Errorf("measure the loudness: %w", errUnheard)
		}
		read := loudness{Integrated: integrated}
		if moments {
			var err error
			if read.Momentary, err = r.moments(i); err != nil {
				return err
			}
		}
		text, err := json.Marshal(read)
		if err == nil {
			err = r.work.write(partial(one.name), string(text))
		}
		if err == nil {
			err = r.work.keep(one.name, one.key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func momentsName(i int) string { return fmt.Sprintf("moments-%d.txt", i) }

// eachSum is what is said of all that was heard of a sound, which its filter's name tells.
var eachSum = regexp.MustCompile(`\[ebur128@s([0-9]{1,4}) @ [^\]\n]*\] Summary:\s+Integrated loudness:\s+I: *(-?[0-9.]+|-?inf|nan) LUFS`)

// eachIn is how loud each sound was, in LUFS, by its place.
func eachIn(said string) map[int]float64 {
	found := make(map[int]float64)
	for _, match := range eachSum.FindAllStringSubmatch(said, -1) {
		i, err := strconv.Atoi(match[1])
		v, wrong := strconv.ParseFloat(match[2], 64)
		if err != nil || wrong != nil {
			continue
		}
		if math.IsNaN(v) || math.IsInf(v, 0) {
			v = silence
		}
		found[i] = v // the last is that of all
	}
	return found
}

// momentsMost is how many bytes are read of what a job says of a sound's moments: more
// than those of the longest recording.
const momentsMost = 1 << 30

// moments are those of a sound that was measured, in LUFS; nothing is left of them.
func (r *renderer) moments(i int) (all []float64, err error) {
	path := r.work.path(momentsName(i))
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(io.LimitReader(file, momentsMost))
	for lines.Scan() {
		value, is := strings.CutPrefix(lines.Text(), "lavfi.r128.M=")
		if !is {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			v = -120
		}
		all = append(all, v)
	}
	return all, errors.Join(lines.Err(), file.Close(), os.Remove(path))
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
