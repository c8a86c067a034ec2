package sdktest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/livekit/server-sdk-go/v2/pkg/oggreader"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
)

const (
	frameRate     = 15
	frameDuration = time.Second / frameRate
	opusDuration  = 20 * time.Millisecond
)

// clip is encoded media, one frame or Opus packet each.
type clip struct {
	name          string
	width, height int
	frames        [][]byte
	levels        []uint8 // Opus only: loudness in -dBov (RFC 6464)
}

// fixtures are all clips. Every frame of every clip is different from every
// other, so that a received frame tells by its bytes which one it is.
type fixtures struct {
	low, medium, high clip // the same moving picture, a key frame at the beginning only
	other             clip // another picture as large as medium, for the other direction
	idle              clip // grey, key frames only: what is sent before and after
	speech            clip
	question          clip // other words by another voice
	silence           clip
}

func makeFixtures(dir string) (fixtures, error) {
	var f fixtures
	var err error
	video := func(name string, w, h int, source string, seconds, interval int) clip {
		c := clip{name: name, width: w, height: h}
		if err == nil {
			c.frames, err = encodeVP8(filepath.Join(dir, name+".ivf"), w, h, source, seconds, interval)
		}
		return c
	}
	const once = 9999
	f.low = video("low", 160, 90, "testsrc2", 4, once)
	f.medium = video("medium", 320, 180, "testsrc2", 4, once)
	f.high = video("high", 640, 360, "testsrc2", 4, once)
	f.other = video("other", 320, 180, "mandelbrot", 4, once)
	f.idle = video("idle", 320, 180, "life=mold=10:ratio=0.1:death_color=#808080:life_color=#a0a0a0", 2, 1)

	audio := func(name, voice, words string) clip {
		c := clip{name: name}
		if err == nil {
			c.frames, c.levels, err = speak(filepath.Join(dir, name), voice, words)
		}
		return c
	}
	f.speech = audio("speech", "fr", "Bonjour et bienvenue. Je vous montre maintenant le contrat, page par page, puis nous signerons.")
	f.question = audio("question", "en", "Good morning. Could you please tell me on which page the price is written, and when we begin?")
	// Silence as Opus writes it in 20 ms (RFC 6716 section 3.1: CELT, one frame).
	f.silence = clip{name: "silence", frames: [][]byte{{0xf8, 0xff, 0xfe}}, levels: []uint8{127}}
	return f, err
}

// tool runs one of ffmpeg, ffprobe, espeak-ng. Anything it complains about is
// an error.
func tool(stdin io.Reader, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	var out, complaints bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &complaints
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, complaints.String())
	}
	if complaints.Len() > 0 {
		return nil, fmt.Errorf("%s %s: %s", name, strings.Join(args, " "), complaints.String())
	}
	return out.Bytes(), nil
}

func encodeVP8(path string, w, h int, source string, seconds, interval int) ([][]byte, error) {
	glue := "="
	if strings.Contains(source, "=") {
		glue = ":"
	}
	_, err := tool(nil, "ffmpeg", "-nostdin", "-v", "error",
		"-f", "lavfi", "-i", fmt.Sprintf("%s%ssize=%dx%d:rate=%d", source, glue, w, h, frameRate),
		"-t", strconv.Itoa(seconds), "-pix_fmt", "yuv420p", "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8",
		"-b:v", fmt.Sprintf("%dk", w*h/400+40), "-g", strconv.Itoa(interval), "-keyint_min", "0",
		"-auto-alt-ref", "0", "-lag-in-frames", "0", "-error-resilient", "0", path)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader, _, err := ivfreader.NewWith(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var frames [][]byte
	for {
		frame, _, err := reader.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		frames = append(frames, frame)
	}
	if want := seconds * frameRate; len(frames) != want {
		return nil, fmt.Errorf("%s has %d frames, not %d", path, len(frames), want)
	}
	for i, frame := range frames {
		if (i%interval == 0) != keyframe(frame) {
			return nil, fmt.Errorf("%s: frame %d is a key frame: %t", path, i, keyframe(frame))
		}
	}
	return frames, nil
}

// keyframe reads VP8's frame tag (RFC 6386 section 9.1).
func keyframe(frame []byte) bool { return len(frame) > 0 && frame[0]&1 == 0 }

// speak returns Opus packets of a spoken sentence, and how loud each is.
func speak(base, voice, words string) ([][]byte, []uint8, error) {
	if _, err := tool(nil, "espeak-ng", "-v", voice, "-w", base+".wav", words); err != nil {
		return nil, nil, err
	}
	if _, err := tool(nil, "ffmpeg", "-nostdin", "-v", "error", "-i", base+".wav", "-ar", "48000", "-ac", "1",
		"-c:a", "libopus", "-b:a", "24k", "-vbr", "off", "-frame_duration", "20", base+".ogg"); err != nil {
		return nil, nil, err
	}
	pcm, err := tool(nil, "ffmpeg", "-nostdin", "-v", "error", "-i", base+".ogg", "-ar", "48000", "-ac", "1", "-f", "s16le", "-")
	if err != nil {
		return nil, nil, err
	}
	file, err := os.Open(base + ".ogg")
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	reader, _, err := oggreader.NewOggReader(file)
	if err != nil {
		return nil, nil, err
	}
	var packets [][]byte
	var levels []uint8
	for {
		packet, err := reader.ReadPacket()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		n := min(len(pcm), 960*2)
		packets = append(packets, bytes.Clone(packet))
		levels = append(levels, loudness(pcm[:n]))
		pcm = pcm[n:]
	}
	if len(packets) < 100 {
		return nil, nil, fmt.Errorf("%s has only %d Opus packets", base, len(packets))
	}
	return packets, levels, nil
}

// loudness of 16-bit samples in -dBov (RFC 6465 section 2, appendix A).
func loudness(pcm []byte) uint8 {
	var sum float64
	for i := 0; i+1 < len(pcm); i += 2 {
		v := float64(int16(binary.LittleEndian.Uint16(pcm[i:]))) / 32768
		sum += v * v
	}
	if sum == 0 {
		return 127
	}
	return uint8(min(127, max(0, -10*math.Log10(sum/float64(len(pcm)/2)))))
}

// feed plays a clip into a track of the SDK, in time, round and round.
type feed struct {
	// Set at creation.
	j        *journal
	duration time.Duration
	keys     bool // start over when a key frame is asked for

	mu    sync.Mutex
	clip  *clip
	at    int // of clip, the next frame
	next  *clip
	level uint8 // of the frame taken last
	ended bool
	asked int           // key frames asked for
	off   chan struct{} // not nil: no frames until it is closed
}

var _ lksdk.AudioSampleProvider = (*feed)(nil)

func newFeed(j *journal, idle *clip, duration time.Duration) *feed {
	return &feed{j: j, duration: duration, clip: idle, level: 127}
}

// turnOff ends the frames, as a camera does; turnOn begins anew with the first.
func (f *feed) turnOff() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = make(chan struct{})
}

func (f *feed) turnOn() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at = 0
	close(f.off)
	f.off = nil
}

// play goes on to c after the current frame.
func (f *feed) play(c *clip) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next = c
}

// requested is how often a key frame was asked for.
func (f *feed) requested() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked
}

// NextSample is the SDK's question for the next frame.
func (f *feed) NextSample(ctx context.Context) (media.Sample, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.off != nil {
		off := f.off
		f.mu.Unlock()
		select {
		case <-off:
		case <-ctx.Done():
		}
		f.mu.Lock()
		if ctx.Err() != nil {
			return media.Sample{}, io.EOF
		}
	}
	if f.ended {
		return media.Sample{}, io.EOF
	}
	if f.next != nil {
		f.clip, f.next, f.at = f.next, nil, 0
	}
	frame := f.clip.frames[f.at]
	f.level = 127
	if f.clip.levels != nil {
		f.level = f.clip.levels[f.at]
	}
	f.at = (f.at + 1) % len(f.clip.frames)
	return media.Sample{Data: frame, Duration: f.duration}, nil
}

func (f *feed) CurrentAudioLevel() uint8 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.level
}

func (f *feed) OnBind() error   { return nil }
func (f *feed) OnUnbind() error { return nil }

func (f *feed) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = true
	return nil
}

// rtcp starts the clip over when the server asks for a key frame.
func (f *feed) rtcp(p rtcp.Packet) {
	switch p.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
	default:
		return
	}
	f.mu.Lock()
	f.asked++
	if f.keys {
		f.at = 0
	}
	f.mu.Unlock()
	f.j.wake()
}

// videoTrack plays c round and round and starts over at every request for a
// key frame: there is no other key frame to begin with.
func videoTrack(t *testing.T, j *journal, c *clip, options ...lksdk.LocalTrackOptions) (*lksdk.LocalTrack, *feed) {
	t.Helper()
	f := newFeed(j, c, frameDuration)
	f.keys = true
	return bind(t, f, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, options...), f
}

// plannedTrack waits on the idle clip until play, and is deaf to requests for
// key frames.
func plannedTrack(t *testing.T, j *journal) (*lksdk.LocalTrack, *feed) {
	t.Helper()
	f := newFeed(j, &clips.idle, frameDuration)
	return bind(t, f, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}), f
}

func audioTrack(t *testing.T, j *journal, c *clip) (*lksdk.LocalTrack, *feed) {
	t.Helper()
	f := newFeed(j, c, opusDuration)
	return bind(t, f, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}), f
}

func bind(t *testing.T, f *feed, codec webrtc.RTPCodecCapability, options ...lksdk.LocalTrackOptions) *lksdk.LocalTrack {
	t.Helper()
	track, err := lksdk.NewLocalTrack(codec, append(options, lksdk.WithRTCPHandler(f.rtcp))...)
	if err != nil {
		t.Fatal(err)
	}
	track.OnBind(func() {
		if err := track.StartWrite(f, nil); err != nil {
			t.Errorf("start writing: %v", err)
		}
	})
	return track
}

// simulcast returns three tracks of the same picture in three sizes.
func simulcast(t *testing.T, j *journal) ([]*lksdk.LocalTrack, map[livekit.VideoQuality]*feed) {
	t.Helper()
	const id = "camera"
	feeds := map[livekit.VideoQuality]*feed{}
	var tracks []*lksdk.LocalTrack
	for q, c := range map[livekit.VideoQuality]*clip{
		livekit.VideoQuality_LOW: &clips.low, livekit.VideoQuality_MEDIUM: &clips.medium, livekit.VideoQuality_HIGH: &clips.high,
	} {
		layer := &livekit.VideoLayer{Quality: q, Width: uint32(c.width), Height: uint32(c.height), Bitrate: uint32(c.width * c.height * 3)}
		track, f := videoTrack(t, j, c, lksdk.WithSimulcast(id, layer))
		tracks, feeds[q] = append(tracks, track), f
	}
	return tracks, feeds
}

// frameID names a frame by what is in it.
type frameID struct {
	clip  *clip
	index int
}

// known finds every video frame of every clip by its bytes.
var known = sync.OnceValue(func() map[[32]byte]frameID {
	m := map[[32]byte]frameID{}
	for _, c := range []*clip{&clips.low, &clips.medium, &clips.high, &clips.other, &clips.idle} {
		for i, frame := range c.frames {
			m[sha256.Sum256(frame)] = frameID{c, i}
		}
	}
	return m
})

// decode lets ffmpeg decode frames and returns the size of each picture that
// came out. Whatever ffmpeg complains about is an error.
func decode(dir string, frames []frame) ([]string, error) {
	path := filepath.Join(dir, "received.ivf")
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	header := make([]byte, 32)
	copy(header, "DKIF\x00\x00\x20\x00VP80")
	binary.LittleEndian.PutUint16(header[12:], 640)
	binary.LittleEndian.PutUint16(header[14:], 360)
	binary.LittleEndian.PutUint32(header[16:], frameRate)
	binary.LittleEndian.PutUint32(header[20:], 1)
	binary.LittleEndian.PutUint32(header[24:], uint32(len(frames)))
	_, err = file.Write(header)
	for i := 0; i < len(frames) && err == nil; i++ {
		h := make([]byte, 12)
		binary.LittleEndian.PutUint32(h, uint32(len(frames[i].data)))
		binary.LittleEndian.PutUint64(h[4:], uint64(i))
		_, err = file.Write(append(h, frames[i].data...))
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	out, err := tool(nil, "ffprobe", "-v", "warning", "-err_detect", "explode",
		"-show_entries", "frame=width,height", "-of", "csv=print_section=0:item_sep=x", path)
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(out)), nil
}

func (f *feed) playing() *clip {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clip
}
