package sdktest

import (
	"fmt"
	"testing"
)

// In both directions at once, with every datagram in danger on all four ways,
// each frame and each Opus packet arrives, in order.
func TestCompleteThroughLoss(t *testing.T) {
	for _, single := range []bool{false, true} {
		t.Run(modeName(single), func(t *testing.T) {
			t.Parallel()
			j := newJournal(t)
			s := setup{room: roomName(t), single: single, relayed: true, loss: 0.05}
			alice, bob := join(t, j, "alice", s), join(t, j, "bob-2", s)

			type direction struct {
				from, to *client
				feed     *feed
				clip     *clip
				sid      string
				stream   *stream
			}
			var ways []*direction
			send := func(from, to *client, picture, words *clip) {
				video, videoFeed := plannedTrack(t, j)
				audio, audioFeed := audioTrack(t, j, &clips.silence)
				ways = append(ways,
					&direction{from: from, to: to, feed: videoFeed, clip: picture, sid: from.publish(video, nil).SID()},
					&direction{from: from, to: to, feed: audioFeed, clip: words, sid: from.publish(audio, nil).SID()})
			}
			send(alice, bob, &clips.medium, &clips.speech)
			send(bob, alice, &clips.other, &clips.question)
			for _, w := range ways {
				w.stream = w.to.subscribed(w.sid, 3)
			}
			for _, w := range ways {
				w.feed.play(w.clip)
			}
			for _, w := range ways {
				j.wait(fmt.Sprintf("%s has all of %s", w.to.name, w.clip.name), func() bool {
					all, err := complete(w.stream.all(), w.clip)
					if err != nil {
						t.Fatal(err)
					}
					return all
				})
				if err := w.stream.broken(); err != nil {
					t.Errorf("%s: %v", w.clip.name, err)
				}
				frames := w.stream.all()
				if w.clip.levels == nil {
					mustDecode(t, frames)
					continue
				}
				at := find(frames, w.clip)
				for i := at + 1; i < at+len(w.clip.frames); i++ {
					if d := frames[i].timestamp - frames[i-1].timestamp; d != 960 {
						t.Errorf("%s: packet %d is %d ticks after the one before, not 960", w.clip.name, i-at, d)
					}
				}
			}
			for _, c := range []*client{alice, bob} {
				up, down := c.relay.losses()
				t.Logf("%s: %d RTP packets lost to the server, %d from it", c.name, up, down)
				if up < 5 || down < 5 {
					t.Errorf("%s: the relay lost only %d and %d RTP packets: nothing was shown", c.name, up, down)
				}
			}
		})
	}
}

func modeName(single bool) string {
	if single {
		return "one connection"
	}
	return "two connections"
}

// mustDecode lets ffmpeg decode all frames and returns the sizes of the
// pictures, one for each frame.
func mustDecode(t *testing.T, frames []frame) []string {
	t.Helper()
	sizes, err := decode(t.TempDir(), frames)
	if err != nil {
		t.Error(err)
	}
	if len(sizes) != len(frames) {
		t.Errorf("ffmpeg decoded %d pictures from %d frames", len(sizes), len(frames))
	}
	return sizes
}
