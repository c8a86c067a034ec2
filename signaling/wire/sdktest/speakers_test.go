package sdktest

import (
	"testing"

	"github.com/livekit/protocol/livekit"

	"aparte/signaling/wire/sdktest/conform"
)

// Speech makes a speaker, silence ends it; qualities are told, and good.
func TestSpeakersAndQuality(t *testing.T) {
	proves(t, conform.Go, "sub-speakers", "sub-quality")
	t.Parallel()
	j := newJournal(t)
	s := setup{room: roomName(t)}
	alice, bob := join(t, j, "alice", s), join(t, j, "bob", s)
	voice, feed := audioTrack(t, j, &clips.silence)
	bob.subscribed(alice.publish(voice, nil).SID(), 25)
	sid := alice.room.LocalParticipant.SID()
	if got := speaker(bob, sid); got != nil {
		t.Errorf("silence is told as speech: %v", got)
	}
	for range 2 {
		feed.play(&clips.speech)
		for _, c := range []*client{bob, alice} {
			j.wait(c.name+" hears that alice speaks", func() bool { return speaker(c, sid).GetActive() })
			if got := speaker(c, sid); got.Level <= 0 || got.Level > 1 {
				t.Errorf("%s: the level is %v", c.name, got.Level)
			}
		}
		feed.play(&clips.silence)
		for _, c := range []*client{bob, alice} {
			j.wait(c.name+" hears that alice stopped", func() bool { return !speaker(c, sid).GetActive() })
		}
	}

	for _, c := range []*client{alice, bob} {
		for _, of := range []*client{alice, bob} {
			if c == alice && of == bob {
				continue // alice subscribes to nothing of bob
			}
			quality := func() (q *livekit.ConnectionQualityInfo) {
				for _, u := range received(c.proxy, (*livekit.SignalResponse).GetConnectionQuality) {
					for _, info := range u.Updates {
						if info.ParticipantSid == of.room.LocalParticipant.SID() {
							q = info
						}
					}
				}
				return q
			}
			j.wait(c.name+" learns the quality of "+of.name, func() bool { return quality() != nil })
			if q := quality(); q.Quality != livekit.ConnectionQuality_EXCELLENT && q.Quality != livekit.ConnectionQuality_GOOD || q.Score <= 0 || q.Score > 5 {
				t.Errorf("%s is told that the quality of %s is %v", c.name, of.name, q)
			}
		}
	}
}

// speaker is the newest that the server told c about the participant as a speaker.
func speaker(c *client, sid string) (s *livekit.SpeakerInfo) {
	for _, u := range received(c.proxy, (*livekit.SignalResponse).GetSpeakersChanged) {
		for _, info := range u.Speakers {
			if info.Sid == sid {
				s = info
			}
		}
	}
	return s
}
