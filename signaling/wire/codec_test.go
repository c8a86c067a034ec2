package wire_test

import (
	"strings"
	"testing"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// sectionOf finds the section of a description that names a track, and the name of
// its first codec.
func sectionOf(t *testing.T, text, track string) (m *sdp.MediaDescription, first string) {
	t.Helper()
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(text); err != nil {
		t.Fatal(err)
	}
	for _, m := range desc.MediaDescriptions {
		if msid, _ := m.Attribute("msid"); !strings.HasSuffix(msid, " "+track) {
			continue
		}
		return m, firstCodec(m)
	}
	return nil, ""
}

func firstCodec(m *sdp.MediaDescription) string {
	for _, a := range m.Attributes {
		if pt, name, _ := strings.Cut(a.Value, " "); a.Key == "rtpmap" && pt == m.MediaName.Formats[0] {
			return name
		}
	}
	return ""
}

// answered finds in the answer the section of our offer that sends a track.
func (c *client) answered(track string) (m *sdp.MediaDescription, first string) {
	c.t.Helper()
	offered, _ := sectionOf(c.t, c.pub.CurrentLocalDescription().SDP, track)
	if offered == nil {
		c.t.Fatalf("%s is not offered", track)
	}
	want, _ := offered.Attribute("mid")
	var desc sdp.SessionDescription
	if err := desc.UnmarshalString(c.pub.CurrentRemoteDescription().SDP); err != nil {
		c.t.Fatal(err)
	}
	for _, m := range desc.MediaDescriptions {
		if mid, _ := m.Attribute("mid"); mid == want {
			return m, firstCodec(m)
		}
	}
	c.t.Fatalf("no section %s in the answer", want)
	return nil, ""
}

// addSenderOf adds a track of another codec than addSender.
func (c *client) addSenderOf(mime webrtc.RTPCodecCapability, cid string) *webrtc.TrackLocalStaticRTP {
	c.t.Helper()
	track, err := webrtc.NewTrackLocalStaticRTP(mime, cid, "stream")
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.pub.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}); err != nil {
		c.t.Fatal(err)
	}
	return track
}

// Browsers send the first codec of the answer, so it must be the one asked for.
func TestCodecAskedFor(t *testing.T) {
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		bob := s.connect(single, s.token("bob", "r"))
		ask := func(name string) func(*livekit.AddTrackRequest) {
			return func(r *livekit.AddTrackRequest) {
				r.SimulcastCodecs = []*livekit.SimulcastCodec{{Codec: name, Cid: r.Cid}}
			}
		}
		info := ann.addTrack(video, "cam", ask("h264"))
		if got := info.Codecs[0].MimeType; got != "video/H264" || info.MimeType != got {
			t.Errorf("answered with %s", got)
		}
		track := ann.addSenderOf(webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
		}, "cam")
		ann.negotiate()
		if _, first := ann.answered("cam"); first != "H264/90000" {
			t.Errorf("the answer begins with %s", first)
		}
		feed(t, track, func(p *rtp.Packet) { p.Payload = []byte{0x67, 1, 2, 3} }) // a parameter set: a key frame begins
		bob.flows(info.Sid)
		p := bob.info("ann", "track", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 })
		if got := p.Tracks[0]; got.MimeType != "video/H264" || got.Codecs[0].MimeType != "video/H264" || got.Codecs[0].Mid == "" {
			t.Errorf("told as %v", got)
		}
		if got := ann.addTrack(video, "other", ask("h265")).Codecs[0].MimeType; got != "video/VP8" {
			t.Errorf("instead of a codec that is not enabled: %s", got)
		}
	})
}

func TestStereoAndSilence(t *testing.T) {
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		bob := s.connect(single, s.token("bob", "r"))
		_, _, voice := ann.publish(audio, "voice")
		_, _, music := ann.publish(audio, "music", func(r *livekit.AddTrackRequest) {
			r.AudioFeatures = []livekit.AudioTrackFeature{livekit.AudioTrackFeature_TF_STEREO, livekit.AudioTrackFeature_TF_NO_DTX}
		})
		for track, want := range map[string]string{"voice": ";usedtx=1", "music": ";stereo=1;maxaveragebitrate=510000"} {
			m, _ := ann.answered(track)
			found := false
			for _, a := range m.Attributes {
				found = found || a.Key == "fmtp" && strings.HasSuffix(a.Value, want)
			}
			if !found {
				t.Errorf("%s: no %s in the answer: %v", track, want, m.Attributes)
			}
		}
		for sid, stereo := range map[string]bool{voice.Sid: false, music.Sid: true} {
			bob.wait("SDP of "+sid, func(m *livekit.SignalResponse) bool {
				for _, d := range []*livekit.SessionDescription{m.GetOffer(), m.GetAnswer()} {
					if d == nil {
						continue
					}
					if m, _ := sectionOf(t, d.Sdp, sid); m != nil {
						said := false
						for _, a := range m.Attributes {
							said = said || a.Key == "fmtp" && strings.Contains(a.Value, "sprop-stereo=1")
						}
						if said != stereo {
							t.Errorf("%s: sprop-stereo %t, want %t", sid, said, stereo)
						}
						return true
					}
				}
				return false
			})
		}
	})
}

// withRED registers RED beside Opus.
func withRED(m *webrtc.MediaEngine) error {
	if err := m.RegisterDefaultCodecs(); err != nil {
		return err
	}
	return m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: 63, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: "audio/red", ClockRate: 48000, Channels: 2, SDPFmtpLine: "111/111",
	}}, webrtc.RTPCodecTypeAudio)
}

// RED goes to those who know it as it came, and to the others as plain Opus.
func TestRED(t *testing.T) {
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connectAs(newClient(t, single, withRED), s.token("ann", "r"))
		bob := s.connectAs(newClient(t, single, withRED), s.token("bob", "r"))
		eve := s.connect(single, s.token("eve", "r"))
		info := ann.addTrack(audio, "mic")
		track := ann.addSenderOf(webrtc.RTPCodecCapability{MimeType: "audio/red", ClockRate: 48000, Channels: 2, SDPFmtpLine: "111/111"}, "mic")
		ann.negotiate()
		if _, first := ann.answered("mic"); first != "red/48000/2" {
			t.Errorf("the answer begins with %s", first)
		}
		feed(t, track, func(p *rtp.Packet) { p.Payload = []byte{0x80 | 111, 0x0f, 0, 1, 111, 'o', 'n', 'e', 'w'} })
		for c, want := range map[*client]string{bob: "audio/red", eve: "audio/opus"} {
			c.flows(info.Sid)
			c.mu.Lock()
			got := c.tracks[info.Sid].Codec().MimeType
			c.mu.Unlock()
			if got != want {
				t.Errorf("%s gets %s, want %s", c.joined.Participant.Identity, got, want)
			}
		}
		for name, edit := range map[string]func(*livekit.AddTrackRequest){
			"disabled":  func(r *livekit.AddTrackRequest) { r.DisableRed = true },
			"encrypted": func(r *livekit.AddTrackRequest) { r.Encryption = livekit.Encryption_GCM },
		} {
			if info := ann.addTrack(audio, name, edit); !info.DisableRed {
				t.Errorf("%s: %v", name, info)
			}
			ann.addSender(audio, name)
			ann.negotiate()
			if _, first := ann.answered(name); first != "opus/48000/2" {
				t.Errorf("%s: the answer begins with %s", name, first)
			}
		}
	})
}

// onlyVP8 is a client that decodes one codec.
func onlyVP8(m *webrtc.MediaEngine) error {
	if err := m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: 111, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2,
	}}, webrtc.RTPCodecTypeAudio); err != nil {
		return err
	}
	return m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: 96, RTPCodecCapability: webrtc.RTPCodecCapability{
		MimeType: webrtc.MimeTypeVP8, ClockRate: 90000,
	}}, webrtc.RTPCodecTypeVideo)
}

// Who cannot decode what is published gets the backup codec, which is published
// only then, under the same sid.
func TestBackupCodec(t *testing.T) {
	h264 := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000, SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"}
	for _, policy := range []livekit.BackupCodecPolicy{livekit.BackupCodecPolicy_SIMULCAST, livekit.BackupCodecPolicy_REGRESSION} {
		modes(t, func(t *testing.T, single bool) {
			s := newServer(t)
			ann := s.connect(single, s.token("ann", "r"))
			bob := s.connect(single, s.token("bob", "r"))
			info := ann.addTrack(video, "cam", func(r *livekit.AddTrackRequest) {
				r.SimulcastCodecs = []*livekit.SimulcastCodec{{Codec: "h264", Cid: "cam"}, {Codec: "vp8"}}
				r.BackupCodecPolicy = policy
			})
			if len(info.Codecs) != 2 || info.Codecs[1].MimeType != "video/VP8" || info.MimeType != "video/H264" {
				t.Fatalf("answered with %v", info)
			}
			feed(t, ann.addSenderOf(h264, "cam"), func(p *rtp.Packet) { p.Payload = []byte{0x67, 1, 2, 3} })
			ann.negotiate()
			bob.flows(info.Sid)

			eve := s.connectAs(newClient(t, single, onlyVP8), s.token("eve", "r"))
			ann.wait("call for the backup", func(m *livekit.SignalResponse) bool {
				c := m.GetSubscribedQualityUpdate().GetSubscribedCodecs()
				return len(c) == 2 && c[0].Codec == "h264" && c[0].Qualities[2].Enabled && c[1].Codec == "vp8" && c[1].Qualities[2].Enabled
			})
			// livekit-client names the primary codec's cid nowhere here.
			again := ann.addTrack(video, "cam-vp8", func(r *livekit.AddTrackRequest) {
				r.Sid = info.Sid
				r.SimulcastCodecs = []*livekit.SimulcastCodec{{Codec: "vp8", Cid: "cam-vp8"}}
			})
			if again.Sid != info.Sid || len(again.Codecs) != 2 {
				t.Fatalf("the backup is answered with %v", again)
			}
			backup, _ := ann.addSender(video, "cam-vp8")
			feed(t, backup, nil)
			ann.negotiate()
			eve.flows(info.Sid)
			p := eve.info("ann", "both codecs", func(p *livekit.ParticipantInfo) bool {
				return len(p.Tracks) == 1 && p.Tracks[0].Codecs[1].Mid != ""
			})
			if c := p.Tracks[0].Codecs; c[0].Mid == c[1].Mid || c[1].Cid != "cam-vp8" {
				t.Errorf("codecs %v", c)
			}
			codecNow := func(c *client) string {
				if tr := c.tracks[info.Sid]; tr != nil {
					return tr.Codec().MimeType
				}
				return ""
			}
			want := map[livekit.BackupCodecPolicy]string{livekit.BackupCodecPolicy_SIMULCAST: "video/H264", livekit.BackupCodecPolicy_REGRESSION: "video/VP8"}[policy]
			bob.until("media in "+want, func() bool { return codecNow(bob) == want })
			bob.mu.Lock()
			bob.packets[info.Sid] = 0
			bob.mu.Unlock()
			bob.flows(info.Sid)
			eve.mu.Lock()
			if got := codecNow(eve); got != "video/VP8" {
				t.Errorf("eve gets %s", got)
			}
			eve.mu.Unlock()
		})
	}
}
