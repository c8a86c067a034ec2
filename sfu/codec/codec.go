// Package codec reads what a forwarder must know from RTP payloads: where a
// key frame starts, which temporal and spatial layer a packet belongs to, how large
// the picture is. Bytes in, facts out; nothing here allocates, and nothing but
// [DescriptorReader] keeps state.
//
// Start with [Inspect]. A forwarder changes packets by [VP8Descriptor.Rewrite],
// [VP9Descriptor.Rewrite] and [Descriptor.Rewrite].
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

// MaxSpatials and MaxTemporals are how many layers inside one stream we tell apart;
// browsers send up to three of each. Higher ones count as the highest.
const (
	MaxSpatials  = 3
	MaxTemporals = 4
)

// Size is that of a picture in pixels.
type Size struct{ Width, Height uint16 }

// Facts is what the forwarder decides by.
type Facts struct {
	// Keyframe is set on the packet a decoder may start at: the first packet
	// of a key frame (for H264 the one that carries the SPS).
	Keyframe bool
	// IDR is set where an H264 IDR slice begins, with or without SPS.
	IDR bool
	// FrameStart and FrameEnd are set on the first and the last packet of a frame
	// where the format says so; a frame is one spatial layer of a picture. H264
	// leaves them to timestamp and marker, VP8 its end.
	FrameStart, FrameEnd bool
	// Layered tells that TID and SID were read: the temporal and the spatial layer,
	// 0 when the stream has none.
	Layered  bool
	TID, SID uint8
	// Width and Height in pixels are known on some key frames (VP8, H264), else 0.
	Width, Height uint16
	// VP8 and VP9 are the payload descriptors; HeaderLen is 0 for other codecs.
	VP8 VP8Descriptor
	VP9 VP9Descriptor
	// Descriptor is the dependency descriptor, which is no part of the payload:
	// DescriptorReader fills it in.
	Descriptor Descriptor
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
		return inspectH264(payload)
	case VP9:
		return inspectVP9(payload)
	case AV1:
		a, ok := ParseAV1(payload)
		f.Keyframe = a.NewSequence
		return f, ok
	}
	return f, true
}
