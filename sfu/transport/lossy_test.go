package transport

import (
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// What is sent on a way that an ICE restart is closing is lost, not the connection.
func TestWhatIsSentAsICERestartsIsLostAlone(t *testing.T) {
	e := tcpEngine(t, "127.0.0.1")
	for _, way := range []struct {
		network webrtc.NetworkType
		close   func(ufrag string)
	}{
		{webrtc.NetworkTypeUDP4, func(ufrag string) { e.mux.RemoveConnByUfrag(ufrag) }},
		{webrtc.NetworkTypeTCP4, func(ufrag string) { e.tcp.RemoveConnByUfrag(ufrag) }},
	} {
		d := dial(t, e, PeerConfig{}, way.network)
		heard := make(chan string, 10)
		d.channel.OnMessage(func(m webrtc.DataChannelMessage) { heard <- string(m.Data) })
		d.says(t, "before")
		way.close(d.peer.spare.ufrag)
		for _, text := range []string{"one", "two"} {
			if err := d.peer.SendData(Reliable, []byte(text)); err != nil {
				t.Errorf("%v: send: %v", way.network, err)
			}
		}
		d.negotiate(t, &webrtc.OfferOptions{ICERestart: true})
		d.says(t, "after the restart")
		for _, want := range []string{"one", "two"} { // once SCTP has sent it again
			if got := receive(t, heard); got != want {
				t.Errorf("%v: heard %q, want %q", way.network, got, want)
			}
		}
		if s := d.peer.State(); s != Connected {
			t.Errorf("%v: it is %v", way.network, s)
		}
	}
}

func receive(t *testing.T, from <-chan string) string {
	t.Helper()
	select {
	case text := <-from:
		return text
	case <-time.After(hangLimit):
		t.Fatal("nothing comes")
		return ""
	}
}
