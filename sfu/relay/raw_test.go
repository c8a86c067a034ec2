package relay

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"
)

// rawTURN writes requests that no client library would.
type rawTURN struct {
	t                  *testing.T
	conn               net.PacketConn
	server             net.Addr
	username, password string
	nonce              stun.Nonce
}

func (r *rig) raw(t *testing.T, participant string) *rawTURN {
	t.Helper()
	username, password := r.Credentials(participant)
	return r.rawWith(t, username, password)
}

func (r *rig) rawWith(t *testing.T, username, password string) *rawTURN {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.raws = append(r.raws, conn)
	c := &rawTURN{t: t, conn: conn, server: r.udp, username: username, password: password}
	first := c.exchange(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)))
	if err := c.nonce.GetFrom(first); err != nil {
		t.Fatalf("no nonce in %s: %v", first, err)
	}
	return c
}

// udpTransport asks for a relayed address of UDP.
var udpTransport = stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}

// allocate makes an allocation of a family.
func (c *rawTURN) allocate(family turn.RequestedAddressFamily) {
	c.t.Helper()
	value := []byte{1, 0, 0, 0}
	if family == turn.RequestedAddressFamilyIPv6 {
		value[0] = 2
	}
	answer := c.ask(stun.MethodAllocate, udpTransport, stun.RawAttribute{Type: stun.AttrRequestedAddressFamily, Value: value})
	if answer.Type.Class != stun.ClassSuccessResponse {
		c.t.Fatalf("allocate: %s", answer)
	}
}

// ask sends a request with credentials and returns the answer.
func (c *rawTURN) ask(method stun.Method, attrs ...stun.Setter) *stun.Message {
	c.t.Helper()
	setters := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attrs...)
	setters = append(setters, stun.NewUsername(c.username), stun.NewRealm(realm), c.nonce,
		stun.NewLongTermIntegrity(c.username, realm, c.password))
	return c.exchange(stun.MustBuild(setters...))
}

// send sends an indication.
func (c *rawTURN) send(kind stun.MessageType, attrs ...stun.Setter) {
	c.t.Helper()
	m := stun.MustBuild(append([]stun.Setter{stun.TransactionID, kind}, attrs...)...)
	if _, err := c.conn.WriteTo(m.Raw, c.server); err != nil {
		c.t.Fatal(err)
	}
}

func (c *rawTURN) exchange(m *stun.Message) *stun.Message {
	c.t.Helper()
	if _, err := c.conn.WriteTo(m.Raw, c.server); err != nil {
		c.t.Fatal(err)
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(hangLimit)); err != nil {
		c.t.Fatal(err)
	}
	buf := make([]byte, packetBytes)
	n, _, err := c.conn.ReadFrom(buf)
	if err != nil {
		c.t.Fatalf("no answer to %s: %v", m.Type, err)
	}
	answer := &stun.Message{Raw: buf[:n]}
	if err := answer.Decode(); err != nil {
		c.t.Fatal(err)
	}
	if answer.TransactionID != m.TransactionID {
		c.t.Fatalf("%s answers another request than %s", answer, m)
	}
	return answer
}

// xorPeer is XOR-PEER-ADDRESS in the form given: of a mapped address, mapped.
type xorPeer struct {
	ip   netip.Addr
	port uint16
}

// AddTo implements stun.Setter (RFC 8489, section 14.2).
func (p xorPeer) AddTo(m *stun.Message) error {
	key := append([]byte{0x21, 0x12, 0xA4, 0x42}, m.TransactionID[:]...)
	family := byte(1)
	if p.ip.Is6() {
		family = 2
	}
	value := []byte{0, family, byte(p.port>>8) ^ key[0], byte(p.port) ^ key[1]}
	for i, b := range p.ip.AsSlice() {
		value = append(value, b^key[i])
	}
	m.Add(stun.AttrXORPeerAddress, value)
	return nil
}
