package sfu

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livekit/protocol/livekit"
)

// Each track that is named costs the worker, which serves everybody.
func TestWishesAreHeldToARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, simulcastInfo())
		bob := st.join("bob")
		wish := func(n int) *livekit.SignalRequest {
			return &livekit.SignalRequest{Message: &livekit.SignalRequest_TrackSetting{TrackSetting: &livekit.UpdateTrackSettings{
				TrackSids: slices.Repeat([]string{"TR_v"}, n), Disabled: true,
			}}}
		}
		start := time.Now()
		bob.s.handle(wish(maxListed))
		if took := time.Since(start); took > 0 {
			t.Errorf("as many as there may be tracks took %v", took)
		}
		bob.s.handle(wish(maxListed))
		if took := time.Since(start); took < 3*time.Second {
			t.Errorf("so many again took %v", took)
		}
		if !bob.s.settings["TR_v"].disabled {
			t.Error("the wish is lost")
		}
		e := &ear{}
		bob.s.signal.Store(&signalBox{e})
		start = time.Now()
		bob.s.handle(wish(maxListed + 1))
		if len(e.heard) != 1 || e.heard[0].GetRequestResponse().GetReason() != livekit.RequestResponse_LIMIT_EXCEEDED || time.Since(start) > 0 {
			t.Errorf("more than that: %v after %v", e.heard, time.Since(start))
		}
	})
}

func TestTracksNamedInAMessage(t *testing.T) {
	wishes := &livekit.UpdateSubscription{
		TrackSids:         []string{"a", "b"},
		ParticipantTracks: []*livekit.ParticipantTracks{{TrackSids: []string{"c", "d", "e"}}, {}},
	}
	for _, c := range []struct {
		msg          *livekit.SignalRequest
		listed, told int
	}{
		{nil, 0, 0},
		{&livekit.SignalRequest{}, 0, 0},
		{&livekit.SignalRequest{Message: &livekit.SignalRequest_Subscription{}}, 0, 0},
		{&livekit.SignalRequest{Message: &livekit.SignalRequest_Subscription{Subscription: wishes}}, 7, 0},
		{&livekit.SignalRequest{Message: &livekit.SignalRequest_SyncState{SyncState: &livekit.SyncState{
			Subscription: wishes, TrackSidsDisabled: []string{"a"},
		}}}, 8, 0},
		{&livekit.SignalRequest{Message: &livekit.SignalRequest_SyncState{}}, 0, 0},
		{&livekit.SignalRequest{Message: &livekit.SignalRequest_Mute{}}, 0, 1},
		{&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{}}, 0, 1},
		{&livekit.SignalRequest{Message: &livekit.SignalRequest_SubscriptionPermission{}}, 0, 5},
	} {
		if l, n := listed(c.msg), told(c.msg); l != c.listed || n != c.told {
			t.Errorf("%v: %d listed, told to %d; want %d, %d", c.msg, l, n, c.listed, c.told)
		}
	}
}
