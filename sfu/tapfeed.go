package sfu

import (
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
	"aparte/sfu/ring"
	"aparte/sfu/tap"
)

// What a tap does of its own: it looks into the rings and tells the sink.

const (
	// tapEvery: the rings hold ten times that, and at 8 Mbit/s a picture's is half
	// full then.
	tapEvery = 50 * time.Millisecond
	// tapPackets are read at a time.
	tapPackets = 64
	// tapKeyframe is how often a key frame is asked for that a new layer waits for.
	tapKeyframe = time.Second
	// tapOldest: a layer begins no further back. One that was told before has been
	// silent for longer.
	tapOldest = 1500 * time.Millisecond

	rtpHeader = 12 // bytes without extensions, RFC 3550 section 5.1
)

// tapFeed is one encoding as a tap takes it. Guarded by Tap.mu.
type tapFeed struct {
	track  tapTrack
	since  time.Time // what arrived or was sent before is not taken
	layers [publish.MaxLayers]tapLayer
	at     int       // the layer that is told; -1 before the first
	asked  time.Time // when a key frame was asked for, of one that is to be
}

type tapLayer struct {
	cursor, reports uint64
	stream          uint32 // 0: none
	ssrc            uint32
	epoch           uint16
	payloadType     uint8

	// passed is the highest number of what came before its sender was let through, of
	// passedEpoch: what is below comes late, because it was lost and asked for, and was sent
	// before as well.
	passed      uint64
	passedEpoch uint16
}

func (t *Tap) run() {
	defer close(t.done)
	tick := time.NewTicker(tapEvery)
	defer tick.Stop()
	b := &tapBuffers{batch: ring.NewBatch(tapPackets, tapPackets*ring.MaxPayload)}
	for {
		select {
		case <-t.quit:
			return
		case <-tick.C:
		}
		if !t.round(b) {
			t.room.ask(&untapRequest{tap: t})
			return
		}
	}
}

// tapBuffers are what one round after the other uses.
type tapBuffers struct {
	batch   *ring.Batch
	rtp     [rtpHeader + ring.MaxPayload]byte
	reports []publish.Report
}

// round tells the sink what is new; false when nothing more will be.
func (t *Tap) round(b *tapBuffers) (goesOn bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer func() { goesOn = goesOn && !t.failed.Load() }()
	defer t.survive()
	if t.closed {
		return true // Close is about to end it, unless the sink has failed
	}
	v := t.view.Load()
	t.follow(v, b)
	for i := range v.tracks {
		if f := t.feeds[v.tracks[i].media]; f != nil {
			t.read(f, b)
		}
	}
	t.tellSpeaking(v)
	if v.ended {
		t.closed = true
	}
	return !t.closed
}

// survive is deferred wherever the sink is called: one that panics is told nothing more, in
// whosever goroutine that was, and the tap ends by itself at its next round. Holds mu.
func (t *Tap) survive() {
	if p := recover(); p != nil {
		t.closed = true
		t.failed.Store(true)
		t.room.log.Error("tap closed: its sink failed", "error", fmt.Sprint(p), "stack", string(debug.Stack()))
	}
}

// finish is the last round.
func (t *Tap) finish() {
	b := &tapBuffers{batch: ring.NewBatch(tapPackets, tapPackets*ring.MaxPayload)}
	t.round(b)
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.survive()
	if t.closed {
		return
	}
	t.closed = true
	for media, f := range t.feeds {
		t.end(media, f)
	}
}

// follow makes the feeds those of the view that are let through.
func (t *Tap) follow(v *tapView, b *tapBuffers) {
	shown := make(map[*publish.Track]bool, len(v.tracks))
	for i := range v.tracks {
		one := &v.tracks[i]
		since, is := t.passes[one.identity]
		if !is {
			continue
		}
		shown[one.media] = true
		f := t.feeds[one.media]
		if f == nil {
			f = &tapFeed{since: since, at: -1}
			t.feeds[one.media] = f
			one.media.RequestKeyframe(-1)
		}
		f.track = *one
		t.tellMuted(f)
	}
	for media, f := range t.feeds {
		if !shown[media] {
			t.read(f, b) // nothing more comes into its rings
			t.end(media, f)
		}
	}
	for sid := range t.muted {
		if !slices.ContainsFunc(v.tracks, func(one tapTrack) bool { return one.sid == sid && shown[one.media] }) {
			delete(t.muted, sid) // what comes later is told anew
		}
	}
}

func (t *Tap) tellMuted(f *tapFeed) {
	if t.muted[f.track.sid] == f.track.muted {
		return
	}
	at := f.track.mutedAt
	if at.Before(f.since) {
		at = f.since
	}
	if f.track.muted {
		t.muted[f.track.sid] = true
	} else {
		delete(t.muted, f.track.sid)
	}
	t.cfg.Sink.Muted(f.track.sid, f.track.muted, at)
}

func (t *Tap) tellSpeaking(v *tapView) {
	var list []string
	for _, identity := range v.speaking {
		if _, is := t.passes[identity]; is {
			list = append(list, identity)
		}
	}
	same := len(list) == len(t.spoke) && (len(list) == 0 || list[0] == t.spoke[0])
	for _, identity := range list {
		same = same && slices.Contains(t.spoke, identity)
	}
	if same || t.closed {
		return
	}
	at := v.speakingAt
	for _, identity := range list {
		if since := t.passes[identity]; at.Before(since) {
			at = since
		}
	}
	t.spoke = list
	t.cfg.Sink.Speaking(slices.Clone(list), at)
}

// end ends a feed's streams and forgets it.
func (t *Tap) end(media *publish.Track, f *tapFeed) {
	now := time.Now()
	for i := range f.layers {
		t.endStream(&f.layers[i], now)
	}
	delete(t.feeds, media)
}

func (t *Tap) endStream(l *tapLayer, at time.Time) {
	if l.stream == 0 {
		return
	}
	id := l.stream
	l.stream = 0
	t.cfg.Sink.End(id, at)
}

// read hands over what is new of one encoding.
func (t *Tap) read(f *tapFeed, b *tapBuffers) {
	now := time.Now()
	target := f.target(now)
	if target < 0 {
		return
	}
	if f.at < 0 {
		f.at = target
	}
	t.readLayer(f, f.at, 0, b)
	if target == f.at {
		f.asked = time.Time{}
		return
	}
	from, ready := f.start(target, now)
	if !ready {
		return
	}
	t.endStream(&f.layers[f.at], now)
	f.at, f.asked = target, time.Time{}
	t.readLayer(f, target, from, b)
}

// target is the layer to take: the highest that comes, of those that are large enough
// and no larger. Layers inside a stream come as they are.
func (f *tapFeed) target(now time.Time) int {
	for i := min(f.track.most, publish.MaxLayers-1); i >= 0; i-- {
		if l := f.track.media.Layer(i); l != nil && l.Live(now) {
			return i
		}
	}
	if f.at < 0 {
		// Only larger ones come; one that came a while ago is as good as none.
		for i := range publish.MaxLayers {
			if l := f.track.media.Layer(i); l != nil && l.Live(now) {
				return i
			}
		}
	}
	return f.at
}

// start is the packet by which a layer can begin after another. While that one still
// comes it waits for a key frame.
func (f *tapFeed) start(layer int, now time.Time) (from uint64, ready bool) {
	media := f.track.media
	l := media.Layer(layer)
	k, ok := l.Ring().KeyframeStart()
	if ok && l.ArrivedAt(k.Arrival).After(f.since) && l.Age(k.Arrival, now) < tapOldest {
		return k.ExtSeq, true
	}
	if now.Sub(f.asked) >= tapKeyframe {
		f.asked = now
		media.RequestKeyframe(layer)
	}
	if old := media.Layer(f.at); old != nil && old.Live(now) {
		return 0, false
	}
	f.layers[layer].cursor = l.Ring().Cursor()
	return 0, true
}

// readLayer hands over what came of a layer since it was last read, of it what has the
// extended number from or a higher one.
func (t *Tap) readLayer(f *tapFeed, i int, from uint64, b *tapBuffers) {
	l, at := f.track.media.Layer(i), &f.layers[i]
	for {
		b.batch.Reset()
		next, lost := l.Ring().Read(at.cursor, b.batch)
		if lost > 0 && at.stream != 0 {
			t.lost.Add(uint64(lost))
			f.track.media.RequestKeyframe(i)
		}
		at.cursor = next
		for j := range b.batch.Packets {
			if p := &b.batch.Packets[j]; p.ExtSeq >= from {
				t.hand(f, i, p, b)
			}
		}
		if !b.batch.Full() {
			break
		}
	}
	at.reports, b.reports = l.Reports(at.reports, b.reports[:0])
	for _, r := range b.reports {
		if at.stream != 0 && r.SSRC == at.ssrc && r.At.After(f.since) {
			t.cfg.Sink.Report(at.stream, r.At, tap.SenderReport{NTP: r.NTP, RTP: r.RTP, Packets: r.Packets, Octets: r.Octets})
		}
	}
}

// hand gives one packet to the sink.
func (t *Tap) hand(f *tapFeed, i int, p *ring.Packet, b *tapBuffers) {
	media := f.track.media
	l := media.Layer(i)
	arrived := l.ArrivedAt(p.Arrival)
	at := &f.layers[i]
	if p.Epoch != at.passedEpoch {
		at.passed, at.passedEpoch = 0, p.Epoch
	}
	if !arrived.After(f.since) {
		at.passed = max(at.passed, p.ExtSeq)
		return
	}
	if p.ExtSeq <= at.passed || len(p.Payload) == 0 && media.Silenced() {
		return
	}
	goesOn := at.stream != 0 && at.ssrc == p.SSRC && at.epoch == p.Epoch
	payload := p.Payload
	if len(payload) > 0 {
		codecs := *media.Codecs()
		c := find(codecs, p.PayloadType)
		if c != nil && c.Type == codec.RED {
			inside, block, ok := codec.REDPrimary(payload)
			if !ok {
				return
			}
			c, payload = find(codecs, inside), block
		}
		if c == nil {
			return
		}
		if !goesOn || at.payloadType != c.PayloadType {
			t.endStream(at, arrived)
			at.stream, at.ssrc, at.epoch, at.payloadType = t.room.sfu.streams.Add(1), p.SSRC, p.Epoch, c.PayloadType
			t.cfg.Sink.Begin(f.stream(at, l, c, codecs))
		}
	} else if !goesOn {
		return // nothing begins with it
	}
	n := rtpHeader + copy(b.rtp[rtpHeader:], payload)
	b.rtp[0], b.rtp[1] = 2<<6, at.payloadType
	if p.Marker {
		b.rtp[1] |= 1 << 7
	}
	binary.BigEndian.PutUint16(b.rtp[2:], uint16(p.ExtSeq))
	binary.BigEndian.PutUint32(b.rtp[4:], p.Timestamp)
	binary.BigEndian.PutUint32(b.rtp[8:], p.SSRC)
	t.cfg.Sink.Packet(at.stream, arrived, b.rtp[:n])
}

func (f *tapFeed) stream(at *tapLayer, l *publish.Layer, c *publish.Codec, codecs []publish.Codec) tap.Stream {
	s := tap.Stream{
		ID: at.stream, Identity: f.track.identity, Track: f.track.sid, Source: f.track.source,
		Mime: c.MimeType, Fmtp: c.Fmtp, RID: l.RID(), SSRC: at.ssrc, PayloadType: c.PayloadType,
		ClockRate: c.ClockRate, Channels: c.Channels,
	}
	if i := slices.IndexFunc(codecs, func(c publish.Codec) bool { return c.Type == codec.RED }); i >= 0 {
		s.RED = codecs[i].PayloadType
	}
	return s
}

func find(codecs []publish.Codec, payloadType uint8) *publish.Codec {
	if i := slices.IndexFunc(codecs, func(c publish.Codec) bool { return c.PayloadType == payloadType }); i >= 0 {
		return &codecs[i]
	}
	return nil
}
