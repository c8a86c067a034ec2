package forward

import (
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"

	"aparte/sfu/publish"
)

// feeder publishes frames without allocating.
type feeder struct {
	track *publish.Track
	tap   io.Writer
	raw   []byte
	body  int
	seq   uint16
	ts    uint32
	key   bool
}

func newFeeder(t testing.TB, _ *Worker) *feeder {
	t.Helper()
	r := publish.NewReceiver(publish.ReceiverConfig{})
	f := &feeder{track: publish.NewTrack(publish.TrackConfig{ID: "TR_x", Kind: publish.Video})}
	r.SetSections([]publish.Section{{
		MID: "0", Kind: publish.Video, Track: f.track, SSRCs: []publish.SSRC{{SSRC: 1}},
		Codecs: []publish.Codec{vp8}, Ext: publish.Extensions{TransportCC: 3},
	}})
	f.tap = r.Buffer(packetio.RTPBufferPacket, 1)
	payload := make([]byte, 1200)
	copy(payload, []byte{0x90, 0xe0, 0x80, 1, 5, 0})
	p := &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96, SSRC: 1}, Payload: payload}
	_ = p.SetExtension(3, []byte{0, 0})
	raw, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	f.raw, f.body = raw, len(raw)-len(payload)
	return f
}

func (f *feeder) frame(n int) {
	f.ts += 3000
	for i := range n {
		f.raw[1] = 96
		if i == n-1 {
			f.raw[1] |= 0x80
		}
		f.raw[f.body], f.raw[f.body+6] = 0x80, 1
		if i == 0 {
			f.raw[f.body] = 0x90
			if f.key {
				f.raw[f.body+6] = 0
			}
		}
		f.seq++
		binary.BigEndian.PutUint16(f.raw[2:], f.seq)
		binary.BigEndian.PutUint32(f.raw[4:], f.ts)
		_, _ = f.tap.Write(f.raw)
	}
}

// BenchmarkForward is our own part of the way, without encryption and sockets:
// nanoseconds and allocations per forwarded packet.
func BenchmarkForward(b *testing.B) {
	for _, burst := range []int{1, 8} {
		for _, n := range []int{1, 50} {
			b.Run(fmt.Sprintf("burst=%d/N=%d", burst, n), func(b *testing.B) {
				signal := batchSignal{make(chan struct{}, 1)}
				w := NewWorker(WorkerConfig{Corker: signal})
				defer w.Close()
				f := newFeeder(b, w)
				for range n {
					bind := binding(nil)
					bind.Writer = &discard{}
					w.NewSubscriber(SubscriberConfig{}).NewDownTrack(f.track).Bind(bind)
				}
				send := func(packets int) {
					want := w.Stats().Packets + uint64(packets*n)
					f.frame(packets)
					for w.Stats().Packets < want {
						<-signal.uncorked
					}
				}
				f.key = true
				send(burst)
				send(burst)
				f.key = false
				b.ReportAllocs()
				for b.Loop() {
					send(burst)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*burst*n), "ns/packet")
			})
		}
	}
}

// FuzzHandleRTCP gives a subscriber any feedback about its stream.
func FuzzHandleRTCP(f *testing.F) {
	for _, p := range []rtcp.Packet{
		&rtcp.TransportLayerNack{MediaSSRC: downSSRC, Nacks: []rtcp.NackPair{{PacketID: 1, LostPackets: 0xffff}}},
		&rtcp.PictureLossIndication{MediaSSRC: downSSRC},
		&rtcp.FullIntraRequest{MediaSSRC: downSSRC, FIR: []rtcp.FIREntry{{SSRC: downSSRC}}},
		&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{{SSRC: downSSRC, LastSenderReport: 5}}},
		&rtcp.SenderReport{Reports: []rtcp.ReceptionReport{{SSRC: downSSRC}}},
		&rtcp.ReceiverEstimatedMaximumBitrate{Bitrate: 100_000, SSRCs: []uint32{downSSRC}},
		&rtcp.TransportLayerCC{
			Header:    rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: 5},
			MediaSSRC: downSSRC, BaseSequenceNumber: 1, PacketStatusCount: 4,
			PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{RunLength: 4}},
		},
	} {
		raw, err := p.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		w := NewWorker(WorkerConfig{})
		defer w.Close()
		feed := newFeeder(t, w)
		sub := w.NewSubscriber(SubscriberConfig{})
		d := sub.NewDownTrack(feed.track)
		bind := binding(nil)
		bind.Writer = &discard{}
		d.Bind(bind)
		feed.key = true
		feed.frame(4)
		sub.HandleRTCP(downSSRC, raw)
		w.do(request{kind: syncPoint})
		if st := d.Stats(); st.Retransmitted > maxResend {
			t.Fatalf("%+v", st)
		}
		if st := sub.Path(); st.EstimateBps != -1 && (st.EstimateBps < 1000 || st.EstimateBps > 1_000_000_000) {
			t.Fatalf("%+v", st)
		}
	})
}
