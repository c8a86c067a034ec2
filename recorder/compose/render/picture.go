package render

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aparte/recorder/compose"
	"aparte/recorder/export"
)

const (
	// evenedFrom: a file that so many intervals begin within is made even first. A camera
	// sends a key frame when somebody needs one and no other for hours, so that each
	// interval would decode anew what came before it.
	evenedFrom = 8
	perSecond  = int(time.Second / compose.Frame)
)

// source is a file with pictures, as an interval reads it.
type source struct {
	input string // its name for ffmpeg
	of    string // digest
}

// fitted fits whatever size a picture has, and may change to, into a tile.
func fitted(b compose.Box) string {
	return fmt.Sprintf("scale=%d:%d:force_original_aspect_ratio=decrease:force_divisible_by=2,pad=%d:%d:(ow-iw)/2:(oh-ih)/2:color=%s:eval=frame,setsar=1,format=yuv420p",
		b.W, b.H, b.W, b.H, tileColour)
}

// still is a picture of one colour, drawn once and shown for ever.
func still(colour string, b compose.Box) string {
	return fmt.Sprintf("color=c=%s:s=%dx%d:r=%d:d=%.3f,setsar=1,format=yuv420p,%s", colour, b.W, b.H, perSecond, compose.Frame.Seconds(), forEver)
}

// forEver goes on showing the last picture.
const forEver = "tpad=stop=-1:stop_mode=clone"

// tileMargin is how much narrower a tile without a picture is at each side, in pixels.
const tileMargin = 2

// pictureGraph draws an interval. The first input of each tile with a picture is its file
// from the key frame before on, at times that are negative before the interval begins:
// fps shows the last of those until another comes. Where nothing comes at all, which nobody
// but a broken stream does, concat goes on to an empty tile, so that no tile is without
// a picture.
//
// Tiles are put beside each other, not upon a background: that would be copied for each
// frame, and all of them blended into it.
func pictureGraph(i compose.Interval, labels string) string {
	var b strings.Builder
	var tiles, places []string
	n := 0
	for k, t := range i.Tiles {
		box := t.Box
		if t.File != "" {
			fmt.Fprintf(&b, "[%d:v:0]fps=%d:start_time=0,%s,%s[v%d];%s[e%d];[v%d][e%d]concat[t%d];", n, perSecond, fitted(box), forEver, k, still(tileColour, box), k, k, k, k)
			n++
		} else {
			box = compose.Box{X: box.X + tileMargin, Y: box.Y + tileMargin, W: box.W - 2*tileMargin, H: box.H - 2*tileMargin}
			fmt.Fprintf(&b, "%s[t%d];", still(tileColour, box), k)
		}
		tiles, places = append(tiles, fmt.Sprintf("[t%d]", k)), append(places, fmt.Sprintf("%d_%d", box.X, box.Y))
	}
	origin := "0:0"
	switch len(tiles) {
	case 0:
		b.WriteString(still(background, compose.Box{W: compose.Width, H: compose.Height}) + ",")
	case 1: // xstack takes two and more
		b.WriteString(tiles[0])
		origin = strings.ReplaceAll(places[0], "_", ":")
	default:
		fmt.Fprintf(&b, "%sxstack=inputs=%d:layout=%s:fill=%s,", strings.Join(tiles, ""), len(tiles), strings.Join(places, "|"), background)
	}
	fmt.Fprintf(&b, "pad=%d:%d:%s:color=%s,ass=%s,format=yuv420p[out]", compose.Width, compose.Height, origin, background, labels)
	return b.String()
}

// pictures draws the intervals and says which files they are in.
func (r *renderer) pictures(ctx context.Context, plan *compose.Plan) (files []string, err error) {
	sources, err := r.sources(ctx, plan)
	if err != nil {
		return nil, err
	}
	for n, i := range plan.Intervals {
		name := fmt.Sprintf("interval-%06d.%s", n+1, pictureExtension)
		err := r.picture(ctx, name, plan, i, sources)
		if failed := (*jobError)(nil); errors.As(err, &failed) {
			// One stream that breaks its decoder must not cost everybody the film.
			if i.Tiles, err = r.withoutBroken(ctx, i, sources, err); err == nil {
				err = r.picture(ctx, name, plan, i, sources)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("interval %d of %d: %w", n+1, len(plan.Intervals), err)
		}
		files = append(files, name)
		r.reached(i.To)
	}
	return files, nil
}

// picture draws an interval.
func (r *renderer) picture(ctx context.Context, name string, plan *compose.Plan, i compose.Interval, sources map[string]source) error {
	labels := strings.TrimSuffix(name, "."+pictureExtension) + ".ass"
	written := names(plan, i)
	var args, of []string
	for _, t := range i.Tiles {
		if t.File != "" {
			args, of = append(args, from(sources[t.File], t.Offset)...), append(of, sources[t.File].of)
		}
	}
	frames := int((i.To - i.From) / compose.Frame)
	how := append([]string{"-filter_complex", pictureGraph(i, labels), "-map", "[out]", "-frames:v", strconv.Itoa(frames)}, r.encoding.picture...)
	key, err := keyOf("interval", r.tool.version, of, i.Tiles, how, written)
	if err != nil {
		return err
	}
	return r.step(name, key, func(part string) error {
		if err := r.work.write(labels, written); err != nil {
			return err
		}
		return r.progressing(ctx, slices.Concat(args, how, []string{"-f", "matroska", "file:" + part}), i.To-i.From)
	})
}

// from reads a file from the key frame before a time on.
func from(s source, offset time.Duration) []string {
	return append(hostile(1), "-reinit_filter", "0", "-noaccurate_seek", "-ss", fmt.Sprintf("%.6f", offset.Seconds()), "-f", "matroska", "-i", s.input)
}

// withoutBroken are an interval's tiles without those pictures that cannot be decoded by
// themselves. If they all can, it is why that is the error.
func (r *renderer) withoutBroken(ctx context.Context, i compose.Interval, sources map[string]source, why error) ([]compose.Tile, error) {
	tiles := slices.Clone(i.Tiles)
	for n, t := range tiles {
		if t.File == "" {
			continue
		}
		args := append(from(sources[t.File], t.Offset), "-map", "0:v:0", "-t", fmt.Sprintf("%.3f", (i.To-i.From).Seconds()), "-f", "null", "-")
		err := r.run(ctx, job{args: append(quiet(), args...)})
		if failed := (*jobError)(nil); errors.As(err, &failed) {
			tiles[n].File, why = "", nil
			r.spoiled(t.File, failed)
		} else if err != nil {
			return nil, err
		}
	}
	return tiles, why
}

// triedAtOnce is how many files one job tries.
const triedAtOnce = 16

// playable is the index without files of which nothing can be decoded. A job costs more to
// start than a file to try, so files are tried one by one only where something is wrong.
func (r *renderer) playable(ctx context.Context, index *export.Index) (*export.Index, error) {
	out := *index
	out.Files = nil
	for files := range slices.Chunk(index.Files, triedAtOnce) {
		err := r.try(ctx, files, "-max_error_rate", "0")
		if err == nil {
			out.Files = append(out.Files, files...)
			continue
		}
		for _, f := range files {
			err := r.try(ctx, []export.File{f})
			if failed := (*jobError)(nil); errors.As(err, &failed) {
				r.spoiled(f.Name, failed)
				continue
			} else if err != nil {
				return nil, err
			}
			out.Files = append(out.Files, f)
		}
	}
	return &out, nil
}

// try decodes the beginning of files.
func (r *renderer) try(ctx context.Context, files []export.File, options ...string) error {
	args := quiet()
	for _, f := range files {
		args = append(args, r.input(f.Name, 1)...)
	}
	for n := range files {
		args = append(args, "-map", strconv.Itoa(n))
	}
	args = slices.Concat(args, options, []string{"-frames", "1", "-f", "null", "-"})
	return r.run(ctx, job{args: args})
}

// pictureExtension is of an interval's own file, whatever the film is.
const pictureExtension = "mkv"

// sources are the files with pictures that the plan shows, even where that pays.
func (r *renderer) sources(ctx context.Context, plan *compose.Plan) (map[string]source, error) {
	used := map[string]int{}
	largest := map[string]compose.Box{}
	for _, i := range plan.Intervals {
		for _, t := range i.Tiles {
			if t.File != "" {
				used[t.File]++
				if t.W > largest[t.File].W {
					largest[t.File] = t.Box
				}
			}
		}
	}
	out := map[string]source{}
	for file, times := range used {
		sum, err := r.digest(file)
		if err != nil {
			return nil, err
		}
		out[file] = source{r.inputName(file), sum}
		if times > evenedFrom {
			if out[file], err = r.even(ctx, file, sum, largest[file]); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return out, nil
}

// even makes a file that has a key frame each second, every picture of its rate, and the
// size of its largest tile.
func (r *renderer) even(ctx context.Context, file, sum string, largest compose.Box) (source, error) {
	name := "even-" + sum[:16] + ".mkv"
	args := append(hostile(1), "-reinit_filter", "0", "-f", "matroska", "-i", r.inputName(file), "-map", "0:v:0",
		"-vf", fmt.Sprintf("fps=%d:start_time=0,%s", perSecond, fitted(largest)),
		"-c:v", "mpeg4", "-q:v", "2", "-g", fmt.Sprint(perSecond), "-bf", "0", "-threads", fmt.Sprint(r.threads))
	key, err := keyOf("even", r.tool.version, sum, args)
	if err != nil {
		return source{}, err
	}
	return source{"file:" + name, key}, r.step(name, key, func(part string) error {
		return r.progressing(ctx, append(args, "-f", "matroska", "file:"+part), 0)
	})
}
