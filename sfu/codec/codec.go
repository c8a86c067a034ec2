// Package codec reads what a forwarder must know from RTP payloads: where a
// key frame starts, which temporal layer a packet belongs to, how large the
// picture is. Bytes in, facts out; nothing here keeps state, allocates, or
// looks further into a frame than its first bytes.
//
// Start with [Inspect]; [ParseVP8] and [VP8.Rewrite] are the only ones a
// forwarder needs for changing packets.
package codec

import "strings"

// Type is a codec by its RTP payload format.
type Type uint8

// The payload formats we know by name.
const (
	Unknown Type = iota
	VP8
	H264
	VP9
	AV1
	Opus
	RED // RFC 2198, with Opus inside
	PCMU
	PCMA
)

// TypeOf returns the codec of a MIME type such as "video/VP8" (case does not
// matter), or Unknown.
func TypeOf(mime string) Type {
	switch strings.ToLower(mime) {
	case "video/vp8":
		return VP8
	case "video/h264":
		return H264
	case "video/vp9":
		return VP9
	case "video/av1":
		return AV1
	case "audio/opus":
		return Opus
	case "audio/red":
		return RED
	case "audio/pcmu":
		return PCMU
	case "audio/pcma":
		return PCMA
	}
	return Unknown
}

// String is the name of the encoding as SDP spells it.
func (t Type) String() string {
	names := [...]string{"unknown", "VP8", "H264", "VP9", "AV1", "opus", "red", "PCMU", "PCMA"}
	if int(t) < len(names) {
		return names[t]
	}
	return names[0]
}

// Video tells whether t is a video codec.
func (t Type) Video() bool { return t >= VP8 && t <= AV1 }

// Facts is what the forwarder decides by.
type Facts struct {
	// Keyframe is set on the packet a decoder may start at: the first packet
	// of a key frame (for H264 the one that carries the SPS).
	Keyframe bool
	// FrameStart is set on the first packet of a frame where the format says
	// so; H264 and AV1 leave it to the RTP timestamp.
	FrameStart bool
	// TID is the temporal layer, 0 when the stream has none.
	TID uint8
	// Width and Height in pixels are known on some key frames (VP8), else 0.
	Width, Height uint16
	// VP8 is the payload descriptor; its HeaderLen is 0 for other codecs.
	VP8 VP8Descriptor
}

// Inspect reads the facts of one packet's payload. ok is false when the payload
// is malformed for its codec; empty payloads (padding) are never ok.
func Inspect(t Type, payload []byte) (f Facts, ok bool) {
	if len(payload) == 0 {
		return f, false
	}
	switch t {
	case VP8:
		return inspectVP8(payload)
	case H264:
		f.Keyframe, ok = h264Keyframe(payload)
		return f, ok
	case VP9:
		return inspectVP9(payload)
	case AV1:
		// Aggregation header, AV1 RTP specification 4.4: N (bit 3) marks the
		// first packet of a coded video sequence.
		f.Keyframe = payload[0]&0x08 != 0
		return f, len(payload) > 1
	}
	return f, true
}
