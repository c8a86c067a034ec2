package sfu

import (
	"testing"
	"testing/synctest"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/encoding/protojson"

	"aparte/sfu/publish"
)

// hide makes a member hidden, as its token would have.
func hide(m *member) {
	m.change(func(p *livekit.ParticipantInfo) {
		p.Permission = &livekit.ParticipantPermission{CanPublish: true, CanSubscribe: true, Hidden: true}
	})
	m.s.permission.Store(m.info.Permission)
}

// What a hidden participant publishes or permits tells nobody that it is there.
func TestAHiddenPublisherDoesNotShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, simulcastInfo())
		bob, heard := st.join("bob"), &ear{}
		ghost := st.join("ghost")
		hide(ghost)
		st.room.membersChanged() // the rest of a join
		bob.s.signal.Store(&signalBox{heard})
		reply := make(chan bool, 1)
		media := publish.NewTrack(publish.TrackConfig{ID: "TR_ghost", Kind: publish.Audio})
		(&publishRequest{s: ghost.s, info: &livekit.TrackInfo{Sid: "TR_ghost", Codecs: []*livekit.SimulcastCodecInfo{{}}}, media: media, reply: reply}).serve(st.room)
		if !<-reply {
			t.Fatal("not published")
		}
		for _, all := range []bool{false, true} {
			(&subscriptionPermissionRequest{ghost.s, &livekit.SubscriptionPermission{AllParticipants: all}}).serve(st.room)
		}
		for _, w := range bob.s.wanted {
			if w.media == media {
				t.Error("bob is sent the hidden one's track, which names it")
			}
		}
		for _, m := range heard.heard {
			t.Errorf("bob is told %s", protojson.Format(m))
		}
	})
}

// A publisher does not hear that its track was subscribed to when only a hidden
// participant did.
func TestAHiddenSubscriberDoesNotShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, simulcastInfo())
		heard := &ear{}
		st.owner.s.signal.Store(&signalBox{heard})
		subscribed := func() (n int) {
			for _, m := range heard.heard {
				if m.GetTrackSubscribed() != nil {
					n++
				}
			}
			return n
		}
		ghost := st.room.newMember(&JoinParams{
			Identity: "ghost", AutoSubscribe: true,
			Permission: &livekit.ParticipantPermission{CanSubscribe: true, Hidden: true},
		}, &ear{})
		ghost.active = true
		st.room.members["ghost"] = ghost
		st.room.reconcile(ghost)
		if len(ghost.s.wanted) != 1 || subscribed() > 0 {
			t.Errorf("the hidden one is sent %d tracks, the publisher is told of %d", len(ghost.s.wanted), subscribed())
		}
		st.join("bob")
		if subscribed() != 1 {
			t.Errorf("the publisher is told of %d subscribers", subscribed())
		}
	})
}
