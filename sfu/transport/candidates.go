package transport

import (
	"net/netip"
	"strconv"
	"strings"
)

// tellCandidates makes our candidates in a description of ours those that clients
// can use: without that of the relay, which is in this process, and with the
// addresses that a translating router in front of us has (RFC 8445 calls a candidate
// with such a mapping a host candidate still, as everybody does who announces one).
func (e *Engine) tellCandidates(text string) string {
	if e.relay == nil && len(e.cfg.External) == 0 {
		return text
	}
	var out strings.Builder
	out.Grow(len(text) + 256*len(e.cfg.External))
	told := map[string]bool{}
	for line := range strings.SplitAfterSeq(text, "\n") {
		if !strings.HasPrefix(line, "a=candidate:") {
			// Sections are bundled: only the first has any, but who knows.
			if strings.HasPrefix(line, "m=") {
				clear(told)
			}
			out.WriteString(line)
			continue
		}
		f := strings.Fields(line)
		if len(f) < 6 {
			continue // Pion writes no such line
		}
		addr, err := netip.ParseAddr(f[4])
		if err != nil || addr == e.relayAddr {
			continue
		}
		for i, external := range e.cfg.External {
			key := f[1] + f[2] + f[5] + external.String()
			if external.Is4() != addr.Is4() || addr.IsLoopback() || told[key] {
				continue
			}
			told[key] = true
			mapped := append([]string(nil), f...)
			mapped[0] = "a=candidate:ext" + strconv.Itoa(i) + f[2]
			mapped[4] = external.String()
			out.WriteString(strings.Join(mapped, " ") + "\r\n")
		}
		out.WriteString(line)
	}
	return out.String()
}
