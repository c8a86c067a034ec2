package render

// What a film costs, beside recording's own table.
//
// The meeting is one of four: pictures of 640x360 and 25 frames a second with noise in
// them, in VP8 at 1.25 Mbit/s, and voices that take turns, in Opus. The film has 1280x720.
// The figures are CPU of the programs that compose it, user and system, all threads
// (RUSAGE_CHILDREN), per second of the film: time spent waiting for a core is in none.
//
// plain: ffmpeg decodes one of the four and its voice, draws it as large as the film and
// encodes it as the film is, right after that film.

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aparte/recorder/compose"
	"aparte/recorder/export"
)

// How long the meeting is with pictures, and without: there what ffmpeg costs by being
// started, some ten times, must not show.
const seenSeconds, heardSeconds = 40, 400

// Core-seconds a second, as a prototype had them with as noisy pictures: VP9, H.264, and sound
// with its loudness measured once. It composed no VP8.
const targetVP9, targetH264, targetSound = 0.57, 0.63, 0.04

// children is what all programs that ended have used.
func children(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// meetingOfFour is recorded for so long.
func meetingOfFour(b *testing.B, seconds int, pictures bool) *studio {
	b.Helper()
	people := []string{"anne", "bob", "cleo", "dan"}
	s := newStudio(b, float64(seconds), people...)
	for i, identity := range people {
		s.sound(b, identity, fmt.Sprintf("if(eq(mod(floor(t/5),4),%d),0.3*sin(2*PI*%d*t)*(0.6+0.4*sin(2*PI*3*t)),0)", i, 180+60*i), 0, float64(seconds))
		if !pictures {
			continue
		}
		name := identity + "-camera.webm"
		run(b, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=s=640x360:r=25:d=%d,hue=h=%d,noise=alls=12:allf=t:all_seed=%d,format=yuv420p", seconds, 90*i, i+1),
			"-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "9999", "-b:v", "1250k", filepath.Join(s.dir, name))
		s.index.Files = append(s.index.Files, export.File{
			Name: name, Identity: identity, Track: name, Source: "camera", Codec: "vp8", Duration: float64(seconds) - compose.Frame.Seconds(), Sizes: []export.Size{{Width: 640, Height: 360}},
		})
	}
	for at := 0; at < seconds; at += 5 {
		s.event(float64(at), "speaking", people[at/5%4])
	}
	return s
}

func BenchmarkComposition(b *testing.B) {
	seen, heard := meetingOfFour(b, seenSeconds, true), meetingOfFour(b, heardSeconds, false)
	withoutVP9 := func(t *Tool) {
		t.encoders = slices.DeleteFunc(t.encoders, func(name string) bool { return name == "libvpx-vp9" })
	}
	for _, c := range []struct {
		name   string
		of     *studio
		format Format
		codecs string
		change func(*Tool)
		target float64
	}{
		{"webm-vp9", seen, WebM, "vp9 opus", nil, targetVP9},
		{"webm-vp8", seen, WebM, "vp8 opus", withoutVP9, 0},
		{"mp4", seen, MP4, "h264 aac bin_data", nil, targetH264},
		{"sound", heard, WebM, "opus", nil, targetSound},
	} {
		b.Run(c.name, func(b *testing.B) {
			var ours, plain time.Duration
			for range b.N {
				tool := tool(b)
				if c.change != nil {
					c.change(tool)
				}
				e, err := tool.encoding(c.format, 2)
				if err != nil {
					b.Fatal(err)
				}
				dir := b.TempDir()
				before := children(b)
				result, err := Compose(b.Context(), Config{
					Tool: tool, Index: c.of.index, Media: c.of.dir, Work: filepath.Join(b.TempDir(), "work"), Dir: dir,
					Layout: compose.Grid, Language: compose.English, Format: c.format, Threads: 2,
				})
				if err != nil {
					b.Fatal(err)
				}
				ours += children(b) - before
				p := probe(b, filepath.Join(dir, result.Film))
				if got := p.length(b); got < c.of.index.Duration-0.5 || got > c.of.index.Duration+0.5 || p.codecs() != c.codecs {
					b.Fatalf("a film of %.1f s in %s", got, p.codecs())
				}
				before = children(b)
				run(b, alone(c.of, e, filepath.Join(dir, "plain.mkv"))...)
				plain += children(b) - before
			}
			a := func(d time.Duration) float64 { return d.Seconds() / c.of.index.Duration / float64(b.N) }
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(a(ours), "core-s/s")
			b.ReportMetric(a(plain), "core-s/s-plain")
			b.ReportMetric(a(ours)/a(plain), "x-plain")
			if c.target > 0 {
				b.ReportMetric(c.target, "core-s/s-wanted")
				b.ReportMetric(a(ours)/c.target, "x-wanted")
			}
		})
	}
}

// alone is the command for one person of a meeting by themselves.
func alone(s *studio, e encoding, to string) []string {
	args := []string{"ffmpeg", "-v", "error"}
	var picture, sound string
	for _, f := range s.index.Files[:2] {
		if f.Source == "camera" {
			picture = f.Name
		} else if sound == "" {
			sound = f.Name
		}
	}
	if picture != "" {
		args = append(args, "-i", filepath.Join(s.dir, picture))
	}
	args = append(args, "-i", filepath.Join(s.dir, sound))
	if picture != "" {
		args = append(args, "-map", "0:v:0", "-map", "1:a:0", "-vf", fmt.Sprintf("scale=%d:%d", compose.Width, compose.Height), "-r", strconv.Itoa(perSecond))
		args = append(args, e.picture...)
	}
	return append(append(args, e.sound...), to)
}
