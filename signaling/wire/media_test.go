package wire_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

const (
	audio = webrtc.RTPCodecTypeAudio
	video = webrtc.RTPCodecTypeVideo
)

// feed writes packets every 10 ms until stopped: for video each is a VP8 key
// frame, so that forwarding begins at once.
func feed(t *testing.T, track *webrtc.TrackLocalStaticRTP, level func(*rtp.Packet)) (stop func()) {
	t.Helper()
	done := make(chan struct{})
	var wg sync.WaitGroup
	payload := []byte{0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	step := uint32(480)
	if track.Kind() == video {
		step = 900
		// S bit, key frame 16x16 (RFC 7741; the frame header of RFC 6386).
		payload = []byte{0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x10, 0x00, 0x10, 0x00, 1, 2, 3}
	}
	wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		p := &rtp.Packet{Header: rtp.Header{Version: 2, Marker: true}, Payload: payload}
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			p.SequenceNumber++
			p.Timestamp += step
			out := *p
			if level != nil {
				level(&out)
			}
			_ = track.WriteRTP(&out) // a connection that is closing shows elsewhere
		}
	})
	var once sync.Once
	stop = func() { once.Do(func() { close(done); wg.Wait() }) }
	t.Cleanup(stop)
	return stop
}

func (c *client) flows(track string) {
	c.t.Helper()
	c.until("media of "+track, func() bool { return c.packets[track] > 5 })
}

func TestPublishAndSubscribe(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		bob := s.connect(single, s.token("bob", "r"))
		mic, _, micInfo := ann.publish(audio, "mic")
		cam, _, camInfo := ann.publish(video, "cam")
		back, _, backInfo := bob.publish(video, "cam")
		for _, tr := range []*webrtc.TrackLocalStaticRTP{mic, cam, back} {
			feed(t, tr, nil)
		}
		bob.flows(micInfo.Sid)
		bob.flows(camInfo.Sid)
		ann.flows(backInfo.Sid)
		late := s.connect(single, s.token("late", "r"))
		for _, info := range []*livekit.TrackInfo{micInfo, camInfo, backInfo} {
			late.flows(info.Sid)
			if !strings.HasPrefix(info.Sid, "TR_") {
				t.Errorf("sid %s", info.Sid)
			}
		}
		// The msid is what clients resolve tracks by.
		bob.mu.Lock()
		stream := bob.tracks[micInfo.Sid].StreamID()
		bob.mu.Unlock()
		if want := ann.joined.Participant.Sid + "|" + micInfo.Sid; stream != want {
			t.Errorf("stream id %q, want %q", stream, want)
		}
		ann.wait("TrackSubscribed", func(m *livekit.SignalResponse) bool { return m.GetTrackSubscribed().GetTrackSid() == micInfo.Sid })
	})
}

// Clients drop for good a track of a participant they have not heard of.
func TestUpdateComesBeforeTheSDP(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		bob := s.connect(single, s.token("bob", "r"))
		ann := s.connect(single, s.token("ann", "r"))
		_, _, info := ann.publish(audio, "mic")
		carries := func(m *livekit.SignalResponse) bool {
			for _, d := range []*livekit.SessionDescription{m.GetOffer(), m.GetAnswer()} {
				if d != nil && strings.Contains(d.Sdp, info.Sid) {
					if !slices.Contains(slices.Collect(maps.Values(d.MidToTrackId)), info.Sid) {
						t.Errorf("mid_to_track_id %v lacks %s", d.MidToTrackId, info.Sid)
					}
					return true
				}
			}
			return false
		}
		bob.wait("SDP with the track", carries)
		bob.mu.Lock()
		defer bob.mu.Unlock()
		announced := slices.IndexFunc(bob.log, func(m *livekit.SignalResponse) bool {
			return slices.ContainsFunc(m.GetUpdate().GetParticipants(), func(p *livekit.ParticipantInfo) bool {
				return p.Identity == "ann" && len(p.Tracks) > 0
			})
		})
		if sdp := slices.IndexFunc(bob.log, carries); announced < 0 || announced > sdp {
			t.Errorf("announced at message %d, SDP at %d", announced, sdp)
		}
	})
}

// A muted track sends nothing: it is announced when its section is negotiated.
func TestAnnouncedWithoutMedia(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(false, s.token("bob", "r"), goSDK)
	_, _, info := ann.publish(audio, "mic", func(r *livekit.AddTrackRequest) { r.Muted = true })
	p := bob.info("ann", "with a muted track", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 })
	if got := p.Tracks[0]; !got.Muted || got.Sid != info.Sid || got.Mid == "" || got.MimeType != "audio/opus" || got.Stream != "camera" {
		t.Errorf("track %v", got)
	}
	// Go clients report a track at its first packet, so there must be one.
	bob.until("a packet of the muted track", func() bool { return bob.packets[info.Sid] > 0 })
}

func TestMute(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	_, _, info := ann.publish(audio, "mic")
	for _, muted := range []bool{true, false} {
		ann.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Mute{Mute: &livekit.MuteTrackRequest{Sid: info.Sid, Muted: muted}}})
		for _, c := range []*client{ann, bob} {
			c.info("ann", "mute", func(p *livekit.ParticipantInfo) bool {
				return len(p.Tracks) == 1 && p.Tracks[0].Muted == muted
			})
			c.forget()
		}
	}
	// Somebody else's track stays as it is.
	bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Mute{Mute: &livekit.MuteTrackRequest{Sid: info.Sid, Muted: true}}})
	bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{Metadata: "x"}}})
	bob.wait("answer", func(m *livekit.SignalResponse) bool { return m.GetRequestResponse() != nil })
	for _, p := range s.sfu.Integration().Participants("r") {
		if p.Identity == "ann" && p.Tracks[0].Muted {
			t.Error("bob muted ann's track")
		}
	}
}

// The offer may come before AddTrack; and Firefox's msid never names the cid.
func TestOfferOvertakesAddTrack(t *testing.T) {
	t.Parallel()
	for _, cid := range []string{"named", "another id than in the msid"} {
		s := newServer(t)
		ann := s.connect(true, s.token("ann", "r"))
		bob := s.connect(true, s.token("bob", "r"))
		track, _ := ann.addSender(audio, "named")
		ann.negotiate()
		feed(t, track, nil)
		info := ann.addTrack(audio, cid)
		bob.flows(info.Sid)
		p := bob.info("ann", "track", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 })
		if c := p.Tracks[0].Codecs[0]; cid != "named" && c.SdpCid != "named" || cid == "named" && c.SdpCid != "" {
			t.Errorf("cid %q: sdp_cid %q", cid, c.SdpCid)
		}
	}
}

// Two tracks of one kind, the second named in the SDP: the first must not take
// its section.
func TestMatchingPrefersNames(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	first := ann.addTrack(video, "one")
	second := ann.addTrack(video, "two", func(r *livekit.AddTrackRequest) { r.Source = livekit.TrackSource_SCREEN_SHARE })
	ann.addSender(video, "two")
	ann.negotiate()
	p := ann.info("ann", "one track", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 1 })
	if p.Tracks[0].Sid != second.Sid || p.Tracks[0].Stream != "screen" {
		t.Errorf("published %v, want %s (not %s)", p.Tracks[0], second.Sid, first.Sid)
	}
	ann.addSender(video, "one")
	ann.negotiate()
	ann.info("ann", "both tracks", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 2 })
}

func TestUnpublishAndRepublish(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		bob := s.connect(single, s.token("bob", "r"))
		track, sender, info := ann.publish(video, "cam")
		feed(t, track, nil)
		bob.flows(info.Sid)
		if err := ann.pub.RemoveTrack(sender); err != nil {
			t.Fatal(err)
		}
		ann.negotiate()
		ann.wait("TrackUnpublished", func(m *livekit.SignalResponse) bool { return m.GetTrackUnpublished().GetTrackSid() == info.Sid })
		bob.info("ann", "gone track", func(p *livekit.ParticipantInfo) bool {
			return p.IsPublisher == false && len(p.Tracks) == 0 && p.Version > 3
		})
		again, _, info2 := ann.publish(video, "cam2")
		feed(t, again, nil)
		bob.flows(info2.Sid)
	})
}

// Late tracks, and a fourth of a kind, need sections the client has to add.
func TestMediaSectionsRequirement(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	bob := s.connect(true, s.token("bob", "r"))
	ann := s.connect(true, s.token("ann", "r"))
	var infos []*livekit.TrackInfo
	for _, cid := range []string{"1", "2", "3", "4", "5"} {
		track, _, info := ann.publish(video, cid)
		feed(t, track, nil)
		infos = append(infos, info)
	}
	for _, info := range infos {
		bob.flows(info.Sid)
	}
	bob.mu.Lock()
	defer bob.mu.Unlock()
	more := 0
	for _, m := range bob.log {
		if r := m.GetMediaSectionsRequirement(); r != nil {
			more += int(r.NumVideos)
			if r.NumAudios != 0 {
				t.Errorf("requirement %v asks for audio", r)
			}
		}
	}
	if more != 2 {
		t.Errorf("asked for %d sections beyond the first three, want 2", more)
	}
}

func TestAddTrackRefusals(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	add := func(c *client, req *livekit.AddTrackRequest) *livekit.RequestResponse {
		c.forget()
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: req}})
		return c.wait("refusal", func(m *livekit.SignalResponse) bool { return m.GetRequestResponse() != nil }).GetRequestResponse()
	}
	for _, tt := range []struct {
		name string
		opt  grantOption
		req  *livekit.AddTrackRequest
		want livekit.RequestResponse_Reason
	}{
		{"may not publish", noPublish, &livekit.AddTrackRequest{Cid: "a"}, livekit.RequestResponse_NOT_ALLOWED},
		{"wrong source", onlyMicrophone, &livekit.AddTrackRequest{Cid: "a", Type: livekit.TrackType_VIDEO, Source: livekit.TrackSource_CAMERA}, livekit.RequestResponse_NOT_ALLOWED},
		{"data", noData, &livekit.AddTrackRequest{Cid: "a", Type: livekit.TrackType_DATA}, livekit.RequestResponse_UNSUPPORTED_TYPE},
		{"backup of no track", noData, &livekit.AddTrackRequest{Cid: "a", Sid: "TR_x", Type: livekit.TrackType_VIDEO}, livekit.RequestResponse_NOT_FOUND},
		{"beyond all use", noData, &livekit.AddTrackRequest{Cid: strings.Repeat("c", 5000)}, livekit.RequestResponse_INVALID_REQUEST},
		{"no cid", noData, &livekit.AddTrackRequest{}, livekit.RequestResponse_INVALID_REQUEST},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := s.join(true, s.token(tt.name, "r", tt.opt))
			got := add(c, tt.req)
			if got.Reason != tt.want || got.GetAddTrack().GetCid() != tt.req.Cid || got.Message == "" {
				t.Errorf("got %v", got)
			}
		})
	}
	t.Run("too many", func(t *testing.T) {
		c := s.join(true, s.token("many", "r"))
		for i := range 32 {
			c.addTrack(audio, string(rune('A'+i)))
		}
		if got := add(c, &livekit.AddTrackRequest{Cid: "one more"}); got.Reason != livekit.RequestResponse_LIMIT_EXCEEDED {
			t.Errorf("got %v", got)
		}
	})
}

// A cid in use is queued, and answered when the old track is gone.
func TestQueuedCID(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.connect(true, s.token("ann", "r"))
	_, sender, info := c.publish(audio, "mic")
	c.forget()
	c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_AddTrack{AddTrack: &livekit.AddTrackRequest{Cid: "mic"}}})
	got := c.wait("QUEUED", func(m *livekit.SignalResponse) bool { return m.GetRequestResponse() != nil }).GetRequestResponse()
	if got.Reason != livekit.RequestResponse_QUEUED {
		t.Fatalf("got %v", got)
	}
	if err := c.pub.RemoveTrack(sender); err != nil {
		t.Fatal(err)
	}
	c.negotiate()
	again := c.wait("TrackPublished", func(m *livekit.SignalResponse) bool { return m.GetTrackPublished() != nil }).GetTrackPublished()
	if again.Cid != "mic" || again.Track.Sid == info.Sid {
		t.Errorf("got %v", again)
	}
}

func TestManualSubscription(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		track, _, info := ann.publish(audio, "mic")
		_, _, other := ann.publish(video, "cam")
		feed(t, track, nil)
		bob := s.connect(single, s.token("bob", "r"), manualSubscribe)
		subscribe := func(sid string, on bool) {
			bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Subscription{Subscription: &livekit.UpdateSubscription{
				ParticipantTracks: []*livekit.ParticipantTracks{{ParticipantSid: ann.joined.Participant.Sid, TrackSids: []string{sid}}}, Subscribe: on,
			}}})
		}
		subscribe(info.Sid, true)
		bob.flows(info.Sid)
		bob.mu.Lock()
		if bob.tracks[other.Sid] != nil {
			t.Error("a track came that was not asked for")
		}
		bob.mu.Unlock()
		subscribe(info.Sid, false)
		subscribe("TR_nobody", true)
		bob.wait("SubscriptionResponse", func(m *livekit.SignalResponse) bool {
			return m.GetSubscriptionResponse().GetTrackSid() == "TR_nobody" &&
				m.GetSubscriptionResponse().GetErr() == livekit.SubscriptionError_SE_TRACK_NOTFOUND
		})
		bob.quiet(info.Sid)
		subscribe(info.Sid, true)
		bob.mu.Lock()
		bob.packets[info.Sid] = 0
		bob.mu.Unlock()
		bob.flows(info.Sid)
	})
}

// quiet waits until no packet of a track has come for a while.
func (c *client) quiet(track string) {
	c.t.Helper()
	deadline := time.Now().Add(hang)
	for last := -1; ; {
		c.mu.Lock()
		n := c.packets[track]
		c.mu.Unlock()
		if n == last {
			return
		}
		last = n
		if time.Now().After(deadline) {
			c.t.Fatalf("media of %s goes on", track)
		}
		<-time.After(300 * time.Millisecond) // 30 packets at the feed's rate
	}
}

func TestTrackSettings(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	track, _, info := ann.publish(audio, "mic")
	feed(t, track, nil)
	bob := s.connect(true, s.token("bob", "r"), manualSubscribe)
	set := func(disabled bool) {
		bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_TrackSetting{TrackSetting: &livekit.UpdateTrackSettings{
			TrackSids: []string{info.Sid}, Disabled: disabled, Quality: livekit.VideoQuality_HIGH,
		}}})
	}
	set(false) // before the subscription exists
	bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_Subscription{Subscription: &livekit.UpdateSubscription{
		TrackSids: []string{info.Sid}, Subscribe: true,
	}}})
	bob.flows(info.Sid)
	set(true)
	bob.quiet(info.Sid)
	bob.mu.Lock()
	bob.packets[info.Sid] = 0
	bob.mu.Unlock()
	set(false)
	bob.flows(info.Sid)
}

func TestSubscriptionPermission(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	cyd := s.connect(true, s.token("cyd", "r"))
	track, _, info := ann.publish(audio, "mic")
	feed(t, track, nil)
	bob.flows(info.Sid)
	cyd.flows(info.Sid)
	ann.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_SubscriptionPermission{SubscriptionPermission: &livekit.SubscriptionPermission{
		TrackPermissions: []*livekit.TrackPermission{{ParticipantIdentity: "bob", AllTracks: true}},
	}}})
	u := cyd.wait("SubscriptionPermissionUpdate", func(m *livekit.SignalResponse) bool { return m.GetSubscriptionPermissionUpdate() != nil }).GetSubscriptionPermissionUpdate()
	if u.Allowed || u.TrackSid != info.Sid || u.ParticipantSid != ann.joined.Participant.Sid {
		t.Errorf("update %v", u)
	}
	cyd.quiet(info.Sid)
	bob.mu.Lock()
	bob.packets[info.Sid] = 0
	bob.mu.Unlock()
	bob.flows(info.Sid)
}

func TestSpeakers(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	track, sender, info := ann.publish(audio, "mic")
	id := uint8(0)
	for _, e := range sender.GetParameters().HeaderExtensions {
		if e.URI == "urn:ietf:params:rtp-hdrext:ssrc-audio-level" {
			id = uint8(e.ID)
		}
	}
	stop := feed(t, track, func(p *rtp.Packet) {
		if err := p.SetExtension(id, []byte{0x80 | 20}); err != nil { // voice, -20 dBov
			t.Error(err)
		}
	})
	bob.flows(info.Sid)
	active := func(on bool) func(*livekit.SignalResponse) bool {
		return func(m *livekit.SignalResponse) bool {
			return slices.ContainsFunc(m.GetSpeakersChanged().GetSpeakers(), func(s *livekit.SpeakerInfo) bool {
				return s.Sid == ann.joined.Participant.Sid && s.Active == on && (s.Level > 0) == on
			})
		}
	}
	bob.wait("ann speaking", active(true))
	ann.wait("herself speaking", active(true))
	stop()
	bob.wait("ann silent", active(false))
	bob.mu.Lock()
	defer bob.mu.Unlock()
	n := 0
	for _, m := range bob.log {
		if m.GetSpeakersChanged() != nil {
			n++
		}
	}
	if n > 6 {
		t.Errorf("%d messages for one utterance of constant level: these are no deltas", n)
	}
}

func TestConnectionQuality(t *testing.T) {
	t.Parallel()
	s := newServer(t, timing(shortQuality))
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	track, _, info := ann.publish(audio, "mic")
	stop := feed(t, track, nil)
	bob.flows(info.Sid)
	of := func(c *client, sid string) {
		m := c.wait("quality", func(m *livekit.SignalResponse) bool {
			return slices.ContainsFunc(m.GetConnectionQuality().GetUpdates(), func(q *livekit.ConnectionQualityInfo) bool { return q.ParticipantSid == sid })
		})
		for _, q := range m.GetConnectionQuality().Updates {
			if q.Quality != livekit.ConnectionQuality_EXCELLENT || q.Score != 5 {
				t.Errorf("quality %v on loopback", q)
			}
		}
	}
	of(bob, ann.joined.Participant.Sid)
	of(ann, ann.joined.Participant.Sid)
	stop()             // silence is not loss: clients told LOST about themselves reconnect
	for i := range 2 { // each is told of all when it comes, then of changes
		eve := s.connect(true, s.token(fmt.Sprint("eve", i), "r"))
		of(eve, ann.joined.Participant.Sid)
	}
	ann.mu.Lock()
	defer ann.mu.Unlock()
	told := 0
	for _, m := range ann.log {
		for _, q := range m.GetConnectionQuality().GetUpdates() {
			if q.ParticipantSid == ann.joined.Participant.Sid {
				told++
			}
		}
	}
	if told != 1 {
		t.Errorf("told %d times of a quality that did not change", told)
	}
}
