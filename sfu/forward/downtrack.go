package forward

import (
	"sync/atomic"
	"time"

	"github.com/pion/rtp"

	"aparte/sfu/codec"
	"aparte/sfu/congestion"
	"aparte/sfu/publish"
	"aparte/sfu/ring"
)

// RTPWriter encrypts and sends: the WriteStream of a webrtc.TrackLocalContext.
// Neither header nor payload are kept.
type RTPWriter interface {
	WriteRTP(header *rtp.Header, payload []byte) (int, error)
}

// Binding is what was negotiated for one DownTrack.
type Binding struct {
	Writer RTPWriter
	SSRC   uint32
	// RTXSSRC carries retransmissions; 0 resends on SSRC.
	RTXSSRC uint32
	// MID goes into every packet when it is not empty and its extension has an id.
	MID string
	// Codecs are the payload types the subscriber accepts.
	Codecs []publish.Codec
	Ext    publish.Extensions
}

// noPT marks payload types the subscriber cannot receive.
const noPT = 0xff

// DownTrack is one track on its way to one subscriber. Its methods may be called
// from any goroutine but the worker's; the state is the worker's.
type DownTrack struct {
	worker *Worker        // set at creation
	sub    *Subscriber    // set at creation
	track  *publish.Track // set at creation
	closed atomic.Bool
	held   atomic.Bool  // see Held
	short  atomic.Int32 // layers above those there is room for, see Reach

	// Counters, written by the worker.
	packets, bytes, retransmitted, nacks, plis atomic.Uint64
	layer                                      atomic.Int32 // layer now, -1 none
	rttMicros                                  atomic.Int64
	lost                                       atomic.Uint32 // cumulative << 8 | fraction
	jitter                                     atomic.Uint32

	// Owned by the worker.
	feed     *feed
	binding  Binding
	writer   RTPWriter // nil: not bound
	codecs   *[]publish.Codec
	payloads [128]uint8 // the publisher's payload type to the subscriber's
	repairs  [128]uint8 // the subscriber's payload type to its RTX
	red      [128]bool  // by the publisher's: send the primary block as opusPT
	opusPT   uint8
	video    uint8 // a payload type for padding
	selector selector
	munger   munger
	media    header
	rtx      header
	rtxSeq   uint16
	resent   [64]resent // by ring number, to throttle
	stamps   []stamp    // of sent packets by number; only without RTX
	nextSR   time.Time
	rank     congestion.Rank
	hold     congestion.Hold // the allocator's
	inFrame  bool            // the last packet sent did not end its frame
	frameTS  uint32          // its timestamp as it came
	change   *change         // of layers, which waits for that end; nil: none
	replay   replay          // of what came before it began
	plain    bool            // AV1 without its dependency descriptor, see learnCodecs
	pinned   bool            // forwarded whoever has the floor
	resting  bool            // others have the floor
	spurt    bool            // the next packet is the first after a rest
	drains   bool            // silent until the queue is empty, see pace
	asks     allowance       // of key frames
	owed     bool            // one was asked for too soon, and none came since
	octets   uint32
	count    uint32

	newPackets, newBytes uint64 // not yet in the counters
}

func newDownTrack(s *Subscriber, t *publish.Track) *DownTrack {
	d := &DownTrack{worker: s.worker, sub: s, track: t}
	d.selector = newSelector()
	d.layer.Store(-1)
	return d
}

// Track is what it forwards.
func (d *DownTrack) Track() *publish.Track { return d.track }

// Bind lets packets flow, beginning with a key frame.
func (d *DownTrack) Bind(b Binding) { d.worker.do(request{kind: bind, down: d, binding: &b}) }

// Unbind stops; when it returns, the writer is no longer used.
func (d *DownTrack) Unbind() { d.worker.do(request{kind: unbind, down: d}) }

// SetMaxLayer bounds the simulcast or spatial layer: 0 LOW, 1 MEDIUM, 2 HIGH (the
// default). Switches happen at key frames, but for those to a lower layer of SVC.
func (d *DownTrack) SetMaxLayer(layer int) {
	d.worker.post(request{kind: setMaxLayer, down: d, layer: layer})
}

// SetMaxFPS bounds the pictures a second where the stream has temporal layers: the
// lowest that has so many is sent. 0 is no bound, the default.
func (d *DownTrack) SetMaxFPS(fps int) {
	d.worker.post(request{kind: setMaxFPS, down: d, layer: fps})
}

// SetPaused stops or resumes without giving up the binding.
func (d *DownTrack) SetPaused(paused bool) {
	d.worker.post(request{kind: setPaused, down: d, on: paused})
}

// Resync asks for a key frame; see Subscriber.Resync.
func (d *DownTrack) Resync() { d.worker.post(request{kind: resync, sub: d.sub, down: d}) }

// KeepAlive sends a few packets of silence (Opus) or padding (video, and what is
// encrypted end to end), unless the subscriber has paused it or media flows: Go clients report a track at its first packet only, and a muted track
// sends none.
func (d *DownTrack) KeepAlive() { d.worker.post(request{kind: keepAlive, down: d}) }

// Close ends it; when it returns, nothing more is forwarded. Never call it from a
// worker's callback (WriteRTP, WriteRTCP): it waits for the worker.
func (d *DownTrack) Close() {
	d.closed.Store(true)
	d.worker.do(request{kind: removeDownTrack, down: d})
}

// DownStats describes a DownTrack.
type DownStats struct {
	Packets, Bytes uint64 // sent, retransmissions included
	Retransmitted  uint64
	NACKs, PLIs    uint64 // received: sequence numbers asked for, key frames asked for
	Layer          int    // forwarded now; -1 none
	RTT            time.Duration
	FractionLost   float64 // in the newest receiver report
	TotalLost      uint32
	Jitter         uint32 // timestamp units
}

// Stats returns the counters.
func (d *DownTrack) Stats() DownStats {
	lost := d.lost.Load()
	return DownStats{
		Packets: d.packets.Load(), Bytes: d.bytes.Load(), Retransmitted: d.retransmitted.Load(),
		NACKs: d.nacks.Load(), PLIs: d.plis.Load(), Layer: int(d.layer.Load()),
		RTT:          time.Duration(d.rttMicros.Load()) * time.Microsecond,
		FractionLost: float64(lost&0xff) / 256, TotalLost: lost >> 8, Jitter: d.jitter.Load(),
	}
}

// All below runs in the worker's goroutine.

func (d *DownTrack) bind(b *Binding) {
	if d.feed == nil {
		return // closed
	}
	d.sub.forget(d)
	d.binding, d.writer = *b, b.Writer
	d.sub.bySSRC[b.SSRC] = d
	d.media.init(b.SSRC, b.MID, b.Ext)
	d.rtx.init(b.RTXSSRC, b.MID, b.Ext)
	// Begin low, so that SRTP's rollover counter starts equal on both sides
	// (RFC 3711 section 3.3.1).
	d.munger = munger{lastOut: 1<<16 + uint64(b.SSRC&0x3fff)}
	d.rtxSeq = uint16(b.RTXSSRC & 0x3fff)
	d.stamps = nil
	if b.RTXSSRC == 0 {
		d.stamps = make([]stamp, maxStamps)
	}
	d.codecs = nil
	d.restart()
	d.layer.Store(-1)
	d.learnCodecs()
	d.sub.unpace(d)
	if d.media.numbered {
		d.sub.acknowledgeable()
		d.sub.share()
	}
	d.begin()
}

func (d *DownTrack) unbind() {
	d.replay.on = false
	d.sub.forget(d)
	d.sub.unpace(d)
	d.writer = nil
	d.layer.Store(-1)
}

func (d *DownTrack) setMaxLayer(layer int) {
	d.selector.max = min(max(layer, 0), publish.MaxLayers-1)
	d.retarget()
}

func (d *DownTrack) setMaxFPS(fps int) {
	d.selector.fps = max(fps, 0)
	d.retarget()
}

func (d *DownTrack) setPaused(paused bool) {
	if d.selector.paused == paused {
		return
	}
	d.selector.paused = paused
	d.restart() // video resumes at a key frame
	d.layer.Store(-1)
	if !paused {
		d.requestKeyframe()
	}
}

func (d *DownTrack) resync() {
	if d.worker.now.Sub(d.replay.at) >= replayFresh {
		d.requestKeyframe()
	}
}

// forward sends everything its feed has in this round.
func (d *DownTrack) forward() {
	if d.replay.on {
		return // it is not that far yet
	}
	d.learnCodecs()
	if d.selector.target < 0 {
		d.retarget()
	}
	if d.resting {
		d.wake()
	}
	// A frame that has begun goes on before another layer's begins. Else the layer to
	// switch to comes first: both may show the same instant.
	first := d.selector.target
	if d.inFrame {
		first = d.selector.current
	}
	if first >= 0 {
		d.forwardLayer(first)
		d.settle()
	}
	for layer := range d.feed.batches {
		if layer != first {
			d.forwardLayer(layer)
		}
	}
	d.settle()
	d.tally()
}

func (d *DownTrack) forwardLayer(layer int) {
	b := d.feed.batches[layer]
	if b == nil {
		return
	}
	for i := range b.Packets {
		if p := &b.Packets[i]; d.selected(layer, p) {
			d.send(layer, p)
		}
	}
}

// send munges p and writes it.
func (d *DownTrack) send(layer int, p *ring.Packet) {
	w := d.worker
	out, s, ok := d.munger.next(layer, p)
	if !ok {
		w.stats.oldPackets.Add(1)
		return
	}
	s = d.munger.relax(out, s, p)
	pt := d.payloads[p.PayloadType&0x7f]
	payload, ok := d.rewrite(p, s, out > d.munger.lastOut, p.Payload)
	if pt == noPT || !ok {
		w.stats.unknownCodec.Add(1)
		d.munger.skip(out, p)
		return
	}
	if len(payload) == 0 && d.munger.skip(out, p) {
		return // padding ends here: probes are ours
	}
	if d.tooFine(s, out, p) {
		if d.munger.skipFrame(out, p) {
			return
		}
		payload = nil // its number is given: fill it
	} else if s != d.munger.segment(0) && out >= d.munger.segment(0).out {
		s = d.munger.segment(0) // it begins with p
	}
	h := &d.media
	h.rtp.PayloadType = pt
	h.rtp.SequenceNumber = uint16(out)
	h.rtp.Timestamp = s.timestamp(p.Timestamp)
	h.rtp.Marker = s.ends(p) || d.spurt
	d.spurt = false
	h.audioLevel(p.AudioLevel, p.HasAudioLevel)
	d.describe(h, s, p, payload)
	if len(payload) > 0 && d.track.Kind() == publish.Video && d.sub.path.waits() && !d.pace(h, payload) {
		d.sub.path.stats.pacedDrops.Add(1)
		w.stats.pacedDrops.Add(1)
		return
	}
	if p.Facts.Keyframe {
		d.owed = false
	}
	if out > d.munger.lastOut {
		d.inFrame, d.frameTS = !h.rtp.Marker, p.Timestamp
	}
	d.sub.earn(len(payload) + congestion.Overhead)
	d.munger.sent(out, h.rtp.Timestamp, w.now)
	if d.sub.path.queue == nil || len(payload) == 0 || d.track.Kind() == publish.Audio {
		d.write(h, payload, false)
	}
}

// rewrite changes what stands in the payload: descriptors of VP8 and VP9 in place, or
// in the worker's scratch when they have to grow, RED to its primary block. payload is
// p's or a copy of it.
func (d *DownTrack) rewrite(p *ring.Packet, s *segment, newest bool, payload []byte) (rewritten []byte, ok bool) {
	switch f := &p.Facts; {
	case f.VP8.HeaderLen > 0:
		ids := d.munger.ids(s, p)
		to := codec.VP8Descriptor{PictureID: ids.pictureID, TL0PicIdx: ids.tl0, KeyIdx: ids.keyIdx}
		if f.VP8.HasPictureID && !f.VP8.LongPictureID && to.PictureID > 0x7f {
			d.worker.longer = f.VP8.Lengthen(d.worker.longer[:0], payload, to)
			payload = d.worker.longer
		} else {
			f.VP8.Rewrite(payload, to)
		}
		if newest {
			d.munger.note(ids)
		}
		return payload, true
	case f.VP9.HeaderLen > 0:
		ids := d.munger.ids(s, p)
		f.VP9.Rewrite(payload, ids.pictureID, ids.tl0)
		if newest {
			d.munger.note(ids)
		}
		return payload, true
	case f.Descriptor.Structure != nil && newest:
		d.munger.note(d.munger.ids(s, p))
	}
	if d.red[p.PayloadType&0x7f] && len(payload) > 0 {
		_, payload, ok = codec.REDPrimary(payload)
		return payload, ok
	}
	return payload, true
}

// describe passes the dependency descriptor on, with its frame's number among those
// that the subscriber gets, and what does not come of it. Only AV1's packets have one
// here: the others say the same in their payload, for all the ids we give them.
func (d *DownTrack) describe(h *header, s *segment, p *ring.Packet, payload []byte) {
	if h.descriptor == 0 {
		return
	}
	if len(p.Descriptor) == 0 || len(payload) == 0 {
		h.describe(nil)
		return
	}
	f := &p.Facts.Descriptor
	frame, mask := f.Frame+s.ids.frame, f.Active&f.Structure.UpTo(uint8(s.sids), uint8(s.tids))
	b := f.Rewrite(d.worker.describe[:0], p.Descriptor, frame, s.masked, mask)
	if len(b) > codec.MaxDescriptor {
		b = f.Rewrite(b[:0], p.Descriptor, frame, false, 0)
	}
	h.describe(b)
}

// write stamps, sends and counts. again repeats a packet to the bit; its stamp is
// there.
func (d *DownTrack) write(h *header, payload []byte, again bool) {
	w := d.worker
	if seq := h.rtp.SequenceNumber; again {
		st := &d.stamps[seq%maxStamps]
		h.stamp(st.transportSeq, st.sendTime)
	} else {
		st := stamp{seq: seq, valid: true, sendTime: w.sendTime}
		if h.numbered {
			st.transportSeq = d.sub.nextTransportSeq()
		}
		h.stamp(st.transportSeq, st.sendTime)
		d.sub.path.sent(h, st.transportSeq, len(payload), d.track.Kind(), w.elapsed)
		if d.stamps != nil {
			d.stamps[seq%maxStamps] = st
		}
	}
	if _, err := d.writer.WriteRTP(&h.rtp, payload); err != nil {
		w.stats.writeErrors.Add(1)
		return
	}
	d.newPackets++
	d.newBytes += uint64(len(payload))
	if h == &d.media {
		d.count++
		d.octets += uint32(len(payload))
	}
}

// tally makes what was written visible to others: once a batch, because atomic
// counters cost more than everything else we do to a packet.
func (d *DownTrack) tally() {
	d.worker.stats.packets.Add(d.newPackets)
	d.packets.Add(d.newPackets)
	d.bytes.Add(d.newBytes)
	d.newPackets, d.newBytes = 0, 0
}

// requestKeyframe asks the publisher for what is needed next, and for what is
// shown until then. Not before it can be sent: requests are throttled, and one in
// vain delays the one that counts.
func (d *DownTrack) requestKeyframe() {
	if d.writer == nil {
		return
	}
	d.retarget()
	s := &d.selector
	if s.stopped() || d.drains {
		return
	}
	if d.owed = !d.asks.take(d.worker.now, float64(time.Second)/float64(keyframeEvery), keyframeBurst); d.owed {
		d.worker.stats.plisDeferred.Add(1)
		return
	}
	s.asked = d.worker.now
	for layer := range publish.MaxLayers {
		if layer == s.target || layer == s.current {
			d.track.RequestKeyframe(layer)
		}
	}
}
