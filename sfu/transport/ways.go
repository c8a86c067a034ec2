package transport

import "strings"

// Ways are the ways that media may take to a client, a set. The zero value is all
// of them.
type Ways uint8

// The ways.
const (
	UDP   Ways = 1 << iota // straight to our socket
	TCP                    // framed (RFC 4571), on a connection of the client's
	Relay                  // by TURN; the relay reaches our UDP candidates
)

// Has tells whether one of some ways may be taken.
func (w Ways) Has(some Ways) bool { return w == 0 || w&some != 0 }

// tell takes out of a description of ours the candidates of other ways.
func (w Ways) tell(text string) string {
	if w.Has(UDP|Relay) && w.Has(TCP) {
		return text
	}
	var out strings.Builder
	out.Grow(len(text))
	for line := range strings.SplitAfterSeq(text, "\n") {
		if !strings.HasPrefix(line, "a=candidate:") {
			out.WriteString(line)
			continue
		}
		way := UDP | Relay
		if f := strings.Fields(line); len(f) > 2 && strings.EqualFold(f[2], "tcp") {
			way = TCP
		}
		if w.Has(way) {
			out.WriteString(line)
		}
	}
	return out.String()
}
