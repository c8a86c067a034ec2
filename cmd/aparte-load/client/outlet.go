package client

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"aparte/cmd/aparte-load/media"
)

// outlet is one encoding on its way out: to Pion a TrackLocal that is told payload
// type, extension ids and SSRC when it is bound.
type outlet struct {
	id, stream, rid string // set at creation
	kind            webrtc.RTPCodecType
	clockRate       uint32
	mid             func() string // known from the first offer on

	bound    atomic.Pointer[binding]
	keyframe atomic.Bool // was asked for
	known    atomic.Bool // the server reported on it: it has mid and rid
	again    chan []uint16

	// Owned by the goroutine that sends.
	packets, octets uint32
	video           *media.Video
	audio           *media.Audio
}

type binding struct {
	writer                     webrtc.TrackLocalWriter
	ssrc                       uint32
	mid, rid, twcc, level      uint8
	payloadType, rtxType       uint8
	rtxSSRC                    uint32
	header, rtx                rtp.Header
	rtxSeq                     uint16
	midBytes, ridBytes, number []byte
}

var _ webrtc.TrackLocal = (*outlet)(nil)

func (o *outlet) ID() string                { return o.id }
func (o *outlet) StreamID() string          { return o.stream }
func (o *outlet) RID() string               { return o.rid }
func (o *outlet) Kind() webrtc.RTPCodecType { return o.kind }

// Bind is called when an answer was applied.
func (o *outlet) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	want := webrtc.MimeTypeVP8
	if o.kind == webrtc.RTPCodecTypeAudio {
		want = webrtc.MimeTypeOpus
	}
	b := &binding{writer: ctx.WriteStream(), ssrc: uint32(ctx.SSRC()), rtxSSRC: uint32(ctx.SSRCRetransmission())}
	var chosen webrtc.RTPCodecParameters
	for _, p := range ctx.CodecParameters() {
		if strings.EqualFold(p.MimeType, want) && chosen.MimeType == "" {
			chosen = p
			b.payloadType = uint8(p.PayloadType)
		}
		if strings.EqualFold(p.MimeType, webrtc.MimeTypeRTX) && b.rtxType == 0 {
			b.rtxType = uint8(p.PayloadType)
		}
	}
	if chosen.MimeType == "" {
		return chosen, webrtc.ErrUnsupportedCodec
	}
	for _, e := range ctx.HeaderExtensions() {
		switch e.URI {
		case "urn:ietf:params:rtp-hdrext:sdes:mid":
			b.mid = uint8(e.ID)
		case "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id":
			b.rid = uint8(e.ID)
		case "urn:ietf:params:rtp-hdrext:ssrc-audio-level":
			b.level = uint8(e.ID)
		case uriTWCC:
			b.twcc = uint8(e.ID)
		}
	}
	b.midBytes, b.ridBytes, b.number = []byte(o.mid()), []byte(o.rid), make([]byte, 2)
	o.known.Store(false)
	o.keyframe.Store(true)
	o.bound.Store(b)
	return chosen, nil
}

// Unbind stops the sending.
func (o *outlet) Unbind(webrtc.TrackLocalContext) error {
	o.bound.Store(nil)
	return nil
}

// handleRTCP takes what the server says about this encoding, in Pion's goroutine.
func (o *outlet) handleRTCP(p rtcp.Packet) (keyframe bool) {
	switch p := p.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		o.keyframe.Store(true)
		return true
	case *rtcp.ReceiverReport:
		o.known.Store(true)
	case *rtcp.TransportLayerNack:
		var seqs []uint16
		for _, pair := range p.Nacks {
			seqs = append(seqs, pair.PacketList()...)
		}
		select {
		case o.again <- seqs:
		default: // it will ask again
		}
	}
	return false
}

// extensions fills a header: what names the stream until the server knows it, the
// transport-wide number, the loudness.
func (b *binding) extensions(h *rtp.Header, known bool, number uint16, level int) {
	h.Extensions, h.Extension = h.Extensions[:0], false
	set := func(id uint8, value []byte) {
		if id != 0 && len(value) > 0 {
			_ = h.SetExtension(id, value) // fails on lengths only
		}
	}
	if !known {
		set(b.mid, b.midBytes)
		set(b.rid, b.ridBytes)
	}
	b.number[0], b.number[1] = byte(number>>8), byte(number)
	set(b.twcc, b.number)
	if level >= 0 {
		speaks := byte(0)
		if level < media.Silent {
			speaks = 0x80
		}
		set(b.level, []byte{speaks | byte(level)})
	}
}

// report is the sender report of RFC 3550 section 6.4.1.
func (o *outlet) report(ssrc, timestamp uint32, now time.Time) *rtcp.SenderReport {
	const epoch = 2208988800 // seconds from 1900 to 1970
	ns := uint64(now.UnixNano())
	return &rtcp.SenderReport{
		SSRC: ssrc, NTPTime: (ns/1e9+epoch)<<32 | ns%1e9<<32/1e9, RTPTime: timestamp,
		PacketCount: o.packets, OctetCount: o.octets,
	}
}

// timestamp is the newest frame's.
func (o *outlet) timestamp() uint32 {
	if o.audio != nil {
		return o.audio.Timestamp()
	}
	return o.video.Timestamp()
}
