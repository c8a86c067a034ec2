package render

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"aparte/recorder/compose"
)

const (
	rate = 48000
	// soundsAtOnce is how many sounds one job decodes.
	soundsAtOnce = 64
	// headroom keeps a mix of many from reaching full scale, in dB; loudness is put right
	// afterwards.
	headroom = -12
)

// heard is a sound that goes into a mix.
type heard struct {
	input []string // arguments
	start time.Duration
	gain  float64 // dB
	of    string  // digest of what it is
}

func samples(t time.Duration) int64 { return int64(t) * rate / int64(time.Second) }

// mixGraph mixes sounds, each at its place of the recording, and keeps what the film has
// of that.
func mixGraph(sounds []heard, kept []compose.Span) string {
	var b strings.Builder
	for i, s := range sounds {
		fmt.Fprintf(&b, "[%d:a:0]%s,volume=%.2fdB,", i, evenly, s.gain)
		if n := samples(s.start); n >= 0 {
			fmt.Fprintf(&b, "adelay=delays=%dS:all=1,", n)
		} else {
			fmt.Fprintf(&b, "atrim=start_sample=%d,asetpts=PTS-STARTPTS,", -n)
		}
		fmt.Fprintf(&b, "apad[a%d];", i)
	}
	for i := range sounds {
		fmt.Fprintf(&b, "[a%d]", i)
	}
	fmt.Fprintf(&b, "amix=inputs=%d:normalize=0,asplit=%d", len(sounds), len(kept))
	for i := range kept {
		fmt.Fprintf(&b, "[s%d]", i)
	}
	b.WriteString(";")
	for i, k := range kept {
		fmt.Fprintf(&b, "[s%d]atrim=start_sample=%d:end_sample=%d,asetpts=PTS-STARTPTS[k%d];", i, samples(k.From), samples(k.To), i)
	}
	for i := range kept {
		fmt.Fprintf(&b, "[k%d]", i)
	}
	fmt.Fprintf(&b, "concat=n=%d:v=0:a=1[out]", len(kept))
	return b.String()
}

// mix makes one sound of all and says what its file is called, "" where there is none to
// hear.
func (r *renderer) mix(ctx context.Context, plan *compose.Plan, loud []compose.Loudness) (string, error) {
	var all []heard
	for i, s := range plan.Sounds {
		sum, err := r.digest(s.File)
		if err != nil {
			return "", err
		}
		all = append(all, heard{r.input(s.File, 1), s.Start, loud[i].Gain() + headroom, sum})
	}
	if len(all) == 0 {
		return "", nil
	}
	whole := []compose.Span{{From: 0, To: plan.Kept[len(plan.Kept)-1].To}}
	for n := 1; len(all) > soundsAtOnce; n++ {
		name := fmt.Sprintf("mix-%d.flac", n)
		key, err := r.mixOnce(ctx, name, all[:soundsAtOnce], whole)
		if err != nil {
			return "", err
		}
		all = append(all[soundsAtOnce:], heard{input: []string{"-protocol_whitelist", "file,pipe", "-f", "flac", "-i", "file:" + name}, of: key})
	}
	const name = "mix.flac"
	_, err := r.mixOnce(ctx, name, all, plan.Kept)
	return name, err
}

func (r *renderer) mixOnce(ctx context.Context, name string, sounds []heard, kept []compose.Span) (key string, err error) {
	graph := mixGraph(sounds, kept)
	var inputs, of []string
	for _, s := range sounds {
		inputs, of = append(inputs, s.input...), append(of, s.of)
	}
	if key, err = keyOf("mix", r.tool.version, graph, of); err != nil {
		return "", err
	}
	return key, r.step(name, key, func(part string) error {
		args := append(inputs, "-filter_complex", graph, "-map", "[out]", "-c:a", "flac", "-compression_level", "2", "-sample_fmt", "s32", "-f", "flac", "file:"+part)
		return r.progressing(ctx, args, 0)
	})
}

// normalize measures a mix and says by which filters it comes to the wanted loudness.
func (r *renderer) normalize(ctx context.Context, mix string) (string, error) {
	sum, err := digest(r.work.path(mix))
	if err != nil {
		return "", err
	}
	key, err := keyOf("loudness of the mix", r.tool.version, sum)
	if err != nil {
		return "", err
	}
	const name = "loudness-mix.txt"
	err = r.step(name, key, func(part string) error {
		v, err := r.hear(ctx, []string{"-protocol_whitelist", "file,pipe", "-f", "flac", "-i", "file:" + mix}, "")
		if err != nil {
			return err
		}
		return r.work.write(part, strconv.FormatFloat(v, 'f', -1, 64))
	})
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(r.work.path(name))
	if err != nil {
		return "", err
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return "", fmt.Errorf("read the loudness: %w", err)
	}
	return toWanted(v), nil
}
