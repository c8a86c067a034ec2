package sfu

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/rtp"
	"github.com/pion/transport/v5/packetio"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
)

func TestLossWindows(t *testing.T) {
	for _, tt := range []struct {
		w        lossWindow
		down, up float64
	}{
		{lossWindow{}, 0, 0},
		{lossWindow{packets: few - 1, lost: 0}, 0, 0},
		{lossWindow{packets: 100, lost: 10}, 0.1, 10.0 / 110},
		{lossWindow{packets: 1, lost: 19}, 0, 0.95}, // nearly nothing came of what was sent
	} {
		if down, up := tt.w.lossDown(), tt.w.lossUp(); down != tt.down || up != tt.up {
			t.Errorf("%+v: down %v, up %v", tt.w, down, up)
		}
	}
	if got := (lossWindow{10, 3}).since(lossWindow{4, 5}); got != (lossWindow{6, 0}) {
		t.Errorf("%+v: a loss that was repaired later", got)
	}
}

// source feeds simulcast layers of a track.
type source struct {
	rc  *publish.Receiver
	seq [publish.MaxLayers]uint16
}

func newSource(media *publish.Track) *source {
	s := &source{rc: publish.NewReceiver(publish.ReceiverConfig{})}
	s.rc.SetSections([]publish.Section{{
		MID: "0", Kind: publish.Video, Track: media, RIDs: []string{"q", "h", "f"}, Ext: publish.Extensions{MID: 1, RID: 2},
		Codecs: []publish.Codec{{PayloadType: 96, Type: codec.VP8, ClockRate: 90000}},
	}})
	return s
}

func (s *source) send(t *testing.T, rids string) {
	t.Helper()
	for _, rid := range rids {
		i := strings.IndexRune("qhf", rid)
		s.seq[i]++
		p := rtp.Packet{Header: rtp.Header{Version: 2, SSRC: uint32(i + 1), PayloadType: 96, SequenceNumber: s.seq[i], Marker: true}, Payload: []byte{0x10, 0, 0}}
		_ = p.SetExtension(1, []byte("0"))
		_ = p.SetExtension(2, []byte(string(rid)))
		raw, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.rc.Buffer(packetio.RTPBufferPacket, uint32(i+1)).Write(raw)
	}
}

const (
	poor      = livekit.ConnectionQuality_POOR
	good      = livekit.ConnectionQuality_GOOD
	excellent = livekit.ConnectionQuality_EXCELLENT
)

// What is expected and does not come counts; what nobody expects does not.
func TestQualityOfWhatIsMissing(t *testing.T) {
	type step struct {
		name  string
		edit  func(*track)
		send  string // rids
		lasts time.Duration
		want  livekit.ConnectionQuality
	}
	want := func(layer int) func(*track) {
		return func(t *track) { t.demands[0] = demand{told: layer, want: layer} }
	}
	muted := func(is bool) func(*track) { return func(t *track) { t.info.Muted = is } }
	for _, tt := range []struct {
		name  string
		edit  func(*track)
		steps []step
	}{
		{"camera", nil, []step{
			{"beginning", want(2), "", settleTime / 2, excellent},
			{"all comes", nil, "qhf", settleTime, excellent},
			{"the largest does not", nil, "qh", settleTime, good},
			{"nor is it wanted", want(1), "qh", settleTime / 2, excellent},
			{"nothing comes", nil, "", settleTime, poor},
			{"muted", muted(true), "", settleTime, excellent},
			{"unmuted a moment ago", muted(false), "", settleTime / 2, excellent},
			{"and still nothing", nil, "", settleTime, poor},
			{"nobody looks", want(nothing), "", settleTime, excellent},
		}},
		{"screen", func(t *track) { t.info.Source = livekit.TrackSource_SCREEN_SHARE }, []step{
			{"one of its layers is enough", want(2), "q", 2 * settleTime, excellent},
			{"none is not", nil, "", settleTime, poor},
		}},
		{"SVC", func(t *track) {
			t.info.Codecs[0].VideoLayerMode = livekit.VideoLayer_MULTIPLE_SPATIAL_LAYERS_PER_STREAM
		}, []step{{"one stream has them all", want(2), "q", 2 * settleTime, excellent}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			st := newStage(t, browser, simulcastInfo())
			tr := st.track
			if tt.edit != nil {
				tt.edit(tr)
			}
			from := newSource(tr.media)
			for _, s := range tt.steps {
				if s.edit != nil {
					s.edit(tr)
				}
				var got livekit.ConnectionQuality
				for range int(s.lasts / time.Second) {
					from.send(t, s.send)
					got = st.room.upstream(st.owner, time.Now())
					time.Sleep(time.Second)
				}
				if got != s.want {
					t.Errorf("%s, %s: %v, want %v", tt.name, s.name, got, s.want)
				}
			}
		})
	}
}

// listener keeps what it is told of qualities.
type listener struct{ told []string }

func (l *listener) Send(m *livekit.SignalResponse) {
	for _, q := range m.GetConnectionQuality().GetUpdates() {
		l.told = append(l.told, fmt.Sprint(q.ParticipantSid, " ", q.Quality, " ", q.Score))
	}
}
func (*listener) Close() {}

// Only changes are told: of oneself and of those one receives; LOST of others alone.
func TestQualityIsToldOnChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, simulcastInfo())
		bob := st.join("bob")
		ears := &listener{}
		bob.s.signal.Store(&signalBox{ears})
		bob.s.params.Client = &livekit.ClientInfo{Protocol: 11} // knows LOST
		ann, me := st.owner.info.Sid, bob.info.Sid
		expect := func(want ...string) {
			t.Helper()
			st.room.tellQuality(time.Now())
			slices.Sort(want)
			slices.Sort(ears.told)
			if !slices.Equal(ears.told, want) {
				t.Fatalf("told %q, want %q", ears.told, want)
			}
			ears.told = nil
		}
		expect(ann+" EXCELLENT 5", me+" EXCELLENT 5")
		expect()
		bob.s.qualityD.Store(int32(poor))
		expect(me + " POOR 2")
		st.owner.failedAt = time.Now()
		expect(ann + " LOST 0")
		bob.failedAt = time.Now()
		expect() // not of oneself
		st.owner.failedAt = time.Time{}
		expect(ann + " EXCELLENT 5")
		bob.explicit["TR_v"] = false
		expect()
		bob.explicit["TR_v"] = true
		expect(ann + " EXCELLENT 5") // it may have changed
		reply := make(chan joinReply, 1)
		(&resumeRequest{params: JoinParams{Identity: "bob", Permission: bob.info.Permission}, signal: ears, reply: reply}).serve(st.room)
		if r := <-reply; r.err != nil {
			t.Fatal(r.err)
		}
		expect(ann+" EXCELLENT 5", me+" POOR 2")
	})
}
