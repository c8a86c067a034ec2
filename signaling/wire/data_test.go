package wire_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"aparte/sfu"
)

func (c *client) sendData(label string, p *livekit.DataPacket) {
	c.t.Helper()
	raw, err := proto.Marshal(p)
	if err != nil {
		c.t.Fatal(err)
	}
	c.sendRaw(label, raw)
}

func (c *client) sendRaw(label string, raw []byte) {
	c.t.Helper()
	c.until("open channel "+label, func() bool { return c.channels[label].ReadyState().String() == "open" })
	if err := c.channels[label].Send(raw); err != nil {
		c.t.Fatal(err)
	}
}

func user(text string) *livekit.DataPacket {
	return &livekit.DataPacket{Value: &livekit.DataPacket_User{User: &livekit.UserPacket{Payload: []byte(text)}}}
}

func (c *client) texts() (out []string) {
	for _, p := range c.data {
		out = append(out, string(p.GetUser().GetPayload()))
	}
	return out
}

func TestData(t *testing.T) {
	t.Parallel()
	modes(t, func(t *testing.T, single bool) {
		s := newServer(t)
		ann := s.connect(single, s.token("ann", "r"))
		bob := s.connect(single, s.token("bob", "r"))
		cyd := s.connect(single, s.token("cyd", "r"))
		const n = 200
		for i := range n {
			p := user(fmt.Sprint(i))
			p.Sequence = uint32(i + 1)
			p.ParticipantIdentity = "forged"
			p.Kind = livekit.DataPacket_LOSSY //nolint:staticcheck // clients still read it
			ann.sendData("_reliable", p)
		}
		for _, c := range []*client{bob, cyd} {
			c.until("all packets", func() bool { return len(c.data) >= n })
			c.mu.Lock()
			for i, p := range c.data {
				if string(p.GetUser().GetPayload()) != fmt.Sprint(i) || p.Sequence != uint32(i+1) {
					t.Fatalf("packet %d is %v", i, p)
				}
				if p.ParticipantIdentity != "ann" || p.ParticipantSid != ann.joined.Participant.Sid ||
					p.Kind != livekit.DataPacket_RELIABLE || //nolint:staticcheck // clients still read it
					p.GetUser().ParticipantIdentity != "ann" { //nolint:staticcheck // clients still read it
					t.Fatalf("stamp of %v", p)
				}
			}
			c.data = nil
			c.mu.Unlock()
		}
		// To one alone; the sender gets nothing back.
		p := user("for cyd")
		p.DestinationIdentities = []string{"cyd"}
		bob.sendData("_lossy", p)
		bob.sendData("_lossy", user("for all"))
		cyd.until("both", func() bool { return len(cyd.data) == 2 })
		ann.until("one", func() bool { return len(ann.data) == 1 })
		ann.mu.Lock()
		defer ann.mu.Unlock()
		if got := ann.texts(); got[0] != "for all" || ann.data[0].Kind != livekit.DataPacket_LOSSY { //nolint:staticcheck // clients still read it
			t.Errorf("ann got %v", got)
		}
	})
}

// What we do not know passes untouched; what only others may send does not.
func TestDataIsForwardedUntouched(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	for _, p := range []*livekit.DataPacket{
		{Value: &livekit.DataPacket_Transcription{Transcription: &livekit.Transcription{}}},
		{Value: &livekit.DataPacket_Metrics{Metrics: &livekit.MetricsBatch{}}},
		{Value: &livekit.DataPacket_Speaker{Speaker: &livekit.ActiveSpeakerUpdate{}}}, //nolint:staticcheck // old clients might
	} {
		ann.sendData("_reliable", p)
	}
	raw, err := proto.Marshal(&livekit.DataPacket{Value: &livekit.DataPacket_RpcRequest{RpcRequest: &livekit.RpcRequest{Id: "7", Method: "m"}}})
	if err != nil {
		t.Fatal(err)
	}
	raw = protowire.AppendTag(raw, 9999, protowire.BytesType)
	raw = protowire.AppendString(raw, "from the future")
	ann.sendRaw("_reliable", []byte{0xff, 0xff}) // no packet at all
	ann.sendRaw("_reliable", raw)
	bob.until("the call", func() bool { return len(bob.data) > 0 })
	bob.mu.Lock()
	defer bob.mu.Unlock()
	if len(bob.data) != 1 || bob.data[0].GetRpcRequest().GetId() != "7" {
		t.Fatalf("bob got %v", bob.data)
	}
	if len(bob.data[0].ProtoReflect().GetUnknown()) == 0 {
		t.Error("the unknown field is gone")
	}
}

func TestDataNeedsPermission(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r", noData))
	ghost := s.connect(true, s.token("ghost", "r", hidden))
	bob := s.connect(true, s.token("bob", "r"))
	ann.sendData("_reliable", user("not allowed"))
	ghost.sendData("_reliable", user("boo"))
	bob.until("the hidden one's packet", func() bool { return len(bob.data) > 0 })
	bob.mu.Lock()
	defer bob.mu.Unlock()
	if got := bob.texts(); len(got) != 1 || got[0] != "boo" {
		t.Errorf("bob got %v", got)
	}
	if p := bob.data[0]; p.ParticipantIdentity != "" || p.ParticipantSid != "" || p.GetUser().ParticipantSid != "" { //nolint:staticcheck // clients still read it
		t.Errorf("the hidden sender shows: %v", p)
	}
}

// A sender repeats packets after a resume; those already passed on are dropped.
func TestReliableDuplicatesAreDropped(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	for _, seq := range []uint32{1, 2, 3, 2, 3, 4} {
		p := user(fmt.Sprint(seq))
		p.Sequence = seq
		ann.sendData("_reliable", p)
	}
	bob.until("packet 4", func() bool { return len(bob.data) >= 4 })
	bob.mu.Lock()
	if got := fmt.Sprint(bob.texts()); got != "[1 2 3 4]" {
		t.Errorf("bob got %s", got)
	}
	bob.mu.Unlock()
	ann.resume(s, s.token("ann", "r"), &livekit.SyncState{})
	r := ann.wait("reconnect", func(m *livekit.SignalResponse) bool { return m.GetReconnect() != nil }).GetReconnect()
	if r.LastMessageSeq != 4 {
		t.Errorf("last_message_seq %d", r.LastMessageSeq)
	}
}

// A packet that grows beyond what clients take when its sender is written into it
// must not stand in the way of all that follow.
func TestTooLongPacketHoldsUpNothing(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	long := user(string(make([]byte, 60000)))
	for i := range 100 {
		to := fmt.Sprintf("bob%029d", i)
		long.GetUser().DestinationIdentities = append(long.GetUser().DestinationIdentities, to, "bob") //nolint:staticcheck // old clients set it
	}
	for _, label := range []string{"_reliable", "_lossy"} {
		ann.sendData(label, long)
		ann.sendData(label, user("after "+label))
		bob.until("what follows on "+label, func() bool { return slices.Contains(bob.texts(), "after "+label) })
	}
	if n := s.sfu.Stats().DataTooLong; n != 2 {
		t.Errorf("%d packets are counted as too long", n)
	}
}

// A receiver that takes nothing must not hold up the others, nor our memory.
func TestSlowReceiverDoesNotStallTheRoom(t *testing.T) {
	t.Parallel()
	// On a busy machine bob may take nothing for as long as a dead receiver; that is another test's.
	s := newServer(t, limits(func(l *sfu.Limits) { l.DataQueueBytes = 256 << 10 }), timing(func(t *sfu.Timing) { t.Patience = 2 * hang }))
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	s.join(true, s.token("slow", "r")) // never opens its channels
	big := make([]byte, 10<<10)
	const n = 100
	for i := range n {
		p := user(string(big))
		p.Sequence = uint32(i + 1)
		ann.sendData("_reliable", p)
	}
	bob.until("all packets", func() bool { return len(bob.data) == n })
	if got := len(s.sfu.Integration().Participants("r")); got != 3 {
		t.Errorf("%d participants: somebody was thrown out for another's flood", got)
	}
}

// One that opened its channels and then takes nothing is let go of, so that the
// sender goes on.
func TestDeadReceiverIsLetGo(t *testing.T) {
	t.Parallel()
	s := newServer(t, limits(func(l *sfu.Limits) { l.DataQueueBytes = 64 << 10 }))
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	dead := s.connect(true, s.token("dead", "r"))
	ann.sendData("_reliable", user("first"))
	for _, c := range []*client{bob, dead} {
		c.until("the first packet", func() bool { return len(c.data) == 1 })
	}
	if err := dead.pub.SCTP().Transport().ICETransport().Stop(); err != nil { // without a goodbye
		t.Fatal(err)
	}
	const n = 100
	for range n {
		ann.sendData("_reliable", user(string(make([]byte, 10<<10))))
	}
	if l := dead.wait("leave", isLeave).GetLeave(); l.Action != livekit.LeaveRequest_RECONNECT {
		t.Errorf("leave %v: a hole in reliable data must not go unnoticed", l)
	}
	bob.until("all packets", func() bool { return len(bob.data) == n+1 })
}

// An agent may speak for another in text; everybody else is who it is.
func TestWhoDataIsFrom(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	agent := s.connect(true, s.token("agent", "r", agentToken))
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	packets := []*livekit.DataPacket{
		{ParticipantIdentity: "ann", Value: &livekit.DataPacket_Transcription{Transcription: &livekit.Transcription{}}},
		{ParticipantIdentity: "ann", Value: &livekit.DataPacket_ChatMessage{ChatMessage: &livekit.ChatMessage{Message: "hi"}}},
		{ParticipantIdentity: "ann", Value: &livekit.DataPacket_StreamChunk{StreamChunk: &livekit.DataStream_Chunk{}}},
		{ParticipantIdentity: "ann", Value: &livekit.DataPacket_RpcRequest{RpcRequest: &livekit.RpcRequest{}}},
		{Value: &livekit.DataPacket_ChatMessage{ChatMessage: &livekit.ChatMessage{Message: "mine"}}},
	}
	for _, p := range packets {
		agent.sendData("_reliable", p)
	}
	bob.until("the agent's packets", func() bool { return len(bob.data) == len(packets) })
	for i, want := range []string{"ann", "ann", "ann", "agent", "agent"} {
		bob.mu.Lock()
		p := bob.data[i]
		bob.mu.Unlock()
		if p.ParticipantIdentity != want || p.ParticipantSid != agent.joined.Participant.Sid {
			t.Errorf("packet %d: from %s (%s), want %s with the agent's sid, whose numbers these are", i, p.ParticipantIdentity, p.ParticipantSid, want)
		}
	}
	ann.sendData("_reliable", &livekit.DataPacket{ParticipantIdentity: "bob", Value: &livekit.DataPacket_ChatMessage{ChatMessage: &livekit.ChatMessage{}}})
	bob.until("ann's packet", func() bool { return len(bob.data) == len(packets)+1 })
	bob.mu.Lock()
	defer bob.mu.Unlock()
	if p := bob.data[len(packets)]; p.ParticipantIdentity != "ann" {
		t.Errorf("ann spoke as %s", p.ParticipantIdentity)
	}
}

// Destinations are identities, as they are written; old clients name sids.
func TestDestinations(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	upper := s.connect(true, s.token("BOB", "r"))
	p := user("to BOB")
	p.DestinationIdentities = []string{"BOB"}
	ann.sendData("_reliable", p)
	p = user("to bob's sid")
	p.GetUser().DestinationSids = []string{bob.joined.Participant.Sid} //nolint:staticcheck // old clients set it
	ann.sendData("_reliable", p)
	p = user("to nobody here")
	p.DestinationIdentities = []string{"Bob", "nobody"}
	ann.sendData("_reliable", p)
	ann.sendData("_reliable", user("to all"))
	for c, want := range map[*client]string{bob: "[to bob's sid to all]", upper: "[to BOB to all]"} {
		c.until("the last", func() bool { return len(c.data) >= 2 })
		c.mu.Lock()
		if got := fmt.Sprint(c.texts()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		c.mu.Unlock()
	}
}

// Metrics reach those alone who may have them, transcriptions come from agents.
func TestMetricsNeedARight(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(true, s.token("bob", "r"))
	eye := s.connect(true, s.token("eye", "r", func(_ *auth.AccessToken, g *auth.VideoGrant) { g.SetCanSubscribeMetrics(true) }))
	ann.sendData("_reliable", &livekit.DataPacket{Value: &livekit.DataPacket_Metrics{Metrics: &livekit.MetricsBatch{}}})
	ann.sendData("_reliable", user("for all"))
	bob.until("what is for all", func() bool { return len(bob.data) > 0 })
	eye.until("both", func() bool { return len(eye.data) == 2 })
	bob.mu.Lock()
	defer bob.mu.Unlock()
	if len(bob.data) != 1 || bob.data[0].GetUser() == nil {
		t.Errorf("bob got %v", bob.data)
	}
}

// Encrypted packets, and what we do not know inside of known ones, pass as they are.
func TestEncryptedPacketsPassUntouched(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ann := s.connect(true, s.token("ann", "r"))
	bob := s.connect(false, s.token("bob", "r"))
	secret := &livekit.EncryptedPacket{EncryptionType: livekit.Encryption_GCM, Iv: []byte("iv"), KeyIndex: 3, EncryptedValue: []byte{0, 1, 2, 255}}
	secret.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 777, protowire.BytesType), "later"))
	want := proto.CloneOf(secret)
	ann.sendData("_reliable", &livekit.DataPacket{Sequence: 1, Value: &livekit.DataPacket_EncryptedPacket{EncryptedPacket: secret}})
	bob.until("the packet", func() bool { return len(bob.data) == 1 })
	bob.mu.Lock()
	defer bob.mu.Unlock()
	if got := bob.data[0]; !proto.Equal(got.GetEncryptedPacket(), want) || got.Sequence != 1 || got.ParticipantIdentity != "ann" {
		t.Errorf("got %v", got)
	}
}
