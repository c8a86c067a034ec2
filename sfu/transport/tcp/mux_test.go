package tcp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"aparte/sfu/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// hangLimit bounds the waiting for events; nothing takes that long.
const hangLimit = 20 * time.Second

// rig is a mux that listens on one address.
type rig struct {
	*Mux
	t  *testing.T
	at netip.AddrPort
}

func newRig(t *testing.T, address string) *rig {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr).AddrPort()
	r := &rig{NewMux([]netip.AddrPort{at}), t, at}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepting.Go(func() { r.Serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		accepting.Wait()
	})
	return r
}

// session is what ICE gets for a name.
func (r *rig) session(ufrag string) *conn {
	r.t.Helper()
	c, err := r.GetConnByUfrag(ufrag, r.at.Addr().Is6(), r.at.Addr().AsSlice())
	if err != nil {
		r.t.Fatal(err)
	}
	return c.(*conn)
}

// dial opens a connection and says whose it is.
func (r *rig) dial(first []byte) *net.TCPConn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.at.String())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(hangLimit))
	if _, err := c.Write(first); err != nil {
		r.t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

func frame(packet []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
}

// request is a check for a session.
func request(ufrag string) []byte {
	return stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(ufrag+":theirs")).Raw
}

func read(t *testing.T, c *conn) ([]byte, netip.AddrPort) {
	t.Helper()
	type result struct {
		data []byte
		from netip.AddrPort
		err  error
	}
	got := make(chan result, 1)
	go func() {
		buf := make([]byte, frameBytes)
		n, from, err := c.ReadFromAddrPort(buf)
		got <- result{buf[:n], from, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			t.Fatal(r.err)
		}
		return r.data, r.from
	case <-time.After(hangLimit):
		t.Fatal("nothing came")
		return nil, netip.AddrPort{}
	}
}

func expectFrame(t *testing.T, c net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, 2+len(want))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, frame(want)) {
		t.Fatalf("got % x, %v; want % x", got, err, frame(want))
	}
}

// expectClosed waits until the other side closed without a word.
func expectClosed(t *testing.T, c net.Conn) {
	t.Helper()
	var timeout net.Error
	if n, err := io.Copy(io.Discard, c); n != 0 || errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatalf("read %d bytes, %v; want it closed", n, err)
	}
}

func local(c net.Conn) netip.AddrPort { return c.LocalAddr().(*net.TCPAddr).AddrPort() }

func media(size int) []byte { return append([]byte{0x80}, make([]byte, size-1)...) }

func TestPacketsGoBothWays(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		t.Run(address, func(t *testing.T) {
			r := newRig(t, address)
			anna, boris := r.session("anna"), r.session("boris")
			check := request("anna")
			c := r.dial(append(frame(check), 0, 0)) // an empty frame says nothing
			if got, from := read(t, anna); !bytes.Equal(got, check) || from != local(c) {
				t.Errorf("got % x from %s", got, from)
			}
			// In pieces, and two in one.
			two := append(frame(media(1200)), frame(media(3))...)
			for _, piece := range [][]byte{two[:1], two[1:700], two[700:]} {
				if _, err := c.Write(piece); err != nil {
					t.Fatal(err)
				}
			}
			for _, size := range []int{1200, 3} {
				if got, _ := read(t, anna); len(got) != size {
					t.Errorf("got %d bytes, want %d", len(got), size)
				}
			}
			for _, size := range []int{20, 1200} {
				if _, err := anna.WriteTo(media(size), c.LocalAddr()); err != nil {
					t.Fatal(err)
				}
				expectFrame(t, c, media(size))
			}
			// Others reach it not.
			if _, err := boris.WriteToAddrPort(media(20), local(c)); err != nil {
				t.Fatal(err)
			}
			if s := r.Stats(); s.Disconnected != 1 || s.Accepted != 1 || s.Received != 3 {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// A client that lost its connection opens another one; the session goes on.
func TestAnotherConnectionOfTheSameSession(t *testing.T) {
	r := newRig(t, "127.0.0.1")
	anna := r.session("anna")
	first := r.dial(frame(request("anna")))
	read(t, anna)
	_ = first.Close()
	second := r.dial(frame(request("anna")))
	if _, from := read(t, anna); from != local(second) {
		t.Errorf("from %s, want %s", from, local(second))
	}
	if _, err := anna.WriteToAddrPort(media(9), local(second)); err != nil {
		t.Fatal(err)
	}
	expectFrame(t, second, media(9))
}

func TestWhatIsNobodysIsClosed(t *testing.T) {
	response := stun.MustBuild(stun.TransactionID, stun.BindingSuccess, stun.NewUsername("anna:x"))
	for _, tc := range []struct {
		name  string
		first []byte
		want  Stats
	}{
		{"unknown session", frame(request("carol")), Stats{UnknownPeer: 1}},
		{"no name", frame(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw), Stats{Malformed: 1}},
		{"no request", frame(response.Raw), Stats{Malformed: 1}},
		{"media first", frame(media(100)), Stats{Malformed: 1}},
		{"half a message", frame(request("anna")[:20]), Stats{Malformed: 1}},
		{"too long", []byte{0xff, 0xff, 0}, Stats{Malformed: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := newRig(t, "127.0.0.1")
			r.session("anna")
			expectClosed(t, r.dial(tc.first))
			if got := r.Stats(); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestConnectionsOfASessionAreBounded(t *testing.T) {
	r := newRig(t, "127.0.0.1")
	anna := r.session("anna")
	for range maxStreams {
		r.dial(frame(request("anna")))
		read(t, anna)
	}
	expectClosed(t, r.dial(frame(request("anna"))))
	if s := r.Stats(); s.TooMany != 1 || s.Accepted != maxStreams {
		t.Errorf("got %+v", s)
	}
}

func TestEndOfASessionEndsItsConnections(t *testing.T) {
	r := newRig(t, "127.0.0.1")
	anna := r.session("anna")
	c := r.dial(frame(request("anna")))
	read(t, anna)
	r.RemoveConnByUfrag("anna")
	expectClosed(t, c)
	if _, _, err := anna.ReadFromAddrPort(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if n, err := anna.WriteToAddrPort(media(9), local(c)); n != len(media(9)) || err != nil || r.Stats().Disconnected != 1 {
		t.Errorf("write: %d, %v, %+v", n, err, r.Stats())
	}
	expectClosed(t, r.dial(frame(request("anna"))))
}

func TestOnlyOurAddressesAreOffered(t *testing.T) {
	r := newRig(t, "127.0.0.1")
	if _, err := r.GetAllConns("anna", false, net.IPv4(127, 0, 0, 2)); err == nil {
		t.Error("an address without listener")
	}
	m := NewMux([]netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:443"), netip.MustParseAddrPort("127.0.0.1:7882")})
	all, err := m.GetAllConns("anna", false, net.IPv4(127, 0, 0, 1))
	if err != nil || len(all) != 2 || all[0].LocalAddr().String() != "127.0.0.1:443" || all[1].LocalAddr().String() != "127.0.0.1:7882" {
		t.Errorf("got %v, %v", all, err)
	}
	_ = m.Close()
}

// One does not read. It is the only one to lose anything, and nobody waits for it:
// the other gets each packet while the writer, one goroutine for both as the worker
// is, writes a hundred times more than the slow one's queue holds.
func TestPeerThatDoesNotReadDelaysNobody(t *testing.T) {
	r := newRig(t, "127.0.0.1")
	anna, boris := r.session("anna"), r.session("boris")
	slow := r.dial(frame(request("anna")))
	fast := r.dial(frame(request("boris")))
	read(t, anna)
	read(t, boris)
	const size, packets = 1200, 40_000
	if err := slow.SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	longest := time.Duration(0)
	for i := range packets {
		began := time.Now()
		if _, err := anna.WriteToAddrPort(media(size), local(slow)); err != nil {
			t.Fatal(err)
		}
		longest = max(longest, time.Since(began))
		if i%100 != 0 {
			continue
		}
		if _, err := boris.WriteToAddrPort(media(size), local(fast)); err != nil {
			t.Fatal(err)
		}
		expectFrame(t, fast, media(size))
	}
	s := r.Stats()
	if s.QueueFull < packets/2 || s.Stalled != 0 {
		t.Errorf("got %+v", s)
	}
	if longest > stallLimit/4 {
		t.Errorf("a write took %s", longest)
	}
	// What keeps the connection up still has room.
	before := s.QueueFull
	if _, err := anna.WriteToAddrPort(request("theirs"), local(slow)); err != nil {
		t.Fatal(err)
	}
	if s := r.Stats(); s.QueueFull != before {
		t.Error("a STUN message was dropped with the media")
	}
}

// Packets cost no memory once buffers are as large as they get.
func TestSendingIsNotAllocated(t *testing.T) {
	r := newRig(t, "127.0.0.1")
	anna := r.session("anna")
	c := r.dial(frame(request("anna")))
	read(t, anna)
	go func() { _, _ = io.Copy(io.Discard, c) }()
	packet, to := media(1200), local(c)
	for range 2000 {
		_, _ = anna.WriteToAddrPort(packet, to)
	}
	if n := testing.AllocsPerRun(2000, func() { _, _ = anna.WriteToAddrPort(packet, to) }); n > 0.1 {
		t.Errorf("%.2f allocations a packet", n)
	}
}

func TestTooLongPacketsAreDropped(t *testing.T) {
	r := newRig(t, "127.0.0.1")
	anna := r.session("anna")
	c := r.dial(frame(request("anna")))
	read(t, anna)
	if n, err := anna.WriteToAddrPort(media(frameBytes+1), local(c)); n != frameBytes+1 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if s := r.Stats(); s.TooLong != 1 {
		t.Errorf("got %+v", s)
	}
}

// FuzzFirstFrame: whatever comes first is a session's or is refused.
func FuzzFirstFrame(f *testing.F) {
	f.Add(request("anna"))
	f.Add(media(30))
	f.Add(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw)
	f.Fuzz(func(t *testing.T, packet []byte) {
		if name, err := localUfrag(packet); err != nil && name != "" {
			t.Errorf("name %q with %v", name, err)
		}
	})
}

// FuzzFrames: frames come out as they went in, however long, or the stream ends.
func FuzzFrames(f *testing.F) {
	f.Add(frame(media(20)))
	f.Add([]byte{0, 0, 0, 1, 9})
	f.Add([]byte{8, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		client, server := net.Pipe()
		go func() {
			_, _ = client.Write(data)
			_ = client.Close()
		}()
		defer server.Close()
		s, rest := newStream(server, &counters{}), data
		for {
			packet, err := s.read()
			if err != nil {
				return
			}
			for len(rest) >= 2 && rest[0] == 0 && rest[1] == 0 {
				rest = rest[2:]
			}
			if want := frame(packet); len(packet) == 0 || len(packet) > frameBytes || !bytes.HasPrefix(rest, want) {
				t.Fatalf("got % x of % x", packet, rest)
			}
			rest = rest[2+len(packet):]
		}
	})
}

// from is a connection of a source.
type from struct {
	net.Conn
	source string
}

func (c *from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(c.source), 1))
}

func (c *from) Close() error { return nil }

// Nobody who knows no session takes the place of those who do.
func TestUndeclaredConnectionsOfASourceAreBounded(t *testing.T) {
	m := NewMux(nil)
	one := &from{source: "2001:db8::1"}
	if !m.enter(one) {
		t.Fatal("the first is refused")
	}
	for range maxUndeclaredFrom - 1 {
		c := &from{source: "2001:db8::2"} // of the same network
		if !m.enter(c) {
			t.Fatal("refused below the limit")
		}
		defer m.leave(c)
	}
	if m.enter(&from{source: "2001:db8::3"}) {
		t.Error("taken above the limit")
	}
	if other := (&from{source: "2001:db8:1::1"}); !m.enter(other) {
		t.Error("another source is refused")
	} else {
		m.declared(other)
		m.leave(other)
	}
	m.declared(one)
	if next := (&from{source: "2001:db8::3"}); !m.enter(next) {
		t.Error("refused though one has said whose it is")
	} else {
		m.leave(next)
	}
	m.leave(one)
	if s := m.Stats(); s.TooMany != 1 {
		t.Errorf("got %+v", s)
	}
}
