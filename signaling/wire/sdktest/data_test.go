package sdktest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"google.golang.org/protobuf/proto"

	"aparte/signaling/wire/sdktest/conform"
)

// forged says that another one sent it.
type forged struct{ as, text string }

func (f forged) ToProto() *livekit.DataPacket {
	return &livekit.DataPacket{
		ParticipantIdentity: f.as, ParticipantSid: "PA_forged",
		Value: &livekit.DataPacket_User{User: &livekit.UserPacket{
			ParticipantIdentity: f.as, ParticipantSid: "PA_forged", //nolint:staticcheck // the old place to forge
			Payload: []byte(f.text), Topic: proto.String("forged"),
		}},
	}
}

func TestData(t *testing.T) {
	for _, single := range []bool{false, true} {
		t.Run(modeName(single), func(t *testing.T) {
			proves(t, conform.Go, "data-order", "data-destinations", "data-lossy", "data-sender", "data-rpc", "data-streams")

			t.Parallel()
			j := newJournal(t)
			s := setup{room: roomName(t), single: single}
			alice, bob, carol := join(t, j, "alice", s), join(t, j, "bob", s), join(t, j, "carol", s)

			say := func(from *client, topic, text string, reliable bool, to ...string) {
				t.Helper()
				err := from.room.LocalParticipant.PublishDataPacket(lksdk.UserData([]byte(text)),
					lksdk.WithDataPublishTopic(topic), lksdk.WithDataPublishReliable(reliable), lksdk.WithDataPublishDestination(to))
				if err != nil {
					t.Fatal(err)
				}
			}
			texts := func(c *client, from, topic string) (out []string) {
				for _, m := range c.received() {
					if m.from == from && m.topic == topic {
						out = append(out, m.text)
					}
				}
				return out
			}

			t.Log("reliable, both ways, in order")
			const n = 200
			var want []string
			for i := range n {
				text := fmt.Sprintf("message %d %s", i, strings.Repeat("x", i*10))
				want = append(want, text)
				say(alice, "chat", text, true)
				say(bob, "chat", text, true)
			}
			for _, way := range []struct{ from, to *client }{{alice, bob}, {bob, alice}, {alice, carol}, {bob, carol}} {
				j.wait(fmt.Sprintf("%s has all of %s", way.to.name, way.from.name), func() bool { return len(texts(way.to, way.from.name, "chat")) >= n })
				if got := texts(way.to, way.from.name, "chat"); !slices.Equal(got, want) {
					t.Errorf("%s got from %s other texts, or in another order", way.to.name, way.from.name)
				}
			}
			if got := texts(alice, "alice", "chat"); len(got) > 0 {
				t.Errorf("alice got %d of her own messages", len(got))
			}

			t.Log("to some only")
			say(alice, "aside", "for carol", true, "carol")
			say(alice, "aside", "for all", true)
			j.wait("all have the second", func() bool {
				return slices.Contains(texts(bob, "alice", "aside"), "for all") && slices.Contains(texts(carol, "alice", "aside"), "for all")
			})
			if got := texts(bob, "alice", "aside"); !slices.Equal(got, []string{"for all"}) {
				t.Errorf("bob got %q", got)
			}
			if got := texts(carol, "alice", "aside"); !slices.Equal(got, []string{"for carol", "for all"}) {
				t.Errorf("carol got %q", got)
			}

			t.Log("lossy")
			for i := range 50 {
				say(alice, "pointer", fmt.Sprint(i), false)
			}
			j.wait("bob has most of the lossy ones", func() bool { return len(texts(bob, "alice", "pointer")) >= 40 })

			t.Log("the sender is who the server knows it is")
			err := alice.room.LocalParticipant.PublishDataPacket(forged{"carol", "send money"}, lksdk.WithDataPublishReliable(true))
			if err != nil {
				t.Fatal(err)
			}
			j.wait("bob has the forged one", func() bool { return len(texts(bob, "alice", "forged")) == 1 })
			if got := texts(bob, "carol", "forged"); len(got) > 0 {
				t.Errorf("bob believes that carol sent %q", got)
			}

			t.Log("remote procedure call")
			err = bob.room.RegisterRpcMethod("greet", func(d lksdk.RpcInvocationData) (string, error) {
				if d.Payload == "" {
					return "", lksdk.NewRpcError(1600, "whom?", nil)
				}
				return "Bonjour " + d.Payload + ", asked by " + d.CallerIdentity, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := alice.room.LocalParticipant.PerformRpc(lksdk.PerformRpcParams{DestinationIdentity: "bob", Method: "greet", Payload: "Zoé"})
			if err != nil || *got != "Bonjour Zoé, asked by alice" {
				t.Errorf("greet: %v, %v", got, err)
			}
			_, err = alice.room.LocalParticipant.PerformRpc(lksdk.PerformRpcParams{DestinationIdentity: "bob", Method: "greet"})
			if e, ok := err.(*lksdk.RpcError); !ok || e.Code != 1600 || e.Message != "whom?" {
				t.Errorf("greet nobody: %v", err)
			}

			t.Log("text stream")
			long := strings.Repeat("Déjà vu. ", 8000)
			letters := make(chan string, 1)
			err = bob.room.RegisterTextStreamHandler("letter", func(r *lksdk.TextStreamReader, from string) {
				letters <- from + ": " + r.ReadAll()
				j.wake()
			})
			if err != nil {
				t.Fatal(err)
			}
			alice.room.LocalParticipant.SendText(long, lksdk.StreamTextOptions{Topic: "letter"})
			var letter string
			j.wait("bob has the letter", func() bool {
				select {
				case letter = <-letters:
					return true
				default:
					return false
				}
			})
			if letter != "alice: "+long {
				t.Errorf("the letter has %d bytes, not %d", len(letter), len(long)+7)
			}
		})
	}
}

// Who may not send data is not heard.
func TestDataNeedsPermission(t *testing.T) {
	proves(t, conform.Go, "data-not-allowed")
	t.Parallel()
	j := newJournal(t)
	s := setup{room: roomName(t)}
	alice, bob := join(t, j, "alice", s), join(t, j, "bob", s)
	mute := s
	mute.grant = func(g *auth.VideoGrant) { g.SetCanPublishData(false) }
	mallory := join(t, j, "mallory", mute)
	say := func(c *client, text string) {
		if err := c.room.LocalParticipant.PublishDataPacket(lksdk.UserData([]byte(text)), lksdk.WithDataPublishReliable(true)); err != nil {
			t.Fatal(err)
		}
	}
	say(mallory, "hear me")
	for i := range 50 {
		say(alice, fmt.Sprint(i))
		j.wait("bob has it", func() bool { return len(bob.received()) > i })
	}
	for _, m := range append(bob.received(), alice.received()...) {
		if m.from != "alice" {
			t.Errorf("%s was heard: %q", m.from, m.text)
		}
	}
}
