package publish

import "aparte/sfu/codec"

// Kind is audio or video.
type Kind uint8

// The two kinds of media.
const (
	Audio Kind = iota + 1
	Video
)

// String is the word of the m-line.
func (k Kind) String() string {
	if k == Audio {
		return "audio"
	}
	return "video"
}

// Codec is one negotiated payload type.
type Codec struct {
	PayloadType uint8
	Type        codec.Type
	MimeType    string
	ClockRate   uint32
	Channels    uint16
	Fmtp        string
	// RTXPayloadType repairs PayloadType (RFC 4588, apt=); 0 when there is none.
	RTXPayloadType uint8
}

// Extensions are the negotiated ids of RTP header extensions; 0 = not negotiated.
type Extensions struct {
	MID, RID, RepairedRID, TransportCC, AbsSendTime, AudioLevel uint8
	// Descriptor is the dependency descriptor of the AV1 RTP specification.
	Descriptor uint8
}

// Set notes that the extension uri has the id. URIs we do not use are ignored.
func (e *Extensions) Set(uri string, id uint8) {
	switch uri {
	case "urn:ietf:params:rtp-hdrext:sdes:mid":
		e.MID = id
	case "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id":
		e.RID = id
	case "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id":
		e.RepairedRID = id
	case "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01":
		e.TransportCC = id
	case "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time":
		e.AbsSendTime = id
	case "urn:ietf:params:rtp-hdrext:ssrc-audio-level":
		e.AudioLevel = id
	case "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension":
		e.Descriptor = id
	}
}

// SSRC is a source named in the SDP (a=ssrc, a=ssrc-group:FID).
type SSRC struct {
	SSRC uint32
	// Repairs is the SSRC whose losses this one repairs; 0 for a primary one.
	Repairs uint32
}

// Section is one negotiated media section that a peer may send on.
type Section struct {
	MID    string
	Kind   Kind
	Codecs []Codec
	Ext    Extensions
	SSRCs  []SSRC
	// RIDs are the simulcast layers in the order of the SDP; empty without
	// simulcast. q, h and f are the layers 0, 1 and 2 whatever the order.
	RIDs []string
	// Track takes the packets; nil while nothing is published here (packets are
	// then counted and dropped).
	Track *Track
}

// layerOf returns the layer for rid, or -1.
func (s *Section) layerOf(rid string) int {
	switch rid {
	case "", "q":
		return 0
	case "h":
		return 1
	case "f":
		return 2
	}
	for i, r := range s.RIDs {
		if r == rid && i < MaxLayers {
			return i
		}
	}
	return -1
}

// codecByPT returns the codec with payload type pt, or the one that pt repairs.
func (s *Section) codecByPT(pt uint8) (c *Codec, repair bool) {
	for i := range s.Codecs {
		switch {
		case s.Codecs[i].PayloadType == pt:
			return &s.Codecs[i], false
		case s.Codecs[i].RTXPayloadType == pt && pt != 0:
			return &s.Codecs[i], true
		}
	}
	return nil, false
}
