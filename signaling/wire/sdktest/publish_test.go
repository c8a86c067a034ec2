package sdktest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/livekit/protocol/livekit"
)

func TestPublishing(t *testing.T) {
	t.Parallel()
	both := func(t *testing.T, f func(t *testing.T, s rawSetup)) {
		for _, single := range []bool{false, true} {
			f(t, rawSetup{room: roomName(t), single: single})
		}
	}
	// pair is one who publishes, and one who watches with two connections.
	pair := func(t *testing.T, s rawSetup) (alice, bob *rawClient) {
		t.Helper()
		j := newJournal(t)
		alice = rawJoin(t, j, "alice", s).connect()
		return alice, rawJoin(t, j, "bob", rawSetup{room: s.room}).connect()
	}
	row(t, "pub-answer", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			c := rawJoin(t, j, "alice", s) // no media connection yet
			req := addRequest(livekit.TrackType_AUDIO, "voice")
			c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: req}})
			c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: req}})
			c.settle()
			told := allOf(c, (*livekit.SignalResponse).GetTrackPublished)
			if len(told) != 2 || told[0].Cid != "voice" || told[0].Track.Sid != told[1].Track.Sid {
				t.Errorf("asked twice, told %v", told)
			}
		})
	})
	row(t, "pub-unsupported", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "alice", rawSetup{room: roomName(t)})
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: addRequest(livekit.TrackType_DATA, "data")}})
		if r := c.refusal(livekit.RequestResponse_UNSUPPORTED_TYPE); r.GetAddTrack().GetCid() != "data" {
			t.Errorf("the refusal is about %v", r.Request)
		}
	})
	row(t, "pub-limit", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "alice", rawSetup{room: roomName(t)})
		for i := range 40 {
			c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: addRequest(livekit.TrackType_AUDIO, fmt.Sprint("voice", i))}})
		}
		c.refusal(livekit.RequestResponse_LIMIT_EXCEEDED)
	})
	row(t, "pub-queued", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			alice, bob := pair(t, s)
			old := alice.publish(livekit.TrackType_AUDIO, "voice")
			alice.forget()
			alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: addRequest(livekit.TrackType_AUDIO, "voice")}})
			alice.refusal(livekit.RequestResponse_QUEUED)
			old.unpublish()
			next := alice.wait("TrackPublished", func(m *livekit.SignalResponse) bool { return m.GetTrackPublished().GetCid() == "voice" }).GetTrackPublished().Track
			if next.Sid == old.sid() {
				t.Error("the second track has the sid of the first")
			}
			again := alice.addSender(livekit.TrackType_AUDIO, "voice")
			again.play()
			alice.negotiate()
			bob.receives(next.Sid, 5)
		})
	})
	row(t, "pub-offer-first", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			alice, bob := pair(t, s)
			audio, video := alice.addSender(livekit.TrackType_AUDIO, "voice"), alice.addSender(livekit.TrackType_VIDEO, "camera")
			audio.play()
			video.play()
			alice.negotiate()
			alice.settle()
			if len(bob.updates("alice")) > 0 && len(bob.updates("alice")[len(bob.updates("alice"))-1].Tracks) > 0 {
				t.Error("a track that nobody announced is shown")
			}
			bob.receives(alice.addTrack(livekit.TrackType_AUDIO, "voice").Sid, 5)
			bob.receives(alice.addTrack(livekit.TrackType_VIDEO, "camera").Sid, 2)
		})
	})
	row(t, "pub-by-cid", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			alice, bob := pair(t, s)
			first, second := alice.addTrack(livekit.TrackType_AUDIO, "first"), alice.addTrack(livekit.TrackType_AUDIO, "second")
			alice.addSender(livekit.TrackType_AUDIO, "second") // in the other order
			alice.addSender(livekit.TrackType_AUDIO, "first")
			sdp := alice.negotiate()
			p := bob.info("alice", "has both", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 2 })
			if sdp == nil {
				t.Fatal("no answer")
			}
			mids := map[string]string{}
			for _, tr := range p.Tracks {
				mids[tr.Sid] = tr.Mid
			}
			offered := alice.pub.LocalDescription().SDP
			if mids[first.Sid] != midOf(offered, "first") || mids[second.Sid] != midOf(offered, "second") {
				t.Errorf("the tracks are taken to be on %v:\n%s", mids, offered)
			}
		})
	})
	row(t, "pub-by-kind", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			alice, bob := pair(t, s)
			video, audio := alice.addTrack(livekit.TrackType_VIDEO, "camera"), alice.addTrack(livekit.TrackType_AUDIO, "voice")
			alice.addSender(livekit.TrackType_AUDIO, "{b5a1}").play() // ids as Firefox makes them up
			alice.addSender(livekit.TrackType_VIDEO, "{c1f7}").play()
			alice.negotiate()
			p := bob.info("alice", "has both", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 2 })
			for sid, id := range map[string]string{video.Sid: "{c1f7}", audio.Sid: "{b5a1}"} {
				if tr := trackOf(p, sid); len(tr.GetCodecs()) == 0 || tr.Codecs[0].SdpCid != id || tr.Mid == "" {
					t.Errorf("%s is %v", sid, tr)
				}
				bob.receives(sid, 2)
			}
		})
	})
	row(t, "pub-before-rtp", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			alice, bob := pair(t, s)
			quiet := alice.publish(livekit.TrackType_AUDIO, "quiet")
			muted := alice.publish(livekit.TrackType_VIDEO, "dark", func(r *livekit.AddTrackRequest) { r.Muted = true })
			p := bob.info("alice", "has both", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 2 })
			if trackOf(p, quiet.sid()).Muted || !trackOf(p, muted.sid()).Muted || !p.IsPublisher {
				t.Errorf("bob sees %v", p)
			}
			bob.wait("offer", func(m *livekit.SignalResponse) bool { return strings.Contains(m.GetOffer().GetSdp(), muted.sid()) })
		})
	})
	row(t, "pub-info", func(t *testing.T) {
		alice, bob := pair(t, rawSetup{room: roomName(t)})
		voice := alice.publish(livekit.TrackType_AUDIO, "voice", func(r *livekit.AddTrackRequest) {
			r.Name, r.DisableRed = "my voice", true
			r.AudioFeatures = []livekit.AudioTrackFeature{livekit.AudioTrackFeature_TF_STEREO, livekit.AudioTrackFeature_TF_NO_DTX}
		})
		screen := alice.publish(livekit.TrackType_VIDEO, "screen", func(r *livekit.AddTrackRequest) {
			r.Source, r.Stream = livekit.TrackSource_SCREEN_SHARE, ""
			r.BackupCodecPolicy = livekit.BackupCodecPolicy_SIMULCAST
		})
		own := alice.publish(livekit.TrackType_VIDEO, "own", func(r *livekit.AddTrackRequest) { r.Stream = "mine" })
		p := bob.info("alice", "has three", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 3 })
		a, v, o := trackOf(p, voice.sid()), trackOf(p, screen.sid()), trackOf(p, own.sid())
		if a.Name != "my voice" || a.Type != livekit.TrackType_AUDIO || a.Source != livekit.TrackSource_MICROPHONE || a.Stream != "camera" || !strings.EqualFold(a.MimeType, "audio/opus") {
			t.Errorf("the voice is %v", a)
		}
		if len(a.AudioFeatures) != 2 || !a.Stereo || !a.DisableDtx { //nolint:staticcheck // clients still read them
			t.Errorf("the voice's features are %v", a)
		}
		if v.Source != livekit.TrackSource_SCREEN_SHARE || v.Stream != "screen" || v.Width != 640 || v.Height != 360 || v.BackupCodecPolicy != livekit.BackupCodecPolicy_SIMULCAST {
			t.Errorf("the screen is %v", v)
		}
		if o.Stream != "mine" {
			t.Errorf("stream %q", o.Stream)
		}
		for _, tr := range p.Tracks {
			if tr.Mid == "" || len(tr.Codecs) == 0 || !strings.EqualFold(tr.Codecs[0].MimeType, tr.MimeType) {
				t.Errorf("%s lacks what it was negotiated as: %v", tr.Name, tr)
			}
		}
	})
	row(t, "pub-layers", func(t *testing.T) {
		alice, _ := pair(t, rawSetup{room: roomName(t)})
		layers := []*livekit.VideoLayer{
			{Quality: livekit.VideoQuality_LOW, Width: 160, Height: 90},
			{Quality: livekit.VideoQuality_MEDIUM, Width: 320, Height: 180},
			{Quality: livekit.VideoQuality_HIGH, Width: 640, Height: 360},
		}
		for n, want := range map[int][]string{2: {"q", "h"}, 3: {"q", "h", "f"}} {
			info := alice.addTrack(livekit.TrackType_VIDEO, fmt.Sprint("camera", n), func(r *livekit.AddTrackRequest) { r.Layers = layers[:n] })
			var rids []string
			for _, l := range info.Codecs[0].Layers {
				rids = append(rids, l.Rid)
			}
			if !slices.Equal(rids, want) || len(info.Layers) != n || !info.Simulcast { //nolint:staticcheck // clients still read them
				t.Errorf("%d layers are %v", n, info)
			}
		}
		one := alice.addTrack(livekit.TrackType_VIDEO, "camera1", func(r *livekit.AddTrackRequest) { r.Layers = layers[2:] })
		if len(one.Codecs[0].Layers) != 1 || one.Codecs[0].Layers[0].Quality != livekit.VideoQuality_HIGH || one.Simulcast { //nolint:staticcheck // clients still read it
			t.Errorf("one layer is %v", one)
		}
	})
	row(t, "pub-unpublish", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			alice, bob := pair(t, s)
			voice, camera := alice.publish(livekit.TrackType_AUDIO, "voice"), alice.publish(livekit.TrackType_VIDEO, "camera")
			bob.info("alice", "has both", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 2 })
			camera.unpublish()
			alice.wait("TrackUnpublished", func(m *livekit.SignalResponse) bool { return m.GetTrackUnpublished().GetTrackSid() == camera.sid() })
			bob.info("alice", "has one", func(p *livekit.ParticipantInfo) bool {
				return len(p.Tracks) == 1 && p.Tracks[0].Sid == voice.sid() && p.Version > 3
			})
			voice.unpublish()
			bob.info("alice", "publishes no more", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 0 && p.Version > 4 && !p.IsPublisher })
		})
	})
	row(t, "pub-first-subscriber", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			alice := rawJoin(t, j, "alice", s).connect()
			voice := alice.publish(livekit.TrackType_AUDIO, "voice")
			alice.settle()
			if slices.Contains(alice.names(), "TrackSubscribed") {
				t.Error("told of a subscriber who is alone")
			}
			for _, name := range []string{"bob", "carol"} {
				rawJoin(t, j, name, rawSetup{room: s.room}).connect()
			}
			alice.wait("TrackSubscribed", func(m *livekit.SignalResponse) bool { return m.GetTrackSubscribed().GetTrackSid() == voice.sid() })
		})
	})
	row(t, "pub-mute", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			alice, bob := pair(t, s)
			voice := alice.publish(livekit.TrackType_AUDIO, "voice")
			bob.info("alice", "publishes", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 })
			for _, muted := range []bool{true, false} {
				bob.forget()
				alice.forget()
				alice.send(mute(voice.sid(), muted))
				for _, c := range []*rawClient{bob, alice} {
					c.info("alice", "changes", func(p *livekit.ParticipantInfo) bool { return trackOf(p, voice.sid()).GetMuted() == muted })
				}
			}
		})
	})
	row(t, "pub-mute-early", func(t *testing.T) {
		alice, bob := pair(t, rawSetup{room: roomName(t)})
		voice := alice.addTrack(livekit.TrackType_AUDIO, "voice")
		alice.send(mute(voice.Sid, true)) // before its section, before any packet
		alice.addSender(livekit.TrackType_AUDIO, "voice")
		alice.negotiate()
		p := bob.info("alice", "publishes", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 })
		if !p.Tracks[0].Muted {
			t.Error("the mute is lost")
		}
	})
	row(t, "pub-codec", func(t *testing.T) {
		alice, bob := pair(t, rawSetup{room: roomName(t)})
		camera := alice.publish(livekit.TrackType_VIDEO, "camera", func(r *livekit.AddTrackRequest) {
			r.SimulcastCodecs = []*livekit.SimulcastCodec{{Codec: "h999", Cid: "camera"}}
		})
		camera.play()
		p := bob.info("alice", "publishes", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 })
		for _, mime := range []string{camera.info.Codecs[0].MimeType, p.Tracks[0].Codecs[0].MimeType, p.Tracks[0].MimeType} {
			if !strings.EqualFold(mime, "video/vp8") {
				t.Errorf("instead of a codec nobody knows: %q", mime)
			}
		}
		bob.receives(camera.sid(), 2)
	})
	row(t, "pub-opus", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			c := rawJoin(t, j, "alice", s).connect()
			for _, a := range []struct {
				cid         string
				features    []livekit.AudioTrackFeature
				dtx, stereo bool
			}{
				{"plain", nil, true, false},
				{"steady", []livekit.AudioTrackFeature{livekit.AudioTrackFeature_TF_NO_DTX}, false, false},
				{"music", []livekit.AudioTrackFeature{livekit.AudioTrackFeature_TF_STEREO, livekit.AudioTrackFeature_TF_NO_DTX}, false, true},
			} {
				c.addTrack(livekit.TrackType_AUDIO, a.cid, func(r *livekit.AddTrackRequest) { r.AudioFeatures = a.features })
				c.addSender(livekit.TrackType_AUDIO, a.cid)
				answer := c.negotiate().GetSdp()
				section := sectionOf(answer, midOf(c.pub.LocalDescription().SDP, a.cid))
				if got := strings.Contains(section, "usedtx=1"); got != a.dtx {
					t.Errorf("%s: usedtx %t\n%s", a.cid, got, section)
				}
				if got := strings.Contains(section, "stereo=1") && strings.Contains(section, "maxaveragebitrate=510000"); got != a.stereo {
					t.Errorf("%s: stereo %t\n%s", a.cid, got, section)
				}
			}
		})
	})
	row(t, "pub-red", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			alice, bob := pair(t, s)
			for _, c := range []struct {
				cid  string
				edit func(*livekit.AddTrackRequest)
				want bool
			}{
				{"doubled", func(*livekit.AddTrackRequest) {}, true},
				{"plain", func(r *livekit.AddTrackRequest) { r.DisableRed = true }, false},
				{"sealed", func(r *livekit.AddTrackRequest) { r.Encryption = livekit.Encryption_GCM }, false},
			} {
				tr := alice.publish(livekit.TrackType_AUDIO, c.cid, c.edit)
				section := sectionOf(alice.pub.RemoteDescription().SDP, midOf(alice.pub.LocalDescription().SDP, c.cid))
				_, payloads, _ := strings.Cut(section, "SAVPF ")
				if first, _, _ := strings.Cut(strings.Fields(payloads)[0], "\r"); (first == "63") != c.want {
					t.Errorf("%s: the answer prefers %s\n%s", c.cid, first, section)
				}
				p := bob.info("alice", "has "+c.cid, func(p *livekit.ParticipantInfo) bool { return trackOf(p, tr.sid()) != nil })
				if got := trackOf(p, tr.sid()); got.DisableRed == c.want || !strings.EqualFold(got.MimeType, "audio/opus") { //nolint:staticcheck // clients still read it
					t.Errorf("%s is shown as %v", c.cid, got)
				}
			}
		})
	})
	row(t, "pub-change", func(t *testing.T) {
		alice, bob := pair(t, rawSetup{room: roomName(t)})
		voice, camera := alice.publish(livekit.TrackType_AUDIO, "voice"), alice.publish(livekit.TrackType_VIDEO, "camera")
		alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateAudioTrack{UpdateAudioTrack: &livekit.UpdateLocalAudioTrack{
			TrackSid: voice.sid(), Features: []livekit.AudioTrackFeature{livekit.AudioTrackFeature_TF_NOISE_SUPPRESSION},
		}}})
		alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateVideoTrack{UpdateVideoTrack: &livekit.UpdateLocalVideoTrack{
			TrackSid: camera.sid(), Width: 1280, Height: 720,
		}}})
		bob.info("alice", "has changed both", func(p *livekit.ParticipantInfo) bool {
			a, v := trackOf(p, voice.sid()), trackOf(p, camera.sid())
			return slices.Contains(a.GetAudioFeatures(), livekit.AudioTrackFeature_TF_NOISE_SUPPRESSION) && v.GetWidth() == 1280 && v.GetHeight() == 720
		})
	})
	row(t, "e2ee-announce", func(t *testing.T) {
		alice, bob := pair(t, rawSetup{room: roomName(t)})
		alice.publish(livekit.TrackType_AUDIO, "voice", func(r *livekit.AddTrackRequest) { r.Encryption = livekit.Encryption_GCM })
		alice.publish(livekit.TrackType_VIDEO, "camera", func(r *livekit.AddTrackRequest) { r.Encryption = livekit.Encryption_CUSTOM })
		p := bob.info("alice", "has both", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 2 })
		if p.Tracks[0].Encryption != livekit.Encryption_GCM || p.Tracks[1].Encryption != livekit.Encryption_CUSTOM {
			t.Errorf("bob sees %v", p.Tracks)
		}
	})
	row(t, "pub-many", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			alice, bob := pair(t, s)
			var tracks []*rawTrack
			for i := range 6 { // more of a kind than a client begins with
				tr := alice.publish(livekit.TrackType_AUDIO, fmt.Sprint("voice", i))
				tr.play()
				tracks = append(tracks, tr)
			}
			for _, tr := range tracks {
				bob.receives(tr.sid(), 5)
			}
		})
	})
}

func mute(sid string, muted bool) *livekit.SignalRequest {
	return &livekit.SignalRequest{Message: &livekit.SignalRequest_Mute{Mute: &livekit.MuteTrackRequest{Sid: sid, Muted: muted}}}
}

// sectionOf returns the section of a description with this mid.
func sectionOf(sdp, mid string) string {
	for _, section := range strings.Split(sdp, "\r\nm=")[1:] {
		if strings.Contains(section+"\r\n", "a=mid:"+mid+"\r\n") {
			return section
		}
	}
	return ""
}
