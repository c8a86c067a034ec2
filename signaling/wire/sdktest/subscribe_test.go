package sdktest

import (
	"slices"
	"strings"
	"testing"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
)

func TestSubscribing(t *testing.T) {
	t.Parallel()
	both := func(t *testing.T, f func(t *testing.T, j *journal, s rawSetup)) {
		for _, single := range []bool{false, true} {
			f(t, newJournal(t), rawSetup{room: roomName(t), single: single})
		}
	}
	talker := func(t *testing.T, j *journal, room string) (*rawClient, *rawTrack) {
		t.Helper()
		alice := rawJoin(t, j, "alice", rawSetup{room: room}).connect()
		voice := alice.publish(livekit.TrackType_AUDIO, "voice")
		voice.play()
		return alice, voice
	}
	manual := func(s rawSetup) rawSetup {
		s.query = map[string][]string{"auto_subscribe": {"0"}}
		s.edit = func(r *livekit.JoinRequest) { r.ConnectionSettings.AutoSubscribe = false }
		if s.single {
			s.query = nil
		}
		return s
	}
	row(t, "sub-msid break-order", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice, voice := talker(t, j, s.room)
			bob := rawJoin(t, j, "bob", s).connect()
			bob.receives(voice.sid(), 5)
			if want := "a=msid:" + alice.sid() + "|" + voice.sid() + " " + voice.sid() + "\r\n"; !strings.Contains(bob.lastOfServer().Sdp, want) {
				t.Errorf("%q is missing in\n%s", want, bob.lastOfServer().Sdp)
			}
		})
	})
	row(t, "sub-announced-first break-order", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			bob := rawJoin(t, j, "bob", s).connect()
			_, voice := talker(t, j, s.room)
			bob.receives(voice.sid(), 5)
			bob.mu.Lock()
			defer bob.mu.Unlock()
			known := false
			for _, m := range bob.log {
				for _, p := range m.GetUpdate().GetParticipants() {
					known = known || trackOf(p, voice.sid()) != nil
				}
				if strings.Contains(m.GetOffer().GetSdp()+m.GetAnswer().GetSdp(), voice.sid()) && !known {
					t.Fatal("a description names a track that was not announced")
				}
			}
		})
	})
	row(t, "sub-auto", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice, voice := talker(t, j, s.room)
			bob := rawJoin(t, j, "bob", s).connect()
			bob.receives(voice.sid(), 5)
			later := alice.publish(livekit.TrackType_VIDEO, "later")
			later.play()
			bob.receives(later.sid(), 2)
		})
	})
	row(t, "sub-manual", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice, voice := talker(t, j, s.room)
			camera := alice.publish(livekit.TrackType_VIDEO, "camera")
			camera.play()
			bob := rawJoin(t, j, "bob", manual(s)).connect()
			bob.send(subscribe(true, voice.sid()))
			bob.receives(voice.sid(), 5)
			bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Subscription{Subscription: &livekit.UpdateSubscription{
				ParticipantTracks: []*livekit.ParticipantTracks{{ParticipantSid: alice.sid(), TrackSids: []string{camera.sid()}}}, Subscribe: true,
			}}})
			bob.receives(camera.sid(), 2)
			carol := rawJoin(t, j, "carol", s).connect()
			carol.send(subscribe(false, camera.sid()))
			carol.receives(voice.sid(), 25)
		})
	})
	row(t, "sub-refused", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice := rawJoin(t, j, "alice", rawSetup{room: s.room}).connect()
			bob := rawJoin(t, j, "bob", manual(s)).connect()
			coming := alice.addTrack(livekit.TrackType_AUDIO, "voice")
			bob.send(subscribe(true, coming.Sid))
			r := bob.wait("SubscriptionResponse", func(m *livekit.SignalResponse) bool { return m.GetSubscriptionResponse().GetTrackSid() == coming.Sid })
			if r.GetSubscriptionResponse().Err != livekit.SubscriptionError_SE_TRACK_NOTFOUND {
				t.Errorf("%v", r)
			}
			// The wish is kept: the track comes when it is there.
			alice.addSender(livekit.TrackType_AUDIO, "voice").play()
			alice.negotiate()
			bob.receives(coming.Sid, 5)
		})
	})
	row(t, "sub-settings-early", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice, voice := talker(t, j, s.room)
			camera := alice.addTrack(livekit.TrackType_VIDEO, "camera")
			bob := rawJoin(t, j, "bob", s).connect()
			bob.send(settings(&livekit.UpdateTrackSettings{TrackSids: []string{camera.Sid}, Disabled: true}))
			bob.settle()
			alice.addSender(livekit.TrackType_VIDEO, "camera").play()
			alice.negotiate()
			bob.wait("section", func(m *livekit.SignalResponse) bool {
				return strings.Contains(m.GetOffer().GetSdp()+m.GetAnswer().GetSdp(), camera.Sid)
			})
			bob.receives(voice.sid(), 5)
			bob.moreOf(voice.sid(), 25)
			bob.mu.Lock()
			n := bob.packets[camera.Sid]
			bob.mu.Unlock()
			if n > 0 {
				t.Errorf("%d packets of a picture that was disabled before it came", n)
			}
			bob.send(settings(&livekit.UpdateTrackSettings{TrackSids: []string{camera.Sid}}))
			bob.receives(camera.Sid, 2)
		})
	})
	row(t, "sub-idle", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice := rawJoin(t, j, "alice", rawSetup{room: s.room}).connect()
			s.edit = func(r *livekit.JoinRequest) { r.ClientInfo.Sdk = livekit.ClientInfo_GO }
			if !s.single {
				s.query = map[string][]string{"sdk": {"go"}}
			}
			muted := func(r *livekit.AddTrackRequest) { r.Muted = true }
			voice, camera := alice.publish(livekit.TrackType_AUDIO, "voice", muted), alice.publish(livekit.TrackType_VIDEO, "camera", muted)
			bob := rawJoin(t, j, "bob", s).connect()
			bob.until("both tracks", func() bool { return bob.tracks[voice.sid()] != nil && bob.tracks[camera.sid()] != nil })
		})
	})
	row(t, "sub-speakers", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		alice, voice := talker(t, j, room)
		bob := rawJoin(t, j, "bob", rawSetup{room: room}).connect()
		bob.receives(voice.sid(), 5)
		loud := alice.levels(voice, 20)
		bob.wait("alice speaks", func(m *livekit.SignalResponse) bool {
			return slices.ContainsFunc(m.GetSpeakersChanged().GetSpeakers(), func(s *livekit.SpeakerInfo) bool {
				return s.Sid == alice.sid() && s.Active && s.Level > 0 && s.Level <= 1
			})
		})
		alice.wait("she is told herself", func(m *livekit.SignalResponse) bool { return m.GetSpeakersChanged() != nil })
		loud()
		bob.wait("alice stops", func(m *livekit.SignalResponse) bool {
			return slices.ContainsFunc(m.GetSpeakersChanged().GetSpeakers(), func(s *livekit.SpeakerInfo) bool { return s.Sid == alice.sid() && !s.Active })
		})
		for _, u := range allOf(bob, (*livekit.SignalResponse).GetSpeakersChanged) {
			if len(u.Speakers) == 0 {
				t.Error("an update without a change")
			}
		}
		// Who gives up a speaker's track is told that they stopped.
		stop := alice.levels(voice, 20)
		defer stop()
		bob.forget()
		bob.wait("alice speaks again", func(m *livekit.SignalResponse) bool {
			return slices.ContainsFunc(m.GetSpeakersChanged().GetSpeakers(), func(s *livekit.SpeakerInfo) bool { return s.Active })
		})
		bob.forget()
		bob.send(subscribe(false, voice.sid()))
		bob.wait("alice is silent", func(m *livekit.SignalResponse) bool {
			return slices.ContainsFunc(m.GetSpeakersChanged().GetSpeakers(), func(s *livekit.SpeakerInfo) bool { return s.Sid == alice.sid() && !s.Active })
		})
	})
	row(t, "sub-dynacast", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice := rawJoin(t, j, "alice", s).connect()
			camera := alice.publish(livekit.TrackType_VIDEO, "camera", func(r *livekit.AddTrackRequest) {
				r.Layers = []*livekit.VideoLayer{
					{Quality: livekit.VideoQuality_LOW, Width: 160, Height: 90},
					{Quality: livekit.VideoQuality_MEDIUM, Width: 320, Height: 180},
					{Quality: livekit.VideoQuality_HIGH, Width: 640, Height: 360},
				}
			})
			bob := rawJoin(t, j, "bob", rawSetup{room: s.room}).connect()
			told := func(what string, want ...livekit.VideoQuality) {
				t.Helper()
				alice.wait(what, func(m *livekit.SignalResponse) bool {
					u := m.GetSubscribedQualityUpdate()
					if u.GetTrackSid() != camera.sid() || len(u.SubscribedCodecs) == 0 {
						return false
					}
					var on []livekit.VideoQuality
					for _, q := range u.SubscribedCodecs[0].Qualities {
						if q.Enabled {
							on = append(on, q.Quality)
						}
					}
					return slices.Equal(on, want)
				})
				alice.forget()
			}
			bob.wait("section", func(m *livekit.SignalResponse) bool { return strings.Contains(m.GetOffer().GetSdp(), camera.sid()) })
			bob.send(settings(&livekit.UpdateTrackSettings{TrackSids: []string{camera.sid()}, Quality: livekit.VideoQuality_LOW}))
			told("the small one is wanted", livekit.VideoQuality_LOW)
			bob.send(settings(&livekit.UpdateTrackSettings{TrackSids: []string{camera.sid()}, Disabled: true}))
			told("none is wanted")
			bob.send(settings(&livekit.UpdateTrackSettings{TrackSids: []string{camera.sid()}, Quality: livekit.VideoQuality_MEDIUM}))
			told("two are wanted", livekit.VideoQuality_LOW, livekit.VideoQuality_MEDIUM)
		})
	})
	row(t, "sub-stream-state", func(t *testing.T) {
		both(t, func(t *testing.T, j *journal, s rawSetup) {
			alice, voice := talker(t, j, s.room)
			camera := alice.publish(livekit.TrackType_VIDEO, "camera")
			camera.play()
			bob := rawJoin(t, j, "bob", s).connect()
			bob.receives(camera.sid(), 5)
			bob.receives(voice.sid(), 5)
			told := func(state livekit.StreamState) {
				t.Helper()
				bob.wait(state.String(), func(m *livekit.SignalResponse) bool {
					return slices.ContainsFunc(m.GetStreamStateUpdate().GetStreamStates(), func(s *livekit.StreamStateInfo) bool {
						return s.TrackSid == camera.sid() && s.ParticipantSid == alice.sid() && s.State == state
					})
				})
			}
			narrow := func(bps int64) {
				bob.forget()
				bob.send(simulate(&livekit.SimulateScenario{Scenario: &livekit.SimulateScenario_SubscriberBandwidth{SubscriberBandwidth: bps}}))
			}
			narrow(30_000)
			told(livekit.StreamState_PAUSED)
			bob.moreOf(voice.sid(), 50) // sound goes on
			narrow(0)
			told(livekit.StreamState_ACTIVE)
			bob.moreOf(camera.sid(), 5)
		})
	})
	row(t, "sub-permission", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		alice, voice := talker(t, j, room)
		bob, carol := rawJoin(t, j, "bob", rawSetup{room: room}).connect(), rawJoin(t, j, "carol", rawSetup{room: room}).connect()
		tape := rawJoin(t, j, "tape", rawSetup{room: room, grant: func(_ *auth.AccessToken, g *auth.VideoGrant) { g.Recorder = true }}).connect()
		for _, c := range []*rawClient{bob, carol, tape} {
			c.receives(voice.sid(), 5)
		}
		allow := func(p *livekit.SubscriptionPermission) {
			alice.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_SubscriptionPermission{SubscriptionPermission: p}})
		}
		told := func(c *rawClient, want bool) {
			t.Helper()
			c.wait("SubscriptionPermissionUpdate", func(m *livekit.SignalResponse) bool {
				u := m.GetSubscriptionPermissionUpdate()
				return u.GetTrackSid() == voice.sid() && u.ParticipantSid == alice.sid() && u.Allowed == want
			})
		}
		allow(&livekit.SubscriptionPermission{TrackPermissions: []*livekit.TrackPermission{{ParticipantIdentity: "carol", AllTracks: true}}})
		told(bob, false)
		carol.settle()
		carol.moreOf(voice.sid(), 25)
		bob.mu.Lock()
		n := bob.packets[voice.sid()]
		bob.mu.Unlock()
		tape.moreOf(voice.sid(), 25) // recorders are exempt
		bob.mu.Lock()
		more := bob.packets[voice.sid()] - n
		bob.mu.Unlock()
		if more > 0 {
			t.Errorf("bob hears %d more packets of what he may not", more)
		}
		if slices.Contains(carol.names(), "SubscriptionPermissionUpdate") {
			t.Error("carol is told though nothing changed for her")
		}
		bob.forget()
		allow(&livekit.SubscriptionPermission{TrackPermissions: []*livekit.TrackPermission{{ParticipantSid: bob.sid(), TrackSids: []string{voice.sid()}}}})
		told(bob, true)
		bob.moreOf(voice.sid(), 5)
		told(carol, false)
		carol.forget()
		allow(&livekit.SubscriptionPermission{AllParticipants: true})
		told(carol, true)
		carol.moreOf(voice.sid(), 5)
	})
}

func subscribe(yes bool, sids ...string) *livekit.SignalRequest {
	return &livekit.SignalRequest{Message: &livekit.SignalRequest_Subscription{Subscription: &livekit.UpdateSubscription{TrackSids: sids, Subscribe: yes}}}
}

func settings(s *livekit.UpdateTrackSettings) *livekit.SignalRequest {
	return &livekit.SignalRequest{Message: &livekit.SignalRequest_TrackSetting{TrackSetting: s}}
}

// levels makes a track as loud as said, in -dBov, until it is called back.
func (c *rawClient) levels(tr *rawTrack, level uint8) (silent func()) {
	tr.loud.Store(int32(level))
	return func() { tr.loud.Store(0) }
}
