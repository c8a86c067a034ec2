package forward

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"

	"aparte/sfu/publish"
)

// meeting is microphones on one floor, all forwarded to one subscriber.
type meeting struct {
	t         *testing.T
	receivers []*publish.Receiver
	tracks    []*publish.Track
	downs     []*DownTrack
	ears      []*screen
	seq       uint16
}

func newMeeting(t *testing.T, r *rig, seats, mics int) *meeting {
	m := &meeting{t: t, seq: 100}
	floor := publish.NewFloor(seats)
	sub := r.worker.NewSubscriber(SubscriberConfig{})
	for i := range mics {
		rc := publish.NewReceiver(publish.ReceiverConfig{})
		track := publish.NewTrack(publish.TrackConfig{ID: fmt.Sprint(i), Kind: publish.Audio, Floor: floor})
		rc.SetSections([]publish.Section{{
			MID: "a", Kind: publish.Audio, Track: track, SSRCs: []publish.SSRC{{SSRC: 1}},
			Codecs: []publish.Codec{opus}, Ext: pubExt,
		}})
		ear := &screen{}
		d := sub.NewDownTrack(track)
		b := binding(ear)
		b.SSRC, b.RTXSSRC = uint32(500+i), 0
		d.Bind(b)
		m.receivers, m.tracks = append(m.receivers, rc), append(m.tracks, track)
		m.downs, m.ears = append(m.downs, d), append(m.ears, ear)
	}
	return m
}

// pass lets n packets of 20 ms come from everyone; loud ones say so.
func (m *meeting) pass(n int, loud ...int) {
	for range n {
		m.seq++
		for i, rc := range m.receivers {
			level := byte(90)
			for _, l := range loud {
				if l == i {
					level = 30
				}
			}
			p := &rtp.Packet{
				Header:  rtp.Header{Version: 2, SSRC: 1, PayloadType: 111, SequenceNumber: m.seq, Timestamp: uint32(m.seq) * 960},
				Payload: []byte(fmt.Sprintf("packet %d", m.seq)),
			}
			_ = p.SetExtension(pubExt.AudioLevel, []byte{level})
			raw, err := p.Marshal()
			if err != nil {
				m.t.Fatal(err)
			}
			_, _ = rc.Buffer(packetio.RTPBufferPacket, 1).Write(raw)
		}
		time.Sleep(20 * time.Millisecond)
		settle()
	}
}

// Of five microphones two are heard. When another one speaks it is heard from
// before its first syllable on, as one stream.
func TestOnlyTheFloorIsHeard(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		m := newMeeting(t, r, 2, 5)
		m.pass(50)
		for i, ear := range m.ears {
			// The first packets go out, so that every client reports the track.
			if n := len(ear.take()); i < 2 && n != 50 || i >= 2 && n != keepAlivePackets {
				t.Fatalf("microphone %d: %d packets", i, n)
			}
		}
		m.pass(10, 3) // speaks
		got := m.ears[3].take()
		if len(got) != 9+preroll {
			t.Fatalf("%d packets of the one who began to speak", len(got))
		}
		if want := fmt.Sprintf("packet %d", m.seq-9+1-preroll); string(got[0].Payload) != want || !got[0].Marker {
			t.Fatalf("begins with %q (marker %t), want %q", got[0].Payload, got[0].Marker, want)
		}
		for i, p := range got {
			if i > 0 && (p.SequenceNumber != got[i-1].SequenceNumber+1 || p.Timestamp != got[i-1].Timestamp+960 || p.Marker) {
				t.Fatalf("packet %d: %d at %d after %d at %d", i, p.SequenceNumber, p.Timestamp, got[i-1].SequenceNumber, got[i-1].Timestamp)
			}
		}
		if len(m.ears[0].take()) == 10 || len(m.ears[1].take()) != 10 {
			t.Fatal("nobody left the floor, or the wrong one")
		}
	})
}

// The numbers of a stream that rested go on, and its timestamps say how long.
func TestRestLeavesNoGap(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		m := newMeeting(t, r, 1, 2)
		m.pass(20, 0)
		m.pass(40, 1)
		m.pass(60, 0)
		got := m.ears[0].take()
		jumps := 0
		for i := range got[1:] {
			a, b := got[i], got[i+1]
			if b.SequenceNumber != a.SequenceNumber+1 {
				t.Fatalf("number %d after %d", b.SequenceNumber, a.SequenceNumber)
			}
			if b.Timestamp != a.Timestamp+960 {
				jumps++
			}
			if wantA, wantB := a.Payload, b.Payload; b.Timestamp-a.Timestamp != 960*uint32(number(wantB)-number(wantA)) {
				t.Fatalf("%s at %d after %s at %d", b.Payload, b.Timestamp, a.Payload, a.Timestamp)
			}
		}
		if jumps != 1 {
			t.Fatalf("rested %d times", jumps)
		}
	})
}

func number(payload []byte) (n int) {
	_, _ = fmt.Sscanf(string(payload), "packet %d", &n)
	return n
}

func TestPinnedMicrophonesAreHeard(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		m := newMeeting(t, r, 1, 3)
		m.downs[2].SetPinned(true)
		m.pass(50, 0)
		if n := len(m.ears[2].take()); n != 50 {
			t.Fatalf("%d packets of the pinned one", n)
		}
		m.downs[2].SetPinned(false)
		m.pass(50, 0)
		if n := len(m.ears[2].take()); n != 0 {
			t.Fatalf("%d packets after that", n)
		}
	})
}
