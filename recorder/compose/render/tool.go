package render

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"aparte/recorder/compose/confine"
)

// ErrUnavailable says that nothing can be composed on this machine.
var ErrUnavailable = errors.New("composition unavailable")

// MissingError says what a program that is there lacks. It is an ErrUnavailable.
type MissingError struct {
	Path string
	What []string // "encoder libx264", "filter ass", ...
	For  string   // what of it was wanted: "mp4"
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%v: %s lacks %s, which %s needs: Debian's package ffmpeg has it", ErrUnavailable, e.Path, strings.Join(e.What, " and "), e.For)
}

// Unwrap makes it an ErrUnavailable.
func (e *MissingError) Unwrap() error { return ErrUnavailable }

// Format is what kind of file is made.
type Format string

// The formats. A meeting without pictures becomes .ogg or .m4a.
const (
	WebM Format = "webm" // VP9 or VP8, Opus
	MP4  Format = "mp4"  // H.264, AAC
)

// Tool is the program that was found.
type Tool struct {
	// Lacks says in what it is not kept apart as it could be, and why: this system has no
	// means to. Empty: in nothing.
	Lacks []string

	confiner  string // what confines itself and becomes it; "": it runs as it is
	path      string
	version   string
	isolation isolation
	encoders  []string
	filters   []string
}

// What every film needs.
var filtersNeeded = []string{
	"adelay", "aformat", "alimiter", "ametadata", "amix", "apad", "aresample", "asetpts", "asplit", "ass", "atrim", "color", "concat",
	"ebur128", "format", "fps", "pad", "scale", "setsar", "tpad", "volume", "xstack",
}

// Find finds the program by its name or path. The confiner is this program's own path,
// where it hands the arguments that follow [confine.Verb] to [confine.Become]; "": nothing
// confines it.
func Find(ctx context.Context, name, confiner string) (*Tool, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w: install ffmpeg (Debian: apt-get install ffmpeg), or say where it is with --ffmpeg; recordings are verified, opened and exported without it", ErrUnavailable, err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	t := &Tool{path: path, confiner: confiner}
	version, err := t.isolate(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %s does not run: %w", ErrUnavailable, path, err)
	}
	t.version, _, _ = strings.Cut(version, "\n")
	for _, list := range []struct {
		of  string
		all *[]string
	}{{"-encoders", &t.encoders}, {"-filters", &t.filters}} {
		text, err := t.output(ctx, "-hide_banner", list.of)
		if err != nil {
			return nil, fmt.Errorf("%w: ask %s what it can: %w", ErrUnavailable, path, err)
		}
		for line := range strings.Lines(text) {
			if words := strings.Fields(line); len(words) > 1 {
				*list.all = append(*list.all, words[1])
			}
		}
	}
	return t, nil
}

// isolate finds out how far jobs can be kept apart here, by asking for the version.
func (t *Tool) isolate(ctx context.Context) (version string, err error) {
	var refused error
	for _, way := range isolations {
		t.isolation = way
		version, err = t.output(ctx, "-version")
		var start *startError
		if errors.As(err, &start) && way != (isolation{}) {
			refused = start.error
			continue
		}
		break
	}
	if t.isolation == (isolation{}) {
		why := "this system has none to give"
		if refused != nil {
			why = refused.Error()
		}
		t.Lacks = append(t.Lacks, "it has no network of its own to be kept in ("+why+")")
	}
	if t.confiner == "" {
		t.Lacks = append(t.Lacks, "nothing confines it")
	} else {
		t.Lacks = append(t.Lacks, confine.Missing()...)
	}
	return version, err
}

// encoding is what a film is encoded with.
type encoding struct {
	extension, muxer string
	picture          []string // arguments
	sound            []string
	soundExtension   string // of a meeting without pictures
	soundMuxer       string
}

// Check says what is missing for a format.
func (t *Tool) Check(f Format) error {
	_, err := t.encoding(f, 1)
	return err
}

func (t *Tool) encoding(f Format, threads int) (encoding, error) {
	var missing []string
	for _, name := range filtersNeeded {
		if !slices.Contains(t.filters, name) {
			missing = append(missing, "filter "+name)
		}
	}
	need := func(name string) {
		if !slices.Contains(t.encoders, name) {
			missing = append(missing, "encoder "+name)
		}
	}
	need("flac")
	need("mpeg4")
	n := fmt.Sprint(threads)
	var e encoding
	switch f {
	case WebM:
		// At half its effort Opus costs a fifth less.
		e = encoding{extension: "webm", muxer: "webm", soundExtension: "ogg", soundMuxer: "ogg", sound: []string{"-c:a", "libopus", "-b:a", "96k", "-compression_level", "5"}}
		// Speed 9 looks like 8 and costs a fifth less; cpu-used, the same by another name, ends at 8 in ffmpeg 5.1.
		e.picture = []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-speed", "9", "-row-mt", "1", "-tile-columns", "2", "-lag-in-frames", "0", "-auto-alt-ref", "0", "-crf", "34", "-b:v", "0"}
		if slices.Contains(t.encoders, "libvpx") && !slices.Contains(t.encoders, "libvpx-vp9") {
			// A positive speed would be one that varies with how busy the machine is.
			e.picture = []string{"-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "-16", "-lag-in-frames", "0", "-auto-alt-ref", "0", "-crf", "20", "-b:v", "2M"}
		} else {
			need("libvpx-vp9")
		}
		need("libopus")
	case MP4:
		// Without B-frames every picture has its own time in whatever is joined.
		e = encoding{
			extension: "mp4", muxer: "mp4", soundExtension: "m4a", soundMuxer: "ipod", sound: []string{"-c:a", "aac", "-b:a", "128k"},
			picture: []string{"-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-bf", "0"},
		}
		need("libx264")
		need("aac")
	default:
		return e, fmt.Errorf("format %q: there are webm and mp4", f)
	}
	e.picture = append(e.picture, "-g", "250", "-threads", n, "-pix_fmt", "yuv420p")
	if len(missing) > 0 {
		return e, &MissingError{t.path, missing, string(f)}
	}
	return e, nil
}
