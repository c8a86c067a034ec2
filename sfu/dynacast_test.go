package sfu

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livekit/protocol/livekit"

	"aparte/sfu/forward"
	"aparte/sfu/publish"
)

func TestDemand(t *testing.T) {
	d := demand{told: everything, want: everything}
	now := time.Unix(1000, 0)
	for i, c := range []struct {
		after time.Duration
		want  int
		told  int
		news  bool
	}{
		{0, 2, 2, false},
		{0, 0, 2, false}, // less is told after a while
		{lowerAfter - 1, 0, 2, false},
		{1, 0, 0, true},
		{time.Minute, 0, 0, false},
		{0, 1, 1, true}, // more at once
		{0, 2, 2, true},
		{time.Second, nothing, 2, false},
		{lowerAfter - 1, 2, 2, false}, // wanted again in between: the while begins anew
		{time.Second, 1, 2, false},
		{lowerAfter - 1, 1, 2, false},
		{0, 0, 2, false}, // the least that is wanted may change meanwhile
		{1, 0, 0, true},
		{0, nothing, 0, false},
		{lowerAfter, nothing, nothing, true},
		{0, 0, 0, true},
	} {
		now = now.Add(c.after)
		d.want = c.want
		if news := d.next(now); news != c.news || d.told != c.told {
			t.Fatalf("%d: told %d, news %t; want %d, %t", i, d.told, news, c.told, c.news)
		}
	}
}

// publisher keeps what it is told to send.
type publisher struct{ told []string }

func (p *publisher) Send(m *livekit.SignalResponse) {
	u := m.GetSubscribedQualityUpdate()
	if u == nil {
		return
	}
	var codecs []string
	for _, c := range u.SubscribedCodecs {
		word := c.Codec + ":"
		for _, q := range c.Qualities {
			if q.Enabled {
				word += q.Quality.String()[:1]
			}
		}
		codecs = append(codecs, word)
	}
	p.told = append(p.told, strings.Join(codecs, " "))
}
func (*publisher) Close() {}

// stage is a room with a publisher of one picture, without goroutines.
type stage struct {
	t     *testing.T
	room  *room
	ann   *publisher
	owner *member
	track *track
}

func newStage(t *testing.T, client *livekit.ClientInfo, info *livekit.TrackInfo) *stage {
	unit := New(Config{Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(unit.events.close)
	r := newRoom(unit, JoinParams{Room: RoomKey{Name: "r"}})
	st := &stage{t: t, room: r, ann: &publisher{}}
	yes := &livekit.ParticipantPermission{CanPublish: true, CanSubscribe: true}
	st.owner = r.newMember(&JoinParams{Identity: "ann", Permission: yes, Client: client}, st.ann)
	st.owner.active = true
	r.members["ann"] = st.owner
	info.Sid, info.Type = "TR_v", livekit.TrackType_VIDEO
	reply := make(chan bool, 1)
	(&publishRequest{s: st.owner.s, info: info, media: publish.NewTrack(publish.TrackConfig{ID: "TR_v", Kind: publish.Video}), reply: reply}).serve(r)
	if !<-reply {
		t.Fatal("not published")
	}
	st.track = r.tracks[0]
	return st
}

func (st *stage) join(identity string) *member {
	yes := &livekit.ParticipantPermission{CanSubscribe: true}
	m := st.room.newMember(&JoinParams{Identity: identity, Permission: yes, AutoSubscribe: true}, &publisher{})
	m.active = true
	st.room.members[identity] = m
	st.room.reconcile(m)
	return m
}

func (st *stage) wish(m *member, w wish) { (&wishRequest{m.s, "TR_v", w}).serve(st.room) }

// after lets time pass as the room does.
func (st *stage) after(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(st.room.sfu.cfg.Timing.Tick, time.Until(end)))
		st.room.tick(time.Now())
	}
}

// told is what the publisher was told since the last time.
func (st *stage) told(want ...string) {
	st.t.Helper()
	if got := fmt.Sprint(st.ann.told); got != fmt.Sprint(want) {
		st.t.Fatalf("the publisher was told %s, want %v", got, want)
	}
	st.ann.told = nil
}

func simulcastInfo() *livekit.TrackInfo {
	return &livekit.TrackInfo{Codecs: []*livekit.SimulcastCodecInfo{{MimeType: "video/VP8", Layers: []*livekit.VideoLayer{
		{Quality: livekit.VideoQuality_LOW}, {Quality: livekit.VideoQuality_MEDIUM}, {Quality: livekit.VideoQuality_HIGH},
	}}}}
}

var browser = &livekit.ClientInfo{Sdk: livekit.ClientInfo_JS, Protocol: 17}

const aWhile = lowerAfter + time.Second

func TestDynacast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, simulcastInfo())
		st.after(lowerAfter / 2)
		st.told() // somebody may come at once
		st.after(aWhile)
		st.told("vp8:")
		bob := st.join("bob")
		st.told("vp8:LMH") // he has told nothing: all, and at once
		st.wish(bob, wish{layer: 0})
		st.told()
		st.after(aWhile)
		st.told("vp8:L")
		eve := st.join("eve")
		st.told("vp8:LMH")
		st.wish(eve, wish{layer: 1})
		st.after(aWhile)
		st.told("vp8:LM") // the most that anyone wants
		st.wish(bob, wish{layer: nothing})
		st.after(aWhile)
		st.told()
		st.wish(eve, wish{layer: nothing})
		st.after(aWhile)
		st.told("vp8:")
		st.wish(bob, wish{layer: 2})
		st.told("vp8:LMH")
		st.room.drop(bob, livekit.DisconnectReason_CLIENT_INITIATED, livekit.LeaveRequest_DISCONNECT)
		st.wish(eve, wish{layer: 1})
		st.after(aWhile)
		st.told("vp8:LM")
		eve.explicit["TR_v"] = false // she unsubscribes, and comes back before it was told
		st.room.reconcile(eve)
		st.after(lowerAfter / 2)
		eve.explicit["TR_v"] = true
		st.room.reconcile(eve)
		st.told("vp8:LMH")
	})
}

// A client may go by what it was told before it joined anew: that nobody wants its picture.
func TestThatAllIsWantedIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, simulcastInfo())
		st.join("bob")
		st.after(confirmAfter - time.Millisecond)
		st.told() // it may not know the track yet
		st.after(time.Second)
		st.told("vp8:LMH")
		st.after(time.Minute)
		st.told()
	})
}

func TestDynacastAfterResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, simulcastInfo())
		st.room.repeatDemand(st.owner)
		st.told() // nothing was said: nothing can be missed
		st.wish(st.join("bob"), wish{layer: 1})
		st.after(aWhile)
		st.told("vp8:LM")
		again := &publisher{}
		reply := make(chan joinReply, 1)
		(&resumeRequest{params: JoinParams{Identity: "ann", Permission: st.owner.info.Permission}, signal: again, reply: reply}).serve(st.room)
		if r := <-reply; r.err != nil {
			t.Fatal(r.err)
		}
		if fmt.Sprint(again.told) != "[vp8:LM]" {
			t.Errorf("told %v on the new connection", again.told)
		}
	})
}

// One encoding is all or nothing, whatever its SDK calls it.
func TestDynacastOfOneLayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, &livekit.TrackInfo{Codecs: []*livekit.SimulcastCodecInfo{{
			MimeType: "video/H264", Layers: []*livekit.VideoLayer{{Quality: livekit.VideoQuality_HIGH}},
		}}})
		bob := st.join("bob")
		st.wish(bob, wish{layer: 0})
		st.after(aWhile)
		st.told("h264:LMH")
		st.wish(bob, wish{layer: nothing})
		st.after(aWhile)
		st.told("h264:")
	})
}

func TestDynacastOnlyForThoseWhoKnowIt(t *testing.T) {
	for _, tt := range []struct {
		client *livekit.ClientInfo
		want   bool
	}{
		{nil, false},
		{browser, true},
		{&livekit.ClientInfo{Sdk: livekit.ClientInfo_RUST, Protocol: 9}, false},
		{&livekit.ClientInfo{Sdk: livekit.ClientInfo_RUST, Protocol: 17}, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			st := newStage(t, tt.client, simulcastInfo())
			st.after(aWhile)
			if told := len(st.ann.told) > 0; told != tt.want {
				t.Errorf("%v: told %v", tt.client, st.ann.told)
			}
		})
	}
}

// What the client wants, and as much of it as its path could carry.
func TestWishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := newStage(t, browser, simulcastInfo())
		d := &subscription{w: wanted{info: st.track.info, media: st.track.media}, told: fullWish}
		d.down = newDown(t, st.track.media)
		for _, tt := range []struct {
			name string
			set  trackSettings
			want wish
		}{
			{"nothing told", trackSettings{}, fullWish},
			{"low", trackSettings{told: true, quality: livekit.VideoQuality_LOW}, wish{layer: 0}},
			{"off", trackSettings{told: true, quality: livekit.VideoQuality_OFF}, wish{layer: nothing}},
			{"disabled", trackSettings{told: true, quality: livekit.VideoQuality_HIGH, disabled: true}, wish{layer: nothing}},
		} {
			d.apply(tt.set)
			if got := d.wish(); got != tt.want {
				t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
			}
		}
	})
}

// newDown is a subscription that nobody listens to.
func newDown(t *testing.T, media *publish.Track) *forward.DownTrack {
	w := forward.NewWorker(forward.WorkerConfig{})
	t.Cleanup(w.Close)
	return w.NewSubscriber(forward.SubscriberConfig{}).NewDownTrack(media)
}
