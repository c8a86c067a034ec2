package wire_test

import (
	"fmt"
	"testing"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/webrtc/v4"
)

// required counts the sections that the server asked for.
func (c *client) required() (audios, videos, times int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.log {
		if r := m.GetMediaSectionsRequirement(); r != nil {
			audios, videos, times = audios+int(r.NumAudios), videos+int(r.NumVideos), times+1
		}
	}
	return audios, videos, times
}

// Who joins a room with more tracks than its first offer has room for gets those
// that fit at once, and the rest in the sections it is asked for.
func TestLateJoinerWithTooFewSections(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		var infos []*livekit.TrackInfo
		for i := range 5 {
			for _, kind := range []webrtc.RTPCodecType{audio, video} {
				track, _, info := ann.publish(kind, fmt.Sprint(kind, i))
				feed(t, track, nil)
				infos = append(infos, info)
			}
		}
		bob := s.connect(single, s.token("bob", "r"))
		for _, info := range infos {
			bob.flows(info.Sid)
		}
		audios, videos, _ := bob.required()
		if want := map[bool]int{true: 2, false: 0}[single]; audios != want || videos != want {
			t.Errorf("asked for %d audio and %d video sections, want %d of each", audios, videos, want)
		}
	})
}

// A section that became free is used again: no others are asked for, however often
// a track is published anew.
func TestSectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		bob := s.connect(single, s.token("bob", "r"))
		for i := range 6 {
			track, sender, info := ann.publish(video, fmt.Sprint("cam", i))
			stop := feed(t, track, nil)
			bob.flows(info.Sid)
			stop()
			if err := ann.pub.RemoveTrack(sender); err != nil {
				t.Fatal(err)
			}
			ann.negotiate()
			bob.info("ann", "no tracks", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 0 && p.Version > uint32(2*i+2) })
			bob.mu.Lock()
			bob.log = nil
			bob.mu.Unlock()
		}
		if _, videos, _ := bob.required(); videos != 0 {
			t.Errorf("asked for %d more sections", videos)
		}
		if !single {
			if n := len(bob.sub.GetTransceivers()); n != 1 {
				t.Errorf("%d sections for one track at a time", n)
			}
		}
	})
}

// A client may end one track and use its section for the next before it offers.
func TestSectionIsHandedOver(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"AddTrack first", "offer first"} {
		modes(t, func(t *testing.T, single bool) {
			s := newServer(t)
			ann := s.connect(single, s.token("ann", "r"))
			bob := s.connect(single, s.token("bob", "r"))
			first, sender, one := ann.publish(video, "one")
			stop := feed(t, first, nil)
			bob.flows(one.Sid)
			stop()
			second, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, "two", "stream")
			if err != nil {
				t.Fatal(err)
			}
			if err := sender.ReplaceTrack(second); err != nil {
				t.Fatal(err)
			}
			var two *livekit.TrackInfo
			if order == "AddTrack first" {
				two = ann.addTrack(video, "two")
			}
			ann.negotiate()
			if two == nil {
				two = ann.addTrack(video, "two")
			}
			feed(t, second, nil)
			bob.flows(two.Sid)
			ann.wait("end of the first", func(m *livekit.SignalResponse) bool { return m.GetTrackUnpublished().GetTrackSid() == one.Sid })
		})
	}
}

// While an offer of ours is out, changes wait for its answer and go together.
func TestOneOfferAtATime(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(false, s.token("bob", "r"))
	bob.mu.Lock()
	bob.manual = true
	bob.mu.Unlock()
	bob.forget()
	_, _, first := ann.publish(audio, "0")
	offers := func() (out []*livekit.SessionDescription) {
		bob.mu.Lock()
		defer bob.mu.Unlock()
		for _, m := range bob.log {
			if o := m.GetOffer(); o != nil {
				out = append(out, o)
			}
		}
		return out
	}
	bob.wait("an offer", func(m *livekit.SignalResponse) bool { return m.GetOffer() != nil })
	var last *livekit.TrackInfo
	for i := range 3 {
		_, _, last = ann.publish(audio, fmt.Sprint(i+1))
	}
	bob.info("ann", "all tracks", func(p *livekit.ParticipantInfo) bool { return len(p.Tracks) == 4 })
	// What bob asks now is answered behind whatever the session had to say.
	bob.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_UpdateMetadata{UpdateMetadata: &livekit.UpdateParticipantMetadata{RequestId: 1}}})
	bob.wait("an answer", func(m *livekit.SignalResponse) bool { return m.GetRequestResponse() != nil })
	out := offers()
	if len(out) != 1 {
		t.Fatalf("%d offers are out", len(out))
	}
	if m, _ := sectionOf(t, out[0].Sdp, first.Sid); m == nil {
		t.Fatal("the offer carries another track")
	}
	bob.mu.Lock()
	bob.manual = false
	bob.mu.Unlock()
	bob.answer(out[0])
	bob.wait("the rest", func(m *livekit.SignalResponse) bool {
		m2 := m.GetOffer()
		if m2 == nil || m2.Id == out[0].Id {
			return false
		}
		s, _ := sectionOf(t, m2.Sdp, last.Sid)
		return s != nil
	})
	if n := len(offers()); n != 2 {
		t.Errorf("%d offers for four tracks, want two", n)
	}
}
