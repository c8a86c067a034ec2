package adapttest

import (
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtcp"
)

// The rules, in the order of the list. Figures are bits per second.

const (
	wide = 0
	// A camera's layers take about 120, 330 and 970 kbit/s with all headers, a voice 60.
	forLow    = 260_000
	forMedium = 700_000
	forVoice  = 90_000
)

func bps(rate int64) func(*link) { return func(l *link) { l.bps = rate } }

// lowAndOn tells whether a picture is shown, in any form.
func shown(c *client, s *source) bool {
	layer, _ := c.of(s.sid)
	return layer >= 0
}

func layerIs(c *client, s *source, want int) func() bool {
	return func() bool {
		layer, _ := c.of(s.sid)
		return layer == want
	}
}

// Audio is never touched: whatever becomes of the link, every packet of a voice is
// sent, once, in order and at once; and when video has made room, none is lost.
func TestAudioIsNeverTouched(t *testing.T) {
	inWorld(t, false, func(t *testing.T, w *world) {
		viewer := w.client("viewer", false, true)
		camera := w.camera("anna", livekit.TrackSource_CAMERA, 3)
		mic := w.microphone("bert")
		w.until("picture and voice", 10*time.Second, func() bool {
			voice := 0
			viewer.with(mic.sid, func(s *stream) { voice = s.packets })
			return voice > 50 && layerIs(viewer, camera, 2)()
		})
		var ssrc uint32
		viewer.with(mic.sid, func(s *stream) { ssrc = s.ssrc })
		for _, step := range []struct {
			rate int64
			d    time.Duration
			most int // voice packets that may be lost in the link while video gives way
		}{
			{wide, 5 * time.Second, 0},
			{forMedium, 10 * time.Second, 40},
			{forLow, 10 * time.Second, 40},
			{forVoice, 10 * time.Second, 80},
			{forVoice, 5 * time.Second, 0},
			{wide, 10 * time.Second, 0},
		} {
			viewer.link.set(bps(step.rate))
			viewer.link.forget()
			time.Sleep(step.d)
			viewer.link.set(func(l *link) {
				sent, fell := l.sent[ssrc], l.fell[ssrc]
				if want := int(step.d / (20 * time.Millisecond)); len(sent) < want-2 || len(sent) > want+2 {
					t.Errorf("%d bit/s: %d voice packets were sent of %d", step.rate, len(sent), want)
				}
				for i := range sent[1:] {
					if sent[i+1] != sent[i]+1 {
						t.Errorf("%d bit/s: number %d after %d", step.rate, sent[i+1], sent[i])
					}
				}
				if fell > step.most {
					t.Errorf("%d bit/s: %d voice packets fell from the queue", step.rate, fell)
				}
				t.Logf("%8d bit/s for %v: %d voice packets, %d lost, queue up to %v", step.rate, step.d, len(sent), fell, l.worst)
			})
		}
	})
}

// Who speaks comes before a screen share, that before what is pinned, and that before
// the rest.
func TestPriorities(t *testing.T) {
	inWorld(t, false, func(t *testing.T, w *world) {
		viewer := w.client("viewer", false, true)
		rest := w.camera("rest", livekit.TrackSource_CAMERA, 3)
		pinned := w.camera("pinned", livekit.TrackSource_CAMERA, 3)
		screen := w.camera("screen", livekit.TrackSource_SCREEN_SHARE, 3)
		speaker := w.camera("speaker", livekit.TrackSource_CAMERA, 3)
		voice := w.microphone("speaker")
		voice.level.Store(20)
		viewer.want(pinned.sid, 1280, 720, 1)
		all := []*source{speaker, screen, pinned, rest}
		w.until("all four, large", 20*time.Second, func() bool {
			for _, s := range all {
				if !layerIs(viewer, s, 2)() {
					return false
				}
			}
			return true
		})
		// From wide to nothing: at no step may one have more than another that comes
		// before it, once it is settled.
		for _, rate := range []int64{3_000_000, 1_900_000, 1_100_000, 700_000, 450_000, 160_000} {
			viewer.link.set(bps(rate))
			time.Sleep(8 * time.Second)
			var layers []int
			for _, s := range all {
				layer, _ := viewer.of(s.sid)
				layers = append(layers, layer)
			}
			t.Logf("%8d bit/s: speaker, screen, pinned, rest: %v", rate, layers)
			for i := range layers[1:] {
				if layers[i+1] > layers[i] {
					t.Errorf("%d bit/s: speaker, screen, pinned, rest: %v", rate, layers)
				}
			}
			if layers[0] < 0 && rate >= 450_000 {
				t.Errorf("%d bit/s: the speaker is not seen", rate)
			}
			if layers[3] < 0 && layers[0] > 0 {
				t.Errorf("%d bit/s: one is paused while another has more than the least: %v", rate, layers)
			}
			if layers[3] >= 0 && rate < 200_000 {
				t.Errorf("%d bit/s: nobody gave way: %v", rate, layers)
			}
		}
	})
}

// Lower layers come before a pause, the client is told of the pause and of its end.
func TestLowerLayersBeforePause(t *testing.T) {
	inWorld(t, false, func(t *testing.T, w *world) {
		viewer := w.client("viewer", false, true)
		camera := w.camera("anna", livekit.TrackSource_CAMERA, 3)
		w.microphone("bert")
		w.until("the picture", 10*time.Second, layerIs(viewer, camera, 2))
		for _, step := range []struct {
			rate  int64
			layer int
			told  livekit.StreamState
		}{
			{forMedium, 1, livekit.StreamState_ACTIVE},
			{forLow, 0, livekit.StreamState_ACTIVE},
			{forVoice, -1, livekit.StreamState_PAUSED},
			{forLow, 0, livekit.StreamState_ACTIVE},
			{forMedium, 1, livekit.StreamState_ACTIVE},
			{wide, 2, livekit.StreamState_ACTIVE},
		} {
			viewer.link.set(bps(step.rate))
			took := w.until("the layer", 40*time.Second, func() bool {
				return layerIs(viewer, camera, step.layer)() && viewer.told(camera.sid) == step.told
			})
			t.Logf("%8d bit/s: layer %d, %v after %v", step.rate, step.layer, step.told, took)
			time.Sleep(5 * time.Second)
			if layer, _ := viewer.of(camera.sid); layer != step.layer || viewer.told(camera.sid) != step.told {
				t.Errorf("%d bit/s: layer %d, %v after ten more seconds", step.rate, layer, viewer.told(camera.sid))
			}
		}
		viewer.mu.Lock()
		defer viewer.mu.Unlock()
		if n := len(viewer.states); n != 2 {
			t.Errorf("told %d times: %v", n, viewer.states)
		}
	})
}

// When the link widens the picture is whole again within eight seconds: the longest
// pause between two probes is twelve, but after a fall it begins at three.
func TestProbesUpWhenTheLinkWidens(t *testing.T) {
	inWorld(t, false, func(t *testing.T, w *world) {
		viewer := w.client("viewer", false, true)
		camera := w.camera("anna", livekit.TrackSource_CAMERA, 3)
		w.until("the picture", 10*time.Second, layerIs(viewer, camera, 2))
		for _, narrow := range []struct {
			d      time.Duration
			within time.Duration
		}{
			// A second probe may fall into the narrow time and fail, which doubles the pause after it.
			{5 * time.Second, 13 * time.Second},
			{30 * time.Second, 20 * time.Second},
		} {
			viewer.link.set(bps(forLow))
			time.Sleep(narrow.d)
			viewer.link.set(bps(wide))
			took := w.until("the largest layer", narrow.within, layerIs(viewer, camera, 2))
			t.Logf("after %v with %d bit/s: whole within %v", narrow.d, forLow, took)
			time.Sleep(5 * time.Second)
		}
	})
}

// A key frame that is large for the link leaves bit by bit, and a voice passes it.
func TestKeyframesArePaced(t *testing.T) {
	inWorld(t, false, func(t *testing.T, w *world) {
		viewer := w.client("viewer", false, true)
		viewer.link.set(bps(1_000_000)) // from the beginning: the first probe finds it out
		camera := w.camera("anna", livekit.TrackSource_CAMERA, 1)
		mic := w.microphone("bert")
		w.until("the picture", 20*time.Second, layerIs(viewer, camera, 0))
		time.Sleep(20 * time.Second)
		before := camera.keyframes[0].Load()
		viewer.link.forget()
		camera.keyBytes.Store(60_000) // half a second of the link
		viewer.pli(camera)
		w.until("the key frame", 5*time.Second, func() bool { return camera.keyframes[0].Load() > before })
		time.Sleep(3 * time.Second)
		viewer.link.set(func(l *link) {
			t.Logf("at most %d bytes in 5 ms, %v in the queue", l.burst, l.worst)
			if l.burst > 12_000 {
				t.Errorf("%d of 60,000 bytes left at once", l.burst)
			}
			if l.worst > 300*time.Millisecond {
				t.Errorf("%v in the queue of the link", l.worst)
			}
			if len(l.fell) > 0 {
				t.Errorf("packets fell from the queue: %v", l.fell)
			}
		})
		if !shown(viewer, camera) {
			t.Error("the picture is gone")
		}
		viewer.with(mic.sid, func(s *stream) {
			for i := range s.voices[1:] {
				if gap := s.voices[i+1].at.Sub(s.voices[i].at); gap > 350*time.Millisecond {
					t.Errorf("a hole of %v in the voice", gap)
				}
			}
		})
	})
}

// Many subscribers that want a key frame make one request, a second one comes no
// sooner than half a second later, and nobody's is forgotten.
func TestKeyframeRequestsMerge(t *testing.T) {
	inWorld(t, false, func(t *testing.T, w *world) {
		var viewers []*client
		for i := range 10 {
			viewers = append(viewers, w.client("viewer-"+string(rune('a'+i)), false, true))
		}
		camera := w.camera("anna", livekit.TrackSource_CAMERA, 1)
		for _, v := range viewers {
			w.until("the picture", 10*time.Second, layerIs(v, camera, 0))
		}
		time.Sleep(5 * time.Second)
		before, keys := len(camera.asked(0)), camera.keyframes[0].Load()
		for _, v := range viewers { // within 100 ms
			v.pli(camera)
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		asked := camera.asked(0)[before:]
		if len(asked) != 1 && len(asked) != 2 || camera.keyframes[0].Load() == keys {
			t.Fatalf("ten requests became %d, %d key frames", len(asked), camera.keyframes[0].Load()-keys)
		}
		// One that comes just behind another's waits its turn.
		before = len(camera.asked(0))
		viewers[0].pli(camera)
		w.until("the key frame", time.Second, func() bool { return len(camera.asked(0)) > before })
		time.Sleep(150 * time.Millisecond) // it was sent, and seen
		viewers[1].pli(camera)
		w.until("a second one", time.Second, func() bool { return len(camera.asked(0)) > before+1 })
		for i, at := range camera.asked(0)[1:] {
			if gap := at.Sub(camera.asked(0)[i]); gap < 490*time.Millisecond {
				t.Errorf("two requests within %v", gap)
			}
		}
	})
}

// The picture gets smaller before it stutters: only the lowest layer is ever sent with
// fewer frames.
func TestResolutionFallsBeforeFrameRate(t *testing.T) {
	inWorld(t, false, func(t *testing.T, w *world) {
		viewer := w.client("viewer", false, true)
		camera := w.camera("anna", livekit.TrackSource_CAMERA, 3)
		w.until("the picture", 10*time.Second, func() bool {
			layer, tid := viewer.of(camera.sid)
			return layer == 2 && tid == 2
		})
		fewer := false
		for rate := int64(2_000_000); rate > 60_000; rate = rate * 2 / 3 {
			viewer.link.set(bps(rate))
			for range 6 {
				time.Sleep(time.Second)
				layer, tid := viewer.of(camera.sid)
				if layer > 0 && tid < 2 {
					t.Errorf("%d bit/s: layer %d with temporal layers up to %d", rate, layer, tid)
				}
				fewer = fewer || layer == 0 && tid < 2
			}
			layer, tid := viewer.of(camera.sid)
			t.Logf("%8d bit/s: layer %d, temporal layer %d", rate, layer, tid)
		}
		if !fewer {
			t.Error("frames were never left out")
		}
	})
}

// Losses without a queue are the path's own (radio) and no reason to send less.
func TestRandomLossIsNoCongestion(t *testing.T) {
	inWorld(t, false, func(t *testing.T, w *world) {
		viewer := w.client("viewer", false, true)
		camera := w.camera("anna", livekit.TrackSource_CAMERA, 3)
		w.until("the picture", 10*time.Second, layerIs(viewer, camera, 2))
		for _, loss := range []float64{0.01, 0.05, 0.10} {
			viewer.link.set(func(l *link) { l.loss = loss })
			for range 10 {
				time.Sleep(time.Second)
				if layer, _ := viewer.of(camera.sid); layer != 2 {
					t.Fatalf("%v of the packets lost: layer %d\n%s", loss, layer, w.describe())
				}
			}
		}
	})
}

// Nothing gets through for a while: afterwards all is as it was, within ten seconds.
func TestRecoversAfterAnOutage(t *testing.T) {
	inWorld(t, false, func(t *testing.T, w *world) {
		viewer := w.client("viewer", false, true)
		camera := w.camera("anna", livekit.TrackSource_CAMERA, 3)
		mic := w.microphone("bert")
		w.until("the picture", 10*time.Second, layerIs(viewer, camera, 2))
		for _, d := range []time.Duration{2 * time.Second, 5 * time.Second, 12 * time.Second} {
			viewer.link.set(func(l *link) { l.down = true })
			time.Sleep(d)
			viewer.link.set(func(l *link) { l.down = false })
			heard := 0
			viewer.with(mic.sid, func(s *stream) { heard = s.packets })
			voice := w.until("the voice", time.Second, func() (on bool) {
				viewer.with(mic.sid, func(s *stream) { on = s.packets > heard })
				return on
			})
			took := w.until("the picture as it was", 10*time.Second, layerIs(viewer, camera, 2))
			t.Logf("after %v of nothing: voice within %v, all within %v", d, voice, took)
			time.Sleep(5 * time.Second)
		}
	})
}

// A link that is wide enough is never limited: all comes in the highest layer, from
// the first picture on, and nothing is said to be paused.
func TestWideLinksAreNeverLimited(t *testing.T) {
	inWorld(t, false, func(t *testing.T, w *world) {
		viewer := w.client("viewer", false, true)
		viewer.link.set(bps(30_000_000))
		var cameras []*source
		for _, name := range []string{"anna", "bert", "carl", "dora"} {
			cameras = append(cameras, w.camera(name, livekit.TrackSource_CAMERA, 3))
			time.Sleep(2 * time.Second)
		}
		time.Sleep(10 * time.Second)
		for i, s := range cameras {
			if layer, tid := viewer.of(s.sid); layer != 2 || tid != 2 {
				t.Errorf("camera %d: layer %d/%d", i, layer, tid)
			}
			viewer.with(s.sid, func(st *stream) {
				for _, h := range st.history[1:] {
					if h.layer < 2 {
						t.Errorf("camera %d fell to layer %d", i, h.layer)
					}
				}
			})
		}
		if len(viewer.states) != 0 {
			t.Errorf("told %v", viewer.states)
		}
	})
}

// pli asks for a key frame, as a decoder does that is stuck.
func (c *client) pli(s *source) {
	var ssrc uint32
	c.with(s.sid, func(st *stream) { ssrc = st.ssrc })
	if err := c.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}}); err != nil {
		c.w.t.Error(err)
	}
}
