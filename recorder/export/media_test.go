package export

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4/pkg/media/h264reader"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/pion/webrtc/v4/pkg/media/oggreader"

	"aparte/recorder/journal"
	"aparte/sfu/tap"
)

// Each two seconds it flashes and beeps, for 0.12 s.
const flashEvery, flashFor = 2.0, 0.12

// When the microphone is muted, over one beep, and when another layer of the picture takes
// over, with a key frame.
const (
	mutedFrom, mutedTo = 7 * time.Second, 9500 * time.Millisecond
	layerFrom          = 10 * time.Second
)

// Real pictures and real sound, over a path that loses and reorders, with a mute, a change
// of layers and a clock that is off: what comes out of the export plays from beginning to
// end, flashes when it beeps, and when it did before the camera. Of 450 s 100 ppm are
// 45 ms; the hour that they add up over has no pictures (TestAnHour).
func TestFlashAndBeep(t *testing.T) {
	for _, tt := range []struct {
		mime    string
		encode  []string
		payload rtp.Payloader
		ppm     float64
		layers  int
		seconds int
		rate    int
	}{
		{"video/VP8", []string{"-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-auto-alt-ref", "0", "-lag-in-frames", "0", "-f", "ivf"}, &codecs.VP8Payloader{EnablePictureID: true}, 100, 2, 450, 5},
		{"video/VP9", []string{"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0", "-f", "ivf"}, &codecs.VP9Payloader{}, -100, 1, 20, 25},
		{"video/AV1", []string{"-c:v", "libsvtav1", "-preset", "12", "-svtav1-params", "pred-struct=1", "-f", "ivf"}, &codecs.AV1Payloader{}, 100, 1, 20, 25},
		{"video/H264", []string{"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-x264-params", "sliced-threads=0:slices=1", "-f", "h264"}, &codecs.H264Payloader{}, -100, 1, 20, 25},
	} {
		t.Run(strings.TrimPrefix(tt.mime, "video/"), func(t *testing.T) {
			dir := t.TempDir()
			sound := filepath.Join(dir, "sound")
			sizes := []Size{{Width: 320, Height: 180}, {Width: 160, Height: 90}}[:tt.layers]
			for _, size := range sizes {
				run(t, append([]string{
					"ffmpeg", "-v", "error", "-f", "lavfi", "-i",
					fmt.Sprintf("testsrc2=s=%dx%d:r=%d:d=%d,hue=s=0,eq=brightness=-0.6,drawbox=enable='lt(mod(t,%g),%g)':color=white:t=fill", size.Width, size.Height, tt.rate, tt.seconds, flashEvery, flashFor),
					"-pix_fmt", "yuv420p", "-g", "50",
				}, append(tt.encode, filepath.Join(dir, fmt.Sprint(size.Width)))...)...)
			}
			run(t, "ffmpeg", "-v", "error", "-f", "lavfi", "-i",
				fmt.Sprintf("aevalsrc='if(lt(mod(t,%g),%g),sin(2*PI*1000*t),0)':s=48000:d=%d", flashEvery, flashFor, tt.seconds),
				"-c:a", "libopus", "-frame_duration", "20", "-page_duration", "20000", "-f", "ogg", sound)

			c := &clip{tape: newTape(), sender: sender{drift: tt.ppm * 1e-6, offset: time.Hour, delay: 40 * time.Millisecond, random: rand.New(rand.NewPCG(3, 4))}}
			c.tape.add(0, journal.Joined{Identity: "u1", Name: "Zoé / ../Faÿ", Kind: "guest"})
			sent := 0
			for i, size := range sizes {
				from, to := time.Duration(0), time.Duration(tt.seconds)*time.Second
				if i > 0 {
					from = layerFrom
				} else if tt.layers > 1 {
					to = layerFrom
				}
				sent += c.film(t, filepath.Join(dir, fmt.Sprint(size.Width)), tt.mime, tt.rate, tt.payload, from, to)
			}
			c.talk(t, sound, time.Duration(tt.seconds)*time.Second)
			index, out := export(t, c.tape.bytes())
			if len(index.Files) != 2 {
				t.Fatalf("%+v", index)
			}
			var flashes, beeps []float64
			for _, f := range index.Files {
				if f.Approximate || f.LostFrames > 0 {
					t.Errorf("%+v", f)
				}
				path := filepath.Join(out, f.Name)
				if said := run(t, "ffmpeg", "-v", "warning", "-i", path, "-enc_time_base:v", "1:1000", "-f", "null", "-"); said != "" {
					t.Errorf("ffmpeg says of %s: %s", f.Name, said)
				}
				if f.Source == "camera" {
					if f.Frames != sent || len(f.Sizes) != len(sizes) || f.Sizes[0].Width != 320 || f.Sizes[len(sizes)-1].Width != sizes[len(sizes)-1].Width {
						t.Errorf("%d pictures were sent: %+v", sent, f)
					}
					flashes = onsets(f.Start, brightness(t, path))
				} else {
					beeps = onsets(f.Start, loudness(t, path))
				}
			}
			// One beep was muted.
			if len(flashes) != tt.seconds/flashEvery || len(beeps) != len(flashes)-1 {
				t.Fatalf("flashes at %.3f, beeps at %.3f", flashes, beeps)
			}
			var apart []float64
			for i, beep := range beeps {
				if beep > mutedFrom.Seconds() {
					i++
				}
				apart = append(apart, math.Abs(flashes[i]-beep))
			}
			slices.Sort(apart)
			t.Logf("flash and beep are apart: p95 %.1f ms, at most %.1f ms (wanted: 40)", apart[int(float64(len(apart)-1)*0.95)]*1000, apart[len(apart)-1]*1000)
			if worst := apart[len(apart)-1]; worst > 0.040 {
				t.Errorf("flash and beep are up to %.3f s apart: flashes at %.3f, beeps at %.3f", worst, flashes, beeps)
			}
			var later []float64 // than before the camera
			for i, flash := range flashes {
				later = append(later, flash-c.sender.when(time.Duration(i)*flashEvery*time.Second).Seconds())
			}
			t.Logf("shown later than captured: %.1f to %.1f ms", slices.Min(later)*1000, slices.Max(later)*1000)
			if slices.Max(later)-slices.Min(later) > 0.040 {
				t.Errorf("flashes are shown %.3f s later than captured", later)
			}
		})
	}
}

// run runs a program and returns what it says on its standard error.
func run(t *testing.T, args ...string) string {
	t.Helper()
	_, said := piped(t, args...)
	return said
}

func piped(t *testing.T, args ...string) (out []byte, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s (make test-packages installs it): %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.Bytes(), stderr.String()
}

// clip is what is published.
type clip struct {
	tape   *tape
	sender sender
}

// send is one packet: 3 % are lost and come again after 0.3 to 0.8 s.
func (c *clip) send(at time.Duration, stream uint32, p *rtp.Packet) {
	arrives := c.sender.jittered(at)
	if r := c.sender.random; r.IntN(100) < 3 {
		arrives += 300*time.Millisecond + time.Duration(r.IntN(500))*time.Millisecond
	}
	c.tape.packet(arrives, stream, p)
}

func (c *clip) report(stream uint32, rate, base uint32, from, to time.Duration) {
	s := &c.sender
	for at := from + 2*time.Second; at < to; at += 2 * time.Second {
		c.tape.add(s.jittered(at), journal.Report{Stream: stream, SenderReport: tap.SenderReport{
			NTP: s.ntp(at), RTP: base + uint32(int64(s.local(at)/time.Microsecond)*int64(rate)/1_000_000),
		}})
	}
}

// film sends what a file of pictures has of a time, as a layer of its own, and tells how
// many that are.
func (c *clip) film(t *testing.T, path, mime string, rate int, payloader rtp.Payloader, from, to time.Duration) (count int) {
	t.Helper()
	ssrc, base := uint32(5+from/time.Second), uint32(1<<31+from) // each layer counts from somewhere else
	id := c.tape.stream(c.sender.when(from), tap.Stream{Identity: "u1", Track: "TR_v", Source: "camera", Mime: mime, SSRC: ssrc, PayloadType: 96, ClockRate: 90000})
	c.report(id, 90000, base, from, to)
	p := rtp.NewPacketizer(1200, 96, ssrc, payloader, rtp.NewFixedSequencer(65500), 90000)
	for n, picture := range picturesOf(t, path, mime) {
		local := time.Duration(n) * time.Second / time.Duration(rate)
		if local < from || local >= to {
			continue
		}
		count++
		for _, pkt := range p.Packetize(picture, 0) {
			pkt.Timestamp = base + uint32(local*90000/time.Second)
			c.send(c.sender.when(local), id, pkt)
		}
	}
	c.tape.add(c.sender.when(to)+time.Second, journal.End{Stream: id})
	return count
}

func picturesOf(t *testing.T, path, mime string) (all [][]byte) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if mime == "video/H264" {
		r, err := h264reader.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		var picture []byte
		for {
			nal, err := r.NextNAL()
			if errors.Is(err, io.EOF) {
				return all
			}
			if err != nil {
				t.Fatal(err)
			}
			picture = append(append(picture, 0, 0, 0, 1), nal.Data...)
			if nal.UnitType <= h264reader.NalUnitTypeCodedSliceIdr {
				all, picture = append(all, picture), nil
			}
		}
	}
	r, _, err := ivfreader.NewWith(file)
	if err != nil {
		t.Fatal(err)
	}
	for {
		picture, _, err := r.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, picture)
	}
}

func (c *clip) talk(t *testing.T, path string, until time.Duration) {
	t.Helper()
	const base = 12345
	id := c.tape.stream(0, tap.Stream{Identity: "u1", Track: "TR_a", Source: "microphone", Mime: "audio/opus", SSRC: 6, PayloadType: 111, ClockRate: 48000, Channels: 2})
	c.report(id, 48000, base, 0, until)
	c.tape.add(c.sender.when(mutedFrom), journal.Muted{Track: "TR_a", Muted: true})
	c.tape.add(c.sender.when(mutedTo), journal.Muted{Track: "TR_a"})
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, _, err := oggreader.NewWith(file)
	if err != nil {
		t.Fatal(err)
	}
	seq := uint16(0)
	for n := 0; ; {
		page, _, err := r.ParseNextPage()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(page, []byte("OpusTags")) {
			continue
		}
		local := time.Duration(n) * 20 * time.Millisecond
		n++
		if local >= mutedFrom && local < mutedTo {
			continue
		}
		c.send(c.sender.when(local), id, &rtp.Packet{Header: rtp.Header{
			Version: 2, PayloadType: 111, SSRC: 6, SequenceNumber: seq, Timestamp: base + uint32(local*48000/time.Second),
		}, Payload: page})
		seq++
	}
}

// sample is how bright or loud it is at a time, 0 to 1.
type sample struct{ at, level float64 }

// onsets are when it becomes bright or loud.
func onsets(start float64, samples []sample) (out []float64) {
	was := false
	for _, s := range samples {
		is := s.level > 0.5
		if is && !was {
			out = append(out, start+s.at)
		}
		was = is
	}
	return out
}

func brightness(t *testing.T, path string) (out []sample) {
	t.Helper()
	text, _ := piped(t, "ffmpeg", "-v", "error", "-i", path, "-fps_mode", "passthrough",
		"-vf", "signalstats,metadata=mode=print:key=lavfi.signalstats.YAVG:file=-", "-f", "null", "-")
	var at float64
	for line := range strings.Lines(string(text)) {
		var err error
		if _, shown, is := strings.Cut(strings.TrimSpace(line), "pts_time:"); is {
			at, err = strconv.ParseFloat(shown, 64)
		} else if _, level, is := strings.Cut(strings.TrimSpace(line), "YAVG="); is {
			var l float64
			l, err = strconv.ParseFloat(level, 64)
			out = append(out, sample{at, l / 255})
		}
		if err != nil {
			t.Fatalf("ffmpeg says %q", line)
		}
	}
	return out
}

func loudness(t *testing.T, path string) (out []sample) {
	t.Helper()
	const rate, window = 48000, 240 // 5 ms
	raw, _ := piped(t, "ffmpeg", "-v", "error", "-i", path, "-af", "aresample=async=1:first_pts=0:min_hard_comp=0.005", "-f", "s16le", "-ac", "1", "-ar", strconv.Itoa(rate), "-")
	for n := 0; n+2*window <= len(raw); n += 2 * window {
		loud := 0.0
		for i := 0; i < 2*window; i += 2 {
			v := float64(int16(binary.LittleEndian.Uint16(raw[n+i:]))) / (1 << 15)
			loud = max(loud, v, -v)
		}
		out = append(out, sample{float64(n/2) / rate, loud})
	}
	// The level is that of the beep in the middle of its window; a gate of a fifth hears
	// where it begins.
	for i := range out {
		out[i].level = min(out[i].level*2.5, 1)
	}
	return out
}
