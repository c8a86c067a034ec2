package front

import "net"

// conn gives back the bytes that were looked at.
type conn struct {
	net.Conn
	seen []byte // read, not yet given
}

// protocol reads until the bytes say what they are.
func (c *conn) protocol() (protocol, error) {
	buf := make([]byte, 0, decideBytes)
	for {
		if p := protocolOf(buf); p != undecided {
			c.seen = buf
			return p, nil
		}
		n, err := c.Conn.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil && n == 0 {
			return undecided, err
		}
	}
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	if len(c.seen) > 0 {
		n := copy(b, c.seen)
		c.seen = c.seen[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// NetConn is what it wraps: for options of the socket, as crypto/tls has it.
func (c *conn) NetConn() net.Conn { return c.Conn }

// CloseWrite lets http.Server end its side first, so that the last answer is not lost.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
