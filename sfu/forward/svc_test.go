package forward

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"

	"aparte/sfu/codec"
	"aparte/sfu/congestion"
	"aparte/sfu/publish"
)

// descriptorIn and descriptorOut are ids of the dependency descriptor, as two clients
// may choose them.
const (
	descriptorIn  = 12
	descriptorOut = 9
)

var (
	vp9  = publish.Codec{PayloadType: 98, Type: codec.VP9, ClockRate: 90000, Fmtp: "profile-id=0;x-google-start-bitrate=1000"}
	av1  = publish.Codec{PayloadType: 45, Type: codec.AV1, ClockRate: 90000}
	h264 = publish.Codec{PayloadType: 102, Type: codec.H264, ClockRate: 90000}
)

// l3t3 is the descriptor of a key frame of L3T3_KEY, as Chromium sends it, and the
// templates of a picture by temporal layer: key, 0, 1, 2.
const l3t3 = "c0000180081485214eaaaaa8000600004000100002aa80a8000600004000100002a000a800060000400016d549241b5524906d54923157e001974ca864330e222396eca8655304224390eca87753013f00b3027f016704ff02cf"

var templates = [...][3]byte{{0, 5, 10}, {1, 6, 11}, {2, 7, 12}, {3, 8, 13}}

// source publishes pictures of a codec on the layers of a rig.
type source struct {
	*rig
	codec publish.Codec
	rids  bool
	seq   [3]uint16
	frame [3]uint16 // numbers of frames, or pictures
	// late may keep a packet back, and have it delivered later.
	late func(deliver func()) bool
}

// newSource gives the rig's publisher another codec: simulcast with rids, else one
// stream.
func newSource(r *rig, c publish.Codec, rids bool) *source {
	ext := pubExt
	ext.Descriptor = descriptorIn
	s := publish.Section{MID: "v", Kind: publish.Video, Codecs: []publish.Codec{c}, Ext: ext, Track: r.video}
	if rids {
		s.RIDs = []string{"q", "h", "f"}
	}
	r.receiver.SetSections([]publish.Section{s})
	return &source{rig: r, codec: c, rids: rids, frame: [3]uint16{0x7ff0, 100, 30000}}
}

// write publishes one packet.
func (s *source) write(layer int, ts uint32, marker bool, descriptor, payload []byte) {
	s.seq[layer]++
	p := &rtp.Packet{
		Header:  rtp.Header{Version: 2, SSRC: ssrcOf(layer), PayloadType: s.codec.PayloadType, SequenceNumber: s.seq[layer], Timestamp: ts, Marker: marker},
		Payload: payload,
	}
	p.Extension, p.ExtensionProfile = true, rtp.ExtensionProfileTwoByte
	exts := map[uint8][]byte{pubExt.MID: []byte("v"), descriptorIn: descriptor}
	if s.rids {
		exts[pubExt.RID] = []byte{"qhf"[layer]}
	}
	for id, b := range exts {
		if err := p.SetExtension(id, b); len(b) > 0 && err != nil {
			s.t.Fatal(err)
		}
	}
	b, err := p.Marshal()
	if err != nil {
		s.t.Fatal(err)
	}
	deliver := func() { _, _ = s.receiver.Buffer(packetio.RTPBufferPacket, ssrcOf(layer)).Write(b) }
	if s.late == nil || !s.late(deliver) {
		deliver()
	}
}

// picture publishes a picture of so many spatial layers, each of two packets. An
// upper layer's frames need the lower ones at key pictures only (L3T3_KEY).
func (s *source) picture(layer int, key bool, tid uint8, spatials int) {
	ts := s.timestamp(layer, 90000, bubbleStart)
	s.frame[layer]++
	for sid := range spatials {
		for i := range 2 {
			first, last := i == 0, i == 1
			var payload, descriptor []byte
			if s.codec.Type == codec.VP9 {
				payload = vp9Packet(s.frame[layer], key, tid, uint8(sid), first, last)
			} else {
				payload = []byte{0x10, byte(i), 1, 2, 3}
				descriptor = s.descriptor(layer, key, tid, sid, first, last)
			}
			s.write(layer, ts, last && sid == spatials-1, descriptor, payload)
		}
		if s.codec.Type == codec.AV1 && sid < spatials-1 {
			s.frame[layer]++
		}
	}
}

func vp9Packet(pid uint16, key bool, tid, sid uint8, first, last bool) []byte {
	head := byte(0x80 | 0x20 | 0x10) // I L F
	if !key {
		head |= 0x40
	}
	if first {
		head |= 0x08
	}
	if last {
		head |= 0x04
	}
	inter := byte(0)
	if key && sid > 0 {
		inter = 1
	}
	p := []byte{head, 0x80 | byte(pid>>8), byte(pid), tid<<5 | 0x10 | sid<<1 | inter}
	if !key {
		p = append(p, 1<<1)
	}
	return append(p, 7, 7, 7)
}

func (s *source) descriptor(layer int, key bool, tid uint8, sid int, first, last bool) []byte {
	if key && sid == 0 && first {
		b, err := hex.DecodeString(l3t3)
		if err != nil {
			s.t.Fatal(err)
		}
		b[0], b[1], b[2] = 0x80, byte(s.frame[layer]>>8), byte(s.frame[layer])
		return b
	}
	row := int(tid) + 1
	if key {
		row = 0
	}
	if row == len(templates) {
		row--
	}
	b := []byte{templates[row][sid], byte(s.frame[layer] >> 8), byte(s.frame[layer])}
	if key {
		b[0] = []byte{0, 5, 10}[sid]
	} else {
		b[0] = [][3]byte{{1, 6, 11}, {2, 7, 12}, {3, 8, 13}}[tid][sid]
	}
	if first {
		b[0] |= 0x80
	}
	if last {
		b[0] |= 0x40
	}
	return b
}

// gop publishes n pictures of temporal layers 0 2 1 2, the first of them a key one.
func (s *source) gop(layer, n, spatials int, key bool) {
	for i := range n {
		s.picture(layer, key && i == 0, [...]uint8{0, 2, 1, 2}[i%4], spatials)
		time.Sleep(frameEvery)
		settle()
	}
}

func (s *source) binding(to *screen) Binding {
	b := binding(to)
	b.Codecs = []publish.Codec{
		{PayloadType: 35, Type: codec.VP9, ClockRate: 90000, Fmtp: "profile-id=2"},
		{PayloadType: 36, Type: codec.VP9, ClockRate: 90000, Fmtp: "profile-id=0", RTXPayloadType: 37},
		{PayloadType: 38, Type: codec.AV1, ClockRate: 90000, RTXPayloadType: 39},
		{PayloadType: 40, Type: codec.H264, ClockRate: 90000, RTXPayloadType: 41},
	}
	b.Ext.AudioLevel, b.Ext.TransportCC, b.Ext.Descriptor = 0, 0, descriptorOut
	return b
}

// viewer understands what a screen gets as a browser does.
type viewer struct {
	t       *testing.T
	codec   codec.Type
	reader  codec.DescriptorReader
	seq     uint16
	ts      uint32
	id      uint16 // picture or frame
	active  uint32
	started bool
}

// view tells the frames among the packets: K for key frames, spatial and temporal
// layer, | behind the one with the marker. Numbers must go on without gaps, times and
// ids must rise.
func (v *viewer) view(packets []rtp.Packet) string {
	v.t.Helper()
	var frames []string
	for i := range packets {
		p := &packets[i]
		if len(p.Payload) == 0 {
			continue
		}
		f, ok := codec.Inspect(v.codec, p.Payload)
		if !ok {
			v.t.Fatalf("payload % x", p.Payload)
		}
		id := f.VP9.PictureID
		if v.codec == codec.AV1 {
			if !v.reader.Read(p.GetExtension(descriptorOut), &f) {
				v.t.Fatalf("descriptor % x", p.GetExtension(descriptorOut))
			}
			id, v.active = f.Descriptor.Frame, f.Descriptor.Active
		} else if p.GetExtension(descriptorOut) != nil {
			v.t.Fatal("a descriptor that nobody rewrote")
		}
		if v.started && p.SequenceNumber != v.seq+1 {
			v.t.Fatalf("number %d after %d", p.SequenceNumber, v.seq)
		}
		if v.started && int32(p.Timestamp-v.ts) < 0 {
			v.t.Fatalf("timestamp %d after %d", p.Timestamp, v.ts)
		}
		if ahead := (id - v.id) << 1; v.started && ahead > 100 {
			v.t.Fatalf("picture %d after %d", id, v.id)
		}
		v.started, v.seq, v.ts, v.id = true, p.SequenceNumber, p.Timestamp, id
		if f.FrameStart {
			frames = append(frames, fmt.Sprintf("%d%d", f.SID, f.TID))
			if f.Keyframe {
				frames[len(frames)-1] = "K" + frames[len(frames)-1]
			}
		}
		if p.Marker {
			frames[len(frames)-1] += "|"
		}
	}
	return strings.Join(frames, " ")
}

func repeat(s string, n int) string { return strings.TrimSpace(strings.Repeat(s+" ", n)) }

// A subscriber of SVC has the layers it asks for: less from the next picture on, more
// from a key picture on, which is asked for; and each picture has its marker.
func TestSpatialLayers(t *testing.T) {
	for _, c := range []publish.Codec{vp9, av1} {
		t.Run(c.Type.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				src, to, v := newSource(r, c, false), &screen{}, &viewer{t: t, codec: c.Type}
				d := r.subscribe(to).NewDownTrack(r.video)
				d.SetMaxLayer(0)
				d.Bind(src.binding(to))
				expect := func(what, want string) {
					t.Helper()
					settle()
					if got := v.view(to.take()); got != want {
						t.Fatalf("%s: %s\nwant %s", what, got, want)
					}
				}
				src.gop(0, 4, 3, true)
				expect("LOW", "K00| 02| 01| 02|")
				asked := r.plis(100)
				d.SetMaxLayer(1)
				src.gop(0, 32, 3, false)
				expect("MEDIUM before a key picture", repeat("00| 02| 01| 02|", 8))
				if r.plis(100) == asked {
					t.Error("no key picture asked for")
				}
				src.gop(0, 4, 3, true)
				expect("MEDIUM", "K00 10| 02 12| 01 11| 02 12|")
				if v.codec == codec.AV1 && v.active != 0x03f {
					t.Errorf("active decode targets %x", v.active)
				}
				d.SetMaxLayer(2)
				src.gop(0, 2, 3, true)
				expect("HIGH", "K00 10 20| 02 12 22|")
				if v.codec == codec.AV1 && v.active != 0x1ff {
					t.Errorf("active decode targets %x", v.active)
				}
				d.SetMaxLayer(0)
				settle()
				src.gop(0, 2, 3, false)
				expect("LOW again", "00| 02|")
				asked = r.plis(100)
				d.SetMaxLayer(2)
				src.gop(0, 2, 1, true) // the publisher has no more for now
				expect("the publisher's LOW", "K00| 02|")
				src.gop(0, 60, 1, false)
				to.take()
				v.started = false
				if got := r.plis(100) - asked; got > 3 {
					t.Errorf("%d key pictures asked for that could bring nothing", got)
				}
				if l := d.Stats().Layer; l != 2 {
					t.Errorf("layer %d", l)
				}
			})
		})
	}
}

// The path takes frames away last, and frames per second are a wish of the client.
func TestTemporalLayersOfSVC(t *testing.T) {
	for _, c := range []publish.Codec{vp9, av1} {
		t.Run(c.Type.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				src, to, v := newSource(r, c, false), &screen{}, &viewer{t: t, codec: c.Type}
				d := r.subscribe(to).NewDownTrack(r.video)
				d.Bind(src.binding(to))
				src.gop(0, 4, 2, true)
				setChoice(d, congestion.Choice{Layer: 0, Temporal: 0})
				src.gop(0, 8, 2, false)
				setChoice(d, congestion.Choice{Layer: 0, Temporal: 1})
				src.gop(0, 4, 2, false)
				setChoice(d, congestion.All)
				src.gop(0, 4, 2, false)
				src.gop(0, 1, 2, true)
				settle()
				want := "K00 10| 02 12| 01 11| 02 12| 00| 00| 00| 01| 00| 02| 01| 02| K00 10|"
				if got := v.view(to.take()); got != want {
					t.Fatalf("%s\nwant %s", got, want)
				}
				src.gop(0, 80, 2, false) // frame rates are measured
				to.take()
				v.started = false
				for _, w := range []struct {
					fps  int
					want string
				}{
					{int(time.Second/frameEvery) / 4, "00 10|"},
					{int(time.Second/frameEvery) / 2, "00 10| 01 11|"},
					{0, "00 10| 02 12| 01 11| 02 12|"},
				} {
					d.SetMaxFPS(w.fps)
					settle()
					src.gop(0, 4, 2, false)
					settle()
					if got := v.view(to.take()); got != w.want {
						t.Errorf("%d a second: %s, want %s", w.fps, got, w.want)
					}
				}
			})
		})
	}
}

// Three encodings of their own, each with its numbers of pictures and frames: one
// stream comes out.
func TestSimulcastOfVP9AndAV1(t *testing.T) {
	for _, c := range []publish.Codec{vp9, av1} {
		t.Run(c.Type.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				src, to, v := newSource(r, c, true), &screen{}, &viewer{t: t, codec: c.Type}
				d := r.subscribe(to).NewDownTrack(r.video)
				d.SetMaxLayer(0)
				d.Bind(src.binding(to))
				// What is to be shown comes first: if it came last, whether the other's key frame
				// is shown before it would depend on who looks when.
				both := func(key bool, first int) {
					for i := range 4 {
						for _, layer := range [2]int{first, 1 - first} {
							src.picture(layer, key && i == 0, [...]uint8{0, 2, 1, 2}[i], 1)
						}
						time.Sleep(frameEvery)
						settle()
					}
				}
				both(true, 0)
				both(false, 0)
				d.SetMaxLayer(1)
				both(true, 1)
				both(false, 1)
				d.SetMaxLayer(0)
				both(true, 0)
				all := "00| 02| 01| 02|"
				want := strings.Join([]string{"K" + all, all, "K" + all, all, "K" + all}, " ")
				if got := v.view(to.take()); got != want {
					t.Fatalf("%s\nwant %s", got, want)
				}
			})
		})
	}
}

// The tail of a frame comes after the key frame of the layer that is switched to:
// neither is cut, whichever layer is read first.
func TestSwitchWaitsForTheEndOfTheFrame(t *testing.T) {
	for _, c := range []struct{ from, to int }{{0, 1}, {1, 0}} {
		inBubble(t, func(t *testing.T, r *rig) {
			src, to, v := newSource(r, vp9, true), &screen{}, &viewer{t: t, codec: codec.VP9}
			d := r.subscribe(to).NewDownTrack(r.video)
			d.SetMaxLayer(c.from)
			d.Bind(src.binding(to))
			src.gop(0, 1, 1, true)
			src.gop(1, 8, 1, true) // until it is seen to live
			src.gop(c.from, 1, 1, true)
			d.SetMaxLayer(c.to)
			settle()
			v.view(to.take())

			at := src.timestamp(c.from, 90000, bubbleStart)
			src.frame[c.from]++
			half := func(last bool) {
				src.write(c.from, at, last, nil, vp9Packet(src.frame[c.from], false, 1, 0, !last, last))
			}
			half(false)
			time.Sleep(5 * time.Millisecond) // longer than the worker waits for the rest
			settle()
			src.picture(c.to, true, 0, 1)
			src.picture(c.to, false, 2, 1)
			time.Sleep(5 * time.Millisecond)
			settle()
			if got := v.view(to.take()); got != "01" {
				t.Fatalf("%v before the end: %s", c, got)
			}
			half(true)
			src.picture(c.from, false, 2, 1)
			src.picture(c.to, false, 1, 1)
			time.Sleep(5 * time.Millisecond)
			settle()
			packets := to.take()
			if !packets[0].Marker || packets[0].Payload[0]&0x04 == 0 {
				t.Fatal("the frame has no end")
			}
			v.seq, v.ts = packets[0].SequenceNumber, packets[0].Timestamp
			if got := v.view(packets[1:]); got != "K00| 02| 01|" {
				t.Fatalf("after it: %s", got)
			}
		})
	}
}

// An end that never comes does not keep the subscriber from its layer.
func TestSwitchDoesNotWaitForALostEnd(t *testing.T) {
	for _, next := range []bool{true, false} {
		inBubble(t, func(t *testing.T, r *rig) {
			src, to := newSource(r, vp9, true), &screen{}
			d := r.subscribe(to).NewDownTrack(r.video)
			d.SetMaxLayer(0)
			d.Bind(src.binding(to))
			src.gop(0, 1, 1, true)
			src.gop(1, 1, 1, true)
			d.SetMaxLayer(1)
			src.frame[0]++
			src.write(0, src.timestamp(0, 90000, bubbleStart), false, nil, vp9Packet(src.frame[0], false, 0, 0, true, false))
			time.Sleep(5 * time.Millisecond)
			settle()
			src.picture(1, true, 0, 1)
			time.Sleep(5 * time.Millisecond)
			settle()
			to.take()
			if next {
				src.picture(0, false, 0, 1)
				time.Sleep(5 * time.Millisecond)
			} else {
				time.Sleep(2 * changeWait)
			}
			settle()
			packets := to.take()
			if len(packets) != 2 || packets[0].Payload[0]&0x40 != 0 || d.Stats().Layer != 1 {
				t.Fatalf("%d packets, layer %d", len(packets), d.Stats().Layer)
			}
		})
	}
}

// H264 begins at the packet with the SPS, and the slice that follows is not another
// beginning.
func TestH264SwitchesAtTheParameterSets(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		src, to := newSource(r, h264, true), &screen{}
		d := r.subscribe(to).NewDownTrack(r.video)
		d.SetMaxLayer(0)
		d.Bind(src.binding(to))
		sps, slice, delta := []byte{0x78, 0, 2, 0x67, 1, 0, 1, 0x68}, []byte{0x7c, 0x85, 1}, []byte{0x61, 1}
		keyframe := func(layer int) {
			ts := src.timestamp(layer, 90000, bubbleStart)
			src.write(layer, ts, false, nil, sps)
			src.write(layer, ts, true, nil, slice)
			time.Sleep(frameEvery)
			settle()
		}
		keyframe(0)
		keyframe(1)
		src.write(0, src.timestamp(0, 90000, bubbleStart), true, nil, delta)
		settle()
		d.SetMaxLayer(1)
		settle()
		// The SPS of this one is lost: it is no place to begin.
		src.seq[1]++
		src.write(1, src.timestamp(1, 90000, bubbleStart), true, nil, slice)
		time.Sleep(frameEvery)
		settle()
		keyframe(1)
		var got []byte
		for _, p := range to.take() {
			if len(p.Payload) > 0 {
				got = append(got, p.Payload[0])
			}
		}
		if want := []byte{0x78, 0x7c, 0x61, 0x78, 0x7c}; !slices.Equal(got, want) {
			t.Fatalf("% x, want % x", got, want)
		}
	})
}

// A client that takes no dependency descriptor can decode AV1's lowest layer only.
func TestAV1WithoutDescriptorIsTheLowestLayer(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		src, to := newSource(r, av1, false), &screen{}
		d := r.subscribe(to).NewDownTrack(r.video)
		b := src.binding(to)
		b.Ext.Descriptor = 0
		d.Bind(b)
		src.gop(0, 4, 3, true)
		src.gop(0, 4, 3, true)
		packets := to.take()
		if len(packets) < 8+8 {
			t.Fatalf("%d packets", len(packets))
		}
		for i, p := range packets[len(packets)-8:] {
			if p.Payload[1] != byte(i%2) || p.Marker != (i%2 == 1) || p.ExtensionProfile != rtp.ExtensionProfileOneByte {
				t.Fatalf("%d: %+v", i, p)
			}
		}
	})
}

// What is sent again says what it said the first time.
func TestRetransmittedDescriptors(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		src, to := newSource(r, av1, false), &screen{}
		sub := r.subscribe(to)
		d := sub.NewDownTrack(r.video)
		d.SetMaxLayer(1)
		d.Bind(src.binding(to))
		src.gop(0, 8, 3, true)
		first := to.take()
		d.SetMaxLayer(0)
		src.gop(0, 2, 3, false)
		to.take()
		for i := range first {
			raw, err := (&rtcp.TransportLayerNack{MediaSSRC: downSSRC, Nacks: []rtcp.NackPair{{PacketID: first[i].SequenceNumber}}}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			sub.HandleRTCP(downSSRC, raw)
		}
		settle()
		again := to.take()
		if len(again) != len(first) || len(first) != 32 {
			t.Fatalf("%d of %d packets", len(again), len(first))
		}
		for i, p := range again {
			f := &first[i]
			if p.SSRC != downRTX || osn(p) != f.SequenceNumber || p.Marker != f.Marker || p.Timestamp != f.Timestamp ||
				!slices.Equal(p.GetExtension(descriptorOut), f.GetExtension(descriptorOut)) || !slices.Equal(p.Payload[2:], f.Payload) {
				t.Fatalf("%d: %+v\nwas %+v", i, p, *f)
			}
		}
	})
}

// A change of layer that waits for the end of a frame is not made when the track has
// ended meanwhile: what was noted is in the ring still.
func TestAChangeEndsWithItsTrack(t *testing.T) {
	inBubble(t, func(t *testing.T, r *rig) {
		s := &screen{}
		d := r.subscribe(s).NewDownTrack(r.video)
		d.Bind(binding(s))
		r.frame(0, true, 2)
		settle()
		r.frame(2, false, 2) // it is there, and asked for a key frame
		time.Sleep(200 * time.Millisecond)
		r.packet(0, 96, r.timestamp(0, 90000, bubbleStart), false, []byte{0x90, 0xe0, 0x80, 9, 9, 0, 1, 0, 0, 0, 0}) // its end never comes
		settle()
		time.Sleep(20 * time.Millisecond)
		settle()
		r.frame(2, true, 2)
		settle()
		if s.take(); d.change == nil {
			t.Fatalf("layer %d, target %d: no change waits, nothing is tested", d.Stats().Layer, d.selector.target)
		}
		r.video.Close()
		time.Sleep(time.Second)
		settle()
		if late := s.take(); len(late) > 0 {
			t.Errorf("%d packets left after the end of their track", len(late))
		}
	})
}
