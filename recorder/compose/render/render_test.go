package render

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aparte/recorder/compose"
)

// flashing is a picture that is white for three frames each second and a half.
func flashing(colour string) string {
	return fmt.Sprintf("color=%s:s=320x180:r=25,drawbox=enable='lt(mod(t,1.5),0.12)':color=white:t=fill", colour)
}

const beeping = "if(lt(mod(t,1.5),0.12),0.5*sin(2*PI*1000*t),0)"

// A meeting of three: everybody is to be seen and heard where and when the plan says.
func TestAFilm(t *testing.T) {
	s := newStudio(t, 9, "anne", "bob", "cleo", "dan")
	s.picture(t, "anne", "camera", flashing("red"), 0, 9)
	s.sound(t, "anne", beeping, 0, 9)
	s.picture(t, "bob", "camera", "color=blue:s=180x320:r=15", 1.513, 7)
	s.sound(t, "bob", "0", 1, 7)
	s.picture(t, "bob", "screen_share", "color=yellow:s=320x180:r=5", 4, 2)
	s.event(0, "consent", "anne")
	s.event(0, "consent", "bob")
	s.event(0, "consent", "cleo")
	s.event(0, "consent", "dan")
	for i := range s.index.Events {
		if e := &s.index.Events[i]; e.Kind == "consent" {
			e.Answer = "given"
			if e.Identity == "dan" {
				e.Answer = "declined"
			}
		}
	}
	s.event(2, "speaking", "bob")
	s.event(3.8, "speaking", "")
	s.event(7, "left", "cleo")
	for _, format := range []Format{WebM, MP4} {
		t.Run(string(format), func(t *testing.T) {
			result, path := s.compose(t, Config{Format: format})
			p := probe(t, path)
			if want := map[Format]string{WebM: "vp9 opus", MP4: "h264 aac bin_data"}[format]; p.codecs() != want || p.Streams[0].Width != 1280 || p.Streams[0].Height != 720 || p.Streams[0].AvgFrameRate != "25/1" {
				t.Errorf("%+v", p.Streams)
			}
			if got := p.length(t); math.Abs(got-9) > 0.1 {
				t.Errorf("it lasts %.3f s", got)
			}
			if got, want := p.chapters(), "0.0-4.0 Beginning · Arrival: Anne, Bob, Cleo\n4.0-6.0 Shared screen: Bob\n6.0-9.0 End of the shared screen\n"; got != want {
				t.Errorf("chapters\n%s", got)
			}
			if got := loudnessOf(t, path); math.Abs(got+16) > 1 {
				t.Errorf("it is as loud as %.1f LUFS", got)
			}
			d := decode(t, path)
			if len(d.frames) != 225 {
				t.Errorf("%d pictures", len(d.frames))
			}
			marks := map[string]string{"Anne": "red", "Bob": "blue", "Cleo": "tile", "Bob – screen": "yellow"}
			seen := map[string]bool{}
			for _, i := range result.Plan.Intervals {
				for _, at := range []float64{i.From.Seconds(), (i.From + i.To).Seconds() / 2, (i.To - compose.Frame).Seconds()} {
					for _, tile := range i.Tiles {
						x, y := middle(tile.Box)
						want := marks[tile.Name]
						if tile.Name == "Bob" && tile.File == "" {
							want = "tile"
						}
						if want == "tile" {
							x, y = tile.X+tile.W/2, tile.Y+tile.H/4 // beside the name
						}
						got := d.colour(at, x, y)
						if got != want && (want != "red" || got != "white" || math.Mod(at, 1.5) > 0.15) {
							t.Errorf("at %.2f s: %s is %s, want %s", at, tile.Name, got, want)
						}
						seen[tile.Name] = true
					}
				}
			}
			if len(seen) != len(marks) {
				t.Errorf("only %v were to be seen", seen)
			}
			// Pictures of one colour say little about time; flashes do.
			var flashes []float64
			x, y := middle(result.Plan.Intervals[0].Tiles[0].Box)
			for n := range d.frames {
				for _, i := range result.Plan.Intervals {
					at := float64(n) / float64(perSecond)
					if i.From.Seconds() <= at && at < i.To.Seconds() {
						for _, tile := range i.Tiles {
							if tile.Name == "Anne" {
								x, y = middle(tile.Box)
							}
						}
					}
				}
				at := float64(n) / float64(perSecond)
				if d.colour(at, x, y) == "white" && (len(flashes) == 0 || at-flashes[len(flashes)-1] > 0.2) {
					flashes = append(flashes, at)
				}
			}
			heard := beeps(t, path)
			if len(flashes) != 6 || len(heard) != 6 {
				t.Fatalf("flashes at %.3f, beeps at %.3f", flashes, heard)
			}
			worst := 0.0
			for i := range flashes {
				worst = max(worst, math.Abs(flashes[i]-heard[i]))
			}
			t.Logf("flash and beep are at most %.1f ms apart", worst*1000)
			if worst > 0.040 {
				t.Errorf("flashes at %.3f, beeps at %.3f", flashes, heard)
			}
			captions, err := os.ReadFile(filepath.Join(filepath.Dir(path), result.Captions))
			if err != nil || !strings.Contains(string(captions), "00:00:02.000 --> 00:00:03.800\n<v Bob>Bob</v>") {
				t.Errorf("%v, %s", err, captions)
			}
		})
	}
}

// A meeting without pictures is a sound. Who speaks is heard where nobody told, pauses are
// cut out of it, and who speaks softly is as loud as the others.
func TestASoundAlone(t *testing.T) {
	s := newStudio(t, 12, "anne", "bob")
	s.sound(t, "anne", "0.3*sin(2*PI*500*t)*lt(t,4)", 0, 12)
	s.sound(t, "bob", "0.02*sin(2*PI*800*t)*gte(t,7)", 1, 11)
	s.event(4, "paused", "anne")
	s.event(6, "resumed", "anne")
	for format, want := range map[Format]string{WebM: "meeting.ogg opus", MP4: "meeting.m4a aac bin_data"} {
		result, path := s.compose(t, Config{Format: format})
		p := probe(t, path)
		if got := result.Film + " " + p.codecs(); got != want || !result.Measured {
			t.Errorf("%s, want %s; measured %v", got, want, result.Measured)
		}
		if got := p.length(t); math.Abs(got-10) > 0.1 {
			t.Errorf("it lasts %.3f s", got)
		}
		if got := loudnessOf(t, path); math.Abs(got+16) > 1 {
			t.Errorf("it is as loud as %.1f LUFS", got)
		}
		if got, want := p.chapters(), "0.0-4.0 Beginning · Arrival: Anne, Bob\n4.0-10.0 Resumed after a pause (0:02)\n"; got != want {
			t.Errorf("chapters\n%s", got)
		}
		var said []string
		for _, one := range result.Plan.Speech {
			said = append(said, fmt.Sprintf("%s %.0f-%.0f", one.Name, one.From.Seconds(), one.To.Seconds()))
		}
		if got := strings.Join(said, ", "); got != "Anne 0-4, Bob 6-10" {
			t.Errorf("who speaks: %s", got)
		}
		// From 4 to 6 s of the film nobody does.
		quiet := beeps(t, path)
		if len(quiet) != 2 || math.Abs(quiet[0]) > 0.05 || math.Abs(quiet[1]-6) > 0.05 {
			t.Errorf("it becomes loud at %.3f", quiet)
		}
	}
}

// What is louder than the rest for a moment is held down for it: a film that is made as
// loud as it should be has no peaks above −1 dBFS, also in what a decoder makes of it.
func TestPeaksAreHeldDown(t *testing.T) {
	s := newStudio(t, 4, "anne")
	s.sound(t, "anne", "0.05*sin(2*PI*500*t)+0.9*sin(2*PI*700*t)*lt(mod(t,1),0.004)", 0, 4)
	for _, format := range []Format{WebM, MP4} {
		_, path := s.compose(t, Config{Format: format})
		raw, _ := run(t, "ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-f", "f32le", "-")
		peak := 0.0
		for ; len(raw) >= 4; raw = raw[4:] {
			peak = max(peak, math.Abs(float64(math.Float32frombits(binary.LittleEndian.Uint32(raw)))))
		}
		if t.Logf("%s: peak %.1f dBFS", format, 20*math.Log10(peak)); peak > 0.891 || peak < 0.5 {
			t.Errorf("%s: its peak is at %.3f of full scale", format, peak)
		}
	}
}

// Streams that break a decoder, or are none, cost their sender a picture and nobody the
// film.
func TestBrokenStreams(t *testing.T) {
	s := newStudio(t, 2, "anne", "bob", "cleo")
	s.picture(t, "anne", "camera", "color=red:s=320x180:r=25", 0, 2)
	s.picture(t, "bob", "camera", "testsrc2=s=320x180:r=25", 0, 2)
	s.picture(t, "cleo", "camera", "color=blue:s=320x180:r=25", 0, 2)
	s.sound(t, "anne", "0.1*sin(2*PI*500*t)", 0, 2)
	s.sound(t, "bob", "0.1*sin(2*PI*500*t)", 0, 2)
	spoil := func(file int, from int) {
		path := filepath.Join(s.dir, s.index.Files[file].Name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := from; i < len(b); i++ {
			b[i] = byte(i * 7)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spoil(1, 2000)
	spoil(2, 0)
	spoil(4, 0)
	result, path := s.compose(t, Config{})
	if len(result.Spoiled) != 2 || !strings.HasPrefix(result.Spoiled[0], "03-cleo-camera.webm: ") || !strings.HasPrefix(result.Spoiled[1], "05-bob-microphone.webm: ") {
		t.Errorf("%q", result.Spoiled)
	}
	d := decode(t, path)
	if len(d.frames) != 50 || d.colour(1, 320, 360) != "red" {
		t.Errorf("%d pictures: %s", len(d.frames), d.colour(1, 320, 360))
	}
}

// A stream whose first picture can be decoded, and which breaks its decoder later, costs its
// sender the picture of that interval: the others are drawn again without it.
func TestAStreamThatBreaksItsDecoderLater(t *testing.T) {
	s := newStudio(t, 1, "anne", "bob")
	s.picture(t, "anne", "camera", "color=red:s=320x180:r=25", 0, 1)
	s.picture(t, "bob", "camera", "color=blue:s=320x180:r=25", 0, 1)
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	// A program that dies of Bob's picture, but for its first frame, as with a bug in a decoder.
	frail := filepath.Join(t.TempDir(), "ffmpeg")
	script := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in\n*'-frames 1 '*) ;;\n*02-bob-camera.webm*) echo 'a bug in the decoder' >&2; exit 1 ;;\nesac\nexec %s \"$@\"\n", ffmpeg)
	if err := os.WriteFile(frail, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	found, err := Find(t.Context(), frail, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	result, err := Compose(t.Context(), Config{
		Tool: found, Index: s.index, Media: s.dir, Work: filepath.Join(t.TempDir(), "work"), Dir: dir, Layout: compose.Grid, Language: compose.English, Format: WebM,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Spoiled) != 1 || !strings.HasPrefix(result.Spoiled[0], "02-bob-camera.webm: ") || !strings.Contains(result.Spoiled[0], "a bug in the decoder") {
		t.Errorf("%q", result.Spoiled)
	}
	d := decode(t, filepath.Join(dir, result.Film))
	if len(d.frames) != 25 || d.colour(0.5, 320, 360) != "red" || d.colour(0.5, 960, 300) == "blue" {
		t.Errorf("%d pictures: %s and %s", len(d.frames), d.colour(0.5, 320, 360), d.colour(0.5, 960, 300))
	}
}

// A stream of pictures that are all not to be shown, which is no error, leaves its place
// empty, and the film goes on.
func TestHiddenPictures(t *testing.T) {
	for _, hidden := range [][]int{{1}, {0, 1}} {
		s := newStudio(t, 1, "anne", "bob")
		s.picture(t, "anne", "camera", "color=red:s=320x180:r=25", 0, 1)
		s.picture(t, "bob", "camera", "color=blue:s=320x180:r=25", 0, 1)
		want := []string{"red", "blue"}
		for _, n := range hidden {
			hide(t, filepath.Join(s.dir, s.index.Files[n].Name))
			want[n] = "tile"
		}
		result, path := s.compose(t, Config{})
		d := decode(t, path)
		if len(d.frames) != 25 || len(result.Spoiled) > 0 {
			t.Fatalf("%d pictures, of 25: %q", len(d.frames), result.Spoiled)
		}
		for n := range d.frames {
			at := float64(n) / float64(perSecond)
			if got := []string{d.colour(at, 320, 300), d.colour(at, 960, 300)}; !slices.Equal(got, want) {
				t.Fatalf("at %.2f s: %s, want %s", at, got, want)
			}
		}
	}
}

// hide makes all pictures of a file of VP8 ones that are not shown (RFC 6386, 9.1).
func hide(t *testing.T, path string) {
	t.Helper()
	const head, frameHead, show = 32, 12, 0x10
	ivf := path + ".ivf"
	run(t, "ffmpeg", "-v", "error", "-i", path, "-c", "copy", ivf)
	b, err := os.ReadFile(ivf)
	if err != nil {
		t.Fatal(err)
	}
	for at := head; at+frameHead < len(b); at += frameHead + int(binary.LittleEndian.Uint32(b[at:])) {
		b[at+frameHead] &^= show
	}
	if err := os.WriteFile(ivf, b, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "ffmpeg", "-v", "error", "-y", "-i", ivf, "-c", "copy", path)
}

// Whoever speaks has a frame around their picture, inside of it, while they do.
func TestTheFrame(t *testing.T) {
	s := newStudio(t, 4, "anne", "bob")
	s.picture(t, "anne", "camera", "color=red:s=320x180:r=25", 0, 4)
	s.picture(t, "bob", "camera", "color=blue:s=320x180:r=25", 0, 4)
	s.event(1, "speaking", "bob")
	s.event(3, "speaking", "")
	result, path := s.compose(t, Config{})
	d := decode(t, path)
	for at, speaks := range map[float64]string{0.5: "", 2: "Bob", 3.5: ""} {
		for n, tile := range result.Plan.Intervals[0].Tiles {
			own := []string{"red", "blue"}[n]
			x, y := middle(tile.Box)
			right, bottom := tile.X+tile.W, tile.Y+tile.H
			for _, p := range [][2]int{{tile.X + 1, y}, {right - 1, y}, {x, tile.Y + 1}, {x, bottom - 1}} {
				got := d.colour(at, p[0], p[1])
				if framed := got != own; framed != (tile.Name == speaks) || framed && p[0] == x && got != "frame" { // upright it is too narrow for its colour
					t.Errorf("at %.1f s, %s: %s at the edge, %d", at, tile.Name, got, p)
				}
			}
			const within = 3 * shrunk
			for _, p := range [][2]int{{x, y}, {tile.X + within, y}, {right - within, y}, {x, tile.Y + within}, {x, bottom - within}} {
				if got := d.colour(at, p[0], p[1]); got != own {
					t.Errorf("at %.1f s, %s: %s inside, at %d", at, tile.Name, got, p)
				}
			}
		}
	}
}

// A name is a name, whatever it says to those who draw it.
func TestHostileNames(t *testing.T) {
	for _, name := range []string{`{\pos(640,360)\fs300}X`, `%{pts} \N\h{\p1}m 0 0 l 640 0 640 360`, "سارة المنصوري", `'; drawbox=c=red:t=fill [x]`, `\`} {
		s := newStudio(t, 0.6, "anne")
		s.index.People[0].Name = name
		s.index.Events[1].Name = name
		s.picture(t, "anne", "camera", "color=blue:s=320x180:r=25", 0, 0.6)
		_, path := s.compose(t, Config{})
		d := decode(t, path)
		written := 0
		for y := 0; y < compose.Height; y += shrunk {
			for x := 0; x < compose.Width; x += shrunk {
				if d.colour(0.1, x, y) == "blue" {
					continue
				}
				if written++; y < compose.Height-50 || x > compose.Width/2 {
					t.Fatalf("%s: something is written at %d, %d", name, x, y)
				}
			}
		}
		if written == 0 {
			t.Errorf("%s: it is not written", name)
		}
	}
}

// A camera whose picture changes its place often is made even first; what is seen is the
// same.
func TestManyIntervals(t *testing.T) {
	s := newStudio(t, 6, "anne", "bob")
	s.picture(t, "anne", "camera", "color=red:s=320x180:r=25,drawbox=enable='gte(t,3)':color=green:t=fill", 0, 6)
	for n := range 5 {
		s.picture(t, "bob", "camera", "color=blue:s=320x180:r=25", 0.5+float64(n), 0.6)
	}
	work := filepath.Join(t.TempDir(), "work")
	result, path := s.compose(t, Config{Work: work})
	if len(result.Plan.Intervals) != 11 {
		t.Errorf("%d intervals", len(result.Plan.Intervals))
	}
	if even, err := filepath.Glob(filepath.Join(work, "even-*.mkv")); err != nil || len(even) != 1 {
		t.Errorf("%v, %v", even, err)
	}
	d := decode(t, path)
	if len(d.frames) != 150 {
		t.Errorf("%d pictures", len(d.frames))
	}
	for n := range d.frames {
		at := float64(n) / float64(perSecond)
		want := "red"
		if n >= 75 {
			want = "green"
		}
		if got := d.colour(at, 320, 300); got != want {
			t.Fatalf("at %.2f s: %s, want %s", at, got, want)
		}
	}
}
