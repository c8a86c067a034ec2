package render

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"aparte/recorder/compose"
	"aparte/recorder/compose/confine"
	"aparte/recorder/export"
	"aparte/sfu/leaktest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == confine.Verb { // it was started by Tool.run, see confiner
		fmt.Fprintln(os.Stderr, confine.Become(os.Args[2:]))
		os.Exit(1)
	}
	leaktest.Main(m)
}

// confiner is this test itself.
const confiner = "/proc/self/exe"

// studio makes the media of a recording.
type studio struct {
	dir   string
	index *export.Index
}

func newStudio(t testing.TB, length float64, people ...string) *studio {
	s := &studio{t.TempDir(), &export.Index{Version: 1, Recording: "r1", Duration: length, Events: []export.Event{{Kind: "started"}}}}
	for _, identity := range people {
		name := strings.ToUpper(identity[:1]) + identity[1:]
		s.index.People = append(s.index.People, export.Person{Identity: identity, Name: name})
		s.event(0, "joined", identity)
		s.index.Events[len(s.index.Events)-1].Name = name
	}
	return s
}

func (s *studio) event(at float64, kind, identity string) {
	e := export.Event{At: at, Kind: kind, Identity: identity}
	if kind == "speaking" {
		e.Identity, e.Identities = "", strings.Fields(identity)
	}
	s.index.Events = append(s.index.Events, e)
}

// picture films what a filter draws, as a camera's picture of 25 frames a second.
func (s *studio) picture(t testing.TB, identity, source, filter string, start, length float64) {
	t.Helper()
	name := fmt.Sprintf("%02d-%s-%s.webm", len(s.index.Files)+1, identity, source)
	run(t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("%s,format=yuv420p,trim=duration=%g", filter, length), "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "9999", "-b:v", "1M", "-fps_mode", "vfr", filepath.Join(s.dir, name))
	s.index.Files = append(s.index.Files, export.File{
		Name: name, Identity: identity, Track: name, Source: source, Codec: "vp8", Start: start, Duration: length - compose.Frame.Seconds(), Sizes: []export.Size{{At: start, Width: 320, Height: 180}},
	})
}

// sound is what an expression of t says.
func (s *studio) sound(t testing.TB, identity, expression string, start, length float64) {
	t.Helper()
	name := fmt.Sprintf("%02d-%s-microphone.webm", len(s.index.Files)+1, identity)
	run(t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("aevalsrc='%s':s=48000:d=%g", expression, length), "-c:a", "libopus", filepath.Join(s.dir, name))
	s.index.Files = append(s.index.Files, export.File{Name: name, Identity: identity, Track: name, Source: "microphone", Codec: "opus", Start: start, Duration: length})
}

// compose makes a film of it all.
func (s *studio) compose(t testing.TB, cfg Config) (*Result, string) {
	t.Helper()
	cfg.Tool, cfg.Index, cfg.Media, cfg.Language = tool(t), s.index, s.dir, compose.English
	if cfg.Format == "" {
		cfg.Format = WebM
	}
	if cfg.Layout == "" {
		cfg.Layout = compose.Grid
	}
	if cfg.Work == "" {
		cfg.Work = filepath.Join(t.TempDir(), "work")
	}
	cfg.Dir, cfg.Threads = t.TempDir(), 2
	result, err := Compose(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return result, filepath.Join(cfg.Dir, result.Film)
}

func tool(t testing.TB) *Tool {
	t.Helper()
	found, err := Find(t.Context(), "ffmpeg", confiner)
	if err != nil {
		t.Fatalf("%v (make test-packages installs it)", err)
	}
	return found
}

func run(t testing.TB, args ...string) (out []byte, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s (make test-packages installs it): %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.Bytes(), stderr.String()
}

// probed is what ffprobe says of a film.
type probed struct {
	Format struct {
		Duration string
		Tags     map[string]string
	}
	Streams []struct {
		CodecName                        string `json:"codec_name"`
		Width, Height                    int
		AvgFrameRate                     string `json:"avg_frame_rate"`
		SampleRate                       string `json:"sample_rate"`
		NbReadPackets, SampleAspectRatio string
	}
	Chapters []struct {
		StartTime string `json:"start_time"`
		EndTime   string `json:"end_time"`
		Tags      map[string]string
	}
}

func probe(t testing.TB, path string) (p probed) {
	t.Helper()
	out, _ := run(t, "ffprobe", "-v", "error", "-show_format", "-show_streams", "-show_chapters", "-of", "json", path)
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// length is a film's duration in seconds.
func (p probed) length(t testing.TB) float64 {
	t.Helper()
	d, err := strconv.ParseFloat(p.Format.Duration, 64)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// codecs are those of its streams.
func (p probed) codecs() string {
	var names []string
	for _, s := range p.Streams {
		names = append(names, s.CodecName)
	}
	return strings.Join(names, " ")
}

// chapters are those of the film, with when they begin and end.
func (p probed) chapters() string {
	var b strings.Builder
	for _, c := range p.Chapters {
		from, _ := strconv.ParseFloat(c.StartTime, 64)
		to, _ := strconv.ParseFloat(c.EndTime, 64)
		fmt.Fprintf(&b, "%.1f-%.1f %s\n", from, to, c.Tags["title"])
	}
	return b.String()
}

// decoded is a film's pictures, in grey of a quarter of its size or in colour.
type decoded struct {
	w, h   int
	frames [][]byte // RGB
}

const shrunk = 4

func decode(t testing.TB, path string) decoded {
	t.Helper()
	d := decoded{w: compose.Width / shrunk, h: compose.Height / shrunk}
	raw, said := run(t, "ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-vf", fmt.Sprintf("scale=%d:%d:flags=area", d.w, d.h), "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
	if said != "" {
		t.Errorf("ffmpeg says of %s: %s", path, said)
	}
	for n := 3 * d.w * d.h; len(raw) >= n; raw = raw[n:] {
		d.frames = append(d.frames, raw[:n])
	}
	return d
}

// colour is what is seen at a time and a place of the film.
func (d decoded) colour(at float64, x, y int) string {
	frame := d.frames[int(math.Round(at*float64(perSecond)))]
	i := 3 * (y/shrunk*d.w + x/shrunk)
	r, g, b := int(frame[i]), int(frame[i+1]), int(frame[i+2])
	for _, c := range []struct {
		name    string
		r, g, b int
	}{
		{"red", 255, 0, 0},
		{"green", 0, 128, 0},
		{"blue", 0, 0, 255},
		{"yellow", 255, 255, 0},
		{"white", 255, 255, 255},
		{"purple", 128, 0, 128},
		{"frame", 0x32, 0xc8, 0x5a},
		{"nobody", 0x14, 0x17, 0x1a},
		{"tile", 0x2a, 0x2f, 0x36},
	} {
		if max(r-c.r, c.r-r, g-c.g, c.g-g, b-c.b, c.b-b) < 30 && (c.name != "nobody" || max(r, g, b) < 0x22) && (c.name != "tile" || max(r, g, b) >= 0x22) {
			return c.name
		}
	}
	return fmt.Sprintf("#%02x%02x%02x", r, g, b)
}

// middle is the middle of a tile of the plan.
func middle(b compose.Box) (x, y int) { return b.X + b.W/2, b.Y + b.H/2 }

var integrated = regexp.MustCompile(`I:\s+(-?[0-9.]+) LUFS`)

// loudnessOf is a film's integrated loudness in LUFS.
func loudnessOf(t testing.TB, path string) float64 {
	t.Helper()
	_, said := run(t, "ffmpeg", "-nostats", "-i", path, "-map", "0:a", "-af", "ebur128", "-f", "null", "-")
	all := integrated.FindAllStringSubmatch(said, -1)
	if len(all) == 0 {
		t.Fatal(said)
	}
	v, err := strconv.ParseFloat(all[len(all)-1][1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// beeps are when it becomes loud, in seconds.
func beeps(t testing.TB, path string) (out []float64) {
	t.Helper()
	raw, _ := run(t, "ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-af", "aresample=async=1:first_pts=0", "-f", "s16le", "-ac", "1", "-ar", "48000", "-")
	last := -1.0
	for i := 0; i+1 < len(raw); i += 2 {
		if v := int16(binary.LittleEndian.Uint16(raw[i:])); v > 3000 || v < -3000 {
			at := float64(i/2) / 48000
			if last < 0 || at-last > 0.2 {
				out = append(out, at)
			}
			last = at
		}
	}
	return out
}
