package sdktest

import (
	"testing"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"

	"aparte/signaling/wire/sdktest/conform"
)

// Without auto-subscription nothing comes that was not asked for, and nothing
// more after it was given back.
func TestManualSubscription(t *testing.T) {
	for _, single := range []bool{false, true} {
		t.Run(modeName(single), func(t *testing.T) {
			proves(t, conform.Go, "sub-manual")

			t.Parallel()
			j := newJournal(t)
			s := setup{room: roomName(t), single: single}
			alice := join(t, j, "alice", s)
			picture, _ := videoTrack(t, j, &clips.medium)
			voice, _ := audioTrack(t, j, &clips.speech)
			videoSID, audioSID := alice.publish(picture, nil).SID(), alice.publish(voice, nil).SID()
			watcher := join(t, j, "watcher", s)
			watcher.subscribed(videoSID, 5)

			s.manual, s.relayed = true, true
			bob := join(t, j, "bob", s)
			j.wait("bob knows both tracks", func() bool {
				p := bob.room.GetParticipantByIdentity("alice")
				return p != nil && len(p.TrackPublications()) == 2
			})
			if err := bob.publication(audioSID).SetSubscribed(true); err != nil {
				t.Fatal(err)
			}
			audio := bob.subscribed(audioSID, 25)
			if bob.stream(videoSID) != nil {
				t.Error("bob receives video he did not ask for")
			}
			for round := range 2 {
				if err := bob.publication(videoSID).SetSubscribed(true); err != nil {
					t.Fatal(err)
				}
				var video *stream
				j.wait("bob has video", func() bool {
					video = bob.stream(videoSID)
					return video != nil && !video.over() && video.count() >= 5
				})
				if err := video.broken(); err != nil {
					t.Error(err)
				}
				if _, err := decodable(video.all()); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
				answers := bob.descriptions(single)
				if err := bob.publication(videoSID).SetSubscribed(false); err != nil {
					t.Fatal(err)
				}
				if !single {
					j.wait("the server takes the section away", func() bool { return bob.descriptions(single) > answers })
				}
				bob.silent(video, audio)
				n := bob.relay.sentDown(video.ssrc)
				bob.more(audio, 50)
				if more := bob.relay.sentDown(video.ssrc) - n; more > 0 {
					t.Errorf("round %d: %d more packets after the end of the subscription", round, more)
				}
			}
		})
	}
}

// descriptions is how many offers (or answers, with one connection) the server
// sent so far.
func (c *client) descriptions(single bool) int {
	if single {
		return len(received(c.proxy, (*livekit.SignalResponse).GetAnswer))
	}
	return len(received(c.proxy, (*livekit.SignalResponse).GetOffer))
}

// The token's rights hold for media: who may not subscribe receives nothing,
// who may not publish is refused.
func TestMediaNeedsPermission(t *testing.T) {
	proves(t, conform.Go, "sub-not-allowed", "pub-not-allowed")
	t.Parallel()
	j := newJournal(t)
	s := setup{room: roomName(t)}
	alice := join(t, j, "alice", s)
	voice, _ := audioTrack(t, j, &clips.speech)
	sid := alice.publish(voice, nil).SID()

	deaf := s
	deaf.relayed = true
	deaf.grant = func(g *auth.VideoGrant) { g.SetCanSubscribe(false) }
	dora := join(t, j, "dora", deaf)
	if err := dora.publication(sid).SetSubscribed(true); err != nil {
		t.Fatal(err)
	}
	bob := join(t, j, "bob", s)
	bob.subscribed(sid, 50)
	if dora.stream(sid) != nil {
		t.Error("dora hears what her token does not allow")
	}
	dora.relay.mu.Lock()
	if n := len(dora.relay.down.passed); n > 0 {
		t.Errorf("the server sent dora %d RTP streams", n)
	}
	dora.relay.mu.Unlock()

	mute := s
	mute.grant = func(g *auth.VideoGrant) { g.SetCanPublish(false) }
	mallory := join(t, j, "mallory", mute)
	// The SDK waits 10 s for an answer it will not get.
	done := make(chan error, 1)
	song, _ := audioTrack(t, j, &clips.question)
	go func() {
		_, err := mallory.room.LocalParticipant.PublishTrack(song, nil)
		done <- err
		j.wake()
	}()
	j.wait("mallory is told", func() bool {
		for _, r := range received(mallory.proxy, (*livekit.SignalResponse).GetRequestResponse) {
			if r.Reason == livekit.RequestResponse_NOT_ALLOWED && r.GetAddTrack() != nil {
				return true
			}
		}
		return false
	})
	var err error
	j.wait("the SDK gives up", func() bool {
		select {
		case err = <-done:
			return true
		default:
			return false
		}
	})
	if err == nil {
		t.Error("mallory published")
	}
	if n := len(bob.participant("mallory").GetTracks()); n > 0 {
		t.Errorf("bob sees %d tracks of mallory", n)
	}
}
