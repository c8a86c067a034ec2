package forward

import (
	"slices"
	"strings"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
)

// Publisher and subscriber negotiated their payload types each with us: a packet
// leaves under the subscriber's number for the same format.

// learnCodecs maps the publisher's payload types to the subscriber's.
func (d *DownTrack) learnCodecs() {
	codecs := d.track.Codecs()
	if codecs == d.codecs {
		return
	}
	d.codecs = codecs
	d.plain = false
	clear(d.stamps) // another payload type would make another packet of an old one
	for i := range d.payloads {
		d.payloads[i], d.repairs[i], d.red[i] = noPT, noPT, false
	}
	for i := range d.binding.Codecs {
		b := &d.binding.Codecs[i]
		if b.RTXPayloadType != 0 {
			d.repairs[b.PayloadType&0x7f] = b.RTXPayloadType
		}
		if b.Type == codec.Opus {
			d.opusPT = b.PayloadType
		}
		if b.Type.Video() && d.video == 0 {
			d.video = b.PayloadType
		}
	}
	for i := range *codecs {
		c := &(*codecs)[i]
		pt := matchCodec(c, d.binding.Codecs)
		// RED names its blocks by payload type: the two must agree on it.
		if c.Type == codec.RED && d.opusPT != 0 && (pt == noPT || !sameOpus(*codecs, d.opusPT)) {
			pt = d.opusPT
			d.red[c.PayloadType&0x7f] = true
		}
		d.payloads[c.PayloadType&0x7f] = pt
		// Browsers cannot tell AV1's spatial layers apart without the descriptor,
		// and decode nothing: they get the lowest.
		d.plain = d.plain || c.Type == codec.AV1 && d.media.descriptor == 0
		if d.munger.clockRate == 0 {
			d.munger.clockRate = c.ClockRate
		}
	}
}

func sameOpus(codecs []publish.Codec, pt uint8) bool {
	return slices.ContainsFunc(codecs, func(c publish.Codec) bool { return c.Type == codec.Opus && c.PayloadType == pt })
}

// matchCodec returns the subscriber's payload type for c: the same format, and
// the same parameters if there is such a one.
func matchCodec(c *publish.Codec, offered []publish.Codec) uint8 {
	best := uint8(noPT)
	for i := range offered {
		o := &offered[i]
		if o.Type != c.Type || o.Type == codec.Unknown || o.ClockRate != c.ClockRate || !sameProfile(c, o) {
			continue
		}
		if o.Fmtp == c.Fmtp {
			return o.PayloadType
		}
		if best == noPT {
			best = o.PayloadType
		}
	}
	return best
}

// sameProfile compares those profiles that a decoder needs to know: VP9's and AV1's
// (0 when not said), with more bits or colours. Browsers decode H264 of any that they
// offer.
func sameProfile(a, b *publish.Codec) bool {
	key := map[codec.Type]string{codec.VP9: "profile-id", codec.AV1: "profile"}[a.Type]
	return key == "" || profile(a.Fmtp, key) == profile(b.Fmtp, key)
}

func profile(fmtp, key string) string {
	for part := range strings.SplitSeq(fmtp, ";") {
		if k, v, _ := strings.Cut(strings.TrimSpace(part), "="); strings.EqualFold(k, key) {
			return v
		}
	}
	return "0"
}
