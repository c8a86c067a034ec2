package sfu

import (
	"slices"
	"strings"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
	"aparte/sfu/transport"
)

// What a client is to send: it asks for codecs by name, we say what it gets
// instead of one that is not enabled, and order our answer so that browsers take
// the one that was said.

// codecInfos answers the request's codecs, the primary one first; there is
// always one.
func codecInfos(req *livekit.AddTrackRequest) []*livekit.SimulcastCodecInfo {
	asked := &livekit.SimulcastCodec{}
	if len(req.SimulcastCodecs) > 0 {
		asked = req.SimulcastCodecs[0]
	}
	info := &livekit.SimulcastCodecInfo{Cid: req.Cid}
	if req.Type == livekit.TrackType_AUDIO {
		info.MimeType = enabledMime("audio", asked.Codec)
		return []*livekit.SimulcastCodecInfo{info}
	}
	layers := req.Layers
	if n := len(asked.Layers); n > 0 && n <= publish.MaxLayers {
		layers = asked.Layers
	}
	info.Layers = completeLayers(layers)
	info.VideoLayerMode = asked.VideoLayerMode
	setMime(info, enabledMime("video", asked.Codec))
	return append([]*livekit.SimulcastCodecInfo{info}, backupCodec(req, info.MimeType)...)
}

// enabledMime is the MIME type of a codec that a client names in its own way
// ("vp9", "VIDEO/VP9"), or the first of that kind when it is not enabled.
func enabledMime(kind, name string) string {
	if i := strings.IndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	first := ""
	for _, mime := range transport.MimeTypes() {
		if !strings.HasPrefix(mime, kind+"/") {
			continue
		}
		if strings.EqualFold(mime[len(kind)+1:], name) {
			return mime
		}
		if first == "" {
			first = mime
		}
	}
	return first
}

// setMime says which codec it is, and with it how its layers travel: VP9 and AV1
// come as one stream of several layers unless the client said otherwise.
func setMime(c *livekit.SimulcastCodecInfo, mime string) {
	c.MimeType = mime
	t := codec.TypeOf(mime)
	switch {
	case !t.Video():
		return
	case !scalable(t):
		c.VideoLayerMode = livekit.VideoLayer_ONE_SPATIAL_LAYER_PER_STREAM
	case c.VideoLayerMode == livekit.VideoLayer_MODE_UNUSED:
		c.VideoLayerMode = livekit.VideoLayer_MULTIPLE_SPATIAL_LAYERS_PER_STREAM
	}
	for _, l := range c.Layers {
		switch {
		case !oneLayerPerStream(c):
			l.Rid = ""
		case l.Rid == "" && len(c.Layers) > 1:
			l.Rid = [...]string{"q", "h", "f"}[l.SpatialLayer]
		}
	}
}

func scalable(t codec.Type) bool { return t == codec.VP9 || t == codec.AV1 }

// oneLayerPerStream tells simulcast from SVC.
func oneLayerPerStream(c *livekit.SimulcastCodecInfo) bool {
	return c.VideoLayerMode != livekit.VideoLayer_MULTIPLE_SPATIAL_LAYERS_PER_STREAM
}

// completeLayers numbers the layers from the lowest; livekit-client lists those of
// an SVC stream from the highest.
func completeLayers(layers []*livekit.VideoLayer) []*livekit.VideoLayer {
	out := make([]*livekit.VideoLayer, 0, len(layers))
	for _, l := range layers {
		out = append(out, proto.CloneOf(l))
	}
	slices.SortStableFunc(out, func(a, b *livekit.VideoLayer) int { return int(a.Quality) - int(b.Quality) })
	for i, l := range out {
		l.SpatialLayer = int32(i)
	}
	return out
}

// choose is the codec the client will send on the section: the announced one if it
// was negotiated, else the first. Once the answer is out its order has decided.
func (s *Session) choose(info *livekit.TrackInfo, sec *transport.Section) string {
	if !s.answering {
		return sec.Codecs[0].MimeType
	}
	if mime := mimeOf(sec, codec.TypeOf(info.MimeType)); mime != "" {
		return mime
	}
	return sec.Codecs[0].MimeType
}

func mimeOf(sec *transport.Section, t codec.Type) string {
	for _, c := range sec.Codecs {
		if c.Type == t {
			return c.MimeType
		}
	}
	return ""
}

// tunings say what our answer asks of the sections that carry tracks.
func (s *Session) tunings() map[string]transport.Tuning {
	out := map[string]transport.Tuning{}
	for i := range s.sections {
		sec := &s.sections[i]
		t := s.at(sec.MID)
		if t == nil {
			continue
		}
		first := codec.TypeOf(t.info.MimeType)
		if first == codec.Opus && !t.info.DisableRed && mimeOf(sec, codec.RED) != "" {
			first = codec.RED // with Opus inside, which hides the loss of single packets
		}
		out[sec.MID] = transport.Tuning{
			First: first,
			DTX:   !t.info.DisableDtx, Stereo: t.info.Stereo, //nolint:staticcheck // as announced
		}
	}
	return out
}
