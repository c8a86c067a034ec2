package sdktest

import (
	"slices"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"
)

// saysTo sends a packet whose payload is the label, until somebody has heard it: what is
// lossy is dropped for whoever's channel is not open on both sides yet.
func (c *rawClient) saysTo(other *rawClient, label string, p *livekit.DataPacket) *livekit.DataPacket {
	c.t.Helper()
	c.say(label, p)
	if label != "_lossy" {
		return other.heard(label)
	}
	again, late := time.NewTicker(100*time.Millisecond), time.After(patience)
	defer again.Stop()
	for {
		other.mu.Lock()
		for _, d := range other.data {
			if string(d.packet.GetUser().GetPayload()) == label {
				other.mu.Unlock()
				return d.packet
			}
		}
		other.mu.Unlock()
		select {
		case <-again.C:
			c.say(label, p)
		case <-late:
			c.t.Fatalf("%s hears nothing of what %s says by %s", other.name, c.name, label)
		}
	}
}

func TestDataPackets(t *testing.T) {
	t.Parallel()
	both := func(t *testing.T, f func(t *testing.T, alice, bob *rawClient)) {
		for _, single := range []bool{false, true} {
			j := newJournal(t)
			s := rawSetup{room: roomName(t), single: single}
			f(t, rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s).connect())
		}
	}
	row(t, "data-sender", func(t *testing.T) {
		both(t, func(t *testing.T, alice, bob *rawClient) {
			for label, kind := range map[string]livekit.DataPacket_Kind{"_reliable": livekit.DataPacket_RELIABLE, "_lossy": livekit.DataPacket_LOSSY} {
				p := user(label)
				p.ParticipantIdentity, p.ParticipantSid, p.Kind = "carol", "PA_carol", 1-kind     //nolint:staticcheck // clients still read it
				p.GetUser().ParticipantIdentity, p.GetUser().ParticipantSid = "carol", "PA_carol" //nolint:staticcheck // clients still read it
				got := alice.saysTo(bob, label, p)
				if got.ParticipantIdentity != "alice" || got.ParticipantSid != alice.sid() || got.Kind != kind || //nolint:staticcheck // clients still read it
					got.GetUser().ParticipantIdentity != "alice" || got.GetUser().ParticipantSid != alice.sid() { //nolint:staticcheck // clients still read it
					t.Errorf("%s: %v", label, got)
				}
			}
			bob.mu.Lock()
			defer bob.mu.Unlock()
			for _, d := range bob.data {
				if want := map[livekit.DataPacket_Kind]string{livekit.DataPacket_RELIABLE: "_reliable", livekit.DataPacket_LOSSY: "_lossy"}[d.packet.Kind]; d.label != want { //nolint:staticcheck // clients still read it
					t.Errorf("%s came by %s", d.packet.GetUser().Payload, d.label)
				}
			}
		})
	})
	row(t, "data-destinations", func(t *testing.T) {
		both(t, func(t *testing.T, alice, bob *rawClient) {
			carol := rawJoin(t, bob.j, "carol", bob.s.again()).connect()
			alice.say("_reliable", user("for carol", "carol"))
			old := user("for bob, the old way")
			old.GetUser().DestinationIdentities = []string{"bob"} //nolint:staticcheck // old clients set it
			alice.say("_reliable", old)
			alice.say("_reliable", user("for all"))
			for _, c := range []*rawClient{bob, carol} {
				c.heard("for all")
			}
			if got := texts(bob); !slices.Equal(got, []string{"for bob, the old way", "for all"}) {
				t.Errorf("bob heard %q", got)
			}
			if got := texts(carol); !slices.Equal(got, []string{"for carol", "for all"}) {
				t.Errorf("carol heard %q", got)
			}
			if got := texts(alice); len(got) > 0 {
				t.Errorf("alice heard herself: %q", got)
			}
		})
	})
	row(t, "data-untouched", func(t *testing.T) {
		both(t, func(t *testing.T, alice, bob *rawClient) {
			sent := []*livekit.DataPacket{
				{Value: &livekit.DataPacket_User{User: &livekit.UserPacket{Payload: []byte{0, 1}, Topic: proto.String("t"), Id: proto.String("i"), Nonce: []byte{2}}}},
				{Value: &livekit.DataPacket_ChatMessage{ChatMessage: &livekit.ChatMessage{Id: "1", Message: "hello"}}},
				{Value: &livekit.DataPacket_SipDtmf{SipDtmf: &livekit.SipDTMF{Code: 5, Digit: "5"}}},
				{Value: &livekit.DataPacket_RpcRequest{RpcRequest: &livekit.RpcRequest{Id: "r", Method: "m", Payload: "p", ResponseTimeoutMs: 9, Version: 1}}},
				{Value: &livekit.DataPacket_RpcAck{RpcAck: &livekit.RpcAck{RequestId: "r"}}},
				{Value: &livekit.DataPacket_RpcResponse{RpcResponse: &livekit.RpcResponse{RequestId: "r", Value: &livekit.RpcResponse_Payload{Payload: "p"}}}},
				{Value: &livekit.DataPacket_StreamHeader{StreamHeader: &livekit.DataStream_Header{StreamId: "s", Topic: "t", TotalLength: proto.Uint64(3)}}},
				{Value: &livekit.DataPacket_StreamChunk{StreamChunk: &livekit.DataStream_Chunk{StreamId: "s", ChunkIndex: 1, Content: []byte("abc")}}},
				{Value: &livekit.DataPacket_StreamTrailer{StreamTrailer: &livekit.DataStream_Trailer{StreamId: "s", Reason: "done"}}},
				{Value: &livekit.DataPacket_EncryptedPacket{EncryptedPacket: &livekit.EncryptedPacket{EncryptionType: livekit.Encryption_GCM, Iv: []byte("iv"), KeyIndex: 3, EncryptedValue: []byte("secret")}}},
			}
			unknown := user("with a field of the future")
			unknown.ProtoReflect().SetUnknown([]byte{0xc2, 0x3e, 0x03, 'n', 'e', 'w'}) // field 1000, three bytes
			sent = append(sent, unknown)
			for _, p := range sent {
				alice.say("_reliable", p)
			}
			bob.until("all packets", func() bool { return len(bob.data) >= len(sent) })
			bob.mu.Lock()
			defer bob.mu.Unlock()
			for i, d := range bob.data {
				got := proto.CloneOf(d.packet)
				got.Kind, got.ParticipantIdentity, got.ParticipantSid = 0, "", "" //nolint:staticcheck // clients still read it
				if u := got.GetUser(); u != nil {
					u.ParticipantIdentity, u.ParticipantSid = "", "" //nolint:staticcheck // clients still read it
				}
				if !proto.Equal(got, sent[i]) {
					t.Errorf("sent %v, came %v", sent[i], got)
				}
			}
		})
	})
	row(t, "data-agents", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice, bob := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s).connect()
		s.grant = func(a *auth.AccessToken, _ *auth.VideoGrant) { a.SetKind(livekit.ParticipantInfo_AGENT) }
		agent := rawJoin(t, j, "agent", s).connect()
		spoken := func(text string) *livekit.DataPacket {
			return &livekit.DataPacket{Value: &livekit.DataPacket_Transcription{Transcription: &livekit.Transcription{
				TranscribedParticipantIdentity: "alice", Segments: []*livekit.TranscriptionSegment{{Id: "1", Text: text}},
			}}}
		}
		alice.say("_reliable", spoken("forged"))
		alice.say("_reliable", user("after"))
		bob.heard("after")
		agent.say("_reliable", spoken("true"))
		agent.say("_reliable", user("after that"))
		bob.heard("after that")
		bob.mu.Lock()
		defer bob.mu.Unlock()
		var got []string
		for _, d := range bob.data {
			for _, s := range d.packet.GetTranscription().GetSegments() {
				got = append(got, s.Text)
			}
		}
		if !slices.Equal(got, []string{"true"}) {
			t.Errorf("bob reads %q", got)
		}
	})
	row(t, "data-metrics", func(t *testing.T) {
		j := newJournal(t)
		s := rawSetup{room: roomName(t)}
		alice, bob := rawJoin(t, j, "alice", s).connect(), rawJoin(t, j, "bob", s).connect()
		s.grant = func(_ *auth.AccessToken, g *auth.VideoGrant) { g.SetCanSubscribeMetrics(true) }
		watcher := rawJoin(t, j, "watcher", s).connect()
		alice.say("_reliable", &livekit.DataPacket{Value: &livekit.DataPacket_Metrics{Metrics: &livekit.MetricsBatch{TimestampMs: 1}}})
		alice.say("_reliable", user("after"))
		bob.heard("after")
		watcher.heard("after")
		count := func(c *rawClient) (n int) {
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, d := range c.data {
				if d.packet.GetMetrics() != nil {
					n++
				}
			}
			return n
		}
		if count(bob) != 0 || count(watcher) != 1 {
			t.Errorf("bob has %d metrics, the watcher %d", count(bob), count(watcher))
		}
	})
	row(t, "data-sequence", func(t *testing.T) {
		both(t, func(t *testing.T, alice, bob *rawClient) {
			for _, m := range []struct {
				seq  uint32
				text string
			}{{1, "a"}, {2, "b"}, {2, "b again"}, {1, "a again"}, {5, "e"}, {4, "d, late"}, {0, "without"}, {6, "end"}} {
				p := user(m.text)
				p.Sequence = m.seq
				alice.say("_reliable", p)
			}
			bob.heard("end")
			if got := texts(bob); !slices.Equal(got, []string{"a", "b", "e", "without", "end"}) {
				t.Errorf("bob heard %q", got)
			}
			for text, want := range map[string]uint32{"a": 1, "e": 5, "without": 0, "end": 6} {
				if got := bob.heard(text).Sequence; got != want {
					t.Errorf("%q has number %d, was sent with %d", text, got, want)
				}
			}
		})
	})
	row(t, "data-tracks", func(t *testing.T) {
		j := newJournal(t)
		c := rawJoin(t, j, "alice", rawSetup{room: roomName(t)})
		c.send(&livekit.SignalRequest{Message: &livekit.SignalRequest_PublishDataTrackRequest{PublishDataTrackRequest: &livekit.PublishDataTrackRequest{PubHandle: 1, Name: "x"}}})
		c.refusal(livekit.RequestResponse_UNSUPPORTED_TYPE)
	})
}

// again is the same way to join, for another.
func (s rawSetup) again() rawSetup { s.token = ""; return s }

// texts are the user packets that c has, in order.
func texts(c *rawClient) (out []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.data {
		if u := d.packet.GetUser(); u != nil {
			out = append(out, string(u.Payload))
		}
	}
	return out
}
