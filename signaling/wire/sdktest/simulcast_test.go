package sdktest

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"

	"aparte/signaling/wire/sdktest/conform"
)

// A subscriber asks for other sizes again and again: it gets them, never by
// more than a key frame, and everything it ever received decodes.
func TestSimulcastLayers(t *testing.T) {
	for _, lossy := range []bool{false, true} {
		name := "clean"
		if lossy {
			name = "with loss"
		}
		t.Run(name, func(t *testing.T) {
			proves(t, conform.Go, "pub-simulcast", "pub-layers", "sub-layers", "sub-switch")

			t.Parallel()
			j := newJournal(t)
			s := setup{room: roomName(t)}
			if lossy {
				s.relayed, s.loss, s.patience = true, 0.03, 60
			}
			alice, bob := join(t, j, "alice", s), join(t, j, "bob-3", s)
			tracks, feeds := simulcast(t, j)
			pub, err := alice.room.LocalParticipant.PublishSimulcastTrack(tracks, nil)
			if err != nil {
				t.Fatal(err)
			}
			video := bob.subscribed(pub.SID(), 1)
			remote := bob.publication(pub.SID())
			if n := len(remote.TrackInfo().GetLayers()); n != 3 {
				t.Errorf("the track is announced with %d layers, not 3", n)
			}

			shows := func(c *clip) {
				t.Helper()
				j.wait("bob sees "+c.name, func() bool { return newest(video) == c })
				bob.more(video, 5)
				if got := newest(video); got != c {
					t.Fatalf("bob asked for %s once, and after some frames sees %s", c.name, got.name)
				}
			}
			shows(&clips.high)
			begin := video.count() - 1
			asked := []*clip{&clips.high}
			for _, q := range []livekit.VideoQuality{
				livekit.VideoQuality_LOW, livekit.VideoQuality_HIGH, livekit.VideoQuality_MEDIUM,
				livekit.VideoQuality_LOW, livekit.VideoQuality_MEDIUM, livekit.VideoQuality_HIGH,
			} {
				if err := remote.SetVideoQuality(q); err != nil {
					t.Fatal(err)
				}
				shows(feeds[q].playing())
				asked = append(asked, feeds[q].playing())
			}
			for _, c := range []*clip{&clips.low, &clips.medium} {
				remote.SetVideoDimensions(uint32(c.width), uint32(c.height))
				shows(c)
				asked = append(asked, c)
			}

			if err := video.broken(); err != nil {
				t.Error(err)
			}
			if n := video.cutFrames(); n > len(asked) {
				t.Errorf("%d frames were cut at %d switches", n, len(asked))
			}
			frames := video.all()
			if _, err := decodable(frames); err != nil {
				t.Error(err)
			}
			sizes := mustDecode(t, frames)
			if len(sizes) > begin {
				sizes = sizes[begin:]
			}
			var want []string
			for _, c := range asked {
				want = append(want, fmt.Sprintf("%dx%d", c.width, c.height))
			}
			if got := slices.Compact(sizes); !slices.Equal(got, want) {
				t.Errorf("decoded sizes %v, asked for %v", got, want)
			}
			for q, f := range feeds {
				if f.requested() == 0 {
					t.Errorf("nobody asked %s for a key frame, though it has no other", q)
				}
			}
		})
	}
}

// newest is the clip that the last frame is of.
func newest(s *stream) *clip {
	frames := s.all()
	if len(frames) == 0 {
		return nil
	}
	return known()[sha256.Sum256(frames[len(frames)-1].data)].clip
}

// A disabled track stops at once and goes on with a key frame.
func TestDisabledTrackPauses(t *testing.T) {
	proves(t, conform.Go, "sub-disabled")
	t.Parallel()
	j := newJournal(t)
	s := setup{room: roomName(t)}
	bobs := s
	bobs.relayed = true
	alice, bob := join(t, j, "alice", s), join(t, j, "bob", bobs)
	picture, feed := videoTrack(t, j, &clips.medium)
	voice, _ := audioTrack(t, j, &clips.speech)
	keys, _ := plannedTrack(t, j) // one that could go on at any frame
	video := bob.subscribed(alice.publish(picture, nil).SID(), 5)
	second := bob.subscribed(alice.publish(keys, &lksdk.TrackPublicationOptions{Source: livekit.TrackSource_SCREEN_SHARE}).SID(), 5)
	audio := bob.subscribed(alice.publish(voice, nil).SID(), 5)
	remote := bob.publication(video.sid)

	remote.SetEnabled(false)
	bob.publication(second.sid).SetEnabled(false)
	bob.silent(video, audio)
	bob.silent(second, audio)
	before, asked := video.count(), feed.requested()
	remote.SetEnabled(true)
	bob.more(video, 10)
	if frames := video.all(); !keyframe(frames[before].data) {
		t.Errorf("after the pause came %s", nameOf(frames[before].data))
	}
	if feed.requested() == asked {
		t.Error("nobody asked the publisher for a key frame")
	}
	if _, err := decodable(video.all()); err != nil {
		t.Error(err)
	}
	if err := video.broken(); err != nil {
		t.Error(err)
	}
	mustDecode(t, video.all())
}

// silent waits until half a second of the witness went by without one packet
// of s from the server, counted on the way and not at the client, which may
// have stopped listening.
func (c *client) silent(s, witness *stream) {
	c.t.Helper()
	last, since := -1, 0
	c.j.wait("the server sends nothing of "+s.sid, func() bool {
		if n := c.relay.sentDown(s.ssrc); n != last {
			last, since = n, witness.count()
		}
		return witness.count() >= since+25
	})
}
