package wire_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"

	"aparte/sfu"
	"aparte/sfu/transport"
	"aparte/signaling/wire"
)

func isUpdate(m *livekit.SignalResponse) bool { return m.GetUpdate() != nil }

// grants waits for a refresh_token that says what match wants.
func (c *client) grants(what string, match func(*auth.ClaimGrants) bool) {
	c.t.Helper()
	c.wait("refresh_token "+what, func(m *livekit.SignalResponse) bool {
		if m.GetRefreshToken() == "" {
			return false
		}
		v, err := auth.ParseAPIToken(m.GetRefreshToken())
		if err != nil {
			c.t.Error(err)
			return false
		}
		_, claims, err := v.Verify(apiSecret)
		if err != nil {
			c.t.Error(err)
			return false
		}
		return match(claims)
	})
}

// A client comes back with the token it was given last: were it signed with the
// rights of the join, a withdrawn right would be back.
func TestRefreshSignsWhatWasRuledSince(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(false, s.token("ann", "r"))
	ann.grants("after the join", func(g *auth.ClaimGrants) bool { return g.Video.GetCanPublish() && g.Name == "ann's name" })
	ann.forget()
	s.sfu.Integration().SetPermission("r", "ann", &livekit.ParticipantPermission{
		CanSubscribe: true, CanPublish: true, CanUpdateMetadata: true,
		CanPublishSources: []livekit.TrackSource{livekit.TrackSource_MICROPHONE},
	})
	ann.grants("after the change", func(g *auth.ClaimGrants) bool {
		return g.Video.GetCanPublish() && !g.Video.GetCanPublishData() && g.Video.RoomJoin && g.Video.Room == "r" &&
			slices.Equal(g.Video.GetCanPublishSources(), []livekit.TrackSource{livekit.TrackSource_MICROPHONE})
	})
	ann.mu.Lock()
	told := slices.IndexFunc(ann.log, isUpdate)
	signed := slices.IndexFunc(ann.log, func(m *livekit.SignalResponse) bool { return m.GetRefreshToken() != "" })
	if told < 0 || told > signed {
		t.Errorf("ParticipantUpdate is message %d, refresh_token %d: %s", told, signed, kinds(ann.log))
	}
	ann.mu.Unlock()
	ann.forget()
	ann.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{
		Name: "Ann", Metadata: "m", Attributes: map[string]string{"k": "v"},
	}}})
	ann.grants("after her metadata", func(g *auth.ClaimGrants) bool {
		return g.Name == "Ann" && g.Metadata == "m" && g.Attributes["k"] == "v" && !g.Video.GetCanPublishData()
	})
}

// The token of the join may be used to come back: what was ruled since stays.
func TestResumeWithAnOldTokenKeepsWhatWasRuled(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		old := s.token("ann", "r")
		ann := s.connect(single, old)
		if !s.sfu.Integration().SetPermission("r", "ann", &livekit.ParticipantPermission{CanSubscribe: true}) {
			t.Fatal("ann is not in")
		}
		ann.resume(s, old, &livekit.SyncState{})
		p := ann.info("ann", "in the list", func(p *livekit.ParticipantInfo) bool { return p.Identity == "ann" })
		if p.Permission.GetCanPublish() || p.Permission.GetCanPublishData() {
			t.Errorf("the old token gave back %v", p.Permission)
		}
	})
}

func TestGrantedAtRunTime(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		mic, _, micInfo := ann.publish(audio, "mic")
		feed(t, mic, nil)
		bob := s.connect(single, s.token("bob", "r", noPublish, noSubscribe, noData))
		if bob.joined.SubscriberPrimary {
			t.Error("subscriber primary without the right to subscribe")
		}
		bob.sendData("_reliable", user("too early"))
		s.eventually("a refused packet", func() bool { return s.sfu.Stats().DataNotAllowed == 1 })
		s.sfu.Integration().SetPermission("r", "bob", &livekit.ParticipantPermission{CanSubscribe: true, CanPublish: true, CanPublishData: true})
		bob.flows(micInfo.Sid)
		cam, _, camInfo := bob.publish(video, "cam")
		feed(t, cam, nil)
		ann.flows(camInfo.Sid)
		bob.sendData("_reliable", user("now"))
		ann.until("bob's data", func() bool { return len(ann.data) > 0 })
		ann.mu.Lock()
		if got := ann.texts(); len(got) != 1 || got[0] != "now" {
			t.Errorf("ann got %q", got)
		}
		ann.mu.Unlock()
		ann.sendData("_reliable", user("hello"))
		bob.until("ann's data", func() bool { return len(bob.data) == 1 })

		// And taken away again.
		s.sfu.Integration().SetPermission("r", "bob", &livekit.ParticipantPermission{CanPublish: true})
		bob.quiet(micInfo.Sid)
		ann.info("bob", "without the right to subscribe", func(p *livekit.ParticipantInfo) bool {
			return !p.Permission.GetCanSubscribe() && p.Permission.GetCanPublish() && len(p.Tracks) == 1
		})
		ann.mu.Lock()
		ann.packets[camInfo.Sid] = 0
		ann.mu.Unlock()
		ann.flows(camInfo.Sid) // what is still allowed goes on
	})
}

// Rights may be per source: the others' tracks stay.
func TestSourceRevokedAtRunTime(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(false, s.token("bob", "r"))
	mic, _, micInfo := ann.publish(audio, "mic")
	cam, _, camInfo := ann.publish(video, "cam")
	feed(t, mic, nil)
	feed(t, cam, nil)
	bob.flows(micInfo.Sid)
	bob.flows(camInfo.Sid)
	waiting := ann.addTrack(video, "screen", func(r *livekit.AddTrackRequest) { r.Source = livekit.TrackSource_SCREEN_SHARE })
	s.sfu.Integration().SetPermission("r", "ann", &livekit.ParticipantPermission{
		CanSubscribe: true, CanPublish: true, CanPublishSources: []livekit.TrackSource{livekit.TrackSource_MICROPHONE},
	})
	for _, sid := range []string{camInfo.Sid, waiting.Sid} {
		ann.wait("TrackUnpublished", func(m *livekit.SignalResponse) bool { return m.GetTrackUnpublished().GetTrackSid() == sid })
	}
	bob.info("ann", "with her microphone alone", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 && p.Tracks[0].Sid == micInfo.Sid })
	bob.quiet(camInfo.Sid)
	bob.mu.Lock()
	bob.packets[micInfo.Sid] = 0
	bob.mu.Unlock()
	bob.flows(micInfo.Sid)
}

func TestDataRightRevokedMidFlow(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	say := func(seq uint32) {
		p := user(fmt.Sprint(seq))
		p.Sequence = seq
		ann.sendData("_reliable", p)
	}
	say(1)
	bob.until("the first", func() bool { return len(bob.data) == 1 })
	may := &livekit.ParticipantPermission{CanSubscribe: true, CanPublish: true, CanPublishData: true, CanUpdateMetadata: true}
	not := &livekit.ParticipantPermission{CanSubscribe: true, CanPublish: true, CanUpdateMetadata: true}
	s.sfu.Integration().SetPermission("r", "ann", not)
	ann.info("ann", "without the right", func(p *livekit.ParticipantInfo) bool { return !p.Permission.GetCanPublishData() })
	say(2)
	s.eventually("a refused packet", func() bool { return s.sfu.Stats().DataNotAllowed == 1 })
	ann.resume(s, s.token("ann", "r"), &livekit.SyncState{})
	r := ann.wait("reconnect", func(m *livekit.SignalResponse) bool { return m.GetReconnect() != nil }).GetReconnect()
	if r.LastMessageSeq != 1 {
		t.Errorf("last_message_seq %d: what was refused was not taken", r.LastMessageSeq)
	}
	s.sfu.Integration().SetPermission("r", "ann", may)
	ann.info("ann", "with the right", func(p *livekit.ParticipantInfo) bool { return p.Permission.GetCanPublishData() })
	say(3)
	bob.until("the third", func() bool { return len(bob.data) == 2 })
	bob.mu.Lock()
	defer bob.mu.Unlock()
	if got := fmt.Sprint(bob.texts()); got != "[1 3]" {
		t.Errorf("bob got %s", got)
	}
}

// meetingRooms is an Authorizer of a meeting's rooms: the token is the identity.
type meetingRooms struct {
	mu     sync.Mutex
	grants map[string]*wire.Grant
}

func (a *meetingRooms) set(identity string, edit func(*auth.VideoGrant)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.grants == nil {
		a.grants = map[string]*wire.Grant{}
	}
	v := &auth.VideoGrant{RoomJoin: true, Room: "m"}
	edit(v)
	a.grants[identity] = &wire.Grant{ID: "grant of " + identity, Room: "m", Space: sfu.MeetingSpace, Identity: identity, Video: v, Expires: time.Now().Add(time.Minute)}
}

func (a *meetingRooms) Authorize(_ context.Context, text string) (*wire.Grant, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if g := a.grants[text]; g != nil {
		return g, nil
	}
	return nil, wire.ErrUnauthorized
}

func (a *meetingRooms) Refresh(_ context.Context, g *wire.Grant) (string, error) {
	return fmt.Sprintf("%s: %v", g.ID, g.Video.GetCanSubscribe()), nil
}

func lobbyToken(v *auth.VideoGrant) {
	v.SetCanPublish(false)
	v.SetCanSubscribe(false)
	v.SetCanPublishData(false)
}

// Who waits in a meeting's lobby connects and learns nothing; when let in, it is
// told of everybody before any SDP.
func TestLobbyOfAMeeting(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		a := &meetingRooms{}
		a.set("host", func(v *auth.VideoGrant) { v.RoomAdmin = true })
		a.set("ann", func(*auth.VideoGrant) {})
		a.set("guest", lobbyToken)
		s := newServer(t, func(_ *transport.Config, _ *sfu.Config, c *wire.Config) { c.Authorizer = a },
			timing(func(t *sfu.Timing) { t.Counts = 50 * time.Millisecond; t.Tick = 50 * time.Millisecond }))
		host := s.connect(single, "host")
		ann := s.connect(single, "ann")
		mic, _, micInfo := ann.publish(audio, "mic")
		feed(t, mic, nil)
		host.flows(micInfo.Sid)
		guest := s.connect(single, "guest") // on data channels alone
		if j := guest.joined; len(j.OtherParticipants) != 0 || j.Room.NumParticipants != 0 || j.SubscriberPrimary || j.FastPublish {
			t.Errorf("the lobby is told %v", j)
		}
		host.info("guest", "waiting, told to the administrator", func(p *livekit.ParticipantInfo) bool { return p.State == livekit.ParticipantInfo_ACTIVE })
		guest.sendData("_reliable", user("let me in"))
		ann.sendData("_reliable", user("secret"))
		host.until("ann's data", func() bool { return len(host.data) == 1 })
		bob := s.join(single, "ann") // takes her place: the room talks about it
		bob.close()
		guest.mu.Lock()
		for _, m := range guest.log {
			if m.GetRoomUpdate() != nil || m.GetSpeakersChanged() != nil || m.GetOffer() != nil || m.GetMediaSectionsRequirement() != nil {
				t.Errorf("the lobby heard %v", m)
			}
			for _, p := range m.GetUpdate().GetParticipants() {
				if p.Identity != "guest" {
					t.Errorf("the lobby heard of %v", p)
				}
			}
		}
		if len(guest.data) != 0 {
			t.Errorf("the lobby got %v", guest.data)
		}
		guest.mu.Unlock()
		ann.mu.Lock()
		for _, m := range ann.log {
			for _, p := range m.GetUpdate().GetParticipants() {
				if p.Identity == "guest" {
					t.Errorf("ann heard of the lobby: %v", p)
				}
			}
			if n := m.GetRoomUpdate().GetRoom().GetNumParticipants(); n > 2 {
				t.Errorf("the lobby is counted: %d", n)
			}
		}
		ann.mu.Unlock()

		back, _, backInfo := host.publish(audio, "mic")
		feed(t, back, nil)
		guest.forget()
		a.set("guest", func(*auth.VideoGrant) {})
		g, err := a.Authorize(t.Context(), "guest")
		if err != nil {
			t.Fatal(err)
		}
		s.sfu.Meetings().SetPermission("m", "guest", g.Video.ToPermission())
		guest.flows(backInfo.Sid)
		guest.wait("refresh_token", func(m *livekit.SignalResponse) bool { return m.GetRefreshToken() == "grant of guest: true" })
		host.info("guest", "let in", func(p *livekit.ParticipantInfo) bool { return p.Permission.GetCanSubscribe() })
		guest.mu.Lock()
		defer guest.mu.Unlock()
		first := guest.log[slices.IndexFunc(guest.log, isUpdate)].GetUpdate()
		all := map[string]bool{}
		for _, p := range first.Participants {
			all[p.Identity] = true
		}
		if !all["host"] || !all["guest"] {
			t.Errorf("the first update names %v", all)
		}
		sdp := slices.IndexFunc(guest.log, func(m *livekit.SignalResponse) bool {
			return m.GetOffer() != nil || m.GetAnswer() != nil || m.GetMediaSectionsRequirement() != nil
		})
		if at := slices.IndexFunc(guest.log, isUpdate); at > sdp {
			t.Errorf("update at %d, SDP at %d", at, sdp)
		}
	})
}
