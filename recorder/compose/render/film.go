package render

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"aparte/recorder/compose"
)

// join makes the film of its pictures and its sound. Either may be missing.
func (r *renderer) join(ctx context.Context, plan *compose.Plan, pictures []string, mix, filter string) (string, error) {
	if err := r.work.write("chapters.txt", chapters(plan, r.began)); err != nil {
		return "", err
	}
	ours := []string{"-protocol_whitelist", "file,pipe"}
	var args, maps []string
	inputs := 0
	input := func(muxer, name string) int {
		args = append(args, slices.Concat(ours, []string{"-f", muxer, "-i", "file:" + name})...)
		inputs++
		return inputs - 1
	}
	muxer, extension := r.encoding.soundMuxer, r.encoding.soundExtension
	if len(pictures) > 0 {
		muxer, extension = r.encoding.muxer, r.encoding.extension
		var list strings.Builder
		list.WriteString("ffconcat version 1.0\n")
		for n, name := range pictures {
			i := plan.Intervals[n]
			fmt.Fprintf(&list, "file %s\nduration %.3f\n", name, (i.To - i.From).Seconds())
		}
		if err := r.work.write("pictures.txt", list.String()); err != nil {
			return "", err
		}
		maps = append(maps, "-map", fmt.Sprintf("%d:v:0", input("concat", "pictures.txt")), "-c:v", "copy")
	}
	if mix != "" {
		maps = append(maps, "-map", fmt.Sprintf("%d:a:0", input("flac", mix)), "-af", filter+"aresample=48000,aformat=channel_layouts=stereo")
		maps = append(maps, r.encoding.sound...)
	}
	n := fmt.Sprint(input("ffmetadata", "chapters.txt"))
	maps = append(maps, "-map_metadata", n, "-map_chapters", n)
	if muxer == "mp4" || muxer == "ipod" {
		maps = append(maps, "-movflags", "+faststart")
	}
	name := "film." + extension
	part := partial(name)
	if err := r.progressing(ctx, slices.Concat(args, maps, []string{"-f", muxer, "file:" + part}), 0); err != nil {
		return "", fmt.Errorf("join the film: %w", err)
	}
	return part, nil
}

// chapters is the file in which ffmpeg reads them.
func chapters(plan *compose.Plan, began time.Time) string {
	escape := strings.NewReplacer(`\`, `\\`, "=", `\=`, ";", `\;`, "#", `\#`, "\n", " ")
	var b strings.Builder
	b.WriteString(";FFMETADATA1\n")
	if !began.IsZero() {
		fmt.Fprintf(&b, "creation_time=%s\n", began.UTC().Format(time.RFC3339))
	}
	for i, c := range plan.Chapters {
		end := plan.Length
		if i+1 < len(plan.Chapters) {
			end = plan.Chapters[i+1].At
		}
		fmt.Fprintf(&b, "[CHAPTER]\nTIMEBASE=1/1000\nSTART=%d\nEND=%d\ntitle=%s\n", c.At.Milliseconds(), end.Milliseconds(), escape.Replace(c.Title))
	}
	return b.String()
}
