package render

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"

	"aparte/recorder/compose"
)

// evenly makes of a sound with holes one without, at its own times: what is lost or was
// not sent is silence. More than 15 ms off and it is put right.
const evenly = "aresample=48000:async=1:min_hard_comp=0.015:first_pts=0,aformat=sample_fmts=fltp:channel_layouts=stereo"

// measure measures a sound of the export.
func (r *renderer) measure(ctx context.Context, s compose.Sound) (compose.Loudness, error) {
	l := compose.Loudness{Identity: s.Identity, Start: s.Start, Integrated: math.Inf(-1)}
	sum, err := r.digest(s.File)
	if err != nil {
		return l, err
	}
	key, err := keyOf("loudness", r.tool.version, sum)
	if err != nil {
		return l, err
	}
	name := "loudness-" + sum[:16] + ".txt"
	var read struct {
		Integrated float64
		Momentary  []float64
	}
	err = r.step(name, key, func(part string) error {
		read.Integrated = -70 // what silence has
		args := append(r.input(s.File, 1), "-map", "0:a:0", "-af", evenly+",ebur128=metadata=1,ametadata=mode=print:file=-", "-f", "null", "-")
		err := r.tool.run(ctx, job{args: append(quiet(), args...), dir: r.work.dir, sees: []string{r.media}, cpu: r.cpu, read: func(line string) error {
			name, value, ok := strings.Cut(line, "=")
			if !ok || name != "lavfi.r128.M" && name != "lavfi.r128.I" {
				return nil
			}
			v, err := strconv.ParseFloat(value, 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				v = -120
			}
			if name == "lavfi.r128.M" {
				read.Momentary = append(read.Momentary, v)
			} else {
				read.Integrated = v
			}
			return nil
		}})
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

// normal is what measuring a mix says, in loudnorm's own words and texts.
type normal struct {
	I         string `json:"input_i"`
	TP        string `json:"input_tp"`
	LRA       string `json:"input_lra"`
	Threshold string `json:"input_thresh"`
	Offset    string `json:"target_offset"`
}

// The loudness of a film: EBU R 128 as the web has it. The range is only a limit: speech
// stays within it, and is then made louder or softer as a whole.
const target = "loudnorm=I=-16:TP=-1.5:LRA=20"

// second is the filter of the second pass; "" for silence.
func (n normal) second() string {
	for _, text := range []string{n.I, n.TP, n.LRA, n.Threshold, n.Offset} {
		if v, err := strconv.ParseFloat(text, 64); err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
			return ""
		}
	}
	if v, _ := strconv.ParseFloat(n.I, 64); v < -69 { // its own floor
		return ""
	}
	return target + ":linear=true:measured_I=" + n.I + ":measured_TP=" + n.TP + ":measured_LRA=" + n.LRA + ":measured_thresh=" + n.Threshold + ":offset=" + n.Offset + ","
}
