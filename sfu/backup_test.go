package sfu

import (
	"testing"
	"testing/synctest"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
	"aparte/sfu/transport"
)

func backedUpInfo(policy livekit.BackupCodecPolicy) *livekit.TrackInfo {
	layers := simulcastInfo().Codecs[0].Layers
	return &livekit.TrackInfo{BackupCodecPolicy: policy, MimeType: "video/VP9", Codecs: []*livekit.SimulcastCodecInfo{
		{MimeType: "video/VP9", Layers: layers}, {MimeType: "video/VP8", Layers: layers},
	}}
}

// sendBackup is the publisher's second AddTrack, negotiated.
func (st *stage) sendBackup() *publish.Track {
	st.t.Helper()
	media := publish.NewTrack(publish.TrackConfig{ID: "TR_v", Kind: publish.Video})
	reply := make(chan bool, 1)
	(&backupRequest{s: st.owner.s, sid: "TR_v", codec: st.track.info.Codecs[1], media: media, reply: reply}).serve(st.room)
	if !<-reply {
		st.t.Fatal("the backup was not taken")
	}
	return media
}

// sent is the encoding a member's session is told to send it.
func (st *stage) sent(m *member) *publish.Track {
	st.t.Helper()
	if len(m.s.wanted) != 1 {
		st.t.Fatalf("%s is sent %d tracks", m.info.Identity, len(m.s.wanted))
	}
	return m.s.pick(m.s.wanted[0])
}

var old = map[codec.Type]bool{codec.VP8: true, codec.H264: true}

func TestBackupBesideThePrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, backedUpInfo(livekit.BackupCodecPolicy_SIMULCAST))
		bob := st.join("bob")
		st.after(aWhile)
		st.told("vp9:LMH vp8:") // nobody needs it: it is not sent
		eve := st.join("eve")
		eve.s.decoders = old
		st.wish(eve, wish{layer: 1, backup: true})
		st.told("vp9:LMH vp8:LM")
		if st.sent(eve) != st.track.media {
			t.Fatal("she is sent a backup that is not there")
		}
		backup := st.sendBackup()
		if st.sent(eve) != backup || st.sent(bob) != st.track.media {
			t.Fatal("each has a codec of its own")
		}
		st.wish(bob, wish{layer: 0})
		st.wish(eve, wish{layer: 2, backup: true})
		st.told("vp9:LMH vp8:LMH")
		st.after(aWhile)
		st.told("vp9:L vp8:LMH")
		st.room.drop(eve, livekit.DisconnectReason_CLIENT_INITIATED, livekit.LeaveRequest_DISCONNECT)
		st.after(aWhile)
		st.told("vp9:L vp8:")
	})
}

func TestRegression(t *testing.T) {
	for _, policy := range []livekit.BackupCodecPolicy{livekit.BackupCodecPolicy_PREFER_REGRESSION, livekit.BackupCodecPolicy_REGRESSION} {
		synctest.Test(t, func(t *testing.T) {
			st := newStage(t, browser, backedUpInfo(policy))
			bob := st.join("bob")
			eve := st.join("eve")
			eve.s.decoders = old
			st.wish(eve, wish{layer: 0, backup: true})
			st.told("vp9:LMH vp8:LMH") // for both, and the first goes on until it comes
			st.after(aWhile)
			st.told()
			backup := st.sendBackup()
			if st.sent(eve) != backup || st.sent(bob) != backup {
				t.Fatal("everybody has the backup")
			}
			st.after(aWhile)
			st.told("vp9: vp8:LMH")
			st.room.drop(eve, livekit.DisconnectReason_CLIENT_INITIATED, livekit.LeaveRequest_DISCONNECT)
			st.after(aWhile)
			st.told()
			if st.sent(bob) != backup {
				t.Fatal("there is no way back while it is sent")
			}
			(&backupEnded{st.owner.s, "TR_v"}).serve(st.room)
			st.told("vp9:LMH vp8:LMH")
			if st.sent(bob) != st.track.media || !backup.Closed() {
				t.Fatal("the publisher went back by itself")
			}
			st.after(aWhile)
			st.told("vp9:LMH vp8:")
		})
	}
}

// What somebody else than the publisher muted goes on by no other encoding, until the
// publisher opens it again.
func TestASilencedTrackHasASilencedBackup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, backedUpInfo(livekit.BackupCodecPolicy_PREFER_REGRESSION))
		eve := st.join("eve")
		eve.s.decoders = old
		st.wish(eve, wish{layer: 0, backup: true})
		st.track.media.Silence()
		backup := st.sendBackup()
		if st.sent(eve) != backup || !backup.Silenced() {
			t.Error("the backup of a silenced track is forwarded")
		}
		backup.SetMuted(false)
		if backup.Silenced() {
			t.Error("the publisher cannot open it again")
		}
	})
}

// Without a backup it is worth trying: the track is wanted all the same.
func TestNoBackup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, simulcastInfo())
		eve := st.join("eve")
		st.wish(eve, wish{layer: 1, backup: true})
		st.after(aWhile)
		st.told("vp8:LM")
	})
}

func TestBackupCodec(t *testing.T) {
	codecs := func(names ...string) *livekit.AddTrackRequest {
		r := &livekit.AddTrackRequest{Type: livekit.TrackType_VIDEO, Cid: "c", Layers: []*livekit.VideoLayer{{Quality: livekit.VideoQuality_HIGH}}}
		for _, n := range names {
			r.SimulcastCodecs = append(r.SimulcastCodecs, &livekit.SimulcastCodec{Codec: n})
		}
		return r
	}
	sealed := codecs("h264", "vp8")
	sealed.Encryption = livekit.Encryption_GCM
	for _, tt := range []struct {
		name string
		req  *livekit.AddTrackRequest
		want []string
	}{
		{"one", codecs("h264"), []string{"video/H264"}},
		{"two", codecs("h264", "vp8"), []string{"video/H264", "video/VP8"}},
		{"three", codecs("h264", "vp8", "h264"), []string{"video/H264", "video/VP8"}},
		{"the same", codecs("vp8", "vp8"), []string{"video/VP8"}},
		{"the same once it is replaced", codecs("h265", "vp8"), []string{"video/VP8"}},
		{"encrypted", sealed, []string{"video/H264"}},
	} {
		got := trackInfo(tt.req).Codecs
		if len(got) != len(tt.want) {
			t.Errorf("%s: %v", tt.name, got)
			continue
		}
		for i, mime := range tt.want {
			if got[i].MimeType != mime || len(got[i].Layers) != 1 {
				t.Errorf("%s: %v", tt.name, got)
			}
		}
	}
}

func TestLearnDecoders(t *testing.T) {
	video := func(receives bool, codecs ...codec.Type) transport.Section {
		s := transport.Section{Kind: publish.Video, Media: true, Receives: receives}
		for _, c := range codecs {
			s.Codecs = append(s.Codecs, publish.Codec{Type: c})
		}
		return s
	}
	s := &Session{}
	vp9 := &livekit.TrackInfo{MimeType: "video/VP9"}
	if !s.decodes(vp9) {
		t.Error("what a client has not told yet counts against it")
	}
	for i, step := range []struct {
		sections []transport.Section
		news     bool
		vp9      bool
	}{
		{[]transport.Section{video(false, codec.VP8)}, false, true}, // it only sends
		{[]transport.Section{video(true, codec.VP8), video(true, codec.H264)}, true, false},
		{[]transport.Section{video(true, codec.H264, codec.VP8)}, false, false},
		{nil, false, false},
		{[]transport.Section{video(true, codec.VP8, codec.VP9, codec.H264)}, true, true},
	} {
		if news := s.learnDecoders(step.sections); news != step.news || s.decodes(vp9) != step.vp9 {
			t.Errorf("step %d: news %t, VP9 %t", i, news, s.decodes(vp9))
		}
	}
}
