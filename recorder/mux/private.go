package mux

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/at-wat/ebml-go/webm"
	"github.com/pion/rtp/codecs/vp9"

	"aparte/sfu/codec"
)

// Track types of RFC 9559, 5.1.4.1.3.
const (
	typeVideo = 1
	typeAudio = 2
)

// seekPreRoll is how much of Opus before a place has to be decoded, in nanoseconds
// (RFC 7845, 4.6).
const seekPreRoll = 80_000_000

func (t Track) entry() (e webm.TrackEntry, err error) {
	e = webm.TrackEntry{Name: t.Name, TrackNumber: 1, TrackUID: 1, TrackType: typeVideo}
	switch t.Codec {
	case codec.Opus:
		e.CodecID, e.TrackType, e.SeekPreRoll = "A_OPUS", typeAudio, seekPreRoll
		e.CodecPrivate = opusHead(t.Channels, t.Rate)
		e.Audio = &webm.Audio{SamplingFrequency: float64(t.Rate), Channels: uint64(t.Channels)}
		return e, nil
	case codec.VP8:
		e.CodecID = "V_VP8"
	case codec.VP9:
		e.CodecID = "V_VP9"
	case codec.AV1:
		e.CodecID = "V_AV1"
		e.CodecPrivate, err = av1Configuration(t.First)
	case codec.H264:
		e.CodecID = "V_MPEG4/ISO/AVC"
		e.CodecPrivate, err = avcConfiguration(t.First)
	default:
		err = fmt.Errorf("no Matroska of %s", t.Codec)
	}
	if err == nil && (t.Width <= 0 || t.Height <= 0) {
		err = errors.New("the size of the picture is not known")
	}
	e.Video = &webm.Video{PixelWidth: uint64(t.Width), PixelHeight: uint64(t.Height)}
	return e, err
}

// Size reads the size of the picture from a key frame, where it says one.
func Size(c codec.Type, frame []byte) (width, height int, ok bool) {
	switch c {
	case codec.VP9:
		var h vp9.Header
		if h.Unmarshal(frame) != nil || h.NonKeyFrame || h.ShowExistingFrame {
			return 0, 0, false
		}
		width, height = int(h.Width()), int(h.Height())
	case codec.AV1:
		obu := sequenceHeader(frame)
		s, err := parseSequence(payloadOf(obu))
		if err != nil {
			return 0, 0, false
		}
		width, height = s.width, s.height
	}
	return width, height, width > 0 && height > 0
}

// opusHead is the identification header, RFC 7845, 5.1, without anything to skip: what a
// stream of RTP begins with was heard.
func opusHead(channels, rate int) []byte {
	b := append([]byte("OpusHead"), 1, byte(channels), 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	return append(b, 0, 0, 0)
}

// NAL unit types of H.264, table 7-1.
const (
	nalSPS = 7
	nalPPS = 8
)

// avcConfiguration is the AVCDecoderConfigurationRecord of ISO/IEC 14496-15, made of the
// parameter sets of a key frame, whose NAL units have lengths of 4 bytes.
func avcConfiguration(frame []byte) ([]byte, error) {
	var sps, pps [][]byte
	for rest := frame; len(rest) > 4; {
		n := binary.BigEndian.Uint32(rest)
		if uint64(n) > uint64(len(rest)-4) {
			return nil, errors.New("a NAL unit that is longer than its frame")
		}
		nal := rest[4 : 4+n]
		rest = rest[4+n:]
		if len(nal) == 0 || len(nal) > 1<<16-1 {
			continue
		}
		switch nal[0] & 0x1f {
		case nalSPS:
			sps = append(sps, nal)
		case nalPPS:
			pps = append(pps, nal)
		}
	}
	if len(sps) == 0 || len(pps) == 0 || len(sps[0]) < 4 || len(sps) > 31 || len(pps) > 255 {
		return nil, errors.New("a key frame without parameter sets")
	}
	b := []byte{1, sps[0][1], sps[0][2], sps[0][3], 0xff, 0xe0 | byte(len(sps))}
	for _, nal := range sps {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(nal))), nal...)
	}
	b = append(b, byte(len(pps)))
	for _, nal := range pps {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(nal))), nal...)
	}
	return b, nil
}
