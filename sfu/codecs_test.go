package sfu

import (
	"testing"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
	"aparte/sfu/transport"
)

func TestEnabledMime(t *testing.T) {
	for _, tt := range []struct{ kind, name, want string }{
		{"video", "vp8", "video/VP8"},
		{"video", "h264", "video/H264"},
		{"video", "video/h264", "video/H264"},
		{"video", "", "video/VP8"},
		{"video", "h265", "video/VP8"},
		{"video", "opus", "video/VP8"}, // of another kind
		{"audio", "", "audio/opus"},
		{"audio", "PCMU", "audio/PCMU"},
		{"audio", "audio/pcma", "audio/PCMA"},
		{"audio", "g722", "audio/opus"},
	} {
		if got := enabledMime(tt.kind, tt.name); got != tt.want {
			t.Errorf("%s %q: %s, want %s", tt.kind, tt.name, got, tt.want)
		}
	}
}

func TestLayerMode(t *testing.T) {
	const (
		unset  = livekit.VideoLayer_MODE_UNUSED
		single = livekit.VideoLayer_ONE_SPATIAL_LAYER_PER_STREAM
		many   = livekit.VideoLayer_MULTIPLE_SPATIAL_LAYERS_PER_STREAM
	)
	for _, tt := range []struct {
		mime  string
		asked livekit.VideoLayer_Mode
		want  livekit.VideoLayer_Mode
		rid   string
	}{
		{"video/VP8", unset, single, "h"},
		{"video/H264", many, single, "h"},
		{"video/VP9", unset, many, ""},
		{"video/AV1", unset, many, ""},
		{"video/VP9", single, single, "h"}, // simulcast of VP9
		{"video/AV1", many, many, ""},
	} {
		// From the highest, as livekit-client lists SVC layers.
		c := &livekit.SimulcastCodecInfo{VideoLayerMode: tt.asked, Layers: completeLayers([]*livekit.VideoLayer{
			{Quality: livekit.VideoQuality_HIGH, Width: 1280},
			{Quality: livekit.VideoQuality_MEDIUM, Width: 640},
			{Quality: livekit.VideoQuality_LOW, Width: 320},
		})}
		setMime(c, tt.mime)
		if l := c.Layers[1]; c.VideoLayerMode != tt.want || l.Rid != tt.rid || l.SpatialLayer != 1 || l.Width != 640 {
			t.Errorf("%s, asked %v: %v", tt.mime, tt.asked, c)
		}
	}
}

// Browsers send the first codec of our answer: before it is out we decide, then it has.
func TestChoose(t *testing.T) {
	sec := &transport.Section{Codecs: []publish.Codec{
		{Type: codec.VP8, MimeType: "video/VP8"}, {Type: codec.H264, MimeType: "video/H264"},
	}}
	for _, tt := range []struct {
		announced string
		answering bool
		want      string
	}{
		{"video/H264", true, "video/H264"},
		{"video/H264", false, "video/VP8"},
		{"video/AV1", true, "video/VP8"},
	} {
		s := &Session{answering: tt.answering}
		if got := s.choose(&livekit.TrackInfo{MimeType: tt.announced}, sec); got != tt.want {
			t.Errorf("%s, answering %t: %s, want %s", tt.announced, tt.answering, got, tt.want)
		}
	}
}
