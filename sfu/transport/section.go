package transport

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
)

// Limits on a description from the network. Republishing adds sections for
// ever (browsers never reuse one), hence the generous number; a client at the
// end of it reconnects with a fresh connection.
const (
	MaxSDPBytes   = 256 << 10
	MaxSections   = 300
	maxAttributes = 400 // of one section
	maxSSRCs      = 16  // of one section
	maxRIDs       = 3
	maxStreamID   = 256 // bytes of either part of msid; the room is told of them
)

// ErrDescription is wrapped by every refusal of a client's description.
var ErrDescription = errors.New("session description refused")

// Section is one m-line of a client's offer, and what was negotiated for it.
type Section struct {
	MID       string
	Kind      publish.Kind
	Media     bool   // audio or video (false: data channels, or a kind we reject)
	Sends     bool   // the client sends or may send (sendonly, sendrecv)
	Receives  bool   // the client receives (recvonly, sendrecv)
	StreamID  string // from msid; "" or "-" when there is none
	TrackID   string // from msid
	Simulcast bool

	Codecs []publish.Codec    // negotiated: filled from our answer
	Ext    publish.Extensions // negotiated: filled from our answer
	SSRCs  []publish.SSRC
	RIDs   []string // q, h, f in the order offered
}

// ParseOffer reads an offer within limits, before Pion gets to see it.
func ParseOffer(text string) ([]Section, error) {
	if len(text) > MaxSDPBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are taken", ErrDescription, len(text), MaxSDPBytes)
	}
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(text); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDescription, err)
	}
	if n := len(desc.MediaDescriptions); n == 0 || n > MaxSections {
		return nil, fmt.Errorf("%w: %d media sections, 1 to %d are taken", ErrDescription, n, MaxSections)
	}
	direction := directionOf(desc.Attributes, "sendrecv")
	seen := make(map[string]bool, len(desc.MediaDescriptions))
	sections := make([]Section, 0, len(desc.MediaDescriptions))
	for _, m := range desc.MediaDescriptions {
		s, err := parseSection(m, direction)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDescription, err)
		}
		if seen[s.MID] {
			return nil, fmt.Errorf("%w: mid %q twice", ErrDescription, s.MID)
		}
		seen[s.MID] = true
		sections = append(sections, s)
	}
	return sections, nil
}

func parseSection(m *sdp.MediaDescription, direction string) (Section, error) {
	if len(m.Attributes) > maxAttributes {
		return Section{}, fmt.Errorf("%d attributes in one section", len(m.Attributes))
	}
	var s Section
	s.MID, _ = m.Attribute("mid")
	s.MID = strings.Clone(s.MID) // what is kept must not hold the whole description
	if s.MID == "" || len(s.MID) > 64 {
		return Section{}, errors.New("a section without usable mid")
	}
	switch m.MediaName.Media {
	case "audio":
		s.Media, s.Kind = true, publish.Audio
	case "video":
		s.Media, s.Kind = true, publish.Video
	}
	if !s.Media { // Firefox writes a=sendrecv into m=application
		return s, nil
	}
	switch directionOf(m.Attributes, direction) {
	case "sendrecv":
		s.Sends, s.Receives = true, true
	case "sendonly":
		s.Sends = true
	case "recvonly":
		s.Receives = true
	}
	if m.MediaName.Port.Value == 0 {
		if _, bundled := m.Attribute("bundle-only"); !bundled {
			s.Sends, s.Receives = false, false // rejected or stopped
		}
	}
	s.readStreams(m.Attributes)
	if len(s.StreamID) > maxStreamID || len(s.TrackID) > maxStreamID {
		return Section{}, fmt.Errorf("mid %s: msid of more than %d bytes", s.MID, maxStreamID)
	}
	if len(s.SSRCs) > maxSSRCs || len(s.RIDs) > maxRIDs {
		return Section{}, fmt.Errorf("mid %s: %d SSRCs and %d rids in one section", s.MID, len(s.SSRCs), len(s.RIDs))
	}
	return s, nil
}

func directionOf(attrs []sdp.Attribute, otherwise string) string {
	for _, a := range attrs {
		switch a.Key {
		case "sendrecv", "sendonly", "recvonly", "inactive":
			return a.Key
		}
	}
	return otherwise
}

// readStreams takes msid (RFC 8830), ssrc and FID groups (RFC 5576), rids (RFC 8851).
func (s *Section) readStreams(attrs []sdp.Attribute) {
	repairs := map[uint32]uint32{}
	var order []uint32
	seen := map[uint32]bool{}
	for _, a := range attrs {
		switch a.Key {
		case "msid":
			s.setMSID(a.Value)
		case "ssrc":
			num, rest, _ := strings.Cut(a.Value, " ")
			ssrc, err := strconv.ParseUint(num, 10, 32)
			if err != nil {
				continue
			}
			if !seen[uint32(ssrc)] {
				seen[uint32(ssrc)] = true
				order = append(order, uint32(ssrc))
			}
			if v, ok := strings.CutPrefix(rest, "msid:"); ok && s.TrackID == "" {
				s.setMSID(v)
			}
		case "ssrc-group":
			f := strings.Fields(a.Value)
			if len(f) != 3 || f[0] != "FID" {
				continue
			}
			primary, err1 := strconv.ParseUint(f[1], 10, 32)
			rtx, err2 := strconv.ParseUint(f[2], 10, 32)
			if err1 == nil && err2 == nil {
				repairs[uint32(rtx)] = uint32(primary)
			}
		case "rid":
			f := strings.Fields(a.Value)
			if len(f) >= 2 && f[1] == "send" && len(f[0]) <= 16 {
				s.RIDs = append(s.RIDs, strings.Clone(f[0]))
			}
		case "simulcast":
			s.Simulcast = strings.Contains(a.Value, "send")
		}
	}
	for _, ssrc := range order {
		s.SSRCs = append(s.SSRCs, publish.SSRC{SSRC: ssrc, Repairs: repairs[ssrc]})
	}
}

func (s *Section) setMSID(v string) {
	stream, track, _ := strings.Cut(v, " ")
	s.StreamID, s.TrackID = strings.Clone(stream), strings.Clone(strings.TrimSpace(track))
}

// negotiated fills codecs and extension ids of each section from our answer.
func negotiated(sections []Section, answer string) error {
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(answer); err != nil {
		return fmt.Errorf("read own answer: %w", err)
	}
	byMID := make(map[string]*sdp.MediaDescription, len(desc.MediaDescriptions))
	for _, m := range desc.MediaDescriptions {
		mid, _ := m.Attribute("mid")
		byMID[mid] = m
	}
	for i := range sections {
		s := &sections[i]
		m := byMID[s.MID]
		if m == nil || !s.Media {
			continue
		}
		if m.MediaName.Port.Value == 0 {
			s.Sends, s.Receives = false, false // we rejected it: no codec in common
			continue
		}
		s.Codecs = codecsFromSection(m)
		for _, a := range m.Attributes {
			if a.Key != "extmap" {
				continue
			}
			id, uri, _ := strings.Cut(a.Value, " ")
			id, _, _ = strings.Cut(id, "/")
			if n, err := strconv.ParseUint(id, 10, 8); err == nil {
				uri, _, _ = strings.Cut(uri, " ")
				s.Ext.Set(uri, uint8(n))
			}
		}
	}
	return nil
}

// codecsFromSection reads rtpmap and fmtp in the order of the m-line.
func codecsFromSection(m *sdp.MediaDescription) []publish.Codec {
	name, fmtp := map[string]string{}, map[string]string{}
	for _, a := range m.Attributes {
		pt, v, _ := strings.Cut(a.Value, " ")
		switch a.Key {
		case "rtpmap":
			name[pt] = v
		case "fmtp":
			fmtp[pt] = v
		}
	}
	rtx := map[string]uint8{}
	var out []publish.Codec
	for _, pt := range m.MediaName.Formats {
		n, err := strconv.ParseUint(pt, 10, 7)
		if err != nil {
			continue
		}
		encoding, rest, _ := strings.Cut(name[pt], "/")
		if strings.EqualFold(encoding, "rtx") {
			rtx[fmtpValue(fmtp[pt], "apt")] = uint8(n)
			continue
		}
		clock, channels, _ := strings.Cut(rest, "/")
		rate, _ := strconv.ParseUint(clock, 10, 32)
		ch, _ := strconv.ParseUint(channels, 10, 16)
		mime := m.MediaName.Media + "/" + encoding
		out = append(out, publish.Codec{
			PayloadType: uint8(n), Type: codec.TypeOf(mime), MimeType: mime,
			ClockRate: uint32(rate), Channels: uint16(ch), Fmtp: strings.Clone(fmtp[pt]),
		})
	}
	for i := range out {
		out[i].RTXPayloadType = rtx[strconv.Itoa(int(out[i].PayloadType))]
	}
	return out
}
