package transport

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
)

// Header extensions we take part in (RFC 8843 mid, RFC 8852 rids, RFC 6464
// levels, transport-wide feedback). Pion adopts the client's ids.
const (
	uriAbsSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
	uriTWCC        = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
)

// MimeTypes are those we forward, best first, as enabled_publish_codecs of the
// JoinResponse lists them.
func MimeTypes() []string {
	return []string{webrtc.MimeTypeVP8, webrtc.MimeTypeH264, webrtc.MimeTypeOpus}
}

// mediaEngine registers what we can forward. The payload types are wishes:
// Pion takes over those of the client's offer.
func mediaEngine() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	audioFeedback := []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "nack"}}
	videoFeedback := []webrtc.RTCPFeedback{
		{Type: "transport-cc"},
		{Type: "goog-remb"}, // the latter of clients without the former
		{Type: "ccm", Parameter: "fir"},
		{Type: "nack"},
		{Type: "nack", Parameter: "pli"},
	}
	codecs := []struct {
		pt, rtx int
		kind    webrtc.RTPCodecType
		codec   webrtc.RTPCodecCapability
	}{
		{111, 0, webrtc.RTPCodecTypeAudio, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1", RTCPFeedback: audioFeedback}},
		{96, 97, webrtc.RTPCodecTypeVideo, webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: videoFeedback}},
		{102, 103, webrtc.RTPCodecTypeVideo, h264("1", "42e01f", videoFeedback)},
		{104, 105, webrtc.RTPCodecTypeVideo, h264("0", "42e01f", videoFeedback)},
		{106, 107, webrtc.RTPCodecTypeVideo, h264("1", "42001f", videoFeedback)},
		{108, 109, webrtc.RTPCodecTypeVideo, h264("0", "42001f", videoFeedback)},
	}
	for _, c := range codecs {
		p := webrtc.RTPCodecParameters{RTPCodecCapability: c.codec, PayloadType: webrtc.PayloadType(c.pt)}
		if err := m.RegisterCodec(p, c.kind); err != nil {
			return nil, fmt.Errorf("register %s: %w", c.codec.MimeType, err)
		}
		if c.rtx == 0 {
			continue
		}
		rtx := webrtc.RTPCodecParameters{PayloadType: webrtc.PayloadType(c.rtx), RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=" + strconv.Itoa(c.pt),
		}}
		if err := m.RegisterCodec(rtx, c.kind); err != nil {
			return nil, fmt.Errorf("register rtx of %s: %w", c.codec.MimeType, err)
		}
	}
	exts := map[webrtc.RTPCodecType][]string{
		webrtc.RTPCodecTypeAudio: {sdp.SDESMidURI, uriTWCC, uriAbsSendTime, sdp.AudioLevelURI},
		// Without rtp-stream-id in our answer simulcast publishing throws in browsers.
		webrtc.RTPCodecTypeVideo: {sdp.SDESMidURI, uriTWCC, uriAbsSendTime, sdp.SDESRTPStreamIDURI, sdp.SDESRepairRTPStreamIDURI},
	}
	for kind, uris := range exts {
		for _, uri := range uris {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return nil, fmt.Errorf("register extension %s: %w", uri, err)
			}
		}
	}
	return m, nil
}

func h264(packetization, profile string, fb []webrtc.RTCPFeedback) webrtc.RTPCodecCapability {
	return webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeH264, ClockRate: 90000, RTCPFeedback: fb,
		SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=" + packetization + ";profile-level-id=" + profile,
	}
}

// codecsOf pairs each negotiated codec with its retransmission payload type
// (RFC 4588 apt=).
func codecsOf(params []webrtc.RTPCodecParameters) []publish.Codec {
	rtx := map[string]uint8{}
	for _, p := range params {
		if strings.EqualFold(p.MimeType, webrtc.MimeTypeRTX) {
			rtx[fmtpValue(p.SDPFmtpLine, "apt")] = uint8(p.PayloadType)
		}
	}
	var out []publish.Codec
	for _, p := range params {
		if strings.EqualFold(p.MimeType, webrtc.MimeTypeRTX) {
			continue
		}
		out = append(out, publish.Codec{
			PayloadType:    uint8(p.PayloadType),
			Type:           codec.TypeOf(p.MimeType),
			MimeType:       p.MimeType,
			ClockRate:      p.ClockRate,
			Channels:       p.Channels,
			Fmtp:           p.SDPFmtpLine,
			RTXPayloadType: rtx[strconv.Itoa(int(p.PayloadType))],
		})
	}
	return out
}

// fmtpValue reads key out of "a=1;key=2".
func fmtpValue(line, key string) string {
	for part := range strings.SplitSeq(line, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		if strings.EqualFold(k, key) {
			return v
		}
	}
	return ""
}

func pionKind(k publish.Kind) webrtc.RTPCodecType {
	if k == publish.Audio {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}
