package sdktest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"

	"aparte/signaling/wire/sdktest/conform"
)

// A broken WebSocket is mended without anybody seeing more than a pause: the
// same participants, the same tracks, media in both directions goes on.
func TestResume(t *testing.T) {
	for _, single := range []bool{false, true} {
		t.Run(modeName(single), func(t *testing.T) {
			proves(t, conform.Go, "resume-media")

			t.Parallel()
			j := newJournal(t)
			// What is sent while ICE starts over is lost, and some of it longer
			// than the SDK asks for it.
			s := setup{room: roomName(t), single: single, patience: 30}
			alice, bob := join(t, j, "alice", s), join(t, j, "bob", s)
			a, _ := videoTrack(t, j, &clips.medium)
			b, _ := videoTrack(t, j, &clips.other)
			voice, _ := audioTrack(t, j, &clips.speech)
			fromAlice := bob.subscribed(alice.publish(a, nil).SID(), 10)
			voiceOfAlice := bob.subscribed(alice.publish(voice, nil).SID(), 10)
			fromBob := alice.subscribed(bob.publish(b, nil).SID(), 10)
			sids := []string{alice.room.LocalParticipant.SID(), bob.room.LocalParticipant.SID()}

			for round := 1; round <= 2; round++ {
				for _, c := range []*client{alice, bob} {
					c.proxy.cut()
					j.wait(fmt.Sprintf("%s is back the %d. time", c.name, round), func() bool { _, n := c.reconnects(); return n == round })
					allMore(j, map[*stream]int{fromAlice: 15, voiceOfAlice: 50, fromBob: 15})
				}
			}
			for _, c := range []*client{alice, bob} {
				if n := len(received(c.proxy, (*livekit.SignalResponse).GetReconnect)); n != 2 {
					t.Errorf("%s was resumed %d times", c.name, n)
				}
				if n := len(received(c.proxy, (*livekit.SignalResponse).GetJoin)); n != 1 {
					t.Errorf("%s joined %d times", c.name, n)
				}
				if len(c.goodbyes()) > 0 || c.saw("left alice") || c.saw("left bob") {
					t.Errorf("%s saw somebody leave: %v", c.name, c.goodbyes())
				}
			}
			if got := []string{alice.room.LocalParticipant.SID(), bob.room.LocalParticipant.SID()}; !slices.Equal(got, sids) {
				t.Errorf("the participants are %v, were %v", got, sids)
			}
			for _, s := range []*stream{fromAlice, voiceOfAlice, fromBob} {
				if n := s.givenUp(); n > 0 {
					t.Logf("%s: %d packets lost for good", s.sid, n)
				}
				if n := s.givenUp(); n > 200 {
					t.Errorf("%s: %d packets lost, which is no pause but an interruption", s.sid, n)
				}
				if err := s.broken(); err != nil {
					t.Errorf("%s: %v", s.sid, err)
				}
			}
			for _, s := range []*stream{fromAlice, fromBob} {
				if _, err := decodable(s.all()); err != nil {
					t.Errorf("%s: %v", s.sid, err)
				}
				mustDecode(t, s.all())
			}

			// After the resume everything else works as before.
			c, _ := videoTrack(t, j, &clips.low)
			bob.subscribed(alice.publish(c, nil).SID(), 5)
			err := alice.room.LocalParticipant.PublishDataPacket(lksdk.UserData([]byte("still here")), lksdk.WithDataPublishReliable(true))
			if err != nil {
				t.Fatal(err)
			}
			j.wait("bob has the message", func() bool { return slices.Contains(bob.received(), message{"alice", "", "still here"}) })
			bob.room.LocalParticipant.SetMetadata("x")
		})
	}
}

// allMore waits for so many more frames of each.
func allMore(j *journal, want map[*stream]int) {
	j.t.Helper()
	from := map[*stream]int{}
	for s := range want {
		from[s] = s.count()
	}
	j.wait("media goes on", func() bool {
		for s, n := range want {
			if s.count() < from[s]+n {
				return false
			}
		}
		return true
	})
}

// The program dies and is started again with the same data: the clients come
// back by themselves, publish again, and see each other again.
func TestServerKilled(t *testing.T) {
	for _, single := range []bool{false, true} {
		t.Run(modeName(single), func(t *testing.T) {
			proves(t, conform.Go, "full-reconnect")

			t.Parallel()
			j := newJournal(t)
			data := t.TempDir()
			srv := ownServer(t, data)
			s := setup{room: roomName(t), server: srv, single: single}
			alice, bob := join(t, j, "alice", s), join(t, j, "bob", s)
			voice, _ := audioTrack(t, j, &clips.speech)
			picture, _ := videoTrack(t, j, &clips.medium)
			bob.subscribed(alice.publish(voice, nil).SID(), 10)
			bob.subscribed(alice.publish(picture, nil).SID(), 10)

			srv.kill()
			j.note("-- the server is dead")
			srv = ownServer(t, data)
			alice.proxy.lead(srv.base)
			bob.proxy.lead(srv.base)
			j.note("-- the server is back")
			for _, c := range []*client{alice, bob} {
				j.wait(c.name+" is back", func() bool { _, n := c.reconnects(); return n == 1 && len(c.goodbyes()) == 0 })
			}
			for _, kind := range []livekit.TrackType{livekit.TrackType_AUDIO, livekit.TrackType_VIDEO} {
				var sid string
				j.wait("alice has published "+kind.String()+" again", func() bool {
					for _, info := range bob.participant("alice").GetTracks() {
						if info.Type == kind {
							sid = info.Sid
						}
					}
					return sid != ""
				})
				got := bob.subscribed(sid, 20)
				if err := got.broken(); err != nil {
					t.Error(err)
				}
				if kind == livekit.TrackType_VIDEO {
					if _, err := decodable(got.all()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
}
