package forward

import (
	"aparte/sfu/codec"
	"aparte/sfu/publish"
)

// keepAlivePackets: a receiver needs one; the others are against loss.
const keepAlivePackets = 5

func (d *DownTrack) keepAlive() {
	if d.writer == nil || d.selector.paused || d.selector.current >= 0 || d.track.Closed() {
		return // media flows or has flowed
	}
	d.learnCodecs()
	m := &d.munger
	ts := m.lastTS
	if m.started {
		ts = m.elapsed(d.worker.now)
	}
	first := m.synthetic(keepAlivePackets)
	pt, opus := d.keepAliveFormat()
	silence := codec.OpusSilence()
	h := &d.media
	h.rtp.Marker = false
	h.audioLevel(127, true)
	h.describe(nil)
	for i := range uint64(keepAlivePackets) {
		h.rtp.SequenceNumber = uint16(first + i)
		h.rtp.PayloadType = pt
		if opus {
			ts += 48000 / 50
			h.rtp.Timestamp = ts
			d.write(h, silence[:], false)
			continue
		}
		h.rtp.Timestamp = ts
		h.rtp.Padding, h.rtp.PaddingSize = true, 16
		d.write(h, nil, false)
		h.rtp.Padding, h.rtp.PaddingSize = false, 0
	}
	m.lastTS, m.lastAt = ts, d.worker.now
	d.tally()
}

// keepAliveFormat is the payload type of the codec that will come, because Go
// clients take the track's codec from the first packet; opus: as silence.
func (d *DownTrack) keepAliveFormat() (pt uint8, opus bool) {
	audio := d.track.Kind() == publish.Audio
	pt = d.video
	if audio {
		pt = d.opusPT
	}
	if len(*d.codecs) == 0 {
		return pt, audio && !d.track.Sealed()
	}
	first := (*d.codecs)[0]
	if audio && (first.Type == codec.Opus || first.Type == codec.RED) {
		return d.opusPT, !d.track.Sealed()
	}
	if own := d.payloads[first.PayloadType&0x7f]; own != noPT {
		pt = own
	}
	return pt, false
}
