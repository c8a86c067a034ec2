package transport

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
)

// Header extensions we take part in (RFC 8843 mid, RFC 8852 rids, RFC 6464
// levels, transport-wide feedback, AV1 RTP specification appendix A). Pion adopts
// the client's ids.
const (
	uriAbsSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
	uriTWCC        = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	uriDescriptor  = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
)

// format is one payload format we register: its wished payload type, that of its
// retransmissions (0 none), and what stands in the SDP.
type format struct {
	pt, rtx int
	webrtc.RTPCodecCapability
}

// formats are what we can forward, as registered with Pion.
func formats() []format {
	audioFeedback := []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "nack"}}
	videoFeedback := []webrtc.RTCPFeedback{
		{Type: "transport-cc"},
		{Type: "ccm", Parameter: "fir"},
		{Type: "nack"},
		{Type: "nack", Parameter: "pli"},
	}
	audio := func(pt int, mime string, clock uint32, channels uint16, fmtp string) format {
		return format{pt, 0, webrtc.RTPCodecCapability{MimeType: mime, ClockRate: clock, Channels: channels, SDPFmtpLine: fmtp, RTCPFeedback: audioFeedback}}
	}
	video := func(pt int, mime, fmtp string) format {
		return format{pt, pt + 1, webrtc.RTPCodecCapability{MimeType: mime, ClockRate: 90000, SDPFmtpLine: fmtp, RTCPFeedback: videoFeedback}}
	}
	return []format{
		video(96, webrtc.MimeTypeVP8, ""),
		video(102, webrtc.MimeTypeH264, h264("1", "42e01f")),
		video(104, webrtc.MimeTypeH264, h264("0", "42e01f")),
		video(106, webrtc.MimeTypeH264, h264("1", "42001f")),
		video(108, webrtc.MimeTypeH264, h264("0", "42001f")),
		video(98, webrtc.MimeTypeVP9, "profile-id=0"),
		video(100, webrtc.MimeTypeVP9, "profile-id=2"), // 10 bits
		video(45, webrtc.MimeTypeAV1, ""),              // profile 0, Main
		audio(111, webrtc.MimeTypeOpus, 48000, 2, "minptime=10;useinbandfec=1"),
		audio(63, "audio/red", 48000, 2, "111/111"),
		audio(0, webrtc.MimeTypePCMU, 8000, 0, ""), // RFC 3551 gives these two their numbers
		audio(8, webrtc.MimeTypePCMA, 8000, 0, ""),
	}
}

// MimeTypes are those we forward, once each and video first, in the order of
// formats: enabled_publish_codecs of the JoinResponse lists them, and a client
// that asks for another one is given the first of its kind.
func MimeTypes() []string {
	var out []string
	for _, f := range formats() {
		if !slices.Contains(out, f.MimeType) {
			out = append(out, f.MimeType)
		}
	}
	return out
}

// mediaEngine registers what we can forward. The payload types are wishes:
// Pion takes over those of the client's offer.
func mediaEngine() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	for _, f := range formats() {
		kind := webrtc.RTPCodecTypeAudio
		if f.rtx != 0 {
			kind = webrtc.RTPCodecTypeVideo
		}
		p := webrtc.RTPCodecParameters{RTPCodecCapability: f.RTPCodecCapability, PayloadType: webrtc.PayloadType(f.pt)}
		if err := m.RegisterCodec(p, kind); err != nil {
			return nil, fmt.Errorf("register %s: %w", f.MimeType, err)
		}
		if f.rtx == 0 {
			continue
		}
		rtx := webrtc.RTPCodecParameters{PayloadType: webrtc.PayloadType(f.rtx), RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=" + strconv.Itoa(f.pt),
		}}
		if err := m.RegisterCodec(rtx, kind); err != nil {
			return nil, fmt.Errorf("register rtx of %s: %w", f.MimeType, err)
		}
	}
	exts := map[webrtc.RTPCodecType][]string{
		webrtc.RTPCodecTypeAudio: {sdp.SDESMidURI, uriTWCC, uriAbsSendTime, sdp.AudioLevelURI},
		// Without rtp-stream-id in our answer simulcast publishing throws in browsers.
		webrtc.RTPCodecTypeVideo: {sdp.SDESMidURI, uriTWCC, uriAbsSendTime, sdp.SDESRTPStreamIDURI, sdp.SDESRepairRTPStreamIDURI, uriDescriptor},
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

func h264(packetization, profile string) string {
	return "level-asymmetry-allowed=1;packetization-mode=" + packetization + ";profile-level-id=" + profile
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
