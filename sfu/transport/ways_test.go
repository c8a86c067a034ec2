package transport

import (
	"strings"
	"testing"
)

func TestOnlyTheWaysThatMayBeTakenAreTold(t *testing.T) {
	const section = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
	const udp = "a=candidate:1 1 udp 2130706431 10.0.0.5 7882 typ host\r\n"
	const tcp = "a=candidate:2 1 TCP 1671430143 10.0.0.5 443 typ host tcptype passive\r\n"
	const end = "a=end-of-candidates\r\n"
	for _, tt := range []struct {
		ways     Ways
		udp, tcp bool
	}{
		{0, true, true}, {UDP, true, false}, {TCP, false, true}, {Relay, true, false}, {UDP | TCP, true, true}, {UDP | TCP | Relay, true, true},
	} {
		got := tt.ways.tell(section + udp + tcp + end)
		if strings.Contains(got, udp) != tt.udp || strings.Contains(got, tcp) != tt.tcp || !strings.HasPrefix(got, section) || !strings.HasSuffix(got, end) {
			t.Errorf("%v: got\n%s", tt.ways, got)
		}
	}
}
