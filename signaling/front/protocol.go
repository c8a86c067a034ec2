package front

// protocol is what a connection's first bytes say.
type protocol int

const (
	undecided protocol = iota // more bytes are needed
	tlsHandshake
	turn
	framedSTUN
	other // HTTP, or what HTTP is to refuse
)

// decideBytes are enough to tell: a frame's length and the STUN header as far as its
// cookie. The shortest message of either kind is longer.
const decideBytes = 10

// recordHandshake begins a ClientHello (RFC 8446, section 5.1). No STUN message and no
// length of a frame that we take begins with it, and no method of HTTP.
const recordHandshake = 0x16

// maxFirst: a STUN message begins with two zero bits and a method that fits into the
// next six only as 0 or 1 (RFC 8489, section 5); a frame of ours with a length below 2,048.
const maxFirst = 0x07

// protocolOf looks at the first bytes of a connection.
func protocolOf(b []byte) protocol {
	switch {
	case len(b) == 0:
		return undecided
	case b[0] == recordHandshake:
		return tlsHandshake
	case b[0] > maxFirst:
		return other
	case len(b) >= 8 && isCookie(b[4:]):
		return turn
	case len(b) < decideBytes:
		return undecided
	case isCookie(b[6:]):
		return framedSTUN
	}
	return other
}

// isCookie tells whether STUN's magic cookie stands there (RFC 8489, section 5).
func isCookie(b []byte) bool {
	return b[0] == 0x21 && b[1] == 0x12 && b[2] == 0xA4 && b[3] == 0x42
}
