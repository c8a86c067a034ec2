package transport

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
)

// Tuning is what our answer says of a section that the client sends on.
type Tuning struct {
	// First is the codec the client shall send: browsers take the first of the
	// answer. Unknown leaves the client's own order.
	First codec.Type
	// DTX asks for pauses in silence (usedtx, RFC 7587), Stereo for music: two
	// channels, and as many bits as Opus can use.
	DTX, Stereo bool
}

// Tune changes the answer's text, and the order of its Sections' codecs, before
// it is sent: tunings go by section.
func (a *Answer) Tune(tunings map[string]Tuning) error {
	if len(tunings)+len(a.stereo) == 0 {
		return nil
	}
	for i := range a.Sections {
		s := &a.Sections[i]
		if t, ok := tunings[s.MID]; ok && t.First != codec.Unknown {
			s.Codecs = slices.Clone(s.Codecs)
			slices.SortStableFunc(s.Codecs, func(x, y publish.Codec) int { return behind(x, t.First) - behind(y, t.First) })
		}
	}
	text, err := rewrite(a.SDP, func(mid string, m *sdp.MediaDescription) {
		if t, ok := tunings[mid]; ok {
			t.apply(m)
		} else if a.stereo[mid] {
			announceStereo(m)
		}
	})
	if err == nil {
		a.SDP = text
	}
	return err
}

// rewrite lets edit change every section of a description of ours.
func rewrite(text string, edit func(mid string, m *sdp.MediaDescription)) (string, error) {
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(text); err != nil {
		return "", fmt.Errorf("read own description: %w", err)
	}
	for _, m := range desc.MediaDescriptions {
		mid, _ := m.Attribute("mid")
		edit(mid, m)
	}
	out, err := desc.Marshal()
	if err != nil {
		return "", fmt.Errorf("write own description: %w", err)
	}
	return string(out), nil
}

func behind(c publish.Codec, first codec.Type) int {
	if c.Type == first {
		return 0
	}
	return 1
}

func (t Tuning) apply(m *sdp.MediaDescription) {
	codecs := codecsFromSection(m)
	if t.First != codec.Unknown {
		var front []string
		for _, c := range codecs {
			if c.Type == t.First {
				front = append(front, strconv.Itoa(int(c.PayloadType)))
			}
		}
		rest := slices.DeleteFunc(slices.Clone(m.MediaName.Formats), func(pt string) bool { return slices.Contains(front, pt) })
		m.MediaName.Formats = append(front, rest...)
	}
	for _, c := range codecs {
		if c.Type != codec.Opus {
			continue
		}
		// livekit-client offers stereo=1 always; said back, it would send two
		// channels of one voice.
		line := withoutFmtp(c.Fmtp, "usedtx", "stereo", "sprop-stereo", "maxaveragebitrate")
		if t.DTX {
			line = joinFmtp(line, "usedtx=1")
		}
		if t.Stereo {
			line = joinFmtp(line, "stereo=1;maxaveragebitrate=510000")
		}
		setFmtp(m, strconv.Itoa(int(c.PayloadType)), line)
	}
}

// announceStereo says of a section we send on that it has two channels:
// sprop-stereo of RFC 7587. livekit-client decodes them only then.
func announceStereo(m *sdp.MediaDescription) {
	for _, c := range codecsFromSection(m) {
		if c.Type == codec.Opus && fmtpValue(c.Fmtp, "sprop-stereo") != "1" {
			line := withoutFmtp(c.Fmtp, "sprop-stereo")
			setFmtp(m, strconv.Itoa(int(c.PayloadType)), joinFmtp(line, "sprop-stereo=1"))
		}
	}
}

// withoutFmtp drops parameters from "a=1;b=2".
func withoutFmtp(line string, keys ...string) string {
	var kept []string
	for part := range strings.SplitSeq(line, ";") {
		k, _, _ := strings.Cut(strings.TrimSpace(part), "=")
		drop := slices.ContainsFunc(keys, func(key string) bool { return strings.EqualFold(k, key) })
		if !drop && k != "" {
			kept = append(kept, strings.TrimSpace(part))
		}
	}
	return strings.Join(kept, ";")
}

func joinFmtp(line, more string) string {
	if line == "" {
		return more
	}
	return line + ";" + more
}

func setFmtp(m *sdp.MediaDescription, pt, line string) {
	for i, a := range m.Attributes {
		if a.Key == "fmtp" && strings.HasPrefix(a.Value, pt+" ") {
			if line == "" {
				m.Attributes = slices.Delete(m.Attributes, i, i+1)
			} else {
				m.Attributes[i].Value = pt + " " + line
			}
			return
		}
	}
	if line != "" {
		m.Attributes = append(m.Attributes, sdp.Attribute{Key: "fmtp", Value: pt + " " + line})
	}
}
