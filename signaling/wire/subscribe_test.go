package wire_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
)

func allow(p ...*livekit.TrackPermission) *livekit.SignalRequest {
	return &livekit.SignalRequest{Message: &livekit.SignalRequest_SubscriptionPermission{
		SubscriptionPermission: &livekit.SubscriptionPermission{TrackPermissions: p},
	}}
}

func (c *client) permission(sid string, allowed bool) {
	c.t.Helper()
	c.wait("SubscriptionPermissionUpdate", func(m *livekit.SignalResponse) bool {
		u := m.GetSubscriptionPermissionUpdate()
		return u.GetTrackSid() == sid && u.GetAllowed() == allowed
	})
}

// Whom a publisher's rule concerns is told, whenever track or participant came.
func TestSubscriptionPermissionOfLaterTracksAndParticipants(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	ann.send(allow())
	mic, _, info := ann.publish(audio, "mic")
	feed(t, mic, nil)
	bob.permission(info.Sid, false)
	bob.mu.Lock()
	announced := slices.IndexFunc(bob.log, func(m *livekit.SignalResponse) bool {
		return slices.ContainsFunc(m.GetUpdate().GetParticipants(), func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) > 0 })
	})
	if told := slices.IndexFunc(bob.log, func(m *livekit.SignalResponse) bool { return m.GetSubscriptionPermissionUpdate() != nil }); told < announced {
		t.Errorf("told of the rule at %d, of the track at %d", told, announced)
	}
	bob.mu.Unlock()
	late := s.connect(false, s.token("late", "r"))
	late.permission(info.Sid, false)
	// By sid, and this track alone.
	ann.send(allow(&livekit.TrackPermission{ParticipantSid: late.joined.Participant.Sid, TrackSids: []string{info.Sid}}))
	late.permission(info.Sid, true)
	late.flows(info.Sid)
	ann.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_SubscriptionPermission{
		SubscriptionPermission: &livekit.SubscriptionPermission{AllParticipants: true},
	}})
	bob.permission(info.Sid, true)
	bob.flows(info.Sid)
	// A resumed client has forgotten what it was told.
	ann.send(allow())
	bob.permission(info.Sid, false)
	bob.resume(s, s.token("bob", "r"), &livekit.SyncState{})
	bob.permission(info.Sid, false)
}

// A late joiner has the media in the first description: nothing is made anew when
// the connection is up.
func TestLateJoinerHasMediaInTheFirstDescription(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	mic, _, micInfo := ann.publish(audio, "mic")
	cam, _, camInfo := ann.publish(video, "cam")
	feed(t, mic, nil)
	feed(t, cam, nil)
	sids := []string{micInfo.Sid, camInfo.Sid}
	check := func(d *livekit.SessionDescription) {
		t.Helper()
		for _, sid := range sids {
			found := false
			for _, in := range d.MidToTrackId {
				found = found || in == sid
			}
			if !found || !strings.Contains(d.Sdp, ann.joined.Participant.Sid+"|"+sid+" "+sid) {
				t.Errorf("%s is not in the first %s", sid, d.Type)
			}
		}
	}
	t.Run("two connections", func(t *testing.T) {
		c := s.join(false, s.token("two", "r"))
		check(c.wait("offer", func(m *livekit.SignalResponse) bool { return m.GetOffer() != nil }).GetOffer())
		c.openChannels()
		c.negotiate()
		for _, sid := range sids {
			c.flows(sid)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		n := 0
		for _, m := range c.log {
			if m.GetOffer() != nil {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d offers for what was there from the beginning", n)
		}
	})
	t.Run("one connection, the offer in the join request", func(t *testing.T) {
		c := newClient(t, true)
		c.openChannels()
		o, err := c.pub.CreateOffer(nil)
		if err == nil {
			err = c.pub.SetLocalDescription(o)
		}
		if err != nil {
			t.Fatal(err)
		}
		c.dial(s, s.token("one", "r"), &livekit.JoinRequest{
			ClientInfo:         &livekit.ClientInfo{Protocol: 17},
			ConnectionSettings: &livekit.ConnectionSettings{AutoSubscribe: true},
			PublisherOffer:     &livekit.SessionDescription{Type: "offer", Sdp: o.SDP, Id: 1},
		})
		a := c.wait("answer", func(m *livekit.SignalResponse) bool { return m.GetAnswer() != nil }).GetAnswer()
		check(a)
		c.joined = c.wait("join", func(m *livekit.SignalResponse) bool { return m.GetJoin() != nil }).GetJoin()
		if err := c.pub.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.Sdp}); err != nil {
			t.Fatal(err)
		}
		for _, sid := range sids {
			c.flows(sid)
		}
	})
}

// A second offer before the first was answered: both are answered, in order.
func TestOfferDuringOffer(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		c := s.join(single, s.token("ann", "r"))
		c.openChannels()
		o, err := c.pub.CreateOffer(nil)
		if err != nil {
			t.Fatal(err)
		}
		for id := uint32(11); id < 14; id++ {
			c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{Offer: &livekit.SessionDescription{Type: "offer", Sdp: o.SDP, Id: id}}})
		}
		c.wait("the third answer", func(m *livekit.SignalResponse) bool { return m.GetAnswer().GetId() == 13 })
		c.mu.Lock()
		defer c.mu.Unlock()
		var ids []uint32
		for _, m := range c.log {
			if m.GetAnswer() != nil {
				ids = append(ids, m.GetAnswer().Id)
			}
		}
		if !slices.Equal(ids, []uint32{11, 12, 13}) {
			t.Errorf("answers %v", ids)
		}
	})
}

// Muted between the announcement and the first packet: the others see it muted.
func TestMuteBeforeTheFirstPacket(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		bob := s.connect(single, s.token("bob", "r"))
		mute := func(sid string, on bool) {
			ann.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Mute{Mute: &livekit.MuteTrackRequest{Sid: sid, Muted: on}}})
		}
		info := ann.addTrack(audio, "mic")
		mute(info.Sid, true) // before the offer
		mic, _ := ann.addSender(audio, "mic")
		ann.negotiate()
		bob.info("ann", "muted", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 && p.Tracks[0].Muted })
		mute(info.Sid, false)
		bob.info("ann", "open", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 && !p.Tracks[0].Muted })
		feed(t, mic, nil)
		bob.flows(info.Sid)
	})
}

// A join request may come by the path of v0 too, as Go's single connection does;
// and a padded one, in the other alphabet.
func TestJoinRequestOnThePathOfV0(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	raw, err := base64.RawURLEncoding.DecodeString(wrapped(t, &livekit.JoinRequest{ClientInfo: &livekit.ClientInfo{Protocol: 17}}, true))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{base64.RawURLEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw)} {
		resp := s.get("/rtc/validate?join_request="+text+"&access_token="+s.token("ann", "r"), nil)
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("%d", resp.StatusCode)
		}
	}
}
