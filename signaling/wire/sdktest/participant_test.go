package sdktest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"

	"aparte/signaling/wire/sdktest/conform"
)

func TestParticipantsComeAndGo(t *testing.T) {
	proves(t, conform.Go, "token-claims", "part-states", "hidden")
	t.Parallel()
	j := newJournal(t)
	s := setup{room: roomName(t)}
	alice := join(t, j, "alice", s)
	bobs := s
	bobs.name, bobs.metadata, bobs.attributes = "Bob", `{"seat":2}`, map[string]string{"floor": "3"}
	bob := join(t, j, "bob", bobs)
	j.wait("alice sees bob come", func() bool { return alice.saw("joined bob") })
	j.wait("bob is active", func() bool { return alice.participant("bob").GetState() == livekit.ParticipantInfo_ACTIVE })
	p := alice.participant("bob")
	if p.Name != "Bob" || p.Metadata != `{"seat":2}` || p.Attributes["floor"] != "3" {
		t.Errorf("alice sees %v", p)
	}
	if !slices.Equal(bob.others(), []string{"alice"}) {
		t.Errorf("bob sees %v", bob.others())
	}

	// One who hides sees without being seen.
	hidden := s
	hidden.grant = func(g *auth.VideoGrant) { g.Hidden = true }
	ghost := join(t, j, "ghost", hidden)
	if !slices.Equal(ghost.others(), []string{"alice", "bob"}) {
		t.Errorf("the hidden one sees %v", ghost.others())
	}
	carol := join(t, j, "carol", s)
	j.wait("alice sees carol come", func() bool { return alice.saw("joined carol") })
	if alice.participant("ghost") != nil || carol.participant("ghost") != nil {
		t.Error("the hidden one is announced")
	}

	bob.room.Disconnect()
	j.wait("alice sees bob go", func() bool { return alice.saw("left bob") && carol.saw("left bob") })
	why := livekit.DisconnectReason_UNKNOWN_REASON
	for _, u := range received(alice.proxy, (*livekit.SignalResponse).GetUpdate) {
		for _, p := range u.Participants {
			if p.Identity == "bob" && p.State == livekit.ParticipantInfo_DISCONNECTED {
				why = p.DisconnectReason
			}
		}
	}
	if why != livekit.DisconnectReason_CLIENT_INITIATED {
		t.Errorf("bob left because of %s", why)
	}
}

func TestDuplicateIdentity(t *testing.T) {
	proves(t, conform.Go, "dup-identity")
	t.Parallel()
	j := newJournal(t)
	s := setup{room: roomName(t)}
	alice := join(t, j, "alice", s)
	first := join(t, j, "bob", s)
	voice, _ := audioTrack(t, j, &clips.speech)
	old := alice.subscribed(first.publish(voice, nil).SID(), 5)
	second := join(t, j, "bob", s)
	j.wait("the first is told", func() bool { return len(first.goodbyes()) > 0 })
	if got := first.goodbyes(); !slices.Equal(got, []lksdk.DisconnectionReason{lksdk.DuplicateIdentity}) {
		t.Errorf("the first was told %v", got)
	}
	leaves := received(first.proxy, (*livekit.SignalResponse).GetLeave)
	if len(leaves) != 1 || leaves[0].Reason != livekit.DisconnectReason_DUPLICATE_IDENTITY || leaves[0].Action != livekit.LeaveRequest_DISCONNECT {
		t.Errorf("the server said %v", leaves)
	}
	j.wait("alice hears no more of the first", old.over)
	again, _ := audioTrack(t, j, &clips.question)
	alice.subscribed(second.publish(again, nil).SID(), 5)
	if n, _ := second.reconnects(); n > 0 || len(second.goodbyes()) > 0 {
		t.Errorf("the second was disturbed: %d, %v", n, second.goodbyes())
	}
	// The old one is seen to go before the new one comes.
	var states []string
	for _, u := range received(alice.proxy, (*livekit.SignalResponse).GetUpdate) {
		for _, p := range u.Participants {
			if text := p.Sid + " " + p.State.String(); p.Identity == "bob" && !slices.Contains(states, text) {
				states = append(states, text)
			}
		}
	}
	gone := slices.Index(states, first.room.LocalParticipant.SID()+" DISCONNECTED")
	come := slices.IndexFunc(states, func(s string) bool { return strings.HasPrefix(s, second.room.LocalParticipant.SID()) })
	if gone < 0 || come < gone {
		t.Errorf("alice was told %v", states)
	}
}

func TestOwnMetadata(t *testing.T) {
	proves(t, conform.Go, "meta-update", "meta-refused", "http-own-metadata")
	t.Parallel()
	j := newJournal(t)
	s := setup{room: roomName(t)}
	alice := join(t, j, "alice", s)
	may := s
	may.name, may.attributes = "Bob", map[string]string{"hand": "down", "floor": "3"}
	may.grant = func(g *auth.VideoGrant) { g.SetCanUpdateOwnMetadata(true) }
	bob := join(t, j, "bob", may)
	bob.room.LocalParticipant.SetMetadata("reading")
	bob.room.LocalParticipant.SetName("Robert")
	bob.room.LocalParticipant.SetAttributes(map[string]string{"hand": "up", "floor": ""})
	changed := func(p *livekit.ParticipantInfo) bool {
		return p.GetMetadata() == "reading" && p.GetName() == "Robert" && maps.Equal(p.GetAttributes(), map[string]string{"hand": "up"})
	}
	for _, c := range []*client{alice, bob} {
		j.wait(c.name+" sees the change", func() bool { return changed(c.participant("bob")) })
	}

	carol := join(t, j, "carol", s)
	carol.room.LocalParticipant.SetMetadata("I am the chair")
	carol.room.LocalParticipant.SetName("Chair")
	carol.room.LocalParticipant.SetAttributes(map[string]string{"role": "chair"})
	j.wait("carol is refused three times", func() bool {
		n := 0
		for _, r := range received(carol.proxy, (*livekit.SignalResponse).GetRequestResponse) {
			if r.Reason == livekit.RequestResponse_NOT_ALLOWED {
				n++
			}
		}
		return n == 3
	})
	bob.room.LocalParticipant.SetMetadata("done")
	j.wait("alice sees the next change", func() bool { return alice.participant("bob").GetMetadata() == "done" })
	if p := alice.participant("carol"); p.Metadata != "" || p.Name != "" || len(p.Attributes) > 0 {
		t.Errorf("carol made herself %v", p)
	}

	// With the join, too.
	for _, single := range []bool{false, true} {
		pushy := newClient(t, j, "pushy", setup{room: s.room, single: single})
		err := pushy.room.JoinWithToken(pushy.proxy.url(), accessToken(s.room, "pushy", nil), lksdk.WithExtraAttributes(map[string]string{"role": "chair"}))
		if err == nil {
			pushy.room.Disconnect()
			t.Errorf("%s: joined with attributes of its own, without the right to it", modeName(single))
		}
	}
}
