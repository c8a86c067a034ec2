package transport

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/pion/ice/v4"
)

func TestCandidatesThatClientsAreTold(t *testing.T) {
	const section = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
	local := "a=candidate:1 1 udp 2130706431 10.0.0.5 7882 typ host ufrag x\r\n" +
		"a=candidate:2 1 tcp 1671430143 10.0.0.5 443 typ host tcptype passive\r\n" +
		"a=candidate:3 1 udp 2130706431 10.0.0.6 7882 typ host\r\n" +
		"a=candidate:4 1 udp 2130706431 127.0.0.1 7882 typ host\r\n" +
		"a=candidate:5 1 udp 2130706431 fd00::5 7882 typ host\r\n"
	inside := "a=candidate:6 1 udp 2130706431 192.0.0.8 9 typ host\r\n"
	for _, tc := range []struct {
		name     string
		relay    bool
		external []netip.Addr
		added    []string // lines before which others stand
	}{
		{"nothing to change", false, nil, nil},
		{"the relay's is not told", true, nil, nil},
		{"a translating router", true, []netip.Addr{netip.MustParseAddr("203.0.113.7")}, []string{
			"a=candidate:ext0udp 1 udp 2130706431 203.0.113.7 7882 typ host ufrag x\r\n",
			"a=candidate:ext0tcp 1 tcp 1671430143 203.0.113.7 443 typ host tcptype passive\r\n",
		}},
		{"of both families", false, []netip.Addr{netip.MustParseAddr("2001:db8::7")}, []string{
			"a=candidate:ext0udp 1 udp 2130706431 2001:db8::7 7882 typ host\r\n",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := &Engine{cfg: Config{External: tc.external}}
			text := section + local
			if tc.relay {
				e.relay, e.relayAddr = newSpareMux(ice.NewMultiUDPMuxDefault()), netip.MustParseAddr("192.0.0.8")
				text += inside
			}
			got := e.tellCandidates(text)
			for _, line := range tc.added {
				if strings.Count(got, line) != 1 {
					t.Errorf("%q is not there once", line)
				}
				got = strings.Replace(got, line, "", 1)
			}
			if got != section+local {
				t.Errorf("got the rest\n%s", got)
			}
		})
	}
}
