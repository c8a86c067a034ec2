package forward

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// A subscriber that asks for everything again and again gets it about twice, and
// the others get their repairs all the same.
func TestGreedyNACKsAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		greedy, honest := &screen{}, &screen{}
		g, h := r.subscribe(greedy), r.subscribe(honest)
		g.NewDownTrack(r.video).Bind(binding(greedy))
		h.NewDownTrack(r.video).Bind(binding(honest))
		r.frame(0, true, 200)
		settle()
		first := greedy.take()
		honest.take()
		all := &rtcp.TransportLayerNack{MediaSSRC: downSSRC}
		for i := 0; i < len(first); i += 17 {
			all.Nacks = append(all.Nacks, rtcp.NackPair{PacketID: first[i].SequenceNumber, LostPackets: 0xffff})
		}
		raw, err := all.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			g.HandleRTCP(downSSRC, raw)
			settle()
			time.Sleep(20 * time.Millisecond)
		}
		got := 0
		for _, p := range greedy.take() {
			got += len(p.Payload) + 72
		}
		if most := repairMost + 200*90; got == 0 || got > most {
			t.Errorf("%d bytes again, want at most %d", got, most)
		}
		if r.worker.Stats().NACKLimited == 0 {
			t.Error("not counted")
		}
		one := &rtcp.TransportLayerNack{MediaSSRC: downSSRC, Nacks: []rtcp.NackPair{{PacketID: first[3].SequenceNumber}}}
		if raw, err = one.Marshal(); err != nil {
			t.Fatal(err)
		}
		h.HandleRTCP(downSSRC, raw)
		settle()
		if again := honest.take(); len(again) != 1 || osn(again[0]) != first[3].SequenceNumber {
			t.Errorf("the honest one got %d packets again", len(again))
		}
	})
}

// A flood of feedback costs the one who sends it its estimate, and leaves room in
// the worker's queue.
func TestFloodsOfFeedbackAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		sub := r.subscribe(s)
		sub.NewDownTrack(r.video).Bind(binding(s))
		// A run of as many packets as fit, none of which arrived.
		raw := make([]byte, 24)
		raw[0], raw[1] = 0x80|fmtTransportCC, typeRTPFB
		binary.BigEndian.PutUint16(raw[2:], 5)
		binary.BigEndian.PutUint16(raw[14:], 4000)
		binary.BigEndian.PutUint16(raw[20:], 4000)
		before := r.worker.Stats()
		for range 10_000 {
			sub.HandleRTCP(downSSRC, raw)
		}
		settle()
		st := r.worker.Stats()
		if got := sub.Path().Feedbacks; got == 0 || got > feedbackBurst {
			t.Errorf("%d feedbacks were taken", got)
		}
		if st.Flooded-before.Flooded < 9900 || st.RequestsDropped != before.RequestsDropped {
			t.Errorf("%+v", st)
		}
		time.Sleep(time.Second)
		sub.HandleRTCP(downSSRC, raw)
		settle()
		if got := sub.Path().Feedbacks; got < 2 {
			t.Errorf("nothing is taken after the flood: %d", got)
		}
	})
}

// The queue of the worker is everybody's: one subscriber has a share of it, and gets
// it back.
func TestOneSubscriberCannotFillTheQueue(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		sub := r.subscribe(s)
		sub.NewDownTrack(r.video).Bind(binding(s))
		raw, err := (&rtcp.PictureLossIndication{MediaSSRC: downSSRC}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for range intakeBurst {
				sub.HandleRTCP(downSSRC, raw)
			}
			if n := sub.pending.Load(); n > maxPending {
				t.Fatalf("%d requests wait", n)
			}
			settle()
			if n := sub.pending.Load(); n != 0 {
				t.Fatalf("%d requests wait for ever", n)
			}
			time.Sleep(time.Second)
		}
	})
}

// Whoever asks for key frames without end gets one every two seconds, not two every
// second; who asks now and then gets it at once.
func TestKeyframesForOneSubscriberAreBounded(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		sub := r.subscribe(s)
		sub.NewDownTrack(r.video).Bind(binding(s))
		raw, err := (&rtcp.PictureLossIndication{MediaSSRC: downSSRC}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		answered := 0
		run := func(d time.Duration, ask bool) (keyframes int) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
				if ask {
					sub.HandleRTCP(downSSRC, raw)
				}
				settle()
				asked := r.plis(ssrcOf(0))
				r.frame(0, asked > answered, 1)
				if asked > answered {
					keyframes++
				}
				answered = asked
			}
			return keyframes
		}
		run(time.Second, false)
		if n := run(time.Minute, true); n < 30 || n > 30+keyframeBurst+1 {
			t.Errorf("%d key frames in a minute", n)
		}
		// The one that was owed, then silence.
		run(5*time.Second, false)
		if n := run(20*time.Second, false); n != 0 {
			t.Errorf("%d key frames that nobody asked for", n)
		}
		sub.HandleRTCP(downSSRC, raw)
		if n := run(time.Second, false); n != 1 {
			t.Errorf("%d key frames for one request", n)
		}
	})
}
