package forward

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"aparte/sfu/codec"
	"aparte/sfu/congestion"
	"aparte/sfu/publish"
)

// h264Frame publishes a frame of two packets, a key frame with its parameter sets first.
func (s *source) h264Frame(key bool) {
	ts := s.timestamp(0, 90000, bubbleStart)
	s.frame[0]++
	n := byte(s.frame[0])
	nalus := [][]byte{{0x41, n, 1}, {0x41, n, 2}}
	if key {
		nalus = [][]byte{{0x67, n, 1}, {0x68, n, 2}, {0x65, n, 3}}
	}
	for i, b := range nalus {
		s.write(0, ts, i == len(nalus)-1, nil, b)
	}
}

// Who comes soon after another gets the same frames from the same key frame on, at once
// and without another request; then both get the same. Its clock does not stay behind.
func TestBeginsWithTheKeyframeOfTheRing(t *testing.T) {
	for _, c := range []struct {
		name  string
		codec publish.Codec
		frame func(r *rig, src *source, key bool)
	}{
		{"VP8", vp8, func(r *rig, _ *source, key bool) { r.frame(0, key, 3) }},
		{"VP8 simulcast", vp8, func(r *rig, _ *source, key bool) {
			for layer := range 3 {
				r.frame(layer, key, 2)
			}
		}},
		{"H264", h264, func(_ *rig, src *source, key bool) { src.h264Frame(key) }},
		{"VP9 SVC", vp9, func(_ *rig, src *source, key bool) { src.picture(0, key, 0, 3) }},
		{"AV1 SVC", av1, func(_ *rig, src *source, key bool) { src.picture(0, key, 0, 3) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				src, bind := (*source)(nil), binding
				if c.codec.Type != codec.VP8 {
					src = newSource(r, c.codec, false)
					bind = src.binding
				}
				frames := func(n int, key bool) {
					for i := range n {
						c.frame(r, src, key && i == 0)
						settle()
						time.Sleep(frameEvery)
					}
				}
				asked := func() int { return r.plis(ssrcOf(0)) + r.plis(ssrcOf(2)) }
				first, second := &screen{}, &screen{}
				frames(2, false)
				r.subscribe(first).NewDownTrack(r.video).Bind(bind(first))
				frames(12, true)
				a := first.take()
				plis := asked()

				sub := r.subscribe(second)
				sub.NewDownTrack(r.video).Bind(bind(second))
				settle()
				b := second.take()
				sub.Resync() // the transport says that it is up: that is no reason to ask
				time.Sleep(3 * tickEvery)
				settle()
				b = append(b, second.take()...)
				same(t, "the past", payloads(a), payloads(b))
				frames(5, false)
				live := second.take()
				same(t, "live", payloads(first.take()), payloads(live))
				if asked() != plis || r.worker.Stats().Replays != 1 {
					t.Errorf("%d key frames asked for, %+v", asked()-plis, r.worker.Stats())
				}
				all := append(b, live...)
				steady(t, all)
				if d := all[len(b)-1].Timestamp - all[0].Timestamp; d > 12*90000/30/squeeze {
					t.Errorf("the past spans %d ticks", d)
				}
				// Frames from now on come as their timestamps say.
				from, to := live[0].Timestamp, live[len(live)-1].Timestamp
				if d := int(to - from); d < 4*2900 || d > 4*3100 {
					t.Errorf("5 frames span %d ticks", d)
				}
				pause := int(frameEvery+3*tickEvery) * 9 / 100_000
				if d := int(from - all[len(b)-1].Timestamp); d < pause-100 || d > pause+100 {
					t.Errorf("the first one comes %d ticks after the past, want %d", d, pause)
				}
			})
		})
	}
}

func payloads(packets []rtp.Packet) (out [][]byte) {
	for i := range packets {
		out = append(out, packets[i].Payload)
	}
	return out
}

// same compares what differs from packet to packet: the ends of the payloads, which are
// not rewritten.
func same(t *testing.T, what string, want, got [][]byte) {
	t.Helper()
	tail := func(b []byte) []byte { return b[max(0, len(b)-4):] }
	if len(want) == 0 || !slices.EqualFunc(want, got, func(a, b []byte) bool { return bytes.Equal(tail(a), tail(b)) }) {
		t.Fatalf("%s: %d packets, want %d\n% x\n% x", what, len(got), len(want), got, want)
	}
}

// steady fails unless numbers go up by one and timestamps rise, once a frame.
func steady(t *testing.T, all []rtp.Packet) {
	t.Helper()
	for i := 1; i < len(all); i++ {
		a, b := &all[i-1], &all[i]
		if b.SequenceNumber != a.SequenceNumber+1 {
			t.Fatalf("packet %d: number %d after %d", i, b.SequenceNumber, a.SequenceNumber)
		}
		if d := int32(b.Timestamp - a.Timestamp); a.Marker != (d > 0) || d < 0 {
			t.Fatalf("packet %d: timestamp %d after %d, marker %v", i, b.Timestamp, a.Timestamp, a.Marker)
		}
	}
}

// stream publishes frames of n full packets for a time.
func (r *rig) stream(d time.Duration, n int, each func()) {
	for range d / frameEvery {
		r.fat(false, n)
		if each != nil {
			each()
		}
		time.Sleep(frameEvery)
		settle()
	}
}

// fat publishes a frame of n packets of 1,100 bytes on the lowest layer.
func (r *rig) fat(key bool, n int) {
	r.pid[0]++
	ts := r.timestamp(0, 90000, bubbleStart)
	for i := range n {
		b := make([]byte, 1100)
		copy(b, []byte{0x80, 0xe0, 0x80 | byte(r.pid[0]>>8), byte(r.pid[0]), byte(r.pid[0]), 0, 1, 0, byte(i)})
		if i == 0 {
			if b[0] = 0x90; key {
				b[6] = 0
			}
		}
		r.packet(0, 96, ts, i == n-1, b)
	}
	settle()
}

// The past does not go out in one burst: so many bytes a tick, while live frames wait
// for their turn. Each packet comes once.
func TestReplayIsPaced(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		first, second := &screen{}, &screen{}
		r.subscribe(first).NewDownTrack(r.video).Bind(binding(first))
		r.fat(true, 60)
		time.Sleep(frameEvery)
		r.stream(400*time.Millisecond, 7, nil)
		begun := time.Now()
		r.subscribe(second).NewDownTrack(r.video).Bind(binding(second))
		settle()
		all := second.take()
		if len(all) == 0 || len(all) > replayStep/1100 {
			t.Fatalf("%d packets at once", len(all))
		}
		for range 30 {
			r.fat(false, 7)
			for range 3 {
				time.Sleep(tickEvery)
				settle()
				all = append(all, second.take()...)
				if ticks := int(time.Since(begun)/tickEvery) + 2; len(all) > ticks*replayStep/1100 {
					t.Fatalf("%d packets in %d ticks", len(all), ticks)
				}
			}
			time.Sleep(frameEvery - 3*tickEvery)
		}
		settle()
		all = append(all, second.take()...)
		steady(t, all)
		same(t, "all", payloads(first.take()), payloads(all))
		if n := r.plis(ssrcOf(0)); n != 0 {
			t.Errorf("%d key frames asked for", n)
		}
	})
}

// Where the ring has nothing of use a key frame is asked for, as ever.
func TestAsksWhereTheRingHasNothingOfUse(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(r *rig, s *Subscriber)
		replays uint64
	}{
		{"young and small", func(r *rig, _ *Subscriber) { r.fat(true, 8); r.stream(300*time.Millisecond, 2, nil) }, 1},
		{"old", func(r *rig, _ *Subscriber) { r.fat(true, 8); r.stream(replayAge+frameEvery, 2, nil) }, 0},
		{"large", func(r *rig, _ *Subscriber) { r.fat(true, replayMost/1100+1); r.stream(frameEvery, 1, nil) }, 0},
		{"for a narrow path", func(r *rig, s *Subscriber) {
			s.Limit(200_000)
			r.fat(true, 8)
			r.stream(300*time.Millisecond, 2, nil)
		}, 0},
		{"of another source", func(r *rig, _ *Subscriber) {
			r.fat(true, 8)
			r.seq[0] += 30000
			r.stream(30*frameEvery/2, 3, nil)
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				first, second := &screen{}, &screen{}
				r.subscribe(first).NewDownTrack(r.video).Bind(binding(first))
				r.fat(false, 1)
				sub := r.subscribe(second)
				c.prepare(r, sub)
				time.Sleep(replayFresh)
				before := r.plis(ssrcOf(0))
				sub.NewDownTrack(r.video).Bind(binding(second))
				time.Sleep(time.Second)
				settle()
				if got := r.worker.Stats().Replays; got != c.replays {
					t.Errorf("%d replays, want %d", got, c.replays)
				}
				if asked := r.plis(ssrcOf(0)) > before; asked == (c.replays > 0) {
					t.Errorf("asked for a key frame: %v", asked)
				}
				if got := len(second.take()); (got > 0) != (c.replays > 0) {
					t.Errorf("%d packets", got)
				}
			})
		})
	}
}

// What is lost of the past is sent again as it was.
func TestPacketsOfThePastAreRepaired(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		first, second := &screen{}, &screen{}
		r.subscribe(first).NewDownTrack(r.video).Bind(binding(first))
		r.fat(true, 8)
		r.stream(300*time.Millisecond, 2, nil)
		sub := r.subscribe(second)
		sub.NewDownTrack(r.video).Bind(binding(second))
		r.stream(300*time.Millisecond, 2, nil)
		all := second.take()
		for _, i := range []int{0, 9, len(all) - 1} {
			lost := all[i]
			nack, err := (&rtcp.TransportLayerNack{MediaSSRC: downSSRC, Nacks: []rtcp.NackPair{{PacketID: lost.SequenceNumber}}}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			sub.HandleRTCP(downSSRC, nack)
			settle()
			again := second.take()
			if len(again) != 1 || osn(again[0]) != lost.SequenceNumber || again[0].Timestamp != lost.Timestamp || !bytes.Equal(again[0].Payload[2:], lost.Payload) {
				t.Fatalf("packet %d: %v", i, again)
			}
		}
	})
}

// A replay ends with what it is for.
func TestReplayEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(r *rig, d *DownTrack)
		more bool // of the track comes
	}{
		{"paused", func(_ *rig, d *DownTrack) { d.SetPaused(true) }, false},
		{"unbound", func(_ *rig, d *DownTrack) { d.Unbind() }, false},
		{"closed", func(_ *rig, d *DownTrack) { d.Close() }, false},
		{"track closed", func(r *rig, _ *DownTrack) { r.video.Close() }, false},
		{"bound anew", func(_ *rig, d *DownTrack) { d.Bind(d.binding) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				first, second := &screen{}, &screen{}
				r.subscribe(first).NewDownTrack(r.video).Bind(binding(first))
				r.fat(true, 60)
				d := r.subscribe(second).NewDownTrack(r.video)
				d.Bind(binding(second))
				settle()
				if len(second.take()) >= 60 {
					t.Fatal("it is over before it could be ended")
				}
				c.end(r, d)
				settle()
				begun := second.take()
				time.Sleep(10 * tickEvery)
				settle()
				got := append(begun, second.take()...)
				if want := map[bool]int{true: 60}[c.more]; len(got) != want {
					t.Fatalf("%d packets, want %d", len(got), want)
				}
				r.worker.do(request{kind: syncPoint})
				if n := len(r.worker.replaying); n != 0 {
					t.Errorf("%d replays left", n)
				}
			})
		})
	}
}

// A path that has become too narrow for the past gets a key frame of what is now.
func TestReplayIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		first, second := &screen{}, &screen{}
		r.subscribe(first).NewDownTrack(r.video).Bind(binding(first))
		r.fat(true, 120)
		sub := r.worker.NewSubscriber(SubscriberConfig{NoAdaptation: true})
		sub.NewDownTrack(r.video).Bind(binding(second))
		bucket := func(change func(b *congestion.Bucket)) {
			r.worker.do(request{kind: syncPoint})
			change(&sub.path.bucket) // the bubble is still: nobody else runs
			r.worker.do(request{kind: syncPoint})
		}
		bucket(func(b *congestion.Bucket) { b.SetEstimate(1000); b.Take(1 << 20) })
		time.Sleep(replayLimit)
		settle()
		if got := len(second.take()); got == 0 || got > 2*replayStep/1100 {
			t.Fatalf("%d packets came of the past", got)
		}
		if n := r.plis(ssrcOf(0)); n != 0 {
			t.Errorf("%d key frames asked for already", n)
		}
		time.Sleep(2 * tickEvery)
		settle()
		if n := r.plis(ssrcOf(0)); n != 1 {
			t.Errorf("%d key frames asked for", n)
		}
		bucket(func(b *congestion.Bucket) { b.SetEstimate(0) })
		r.fat(false, 2)
		r.fat(true, 3)
		r.fat(false, 2)
		if got := second.take(); len(got) != 5 || got[0].Payload[6] != 0 {
			t.Errorf("%d packets came after it", len(got))
		}
	})
}

// Timestamps come round in 13 hours: what is far behind the past is not taken for it.
func TestThePastIsNotForever(t *testing.T) {
	var m munger
	m.clockRate = 90000
	p := in(10, 1000)
	m.begin(0, 1, p, 1000)
	m.squeezeUntil(91_000)
	out, s, _ := m.next(0, p)
	m.sent(out, s.timestamp(p.Timestamp), time.Time{})
	if got := s.timestamp(1000); got != 91_000-90_000/squeeze {
		t.Errorf("the key frame has %d", got)
	}
	for i, ts := range []uint32{91_000, 94_000, 94_000 + 1<<30, 94_000 + 1<<31, 94_000 + 3<<30, 50_000} {
		q := in(uint64(11+i), ts)
		out, s, ok := m.next(0, q)
		s = m.relax(out, s, q)
		if !ok || s.timestamp(ts) != ts {
			t.Errorf("%d became %d", ts, s.timestamp(ts))
		}
		m.sent(out, s.timestamp(ts), time.Time{})
	}
	if out, in, s, ok := m.find(uint16(m.lastOut - 6)); !ok || in != 10 || s.timestamp(1000) != 91_000-90_000/squeeze {
		t.Errorf("the key frame is found as %d, %d", out, in)
	}
}
