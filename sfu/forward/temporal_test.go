package forward

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"aparte/sfu/codec"
	"aparte/sfu/congestion"
)

// setChoice lets the allocator's choice be c from now on.
func setChoice(d *DownTrack, c congestion.Choice) {
	d.worker.do(request{kind: syncPoint}) // what came before is done
	d.allow(c)                            // the bubble is still: nobody else runs
}

func tids(packets []rtp.Packet) (all string) {
	for i := range packets {
		if d, ok := codec.ParseVP8(packets[i].Payload); ok {
			all += string('0' + d.TID)
		}
	}
	return all
}

// The last step before pause: fewer frames. What is left is one stream, numbered
// without gaps, pictures too; more frames come back only where a frame allows it.
func TestTemporalLayers(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		d := r.subscribe(s).NewDownTrack(r.video)
		b := binding(s)
		b.Ext.TransportCC = 0 // nobody else decides
		d.Bind(b)
		air := newOnAir(r)
		frames := func(n int) {
			for range n {
				i := air.frames % 4
				tid := "0212"[i] - '0'
				// Upper frames say that they need nothing of their own layer in
				// every second round only.
				sync := tid > 0 && air.frames/4%2 == 1
				air.frames++
				air.frame(0, air.frames == 1, tid, sync, 2000)
				time.Sleep(frameEvery)
				settle()
			}
		}
		frames(8)
		settle()
		setChoice(d, congestion.Choice{Layer: 0, Temporal: 1})
		frames(8)
		setChoice(d, congestion.Choice{Layer: 0, Temporal: 0})
		frames(8)
		setChoice(d, congestion.All)
		frames(12)
		packets := s.take()
		checkWhole(t, packets)
		want := "0022112200221122" + // all, two packets a frame
			"00110011" + // without layer 2
			"0000" + // layer 0
			"00" + "00221122" + "00221122" // and back: the first round has no Y
		if got := tids(packets); got != want {
			t.Fatalf("\n%s, want\n%s", got, want)
		}
	})
}

// A packet of a frame that is left out, lost on the way up and repaired late, must
// not come between those that took its place.
func TestLatePacketsOfLeftOutFrames(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		d := r.subscribe(s).NewDownTrack(r.video)
		b := binding(s)
		b.Ext.TransportCC = 0 // nobody else decides
		d.Bind(b)
		send := func(seq uint16, pid, tid byte, key bool) {
			tag := byte(1)
			if key {
				tag = 0
			}
			r.packetSeq(0, 96, seq, uint32(pid)*3000, true, []byte{0x90, 0xe0, 0x80, pid, pid, tid << 6, tag, 0, 0, 0, 0})
			settle()
		}
		send(1, 1, 0, true)
		setChoice(d, congestion.Choice{Layer: 0, Temporal: 0})
		send(2, 2, 0, false)
		send(4, 4, 0, false) // 3 is lost
		send(5, 5, 2, false) // left out
		send(6, 6, 0, false)
		send(3, 3, 2, false) // late: its number was given, but it is not for us
		send(7, 7, 0, false)
		packets := s.take()
		var got []uint16
		for i := range packets {
			got = append(got, packets[i].SequenceNumber-packets[0].SequenceNumber)
			if dd, ok := codec.ParseVP8(packets[i].Payload); ok && dd.TID != 0 {
				t.Fatalf("packet %d is of layer %d", i, dd.TID)
			}
		}
		if want := []uint16{0, 1, 3, 4, 2, 5}; !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
		if len(packets[4].Payload) != 0 {
			t.Fatal("the gap was filled with a frame that is left out")
		}
	})
}

// Padding without RTX comes between frames, and what follows moves up.
func TestPaddingBetweenFrames(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		d := r.subscribe(s).NewDownTrack(r.video)
		b := binding(s)
		b.RTXSSRC = 0
		b.Codecs[0].RTXPayloadType = 0
		d.Bind(b)
		r.frame(0, true, 2)
		settle()
		for range 3 {
			for range 40 {
				if !d.pad(padSize) {
					t.Fatal("no padding between frames")
				}
			}
			r.frame(0, false, 2)
			settle()
		}
		packets := s.take()
		checkWhole(t, packets)
		if len(packets) != 8+120 {
			t.Fatal(len(packets))
		}
		// A NACK for padding is not answered with somebody's packet.
		d.resend(packets[10].SequenceNumber)
		if got := s.take(); len(got) != 0 {
			t.Fatalf("%d packets for padding that was lost", len(got))
		}
		d.inFrame = true
		if d.pad(padSize) {
			t.Fatal("padding inside a frame")
		}
	})
}
