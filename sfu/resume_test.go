package sfu

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/codec"
	"aparte/sfu/forward"
	"aparte/sfu/publish"
)

// Deltas that were sent into a dead connection are lost: after a resume the client
// hears who speaks and who does not.
func TestSpeakersAfterResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, simulcastInfo())
		reply := make(chan bool, 1)
		mic := &livekit.TrackInfo{Sid: "TR_a", Type: livekit.TrackType_AUDIO, Codecs: []*livekit.SimulcastCodecInfo{{}}}
		(&publishRequest{s: st.owner.s, info: mic, media: publish.NewTrack(publish.TrackConfig{Kind: publish.Audio}), reply: reply}).serve(st.room)
		bob := st.join("bob")
		ann, me := st.owner.info.Sid, bob.info.Sid
		for _, speaking := range []map[string]float32{{ann: 0.5}, {}} {
			st.room.speaking = speaking
			bob.told = map[string]bool{me: true} // as it was when the connection died
			e := &ear{}
			again := make(chan joinReply, 1)
			(&resumeRequest{params: JoinParams{Identity: "bob", Permission: bob.info.Permission}, signal: e, reply: again}).serve(st.room)
			if r := <-again; r.err != nil {
				t.Fatal(r.err)
			}
			got := map[string]bool{}
			for _, m := range e.heard {
				for _, s := range m.GetSpeakersChanged().GetSpeakers() {
					got[s.Sid] = s.Active
				}
			}
			if len(got) != 2 || got[me] || got[ann] != (len(speaking) > 0) || bob.told[me] || bob.told[ann] != got[ann] {
				t.Errorf("ann speaks %v: told %v", speaking, got)
			}
		}
	})
}

// A resume that was on its way when a host changed what somebody may do does not undo
// that.
func TestAResumeDoesNotUndoWhatWasRuledSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, simulcastInfo())
		st.room.key.Space = MeetingSpace
		bob := st.join("bob")
		before := &livekit.ParticipantPermission{CanSubscribe: true, CanPublish: true}
		ruled := &livekit.ParticipantPermission{CanSubscribe: true}
		resume := func(authorized time.Time) *livekit.ParticipantPermission {
			t.Helper()
			again := make(chan joinReply, 1)
			params := JoinParams{Identity: "bob", Permission: before, Authorized: authorized}
			(&resumeRequest{params: params, signal: &ear{}, reply: again}).serve(st.room)
			if r := <-again; r.err != nil {
				t.Fatal(r.err)
			}
			return bob.info.Permission
		}
		asked := time.Now()
		time.Sleep(time.Millisecond)
		(&permissionRequest{identity: "bob", permission: ruled, reply: make(chan bool, 1)}).serve(st.room)
		if p := resume(asked); p.CanPublish {
			t.Error("the resume undid it")
		}
		time.Sleep(time.Millisecond)
		if p := resume(time.Now()); !p.CanPublish {
			t.Error("what was looked up afterwards does not count")
		}
	})
}

// Go clients report a track at its first packet: also one whose source is idle.
func TestIdleTracksAreMadeKnown(t *testing.T) {
	for _, tt := range []struct {
		name  string
		muted bool
		want  []uint64 // packets after each second
	}{
		{"muted", true, []uint64{5, 10, 15, 20, 25, 25, 25, 25, 25, 25}},
		{"idle", false, []uint64{0, 0, 0, 5, 10, 15, 20, 25, 25, 25}},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := forward.NewWorker(forward.WorkerConfig{})
			defer w.Close()
			media := publish.NewTrack(publish.TrackConfig{Kind: publish.Audio})
			media.SetMuted(tt.muted)
			down := w.NewSubscriber(forward.SubscriberConfig{}).NewDownTrack(media)
			down.Bind(forward.Binding{Writer: discardRTP{}, SSRC: 7, Codecs: []publish.Codec{{PayloadType: 111, Type: codec.Opus, ClockRate: 48000}}})
			s := &Session{downs: map[string]*subscription{"TR_a": {media: media, down: down}}}
			var got []uint64
			for range tt.want {
				s.keepAlive()
				time.Sleep(time.Second)
				got = append(got, down.Stats().Packets)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s: %v", tt.name, got)
			}
		})
	}
}
