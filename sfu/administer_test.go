package sfu

import (
	"errors"
	"testing"
	"testing/synctest"
)

// A client that says it is muted may send all the same: an administrator's mute
// reaches its track as well, and its session, so that both agree.
func TestMuteReachesATrackThatSaysItIsMuted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, simulcastInfo())
		heard := &ear{}
		st.owner.s.signal.Store(&signalBox{heard})
		for range 2 {
			if err := (&muteErrand{sid: "TR_v"}).run(st.room, st.owner); err != nil {
				t.Fatal(err)
			}
		}
		mutes := 0
		for _, m := range heard.heard {
			if m.GetMute().GetMuted() && m.GetMute().Sid == "TR_v" {
				mutes++
			}
		}
		if mutes != 2 || len(st.owner.s.muted) != 2 || !st.track.info.Muted || !st.track.media.Muted() {
			t.Errorf("the client was told %d times, its session %d; %v", mutes, len(st.owner.s.muted), st.track.info)
		}
		if err := (&muteErrand{sid: "TR_x"}).run(st.room, st.owner); !errors.Is(err, ErrNoTrack) {
			t.Error(err)
		}
	})
}
