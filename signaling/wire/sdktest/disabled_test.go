package sdktest

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"

	"github.com/livekit/protocol/livekit"
)

// Once the answer to disable is there nothing is forwarded to or from the call of the
// account, whose client holds on to its connections, and nothing that its person was
// ever given opens anything. The meeting goes on without them.
func TestADisabledAccountIsOutOfItsCall(t *testing.T) {
	t.Parallel()
	m := newMeeting(t, false)
	const email = "luc@aparte.example"
	var made struct {
		Account   struct{ ID string }
		InviteURL string `json:"invite_url"`
	}
	m.must(m.agent, "", "accounts", map[string]any{"name": "Luc Petit", "email": email}, &made)
	invite, err := url.Parse(made.InviteURL)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	luc := &http.Client{Jar: jar}
	m.must(luc, "", "session/one-time", map[string]any{"code": invite.Fragment}, nil)
	m.must(m.agent, "", "meetings/"+m.id+"/members", map[string]any{"email": email, "role": "cohost"}, nil)
	w := m.invite("Témoin")
	witness := m.join(w.identity, w.token, false)
	var seat struct{ Token, Identity string }
	m.must(luc, "", "meetings/"+m.id+"/join", nil, &seat)
	clinging := m.join(seat.Identity, seat.Token, false)
	sent := []*rawTrack{clinging.publish(livekit.TrackType_AUDIO, "voice", microphone), clinging.publish(livekit.TrackType_VIDEO, "camera")}
	for _, track := range sent {
		track.play()
		witness.receives(track.sid(), 5)
	}
	clinging.receives(m.voice.sid(), 5)

	m.must(m.agent, "", "accounts/"+made.Account.ID+"/disable", nil, nil)
	witness.moreOf(m.voice.sid(), 5) // 100 ms, for what was on its way
	heard := clinging.packetsOf(m.voice.sid())
	var before []int
	for _, track := range sent {
		before = append(before, witness.packetsOf(track.sid()))
	}
	witness.moreOf(m.voice.sid(), 50)
	if n := clinging.packetsOf(m.voice.sid()) - heard; n > 0 {
		t.Errorf("%d packets reached the client of the disabled account", n)
	}
	for i, track := range sent {
		if n := witness.packetsOf(track.sid()) - before[i]; n > 0 {
			t.Errorf("%d packets of its %s were forwarded", n, track.cid)
		}
	}

	tokens := []string{seat.Token}
	for _, text := range allOf(clinging, (*livekit.SignalResponse).GetRefreshToken) {
		if text != "" {
			tokens = append(tokens, text)
		}
	}
	if len(tokens) < 2 {
		t.Error("the client was given no refreshed token: that case was not tried")
	}
	for i, token := range tokens {
		if doors := m.opens(token, clinging.sid()); len(doors) > 0 {
			t.Errorf("token %d opens %v", i, doors)
		}
	}
	for path, body := range map[string]any{"meetings/" + m.id + "/join": nil, "network-check": nil, "session/one-time": map[string]any{"code": invite.Fragment}} {
		if status, answer := m.call(luc, "", path, body); status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	if doors := m.opens(w.token, witness.sid()); len(doors) != 8 {
		t.Errorf("the doors that stay open to whoever stays: %v", doors)
	}
}
