package forward

import (
	"bytes"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
)

// inBubble runs f with a rig on virtual time.
func inBubble(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		defer r.close()
		f(t, r)
	})
}

func TestForwardsFromAKeyframeOn(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		r.frame(0, true, 1) // before anyone listens
		d := r.subscribe(s).NewDownTrack(r.video)
		r.frame(0, true, 1) // not bound yet
		settle()
		if len(s.take()) != 0 {
			t.Fatal("sent before Bind")
		}
		time.Sleep(2 * replayAge) // what came before is of no use any more
		d.Bind(binding(s))
		time.Sleep(20 * time.Millisecond)
		settle()
		if r.plis(ssrcOf(0)) != 1 {
			t.Fatal("no key frame asked for on Bind")
		}
		r.frame(0, false, 2) // useless without a key frame
		r.frame(0, true, 3)
		r.frame(0, false, 2)
		settle()
		got := s.take()
		if len(got) != 5 {
			t.Fatalf("%d packets", len(got))
		}
		for i, p := range got {
			if p.SSRC != downSSRC || p.PayloadType != outVP8 || p.SequenceNumber != got[0].SequenceNumber+uint16(i) {
				t.Fatalf("%d: %v", i, p)
			}
			if p.Marker != (i == 2 || i == 4) {
				t.Fatalf("%d: marker %v", i, p.Marker)
			}
			if string(p.GetExtension(3)) != "5" || len(p.GetExtension(2)) != 3 {
				t.Fatalf("%d: extensions %v", i, p.Header)
			}
			var cc rtp.TransportCCExtension
			if err := cc.Unmarshal(p.GetExtension(5)); err != nil || cc.TransportSequence != uint16(i+1) {
				t.Fatalf("%d: transport-wide number %d %v", i, cc.TransportSequence, err)
			}
		}
		if d.Stats().Layer != 0 || d.Stats().Packets != 5 {
			t.Fatalf("%+v", d.Stats())
		}
	})
}

// checkContinuous fails unless packets could have come from one encoder: numbers
// one by one, picture ids too, timestamps as time goes.
func checkContinuous(t *testing.T, all []rtp.Packet) {
	t.Helper()
	for i := 1; i < len(all); i++ {
		a, b := all[i-1], all[i]
		if b.SequenceNumber != a.SequenceNumber+1 {
			t.Fatalf("packet %d: sequence number %d after %d", i, b.SequenceNumber, a.SequenceNumber)
		}
		da, _ := codec.ParseVP8(a.Payload)
		db, _ := codec.ParseVP8(b.Payload)
		step := uint16(0)
		if db.Start {
			step = 1
		}
		if (db.PictureID-da.PictureID)&0x7fff != step || db.TL0PicIdx-da.TL0PicIdx != uint8(step) {
			t.Fatalf("packet %d: picture %d/%d after %d/%d", i, db.PictureID, db.TL0PicIdx, da.PictureID, da.TL0PicIdx)
		}
		if db.Start && int32(b.Timestamp-a.Timestamp) <= 0 {
			t.Fatalf("packet %d: timestamp %d after %d", i, b.Timestamp, a.Timestamp)
		}
	}
}

// layersOf lists the layers packets came from, runs shortened.
func layersOf(all []rtp.Packet) (runs string) {
	last := -1
	for _, p := range all {
		if l := int(p.Payload[7]); l != last {
			runs += fmt.Sprint(l)
			last = l
		}
	}
	return runs
}

func TestSwitchesLayersAtKeyframes(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		d := r.subscribe(s).NewDownTrack(r.video)
		d.Bind(binding(s))
		var all []rtp.Packet
		frames := func(n int, keys ...int) {
			for range n {
				for layer := range 3 {
					key := false
					for _, k := range keys {
						key = key || k == layer
					}
					r.frame(layer, key, 1+layer)
				}
				time.Sleep(33 * time.Millisecond)
				settle()
			}
			all = append(all, s.take()...)
		}
		frames(1, 0, 1, 2)
		r.senderReports()
		frames(10, 2)
		if d.Stats().Layer != 2 {
			t.Fatalf("not at the highest layer: %+v", d.Stats())
		}
		before := r.plis(ssrcOf(0))
		d.SetMaxLayer(0)
		frames(10)
		if d.Stats().Layer != 2 {
			t.Fatal("switched without a key frame")
		}
		frames(20) // a key frame is asked for, again and again
		if r.plis(ssrcOf(0)) == before {
			t.Fatal("no key frame asked for the lower layer")
		}
		frames(1, 0)
		if d.Stats().Layer != 0 {
			t.Fatal("not switched at the key frame")
		}
		frames(3)
		d.SetMaxLayer(1)
		frames(2, 1)
		d.SetMaxLayer(2)
		frames(3, 2)
		checkContinuous(t, all)
		// The first three are a race: the worker may wake after each.
		if got := layersOf(all); !slices.Contains([]string{"2012", "12012", "02012", "012012"}, got) {
			t.Fatal("layers", got)
		}
		// With sender reports timestamps follow the capture time exactly.
		for i := 1; i < len(all); i++ {
			switched := all[i].Payload[7] != all[i-1].Payload[7]
			if step := all[i].Timestamp - all[i-1].Timestamp; step > 1 && (step < 2900 || step > 3050) || step == 1 && !switched {
				t.Fatalf("packet %d: timestamp steps by %d, frames are 33 ms apart", i, step)
			}
		}
	})
}

func TestFallsToALiveLayer(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		d := r.subscribe(s).NewDownTrack(r.video)
		d.Bind(binding(s))
		for range 3 {
			r.frame(0, true, 1)
			r.frame(2, true, 1)
			time.Sleep(100 * time.Millisecond)
		}
		if settle(); d.Stats().Layer != 2 {
			t.Fatalf("%+v", d.Stats())
		}
		for i := range 40 { // the publisher stops the highest layer
			r.frame(0, i%10 == 0, 1)
			time.Sleep(100 * time.Millisecond)
		}
		if settle(); d.Stats().Layer != 0 {
			t.Fatalf("%+v", d.Stats())
		}
		checkContinuous(t, s.take())
	})
}

func TestPauseAndResume(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		d := r.subscribe(s).NewDownTrack(r.video)
		d.Bind(binding(s))
		r.frame(0, true, 2)
		settle()
		d.SetPaused(true)
		settle()
		all := s.take()
		r.frame(0, true, 2)
		time.Sleep(time.Second)
		settle()
		if n := len(s.take()); n != 0 {
			t.Fatalf("%d packets while paused", n)
		}
		before := r.plis(ssrcOf(0))
		d.SetPaused(false)
		time.Sleep(600 * time.Millisecond)
		if settle(); r.plis(ssrcOf(0)) == before {
			t.Fatal("no key frame asked for on resume")
		}
		r.frame(0, false, 1)
		r.frame(0, true, 2)
		settle()
		all = append(all, s.take()...)
		if len(all) != 4 {
			t.Fatalf("%d packets", len(all))
		}
		checkContinuous(t, all)
	})
}

func TestAnswersNACKs(t *testing.T) {
	for _, rtx := range []bool{true, false} {
		t.Run(fmt.Sprint("rtx=", rtx), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				s := &screen{}
				sub := r.subscribe(s)
				b := binding(s)
				if !rtx {
					b.RTXSSRC = 0
				}
				sub.NewDownTrack(r.video).Bind(b)
				r.frame(0, true, 4)
				settle()
				sent := s.take()
				nack := func(seqs ...uint16) []rtp.Packet {
					raw, err := (&rtcp.TransportLayerNack{MediaSSRC: downSSRC, Nacks: rtcp.NackPairsFromSequenceNumbers(seqs)}).Marshal()
					if err != nil {
						t.Fatal(err)
					}
					sub.HandleRTCP(downSSRC, raw)
					settle()
					return s.take()
				}
				first := sent[0].SequenceNumber
				got := nack(first+1, first+3)
				if len(got) != 2 {
					t.Fatalf("%d packets", len(got))
				}
				for i, p := range got {
					want := sent[1+2*i]
					payload := p.Payload
					if rtx {
						if p.SSRC != downRTX || p.PayloadType != outRTX || osn(p) != want.SequenceNumber {
							t.Fatalf("%v", p)
						}
						payload = payload[2:]
					} else if !bytes.Equal(marshal(t, p), marshal(t, want)) {
						t.Fatalf("not the same packet, but the same nonce: %v, was %v", p, want)
					} else if p.SSRC != downSSRC || p.SequenceNumber != want.SequenceNumber || p.PayloadType != want.PayloadType {
						t.Fatalf("%v", p)
					}
					if string(payload) != string(want.Payload) || p.Timestamp != want.Timestamp || p.Marker != want.Marker {
						t.Fatalf("%v, want %v", p, want)
					}
				}
				if n := len(nack(first + 1)); n != 0 {
					t.Fatal("answered again at once")
				}
				time.Sleep(100 * time.Millisecond)
				if n := len(nack(first + 1)); n != 1 {
					t.Fatal("not answered again later")
				}
				if n := len(nack(first+100, first-5)); n != 0 {
					t.Fatal("answered what was never sent")
				}
				if st := r.worker.Stats(); st.Retransmitted != 3 || st.NACKThrottled != 1 || st.NACKMisses != 2 {
					t.Fatalf("%+v", st)
				}
			})
		})
	}
}

func marshal(t *testing.T, p rtp.Packet) []byte {
	t.Helper()
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A packet the publisher lost and sent again reaches the subscriber late, under
// the number that was free.
func TestLatePacketsFillTheirGap(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		r.subscribe(s).NewDownTrack(r.video).Bind(binding(s))
		r.frame(0, true, 1)
		r.seq[0]++ // lost
		r.frame(0, false, 1)
		settle()
		ts := r.timestamp(0, 90000, bubbleStart)
		r.packetSeq(0, 96, r.seq[0]-1, ts, true, []byte{0x90, 0xe0, 0x80, 2, 2, 0, 1, 0, 0, 0})
		settle()
		got := s.take()
		if len(got) != 3 || got[1].SequenceNumber != got[0].SequenceNumber+2 || got[2].SequenceNumber != got[0].SequenceNumber+1 {
			t.Fatal(got)
		}
	})
}

func TestPLIFromSubscriberIsDeferredUpward(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		sub := r.subscribe(s)
		sub.NewDownTrack(r.video).Bind(binding(s))
		r.frame(0, true, 1)
		time.Sleep(time.Second)
		settle()
		before := r.plis(ssrcOf(0))
		pli, _ := (&rtcp.PictureLossIndication{MediaSSRC: downSSRC}).Marshal()
		fir, _ := (&rtcp.FullIntraRequest{MediaSSRC: downSSRC, FIR: []rtcp.FIREntry{{SSRC: downSSRC}}}).Marshal()
		for i := range 20 {
			sub.HandleRTCP(downSSRC, [][]byte{pli, fir}[i%2])
			time.Sleep(10 * time.Millisecond)
		}
		settle()
		if n := r.plis(ssrcOf(0)) - before; n != 1 {
			t.Fatalf("%d PLIs within 200 ms", n)
		}
		time.Sleep(500 * time.Millisecond)
		settle()
		if n := r.plis(ssrcOf(0)) - before; n != 2 {
			t.Fatalf("%d PLIs: the deferred one is missing", n)
		}
	})
}

// When the first packet we see is a late one, those after it came before we
// listened. The subscriber misses them, and gets them for the asking.
func TestBeginsWithALatePacket(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		r.voice("a")
		r.seq[3]++ // lost
		late := r.timestamp(3, 48000, bubbleStart)
		r.voice("c")
		r.voice("d")
		settle()
		s := &screen{}
		sub := r.subscribe(s)
		b := binding(s)
		b.RTXSSRC = 0 // audio has none
		sub.NewDownTrack(r.audio).Bind(b)
		settle()
		r.packetSeq(3, 111, r.seq[3]-2, late, false, []byte("b"))
		r.voice("e")
		settle()
		got := s.take()
		if len(got) != 2 || string(got[0].Payload)+string(got[1].Payload) != "be" || got[1].SequenceNumber != got[0].SequenceNumber+3 {
			t.Fatal(got)
		}
		for range 2 { // the second time as the same packet, because the nonce is the same
			raw, err := (&rtcp.TransportLayerNack{MediaSSRC: downSSRC, Nacks: rtcp.NackPairsFromSequenceNumbers([]uint16{got[0].SequenceNumber + 1, got[0].SequenceNumber + 2})}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
			sub.HandleRTCP(downSSRC, raw)
			settle()
		}
		again := s.take()
		if len(again) != 4 || string(again[0].Payload)+string(again[1].Payload) != "cd" || again[1].SequenceNumber != got[0].SequenceNumber+2 {
			t.Fatal(again)
		}
		for i := range 2 {
			if !bytes.Equal(marshal(t, again[i]), marshal(t, again[i+2])) {
				t.Fatalf("not the same packet, but the same nonce: %v, was %v", again[i+2], again[i])
			}
		}
	})
}

func TestAudio(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		d := r.subscribe(s).NewDownTrack(r.audio)
		d.Bind(binding(s))
		r.voice("a")
		time.Sleep(20 * time.Millisecond)
		r.packet(3, 63, r.timestamp(3, 48000, bubbleStart), false, append([]byte{0x80 | 111, 0, 0, 1, 111, 'a'}, 'b'))
		time.Sleep(20 * time.Millisecond)
		r.packet(3, 63, r.timestamp(3, 48000, bubbleStart), false, []byte{0x80 | 111, 0}) // broken RED
		r.voice("c")
		settle()
		got := s.take()
		if len(got) != 3 {
			t.Fatal(got)
		}
		for i, p := range got {
			if p.PayloadType != outOpus || string(p.Payload) != string("abc"[i]) || p.SequenceNumber != got[0].SequenceNumber+uint16(i) {
				t.Fatalf("%d: %v", i, p)
			}
			if lv := p.GetExtension(6); len(lv) != 1 || lv[0] != 0x80|30 {
				t.Fatalf("%d: level % x", i, lv)
			}
		}
		if got[1].Timestamp-got[0].Timestamp != 960 {
			t.Fatal(got)
		}
	})
}

// Who negotiated RED gets it as it came, unless the two ends number Opus
// differently: RED's blocks carry the number.
func TestRED(t *testing.T) {
	const outRED = 64
	for _, tt := range []struct {
		opus uint8
		pt   uint8
		want string
	}{
		{111, outRED, "\xef\x0f\x00\x01oab"},
		{109, 109, "b"},
	} {
		inBubble(t, func(t *testing.T, r *rig) {
			s := &screen{}
			d := r.subscribe(s).NewDownTrack(r.audio)
			b := binding(s)
			b.Codecs = []publish.Codec{
				{PayloadType: tt.opus, Type: codec.Opus, ClockRate: 48000}, {PayloadType: outRED, Type: codec.RED, ClockRate: 48000},
			}
			d.Bind(b)
			r.packet(3, 63, r.timestamp(3, 48000, bubbleStart), false, []byte("\xef\x0f\x00\x01oab"))
			time.Sleep(20 * time.Millisecond)
			r.voice("c") // Opus in between goes by its own number
			settle()
			got := s.take()
			if len(got) != 2 || got[0].PayloadType != tt.pt || string(got[0].Payload) != tt.want || got[1].PayloadType != tt.opus {
				t.Fatal(got)
			}
		})
	}
}

func TestKeepAlive(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		sa, sv := &screen{}, &screen{}
		da, dv := r.subscribe(sa).NewDownTrack(r.audio), r.subscribe(sv).NewDownTrack(r.video)
		da.Bind(binding(sa))
		dv.Bind(binding(sv))
		da.KeepAlive()
		dv.KeepAlive()
		settle()
		audio, video := sa.take(), sv.take()
		if len(audio) != keepAlivePackets || len(video) != keepAlivePackets {
			t.Fatal(len(audio), len(video))
		}
		if p := audio[0]; p.PayloadType != outOpus || len(p.Payload) != 3 || audio[1].Timestamp-p.Timestamp != 960 {
			t.Fatal(p)
		}
		if p := video[0]; p.PayloadType != outVP8 || len(p.Payload) != 0 || !p.Padding {
			t.Fatal(p)
		}
		time.Sleep(time.Second)
		r.voice("x")
		r.frame(0, true, 1)
		settle()
		a, v := sa.take(), sv.take()
		if len(a) != 1 || a[0].SequenceNumber != audio[4].SequenceNumber+1 || int32(a[0].Timestamp-audio[4].Timestamp) <= 0 || a[0].Padding {
			t.Fatal(a)
		}
		if len(v) != 1 || v[0].SequenceNumber != video[4].SequenceNumber+1 || v[0].Padding {
			t.Fatal(v)
		}
		da.KeepAlive()
		if settle(); len(sa.take()) != 0 {
			t.Fatal("silence in the middle of media")
		}
	})
}

// Go clients take a track's codec from its first packet, and what is encrypted end to
// end must not be mixed with anything of ours.
func TestKeepAliveFormats(t *testing.T) {
	h264 := publish.Codec{PayloadType: 102, Type: codec.H264, ClockRate: 90000}
	for _, tt := range []struct {
		name   string
		cfg    publish.TrackConfig
		codecs []publish.Codec
		pt     uint8
		bytes  int // of the payload
	}{
		{"H264", publish.TrackConfig{Kind: publish.Video}, []publish.Codec{h264, vp8}, 125, 0},
		{"VP8", publish.TrackConfig{Kind: publish.Video}, []publish.Codec{vp8, h264}, outVP8, 0},
		{"RED", publish.TrackConfig{Kind: publish.Audio}, []publish.Codec{red, opus}, outOpus, 3},
		{"PCMU", publish.TrackConfig{Kind: publish.Audio}, []publish.Codec{{PayloadType: 0, Type: codec.PCMU, ClockRate: 8000}, opus}, 0, 0},
		{"encrypted", publish.TrackConfig{Kind: publish.Audio, Sealed: true}, []publish.Codec{opus}, outOpus, 0},
	} {
		inBubble(t, func(t *testing.T, r *rig) {
			track := publish.NewTrack(tt.cfg)
			publish.NewReceiver(publish.ReceiverConfig{}).SetSections([]publish.Section{{MID: "0", Kind: tt.cfg.Kind, Codecs: tt.codecs, Track: track}})
			s := &screen{}
			d := r.subscribe(s).NewDownTrack(track)
			b := binding(s)
			b.Codecs = append(b.Codecs, publish.Codec{PayloadType: 125, Type: codec.H264, ClockRate: 90000}, publish.Codec{PayloadType: 0, Type: codec.PCMU, ClockRate: 8000})
			d.Bind(b)
			d.KeepAlive()
			settle()
			got := s.take()
			if len(got) != keepAlivePackets || got[0].PayloadType != tt.pt || len(got[0].Payload) != tt.bytes || got[0].Padding != (tt.bytes == 0) {
				t.Errorf("%s: %v", tt.name, got)
			}
			d.SetPaused(true)
			d.KeepAlive()
			if settle(); len(s.take()) != 0 {
				t.Errorf("%s: a paused subscription is sent something", tt.name)
			}
		})
	}
}

func TestReports(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		sub := r.subscribe(s)
		d := sub.NewDownTrack(r.audio)
		d.Bind(binding(s))
		r.voice("a")
		r.senderReports()
		for range 3 {
			time.Sleep(time.Second)
			r.voice("a")
		}
		settle()
		if n := len(s.rtcp); n < 2 || n > 4 {
			t.Fatalf("%d sender reports in 3 s", n)
		}
		sr := s.rtcp[len(s.rtcp)-1].(*rtcp.SenderReport)
		media := s.take()
		last := media[len(media)-1]
		if sr.SSRC != downSSRC || sr.PacketCount == 0 || int32(last.Timestamp-sr.RTPTime) < 0 || last.Timestamp-sr.RTPTime > 48000 {
			t.Fatalf("%+v, last packet %d", sr, last.Timestamp)
		}
		time.Sleep(50 * time.Millisecond)
		lsr := uint32(sr.NTPTime >> 16)
		age := ntpShort(time.Now()) - lsr
		rr, _ := (&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{
			{SSRC: 1}, {SSRC: downSSRC, LastSenderReport: lsr, Delay: age - 65536/20, FractionLost: 64, TotalLost: 9, Jitter: 5},
		}}).Marshal()
		sub.HandleRTCP(downSSRC, rr)
		settle()
		st := d.Stats()
		if st.RTT.Round(time.Millisecond) != 50*time.Millisecond || st.FractionLost != 0.25 || st.TotalLost != 9 || st.Jitter != 5 {
			t.Fatalf("%+v", st)
		}
	})
}

// A frame goes out in one batch; one whose end does not come waits no longer than
// a millisecond.
func TestHoldsFramesForAMillisecond(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		r.subscribe(s).NewDownTrack(r.video).Bind(binding(s))
		r.frame(0, true, 1)
		settle()
		s.take()
		ts := r.timestamp(0, 90000, bubbleStart)
		part := []byte{0x90, 0xe0, 0x80, 9, 9, 0, 1, 0, 0, 0}
		r.packet(0, 96, ts, false, part)
		settle()
		if len(s.take()) != 0 {
			t.Fatal("not held")
		}
		time.Sleep(500 * time.Microsecond)
		r.packet(0, 96, ts, true, part)
		settle()
		if len(s.take()) != 2 {
			t.Fatal("the marker did not release the frame")
		}
		r.packet(0, 96, ts, false, part)
		time.Sleep(holdFor)
		settle()
		if len(s.take()) != 1 {
			t.Fatal("held for longer than a millisecond")
		}
	})
}

// Everyone gets all of a batch before the next gets any.
func TestSubscriberMajor(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		var log []*screen
		for range 3 {
			s := &screen{log: &log}
			sub := r.subscribe(s)
			sub.NewDownTrack(r.video).Bind(binding(s))
			b := binding(s)
			b.SSRC, b.RTXSSRC = 9000, 0
			sub.NewDownTrack(r.audio).Bind(b)
		}
		r.frame(0, true, 1)
		r.voice("a")
		settle()
		log = nil
		r.frame(0, false, 3)
		settle()
		for i := range log {
			if log[i] != log[i-i%3] {
				t.Fatal("packets of several subscribers are mixed")
			}
		}
		if len(log) != 9 {
			t.Fatal(len(log))
		}
	})
}

func TestPaddingIsNotForwarded(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		r.subscribe(s).NewDownTrack(r.video).Bind(binding(s))
		r.frame(0, true, 1)
		r.packet(0, 96, 0, false, nil)
		r.packet(0, 96, 0, false, nil)
		r.frame(0, false, 1)
		settle()
		got := s.take()
		if len(got) != 2 || got[1].SequenceNumber != got[0].SequenceNumber+1 {
			t.Fatal(got)
		}
	})
}

func TestResyncAndRebind(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		sub := r.subscribe(s)
		d := sub.NewDownTrack(r.video)
		d.Bind(binding(s))
		r.frame(0, true, 1)
		time.Sleep(time.Second)
		settle()
		before := r.plis(ssrcOf(0))
		sub.Resync()
		time.Sleep(20 * time.Millisecond)
		if settle(); r.plis(ssrcOf(0)) != before+1 {
			t.Fatal("no key frame asked for on Resync")
		}
		d.Unbind()
		r.frame(0, true, 1)
		settle()
		s.take()
		s2 := &screen{}
		b := binding(s2)
		b.SSRC = 4711
		d.Bind(b)
		r.frame(0, true, 1)
		settle()
		if len(s.take()) != 0 || len(s2.take()) != 2 {
			t.Fatal("not rebound") // the key frame of the ring, and the next
		}
	})
}

func TestUnsupportedCodecIsCounted(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		b := binding(s)
		b.Codecs = b.Codecs[:1] // no Opus
		r.subscribe(s).NewDownTrack(r.audio).Bind(b)
		r.voice("a")
		settle()
		if len(s.take()) != 0 || r.worker.Stats().UnknownCodec != 1 {
			t.Fatalf("%+v", r.worker.Stats())
		}
	})
}

// A publisher that outruns the worker loses packets, counted, and the stream goes
// on.
func TestOverrunIsCounted(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		d := r.subscribe(s).NewDownTrack(r.video)
		d.Bind(binding(s))
		r.frame(0, true, 1)
		settle()
		release := make(chan struct{})
		r.worker.AddTicker(&stuckTicker{release: release})
		time.Sleep(20 * time.Millisecond) // the worker is stuck now
		r.frame(0, false, 3000)
		close(release)
		settle()
		st := r.worker.Stats()
		if st.Overrun == 0 || st.Packets < 500 {
			t.Fatalf("%+v", st)
		}
	})
}

type stuckTicker struct{ release chan struct{} }

func (s *stuckTicker) Tick(time.Time) { <-s.release }
func (s *stuckTicker) SetWake(func()) {}

// At once: whatever the publisher does meanwhile, nothing is written after Close,
// Unbind, Track.Close or Subscriber.Close has returned.
func TestNothingAfterClose(t *testing.T) {
	for name, stop := range map[string]func(*rig, *Subscriber, *DownTrack){
		"DownTrack.Close":  func(_ *rig, _ *Subscriber, d *DownTrack) { d.Close() },
		"DownTrack.Unbind": func(_ *rig, _ *Subscriber, d *DownTrack) { d.Unbind() },
		"Subscriber.Close": func(_ *rig, s *Subscriber, _ *DownTrack) { s.Close() },
		"Track.Close":      func(r *rig, _ *Subscriber, _ *DownTrack) { r.video.Close() },
		"Worker.Close":     func(r *rig, _ *Subscriber, _ *DownTrack) { r.worker.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil)
			defer r.close()
			w := &latch{flowing: make(chan struct{})}
			sub := r.worker.NewSubscriber(SubscriberConfig{})
			d := sub.NewDownTrack(r.video)
			b := binding(nil)
			b.Writer = w
			d.Bind(b)
			quit, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for {
					select {
					case <-quit:
						return
					default:
						r.frame(0, true, 3)
					}
				}
			}()
			select {
			case <-w.flowing:
			case <-time.After(hangLimit):
				t.Fatal("nothing flows")
			}
			stop(r, sub, d)
			w.stopped.Store(true)
			at := w.count.Load()
			published := r.video.Layers()[0].Packets
			// Let the publisher go on for a while: 100 frames more, or, when its
			// track is closed, the same number of refused packets.
			for range 300 {
				r.voice("x")
			}
			close(quit)
			<-done
			raw, _ := (&rtcp.TransportLayerNack{MediaSSRC: downSSRC, Nacks: []rtcp.NackPair{{PacketID: w.last}}}).Marshal()
			sub.HandleRTCP(downSSRC, raw)
			d.KeepAlive()
			r.worker.do(request{kind: syncPoint})
			if late := w.late.Load(); late != 0 {
				t.Fatalf("%d packets after it returned (%d before, %d published)", late, at, published)
			}
			d.Close()
			sub.Close()
			r.video.Close()
		})
	}
}

// latch counts what is written after stopped.
type latch struct {
	count, late atomic.Int64
	stopped     atomic.Bool
	flowing     chan struct{}
	last        uint16 // of the worker's goroutine, read after it stopped writing
}

func (l *latch) WriteRTP(h *rtp.Header, _ []byte) (int, error) {
	if l.stopped.Load() {
		l.late.Add(1)
		return 0, nil
	}
	l.last = h.SequenceNumber
	if l.count.Add(1) == 50 {
		close(l.flowing)
	}
	return 0, nil
}

// batchSignal tells when a batch was uncorked.
type batchSignal struct{ uncorked chan struct{} }

func (b batchSignal) Cork() {}
func (b batchSignal) Uncork() {
	select {
	case b.uncorked <- struct{}{}:
	default:
	}
}

type discard struct{ n int }

func (d *discard) WriteRTP(h *rtp.Header, p []byte) (int, error) {
	d.n += len(p) + len(h.Extensions)
	return 0, nil
}

// TestForwardingAllocatesNothing takes the whole way: tap, ring, worker, munger,
// writer, for video and audio.
func TestForwardingAllocatesNothing(t *testing.T) {
	signal := batchSignal{make(chan struct{}, 1)}
	w := NewWorker(WorkerConfig{Corker: signal})
	defer w.Close()
	feed := newFeeder(t, w)
	const subscribers = 10
	for range subscribers {
		sub := w.NewSubscriber(SubscriberConfig{})
		b := binding(nil)
		b.Writer = &discard{}
		sub.NewDownTrack(feed.track).Bind(b)
	}
	frame := func() {
		want := w.Stats().Packets + subscribers*8
		feed.frame(8)
		for w.Stats().Packets < want {
			<-signal.uncorked
		}
	}
	feed.key = true
	for range 500 { // rings, scratch and pools grow
		frame()
	}
	feed.key = false
	if n := testing.AllocsPerRun(300, frame); n != 0 {
		t.Fatalf("%v allocations per frame of 8 packets to %d subscribers", n, subscribers)
	}
}

// The same with everything that congestion control does per packet: the history, the
// feedback, a queue in front of some subscribers, and probes.
func TestCongestionControlAllocatesNothing(t *testing.T) {
	signal := batchSignal{make(chan struct{}, 1)}
	w := NewWorker(WorkerConfig{Corker: signal})
	defer w.Close()
	feed := newFeeder(t, w)
	const subscribers = 10
	var subs []*Subscriber
	for range subscribers {
		sub := w.NewSubscriber(SubscriberConfig{})
		b := binding(nil)
		b.Writer = &discard{}
		sub.NewDownTrack(feed.track).Bind(b)
		subs = append(subs, sub)
	}
	remb, err := (&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 1, Bitrate: 40_000_000, SSRCs: []uint32{downSSRC}}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	feedback, err := (&rtcp.TransportLayerCC{
		Header:    rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: 5},
		MediaSSRC: downSSRC, BaseSequenceNumber: 1, PacketStatusCount: 8,
		PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{RunLength: 8}},
	}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	frame := func() {
		for i, s := range subs {
			if i%2 == 0 {
				s.HandleRTCP(downSSRC, remb)
			} else {
				s.HandleRTCP(downSSRC, feedback)
			}
		}
		before := w.Stats().Batches
		feed.frame(8)
		for w.Stats().Batches == before {
			<-signal.uncorked
		}
	}
	feed.key = true
	for range 500 {
		frame()
	}
	feed.key = false
	if n := testing.AllocsPerRun(300, frame); n >= 1 {
		t.Fatalf("%v allocations per frame of 8 packets to %d subscribers", n, subscribers)
	}
	var paced uint64
	for _, s := range subs {
		paced += s.Path().Paced
	}
	if paced == 0 {
		t.Fatal("nothing was paced: the test does not test it")
	}
}
