package sdktest

import (
	"slices"
	"strings"
	"testing"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/wire/sdktest/conform"
)

// A whole call in either mode: publish, subscribe, come late, mute, unpublish,
// publish again, leave.
func TestCall(t *testing.T) {
	for _, single := range []bool{false, true} {
		t.Run(modeName(single), func(t *testing.T) {
			proves(t, conform.Go, "pc-connect-time", "pub-info", "pub-mute", "pub-unpublish", "pub-republish", "sub-auto", "leave-client")
			if single {
				proves(t, conform.Go, "http-rtc-request", "pc-single-client-offers", "pc-single-missing")
			}

			t.Parallel()
			j := newJournal(t)
			s := setup{room: roomName(t), single: single, relayed: true}
			alice := join(t, j, "alice", s)
			camera, cameraFeed := videoTrack(t, j, &clips.medium)
			microphone, _ := audioTrack(t, j, &clips.speech)
			cameraPub := alice.publish(camera, nil)
			voicePub := alice.publish(microphone, nil)

			// Who comes later sees what is there, from a key frame on (see decodable): one that
			// the server still has, or one that it asks the publisher for.
			bob := join(t, j, "bob", s)
			video, audio := bob.subscribed(cameraPub.SID(), 5), bob.subscribed(voicePub.SID(), 5)
			info := bob.publication(cameraPub.SID()).TrackInfo()
			if info.Source != livekit.TrackSource_CAMERA || !strings.EqualFold(info.MimeType, "video/VP8") {
				t.Errorf("the camera is announced as %s, %q", info.Source, info.MimeType)
			}

			// The other direction, on connections that already carry media.
			answerCamera, _ := videoTrack(t, j, &clips.other)
			answerVoice, _ := audioTrack(t, j, &clips.question)
			bobVideo := alice.subscribed(bob.publish(answerCamera, nil).SID(), 5)
			bobAudio := alice.subscribed(bob.publish(answerVoice, nil).SID(), 5)

			carol := join(t, j, "carol", s)
			if got := carol.others(); !slices.Equal(got, []string{"alice", "bob"}) {
				t.Errorf("carol sees %v", got)
			}
			var carols []*stream
			for _, sid := range []string{video.sid, audio.sid, bobVideo.sid, bobAudio.sid} {
				carols = append(carols, carol.subscribed(sid, 5))
			}

			// Mute.
			cameraFeed.turnOff()
			cameraPub.SetMuted(true)
			j.wait("bob hears of the mute", func() bool { return bob.saw("muted %s", video.sid) })
			bob.silent(video, audio)
			if p := bob.participant("alice"); !trackOf(p, video.sid).GetMuted() {
				t.Errorf("the server says the muted track is %v", trackOf(p, video.sid))
			}
			// Who comes now learns of the muted track, too.
			dave := join(t, j, "dave", s)
			if !dave.publication(video.sid).IsMuted() {
				t.Error("dave does not know that the camera is muted")
			}
			dave.subscribed(audio.sid, 5)
			cameraPub.SetMuted(false)
			cameraFeed.turnOn()
			j.wait("bob hears of the end of it", func() bool { return bob.saw("unmuted %s", video.sid) })
			bob.more(video, 10)
			carol.more(carols[0], 10)
			daves := dave.subscribed(video.sid, 10)

			// Unpublish, and publish again in its place.
			alice.unpublish(video.sid)
			for _, c := range []*client{bob, carol, dave} {
				j.wait(c.name+" hears of the end of the track", func() bool { return c.saw("unpublished %s", video.sid) })
			}
			bob.more(audio, 10)
			again, _ := videoTrack(t, j, &clips.low)
			againPub := alice.publish(again, nil)
			second := bob.subscribed(againPub.SID(), 10)
			third := carol.subscribed(againPub.SID(), 10)
			alice.unpublish(againPub.SID())
			last, _ := videoTrack(t, j, &clips.medium)
			fourth := bob.subscribed(alice.publish(last, nil).SID(), 10)

			for _, s := range append(carols, video, audio, bobVideo, bobAudio, second, third, fourth, daves) {
				if err := s.broken(); err != nil {
					t.Errorf("%s: %v", s.sid, err)
				}
			}
			for _, s := range []*stream{video, bobVideo, carols[0], carols[2], second, third, fourth, daves} {
				if _, err := decodable(s.all()); err != nil {
					t.Errorf("%s: %v", s.sid, err)
				}
			}
			mustDecode(t, video.all())

			carol.room.Disconnect()
			j.wait("all see carol leave", func() bool { return alice.saw("left carol") && bob.saw("left carol") && dave.saw("left carol") })
			bob.more(audio, 10)
			for _, c := range []*client{alice, bob, dave} {
				c.inMode(single)
				if _, n := c.reconnects(); n > 0 || len(c.goodbyes()) > 0 {
					t.Errorf("%s was reconnected %d times and told %v", c.name, n, c.goodbyes())
				}
			}
		})
	}
}

// inMode checks from the signal messages that the mode was what the test says.
func (c *client) inMode(single bool) {
	c.t.Helper()
	offers := received(c.proxy, (*livekit.SignalResponse).GetOffer)
	c.proxy.mu.Lock()
	path := c.proxy.paths[0]
	c.proxy.mu.Unlock()
	if strings.Contains(path, "join_request=") != single {
		c.t.Errorf("%s joined with %.60s", c.name, path)
	}
	if single && len(offers) > 0 {
		c.t.Errorf("%s was sent %d offers: with one connection only the client offers", c.name, len(offers))
	}
	if !single && len(offers) == 0 {
		c.t.Errorf("%s was sent no offer", c.name)
	}
	if single && len(received(c.proxy, (*livekit.SignalResponse).GetMediaSectionsRequirement)) == 0 {
		c.t.Errorf("%s was not told how many sections it has to add", c.name)
	}
}

func trackOf(p *livekit.ParticipantInfo, sid string) *livekit.TrackInfo {
	for _, t := range p.GetTracks() {
		if t.Sid == sid {
			return t
		}
	}
	return nil
}
