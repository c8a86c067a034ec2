package sdktest

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/livekit/protocol/livekit"
)

// notAllowed waits until n tracks were refused for want of the right.
func (c *rawClient) notAllowed(n int) {
	c.t.Helper()
	c.until(fmt.Sprintf("%d tracks are refused", n), func() bool {
		got := 0
		for _, m := range c.log {
			if m.GetRequestResponse().GetReason() == livekit.RequestResponse_NOT_ALLOWED {
				got++
			}
		}
		return got >= n
	})
}

// smuggle announces a track, does not care for the answer, and sends it all the same.
func (c *rawClient) smuggle(kind livekit.TrackType, cid string, edit ...func(*livekit.AddTrackRequest)) {
	c.t.Helper()
	req := addRequest(kind, cid)
	for _, e := range edit {
		e(req)
	}
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: req}})
	t := c.addSender(kind, cid)
	c.negotiate()
	t.play()
}

// heardOf are the tracks of which packets have come.
func (c *rawClient) heardOf() (sids []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for sid, n := range c.packets {
		if n > 0 {
			sids = append(sids, sid)
		}
	}
	return sids
}

// A source that the role or the rights forbid is refused, and what is sent all the same is
// forwarded to nobody, whatever it is called: by a picture that is said to be a microphone, a
// voice said to be a camera, a source changed by a second AddTrack, or the codecs of another.
func TestASourceThatIsForbiddenGoesNowhere(t *testing.T) {
	t.Parallel()
	for _, single := range []bool{false, true} {
		t.Run(modeName(single), func(t *testing.T) {
			t.Parallel()
			const audio, video = livekit.TrackType_AUDIO, livekit.TrackType_VIDEO
			as := func(s livekit.TrackSource) func(*livekit.AddTrackRequest) {
				return func(r *livekit.AddTrackRequest) { r.Source = s }
			}
			codecs := func(all ...*livekit.SimulcastCodec) func(*livekit.AddTrackRequest) {
				return func(r *livekit.AddTrackRequest) { r.SimulcastCodecs = all }
			}
			m := newMeeting(t, single)
			allow := func(g invited, rights map[string]bool) {
				t.Helper()
				if status, answer := m.send("PUT", m.agent, "", "meetings/"+m.id+"/participants/"+g.identity+"/permissions", rights); status != http.StatusOK {
					t.Fatalf("permissions: %d %s", status, answer)
				}
			}
			w, o, s, p := m.invite("Témoin"), m.observes("Observateur"), m.invite("Orateur"), m.invite("Présentatrice")
			allow(s, map[string]bool{"speak": true, "camera": false, "share": false})
			allow(p, map[string]bool{"speak": false, "camera": true, "share": false})
			witness := m.join(w.identity, w.token, single)

			observer := m.join(o.identity, o.token, single)
			observer.smuggle(audio, "voice")
			observer.smuggle(video, "camera")
			observer.smuggle(video, "share", as(livekit.TrackSource_SCREEN_SHARE))
			observer.smuggle(video, "nameless", as(livekit.TrackSource_UNKNOWN))
			observer.notAllowed(4)

			// May speak alone: no picture under any name, nor beside the voice.
			speaker := m.join(s.identity, s.token, single)
			voice := speaker.publish(audio, "voice", codecs(&livekit.SimulcastCodec{Codec: "vp8", Cid: "beside"}))
			voice.play()
			speaker.smuggle(video, "camera")
			speaker.smuggle(video, "as a microphone", as(livekit.TrackSource_MICROPHONE))
			speaker.smuggle(video, "as sound", as(livekit.TrackSource_SCREEN_SHARE_AUDIO))
			speaker.smuggle(video, "nameless", as(livekit.TrackSource_UNKNOWN))
			speaker.smuggle(video, "voice") // the cid that is in use
			speaker.smuggle(video, "codecs", codecs(&livekit.SimulcastCodec{Codec: "vp9", Cid: "codecs"}, &livekit.SimulcastCodec{Codec: "vp8", Cid: "backup"}))
			speaker.smuggle(video, "of the voice", func(r *livekit.AddTrackRequest) { r.Sid, r.Source = voice.sid(), livekit.TrackSource_MICROPHONE })
			speaker.notAllowed(7)
			beside := speaker.addSender(video, "beside") // that the voice's request named
			speaker.negotiate()
			beside.play()

			// May show alone: no sound, and the camera stays the camera.
			shower := m.join(p.identity, p.token, single)
			camera := shower.publish(video, "camera")
			camera.play()
			shower.smuggle(audio, "voice")
			shower.smuggle(audio, "as a camera", as(livekit.TrackSource_CAMERA))
			shower.smuggle(audio, "as a screen", as(livekit.TrackSource_SCREEN_SHARE))
			shower.smuggle(video, "share", as(livekit.TrackSource_SCREEN_SHARE))
			shower.smuggle(video, "camera", as(livekit.TrackSource_SCREEN_SHARE))
			shower.notAllowed(5)

			// Nothing but what was allowed has come once all that was on its way has.
			for _, c := range []*rawClient{witness, m.host} {
				known := []string{voice.sid(), camera.sid()}
				if c == witness {
					known = append(known, m.voice.sid())
				}
				for _, sid := range known {
					c.moreOf(sid, 25)
				}
				for _, sid := range c.heardOf() {
					if !slices.Contains(known, sid) {
						t.Errorf("%s was forwarded %d packets of %s", c.name, c.packetsOf(sid), sid)
					}
				}
				for _, g := range []struct {
					who  string
					want []livekit.TrackSource
				}{{o.identity, nil}, {s.identity, []livekit.TrackSource{livekit.TrackSource_MICROPHONE}}, {p.identity, []livekit.TrackSource{livekit.TrackSource_CAMERA}}} {
					var got []livekit.TrackSource
					for _, track := range c.newest(g.who).GetTracks() {
						got = append(got, track.Source)
					}
					if !slices.Equal(got, g.want) {
						t.Errorf("%s is told that %s sends %v, want %v", c.name, g.who, got, g.want)
					}
				}
			}
		})
	}
}

// newest is what a client was told last of a participant.
func (c *rawClient) newest(identity string) (p *livekit.ParticipantInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.log {
		all := m.GetUpdate().GetParticipants()
		if j := m.GetJoin(); j != nil {
			all = j.OtherParticipants
		}
		for _, one := range all {
			if one.Identity == identity {
				p = one
			}
		}
	}
	return p
}
