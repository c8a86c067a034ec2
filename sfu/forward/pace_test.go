package forward

import (
	"bytes"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"aparte/sfu/congestion"
)

// narrow gives a subscriber an estimate, as a receiver without transport-wide
// feedback states it.
func narrow(t *testing.T, sub *Subscriber, bps int) {
	t.Helper()
	raw, err := (&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 1, Bitrate: float32(bps), SSRCs: []uint32{downSSRC}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	sub.HandleRTCP(downSSRC, raw)
	settle()
}

// A key frame of 60 packets to a subscriber of 2 Mbit/s leaves bit by bit, whole and
// in order, and a voice meanwhile does not wait.
func TestKeyframesArePaced(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := newNetLink(100_000_000)
		l.mute = true
		r.join(l)
		narrow(t, l.sub, 2_000_000)
		air := newOnAir(r, l)
		air.frame(0, true, 0, false, 60*1100)
		settle()
		at, voices := time.Now(), 0
		if got := l.maxBurst; got > 2_000_000*3/2/8*40/1000+1300 {
			t.Fatalf("%d bytes at once", got)
		}
		var took time.Duration
		for n := 0; n < 60; {
			air.r.voice("voice")
			time.Sleep(20 * time.Millisecond)
			settle()
			l.receive(time.Now().Add(time.Second))
			voice, _ := l.take(audioSSRC)
			if voices += len(voice); len(voice) != 1 {
				t.Fatalf("%d voices in 20 ms", len(voice))
			}
			packets, _ := l.take(downSSRC)
			n += len(packets)
			if took = time.Since(at); took > time.Second {
				t.Fatalf("%d of 60 packets after %v", n, took)
			}
		}
		// 70 kB at 3 Mbit/s, less what went at once: 150 ms.
		if took < 120*time.Millisecond || took > 250*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if st := l.sub.Path(); st.Paced < 40 || st.PacedDrops != 0 {
			t.Errorf("%+v", st)
		}
		if len(r.worker.queues) != 1 || len(r.worker.paced) != 0 {
			t.Error("the queue was not given back")
		}
	})
}

// More than the queue takes: what is in it is shown whole, the rest is left out with
// no gap in the numbers, and it goes on at a key frame asked for once.
func TestOverfullQueueGoesOnAtAKeyframe(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := newNetLink(100_000_000)
		l.mute = true
		video, _ := r.join(l)
		narrow(t, l.sub, 400_000)
		air := newOnAir(r, l)
		air.frame(0, true, 0, false, 20*1100)
		settle()
		for range 12 { // more than a second's worth in no time
			air.frame(0, false, 0, false, 8*1100)
			settle()
		}
		if st := l.sub.Path(); st.Overflows != 1 || st.PacedDrops == 0 {
			t.Fatalf("%+v", st)
		}
		asked := r.plis(ssrcOf(0))
		for range 4 { // the path is wider than was thought; a REMB lasts for 5 s
			narrow(t, l.sub, 5_000_000)
			time.Sleep(time.Second)
		}
		settle()
		if r.plis(ssrcOf(0)) == asked {
			t.Fatalf("nobody asked for a key frame when the queue was empty: held %t, %+v", video.Held(), l.sub.Path())
		}
		air.frame(0, true, 0, false, 5*1100)
		time.Sleep(time.Second)
		settle()
		l.receive(time.Now().Add(time.Second))
		packets, _ := l.take(downSSRC)
		checkWhole(t, packets)
		if video.Held() || len(packets) == 0 || packets[len(packets)-1].Payload[7] != 0 || !packets[len(packets)-1].Marker {
			t.Fatalf("held %t after %d packets", video.Held(), len(packets))
		}
	})
}

// A publisher is removed while a key frame of its waits in front of a narrow path:
// when the removal returns, nothing more of it leaves.
func TestNothingOfAnEndedTrackLeavesTheQueue(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := newNetLink(100_000_000)
		l.mute = true
		r.join(l)
		narrow(t, l.sub, 2_000_000)
		newOnAir(r, l).frame(0, true, 0, false, 60*1100)
		settle()
		r.video.Close()
		l.receive(time.Now().Add(time.Second))
		if before, _ := l.take(downSSRC); len(before) == 0 || len(before) == 60 {
			t.Fatalf("%d of 60 packets left at once: nothing is tested", len(before))
		}
		time.Sleep(time.Second)
		settle()
		l.receive(time.Now().Add(time.Second))
		if after, _ := l.take(downSSRC); len(after) > 0 {
			t.Errorf("%d packets left after the end of their track", len(after))
		}
		if len(r.worker.paced) != 0 {
			t.Error("the queue was not given back")
		}
	})
}

// Without an estimate, and far below it, nothing is queued: all of a round leaves
// together.
func TestWidePathsDoNotQueue(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		l := newNetLink(100_000_000)
		r.join(l)
		air := newOnAir(r, l)
		for _, bps := range []int{0, 20_000_000} {
			if bps > 0 {
				narrow(t, l.sub, bps)
			}
			air.frame(0, true, 0, false, 60*1100)
			settle()
			if st := l.sub.Path(); st.Paced != 0 {
				t.Fatalf("%d bit/s: %+v", bps, st)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestPaceQueueKeepsOrder(t *testing.T) {
	var q paceQueue
	in, out := 0, 0
	payload := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 1+i*7919%1400) }
	for step := range 20_000 {
		if step/400%2 == 0 || q.count == 0 {
			if q.put(pacedPacket{seq: uint16(in)}, payload(in)[:1], payload(in)[1:]) {
				in++
			} else if q.count < pacePackets && q.bytes < paceBytes/2 {
				t.Fatalf("refused with %d packets, %d bytes", q.count, q.bytes)
			}
		} else if step%400 < 300 {
			p, descriptor, got := q.first()
			got = append(bytes.Clone(descriptor), got...)
			if len(descriptor) != 1 || p.seq != uint16(out) || !bytes.Equal(got, payload(out)) {
				t.Fatalf("%d instead of %d, %d bytes of %d", p.seq, out, len(got), len(payload(out)))
			}
			out++
			q.drop()
		}
		want := 0
		for i := out; i < in; i++ {
			want += len(payload(i)) + congestion.Overhead
		}
		if q.count != in-out || q.bytes != want {
			t.Fatalf("%d packets of %d bytes, want %d of %d", q.count, q.bytes, in-out, want)
		}
	}
}

// Twenty subscribers ask for key frames of one layer at once: the publisher hears of
// it once, and a second time at most when half a second has passed.
func TestKeyframeRequestsAreMerged(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.frame(0, true, 1)
		time.Sleep(2 * time.Second)
		var subs []*Subscriber
		for range 20 {
			s := &screen{}
			sub := r.subscribe(s)
			sub.NewDownTrack(r.video).Bind(binding(s))
			subs = append(subs, sub)
		}
		r.frame(0, true, 1)
		time.Sleep(2 * time.Second)
		settle()
		before := r.plis(ssrcOf(0))
		raw, err := (&rtcp.PictureLossIndication{MediaSSRC: downSSRC}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		r.frame(0, false, 1)
		for _, s := range subs {
			s.HandleRTCP(downSSRC, raw)
			time.Sleep(5 * time.Millisecond)
		}
		settle()
		if got := r.plis(ssrcOf(0)) - before; got != 1 {
			t.Fatalf("%d requests reached the publisher for 20", got)
		}
	})
}
