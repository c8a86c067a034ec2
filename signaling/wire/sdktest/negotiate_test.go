package sdktest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
)

func noRights(_ *auth.AccessToken, g *auth.VideoGrant) {
	g.SetCanSubscribe(false)
	g.SetCanPublish(false)
	g.SetCanPublishData(false)
}

func TestTwoConnections(t *testing.T) {
	t.Parallel()
	row(t, "pc-dual-first-offer break-primary", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "alice", rawSetup{room: roomName(t), manual: true})
		offer := c.wait("offer", func(m *livekit.SignalResponse) bool { return m.GetOffer() != nil }).GetOffer()
		if !strings.Contains(offer.Sdp, "m=application ") || offer.Type != "offer" {
			t.Errorf("the first offer has no section for data:\n%s", offer.Sdp)
		}
		c.s.manual = false
		c.connect()
	})
	row(t, "pc-dual-one-offer", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice, bob := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s).connect()
		bob.settle()
		bob.mu.Lock()
		bob.s.manual = true
		bob.mu.Unlock()
		bob.forget()
		var sids []string
		for _, cid := range []string{"a", "b", "c"} {
			sids = append(sids, alice.publish(livekit.TrackType_AUDIO, cid).sid())
		}
		bob.info("alice", "has three tracks", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 3 })
		bob.settle()
		offers := allOf(bob, (*livekit.SignalResponse).GetOffer)
		if len(offers) != 1 {
			t.Fatalf("%d offers are out at once", len(offers))
		}
		bob.answer(offers[0])
		var second *livekit.SessionDescription
		bob.until("second offer", func() bool {
			for _, m := range bob.log {
				if o := m.GetOffer(); o != nil && o.Id != offers[0].Id {
					second = o
				}
			}
			return second != nil
		})
		for _, sid := range sids {
			if !strings.Contains(second.Sdp, sid) {
				t.Errorf("the second offer lacks %s", sid)
			}
		}
		bob.answer(second)
		bob.settle()
		if n := len(allOf(bob, (*livekit.SignalResponse).GetOffer)); n != 2 {
			t.Errorf("three tracks took %d offers", n)
		}
	})
	row(t, "pc-dual-publisher-first", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "alice", rawSetup{room: roomName(t), grant: func(_ *auth.AccessToken, g *auth.VideoGrant) { g.SetCanSubscribe(false) }}).connect()
		c.settle()
		if n := len(allOf(c, (*livekit.SignalResponse).GetOffer)); n > 0 {
			t.Errorf("who may not subscribe gets %d offers", n)
		}
		c.publish(livekit.TrackType_AUDIO, "voice")
	})
	row(t, "pc-data-labels", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice, bob := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s)
		bob.makePeers()
		odd, err := bob.pub.CreateDataChannel("something-else", nil)
		if err != nil {
			t.Fatal(err)
		}
		bob.openChannels()
		bob.negotiate()
		bob.info("bob", "is active", inState(livekit.ParticipantInfo_ACTIVE))
		bob.until("the server's channels", func() bool {
			return slices.Contains(bob.opened, "_reliable") && slices.Contains(bob.opened, "_lossy")
		})
		j.wait("the odd channel is open", func() bool { return odd.ReadyState() == webrtc.DataChannelStateOpen })
		if err := odd.Send(encode(t, user("by a channel nobody knows"))); err != nil {
			t.Fatal(err)
		}
		bob.say("_reliable", user("by one that is known"))
		alice.heard("by one that is known")
		alice.mu.Lock()
		defer alice.mu.Unlock()
		if len(alice.data) != 1 {
			t.Errorf("alice heard %v", alice.data)
		}
	})
}

func TestOneConnection(t *testing.T) {
	t.Parallel()
	crowd := func(t *testing.T, j *journal, room string, kind livekit.TrackType, n int) (*rawClient, []*rawTrack) {
		t.Helper()
		bob := rawJoin(t, j, "bob", rawSetup{room: room}).connect()
		var tracks []*rawTrack
		for i := range n {
			tr := bob.publish(kind, "track"+string(rune('a'+i)))
			tr.play()
			tracks = append(tracks, tr)
		}
		return bob, tracks
	}
	row(t, "pc-single-client-offers", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		_, tracks := crowd(t, j, room, livekit.TrackType_AUDIO, 2)
		alice := rawJoin(t, j, "alice", rawSetup{room: room, single: true}).connect()
		for _, tr := range tracks {
			alice.receives(tr.sid(), 5)
		}
		alice.publish(livekit.TrackType_AUDIO, "own")
		if n := len(allOf(alice, (*livekit.SignalResponse).GetOffer)); n > 0 {
			t.Errorf("the server offered %d times", n)
		}
	})
	row(t, "pc-single-join-offer", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		alice := rawPrepare(t, j, "alice", rawSetup{room: room, single: true})
		alice.connectAt(livekit.TrackType_AUDIO, "voice")
		names := alice.names()
		if answer := slices.Index(names, "Answer"); answer < 1 || names[0] != "Join" {
			t.Errorf("messages came as %v", names)
		}
	})
	row(t, "pc-single-missing", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		_, tracks := crowd(t, j, room, livekit.TrackType_VIDEO, 5)
		alice := rawJoin(t, j, "alice", rawSetup{room: room, single: true}).connect()
		for _, tr := range tracks {
			alice.receives(tr.sid(), 5)
		}
		wanted := allOf(alice, (*livekit.SignalResponse).GetMediaSectionsRequirement)
		if len(wanted) == 0 || wanted[0].NumVideos != 2 || wanted[0].NumAudios != 0 {
			t.Errorf("with three free sections and five pictures, the server misses %v", wanted)
		}
	})
	row(t, "pc-single-pending", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		bob, _ := crowd(t, j, room, livekit.TrackType_AUDIO, 1)
		alice := rawJoin(t, j, "alice", rawSetup{room: room, single: true, manual: true}).connect()
		bob.publish(livekit.TrackType_AUDIO, "x") // the first track was in the answer to the join
		alice.wait("requirement", func(m *livekit.SignalResponse) bool { return m.GetMediaSectionsRequirement() != nil })
		for _, cid := range []string{"y", "z"} {
			bob.publish(livekit.TrackType_AUDIO, cid)
		}
		alice.info("bob", "has four tracks", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 4 })
		alice.settle()
		if n := len(allOf(alice, (*livekit.SignalResponse).GetMediaSectionsRequirement)); n != 1 {
			t.Errorf("%d requirements are out at once", n)
		}
		alice.negotiate() // three of the four fit
		alice.wait("what is missing now", func(m *livekit.SignalResponse) bool {
			r := m.GetMediaSectionsRequirement()
			return r.GetNumAudios() == 1 && r.NumVideos == 0
		})
	})
	row(t, "pc-single-reuse", func(t *testing.T) {
		j := newJournal(t)
		room := roomName(t)
		bob, tracks := crowd(t, j, room, livekit.TrackType_VIDEO, 1)
		alice := rawJoin(t, j, "alice", rawSetup{room: room, single: true}).connect()
		alice.receives(tracks[0].sid(), 5)
		sections := len(alice.pub.GetTransceivers())
		tr := tracks[0]
		for i := range 4 {
			tr.unpublish()
			alice.info("bob", "has no track", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 0 })
			alice.forget()
			tr = bob.publish(livekit.TrackType_VIDEO, "again"+string(rune('a'+i)))
			tr.play()
			alice.receives(tr.sid(), 5)
		}
		if n := len(alice.pub.GetTransceivers()); n != sections {
			t.Errorf("alice had %d sections and has %d", sections, n)
		}
	})
}

func TestDescriptions(t *testing.T) {
	t.Parallel()
	both := func(t *testing.T, f func(t *testing.T, s rawSetup)) {
		for _, single := range []bool{false, true} {
			f(t, rawSetup{room: roomName(t), single: single})
		}
	}
	row(t, "pc-lobby", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			s.grant = noRights
			rawJoin(t, j, "guest", s).connect()
		})
	})
	row(t, "pc-answer-id break-answer", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			c := rawJoin(t, j, "alice", s)
			c.makePeers()
			c.openChannels()
			for _, id := range []uint32{41, 7, 0, 4_000_000_000} {
				c.offerID = id - 1
				if a := c.negotiate(); a.GetId() != id || a.GetType() != "answer" {
					t.Errorf("offer %d is answered by %s %d", id, a.GetType(), a.GetId())
				}
			}
		})
	})
	row(t, "pc-every-offer break-answer", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			c := rawJoin(t, j, "alice", s)
			c.makePeers()
			c.openChannels()
			first, got := c.offer(nil)
			for id := first.Id + 1; id < first.Id+6; id++ {
				c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Offer{Offer: &livekit.SessionDescription{Type: "offer", Sdp: first.Sdp, Id: id}}})
			}
			c.apply(<-got)
			c.wait("last answer", func(m *livekit.SignalResponse) bool { return m.GetAnswer().GetId() == first.Id+5 })
			var ids []uint32
			for _, a := range allOf(c, (*livekit.SignalResponse).GetAnswer) {
				ids = append(ids, a.Id-first.Id)
			}
			if !slices.Equal(ids, []uint32{0, 1, 2, 3, 4, 5}) {
				t.Errorf("answered %v", ids)
			}
			c.info("alice", "is active", inState(livekit.ParticipantInfo_ACTIVE))
		})
	})
	row(t, "pc-mid-map", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			bob := rawJoin(t, j, "bob", rawSetup{room: s.room}).connect()
			audio, video := bob.publish(livekit.TrackType_AUDIO, "voice"), bob.publish(livekit.TrackType_VIDEO, "camera")
			audio.play()
			video.play()
			alice := rawJoin(t, j, "alice", s).connect()
			alice.receives(audio.sid(), 5)
			alice.receives(video.sid(), 5)
			last := alice.lastOfServer()
			for _, tr := range []*rawTrack{audio, video} {
				mid := midOf(last.Sdp, tr.sid())
				if mid == "" || last.MidToTrackId[mid] != tr.sid() {
					t.Errorf("%s is on mid %q, mid_to_track_id is %v", tr.sid(), mid, last.MidToTrackId)
				}
			}
			if len(last.MidToTrackId) != 2 {
				t.Errorf("mid_to_track_id is %v", last.MidToTrackId)
			}
		})
	})
	row(t, "pc-bundle", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			c := rawJoin(t, j, "alice", s).connect()
			c.publish(livekit.TrackType_AUDIO, "voice")
			var all []*livekit.SessionDescription
			all = append(all, allOf(c, (*livekit.SignalResponse).GetAnswer)...)
			all = append(all, allOf(c, (*livekit.SignalResponse).GetOffer)...)
			for _, d := range all {
				media := strings.Contains(d.Sdp, "m=audio")
				if !strings.Contains(d.Sdp, "a=group:BUNDLE ") || !strings.Contains(d.Sdp, "a=ice-lite") || media && !strings.Contains(d.Sdp, "a=rtcp-mux") {
					t.Errorf("%s:\n%s", d.Type, d.Sdp)
				}
			}
		})
	})
	row(t, "pc-extensions", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			c := rawJoin(t, j, "alice", s).connect()
			c.addTrack(livekit.TrackType_AUDIO, "voice")
			c.addTrack(livekit.TrackType_VIDEO, "camera")
			c.addSender(livekit.TrackType_AUDIO, "voice")
			c.addSender(livekit.TrackType_VIDEO, "camera")
			sdp := c.negotiate().GetSdp()
			for _, want := range []string{
				mid, rid, repairedRID, transportCC, "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
				" rtx/90000", " nack\r\n", " nack pli\r\n", " ccm fir\r\n", " transport-cc\r\n",
			} {
				if !strings.Contains(sdp, want) {
					t.Errorf("the answer lacks %q", want)
				}
			}
		})
	})
	row(t, "pc-candidates", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			c := rawJoin(t, j, "alice", s)
			for _, text := range []string{
				`{"candidate":"candidate:1 1 udp 2130706431 127.0.0.1 9 typ host","sdpMid":"0","sdpMLineIndex":0}`,
				`{"candidate":"candidate:2 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active","sdpMid":"0","sdpMLineIndex":0}`,
				`{"candidate":"candidate:3 1 udp 1 b8f1e2c0.local 9 typ host","sdpMid":"0"}`,
				`{"candidate":""}`, `{"candidate":"nonsense"}`, `nonsense`, ``,
			} {
				for _, target := range []livekit.SignalTarget{livekit.SignalTarget_PUBLISHER, livekit.SignalTarget_SUBSCRIBER} {
					c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Trickle{Trickle: &livekit.TrickleRequest{CandidateInit: text, Target: target}}})
				}
			}
			c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Trickle{Trickle: &livekit.TrickleRequest{Final: true}}})
			c.connect()
		})
	})
	row(t, "pc-connect-time", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			began := time.Now()
			rawJoin(t, j, "alice", s).connect()
			if d := time.Since(began); d > 15*time.Second {
				t.Errorf("to be active took %s", d)
			}
		})
	})
	row(t, "pc-data-size", func(t *testing.T) {
		both(t, func(t *testing.T, s rawSetup) {
			j := newJournal(t)
			alice, bob := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s).connect()
			for _, label := range []string{"_reliable", "_lossy"} {
				text := strings.Repeat("x", 63_900) + label
				alice.say(label, user(text))
				if label == "_reliable" {
					bob.heard(text)
				}
			}
			alice.say("_reliable", user("after"))
			bob.heard("after")
			if !regexp.MustCompile(`a=max-message-size:(\d{6,}|6553[5-9])`).MatchString(alice.lastOfServer().Sdp) {
				t.Error("the server names no max-message-size of 65535 and more")
			}
		})
	})
}

// lastOfServer is the newest description that carries what the server sends.
func (c *rawClient) lastOfServer() *livekit.SessionDescription {
	c.t.Helper()
	all := allOf(c, (*livekit.SignalResponse).GetOffer)
	if c.s.single {
		all = allOf(c, (*livekit.SignalResponse).GetAnswer)
	}
	if len(all) == 0 {
		c.t.Fatalf("%s got no description", c.name)
	}
	return all[len(all)-1]
}

// midOf finds the section whose msid names a track.
func midOf(sdp, track string) string {
	for _, section := range strings.Split(sdp, "\r\nm=")[1:] {
		if !strings.Contains(section, track) {
			continue
		}
		for line := range strings.SplitSeq(section, "\r\n") {
			if mid, ok := strings.CutPrefix(line, "a=mid:"); ok {
				return mid
			}
		}
	}
	return ""
}

// unpublish takes the track off its section and offers.
func (t *rawTrack) unpublish() {
	t.c.t.Helper()
	if err := t.c.pub.RemoveTrack(t.tr.Sender()); err != nil {
		t.c.t.Fatal(err)
	}
	t.c.negotiate()
}
