package publish

import (
	"testing"

	"github.com/pion/transport/v5/packetio"
)

// A subscriber's reports name every track it was ever sent, where Pion keeps a buffer
// each: whoever stays while a thousand come and go is not taken for a flood, and names of
// its own making still are bounded.
func TestReportsOnWhatWeSentAreNoFlood(t *testing.T) {
	overflows := 0
	r := NewReceiver(ReceiverConfig{OnOverflow: func() { overflows++ }})
	defer r.Close()
	const sent = 5000
	for range sent {
		r.ExpectReports()
	}
	for ssrc := range uint32(2 * sent) {
		r.Buffer(packetio.RTCPBufferPacket, ssrc)
	}
	if overflows != 0 {
		t.Fatal("reports on tracks that we sent count as a flood")
	}
	for ssrc := range uint32(2*maxSources + 1) {
		r.Buffer(packetio.RTCPBufferPacket, 1<<20+ssrc)
	}
	if overflows != 1 {
		t.Errorf("%d overflows of SSRCs that we never sent", overflows)
	}
}
