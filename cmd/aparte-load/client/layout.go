package client

import (
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// layout is what a description of the server says about the RTP it sends.
type layout struct {
	formats map[uint8]format
	repairs map[uint32]uint32 // SSRC of retransmissions → of what they repeat
	twccID  uint8             // of the transport-wide number, 0 if there is none
	sending int               // sections the server sends tracks on
}

// format is one payload type.
type format struct {
	video bool
	vp8   bool
	rtx   bool
}

const uriTWCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

// readLayout takes an offer or an answer of the server.
func readLayout(text string) (*layout, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(text); err != nil {
		return nil, err
	}
	l := &layout{formats: map[uint8]format{}, repairs: map[uint32]uint32{}}
	for _, m := range d.MediaDescriptions {
		video := m.MediaName.Media == "video"
		if !video && m.MediaName.Media != "audio" {
			continue
		}
		l.section(m, video)
	}
	return l, nil
}

func (l *layout) section(m *sdp.MediaDescription, video bool) {
	sends, named := false, false
	for _, a := range m.Attributes {
		switch a.Key {
		case "sendonly", "sendrecv":
			sends = true
		case "msid":
			named = true
		case "rtpmap":
			pt, name, _ := strings.Cut(a.Value, " ")
			n, err := strconv.ParseUint(pt, 10, 7)
			if err != nil {
				continue
			}
			encoding, _, _ := strings.Cut(name, "/")
			l.formats[uint8(n)] = format{
				video: video, vp8: strings.EqualFold(encoding, "vp8"), rtx: strings.EqualFold(encoding, "rtx"),
			}
		case "ssrc-group":
			l.group(a.Value)
		case "extmap":
			id, uri, _ := strings.Cut(a.Value, " ")
			id, _, _ = strings.Cut(id, "/")
			if n, err := strconv.ParseUint(id, 10, 8); err == nil && uri == uriTWCC {
				l.twccID = uint8(n)
			}
		}
	}
	if sends && named {
		l.sending++
	}
}

// group reads FID, RFC 5576 section 4.2: what is sent, what repeats it.
func (l *layout) group(value string) {
	f := strings.Fields(value)
	if len(f) != 3 || f[0] != "FID" {
		return
	}
	primary, err1 := strconv.ParseUint(f[1], 10, 32)
	repair, err2 := strconv.ParseUint(f[2], 10, 32)
	if err1 == nil && err2 == nil {
		l.repairs[uint32(repair)] = uint32(primary)
	}
}
