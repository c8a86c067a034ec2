package forward

import (
	"encoding/binary"
	"io"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
)

// svcFeeder publishes pictures of three spatial layers without allocating.
type svcFeeder struct {
	track    *publish.Track
	tap      io.Writer
	pictures [5][][]byte // a key picture, then temporal layers 0 2 1 2
	numberAt int         // of the picture or frame, in a packet
	seq      uint16
	ts       uint32
	number   uint16
}

func newSVCFeeder(t *testing.T, c publish.Codec) *svcFeeder {
	r := publish.NewReceiver(publish.ReceiverConfig{})
	f := &svcFeeder{track: publish.NewTrack(publish.TrackConfig{ID: "TR_x", Kind: publish.Video})}
	r.SetSections([]publish.Section{{
		MID: "0", Kind: publish.Video, Track: f.track, SSRCs: []publish.SSRC{{SSRC: 1}},
		Codecs: []publish.Codec{c}, Ext: publish.Extensions{Descriptor: descriptorIn},
	}})
	f.tap = r.Buffer(packetio.RTPBufferPacket, 1)
	src := &source{rig: &rig{t: t}, codec: c}
	for i, tid := range []uint8{0, 0, 2, 1, 2} {
		for sid := range 3 {
			for half := range 2 {
				first, last := half == 0, half == 1
				p := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: c.PayloadType, SSRC: 1, Marker: last && sid == 2}, Payload: make([]byte, 1100)}
				f.numberAt = 12 + 1
				if c.Type == codec.VP9 {
					copy(p.Payload, vp9Packet(0, i == 0, tid, uint8(sid), first, last))
				} else {
					p.Payload[0] = 0x10
					p.Extension, p.ExtensionProfile = true, rtp.ExtensionProfileTwoByte
					if err := p.SetExtension(descriptorIn, src.descriptor(0, i == 0, tid, sid, first, last)); err != nil {
						t.Fatal(err)
					}
					f.numberAt = 12 + 4 + 2 + 1
				}
				raw, err := p.Marshal()
				if err != nil {
					t.Fatal(err)
				}
				f.pictures[i] = append(f.pictures[i], raw)
			}
		}
	}
	return f
}

func (f *svcFeeder) picture(i int) {
	f.ts += 3000
	f.number++
	for at, raw := range f.pictures[i] {
		f.seq++
		binary.BigEndian.PutUint16(raw[2:], f.seq)
		binary.BigEndian.PutUint32(raw[4:], f.ts)
		number := f.number
		if f.numberAt > 13 {
			number = f.number*3 + uint16(at/2)
		} else {
			number |= 0x8000
		}
		binary.BigEndian.PutUint16(raw[f.numberAt:], number)
		_, _ = f.tap.Write(raw)
	}
}

// Leaving layers out, and saying so in AV1's descriptors, costs no memory.
func TestForwardingSVCAllocatesNothing(t *testing.T) {
	for _, c := range []publish.Codec{vp9, av1} {
		t.Run(c.Type.String(), func(t *testing.T) {
			signal := batchSignal{make(chan struct{}, 1)}
			w := NewWorker(WorkerConfig{Corker: signal})
			defer w.Close()
			feed := newSVCFeeder(t, c)
			src := &source{}
			var downs []*DownTrack
			for i := range 9 {
				sub := w.NewSubscriber(SubscriberConfig{})
				defer sub.Close()
				d := sub.NewDownTrack(feed.track)
				b := src.binding(nil)
				b.Writer = &discard{}
				d.SetMaxLayer(i % 3)
				d.Bind(b)
				downs = append(downs, d)
			}
			pictures := 0
			picture := func() {
				before := w.Stats().Batches
				i := 1 + pictures%4
				if pictures%40 == 0 {
					i = 0
				}
				feed.picture(i)
				pictures++
				for w.Stats().Batches == before {
					<-signal.uncorked
				}
			}
			for range 800 { // rings, scratch and pools grow
				picture()
			}
			if n := testing.AllocsPerRun(400, picture); n != 0 {
				t.Errorf("%v allocations for a picture of 6 packets to %d subscribers", n, len(downs))
			}
			w.do(request{kind: syncPoint})
			sent := [3]uint64{}
			for i, d := range downs {
				sent[i%3] += d.Stats().Packets
			}
			if sent[0] == 0 || sent[1] < sent[0]*3/2 || sent[2] < sent[0]*2 {
				t.Errorf("packets by layer %v", sent)
			}
		})
	}
}
