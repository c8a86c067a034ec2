//go:build linux

package udp

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aparte/sfu/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// hangLimit is generous: nothing here waits for time.
const hangLimit = 20 * time.Second

func listen(t *testing.T, addrs ...string) *Endpoint {
	t.Helper()
	var cfg Config
	for _, a := range addrs {
		cfg.Addrs = append(cfg.Addrs, netip.MustParseAddr(a))
	}
	e, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func peer(t *testing.T, network, addr string) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(addr)))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadBuffer(4 << 20)
	_ = c.SetReadDeadline(time.Now().Add(hangLimit))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func addrOf(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func rtp(i, size int) []byte {
	b := bytes.Repeat([]byte{byte(i)}, size)
	b[0] = 0x80
	b[1] = byte(i)
	return b
}

func expect(t *testing.T, c *net.UDPConn, want []byte) {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(buf[:n], want) {
		t.Fatalf("got %d bytes % x…, want %d bytes % x…", n, buf[:2], len(want), want[:2])
	}
}

// Sizes as libwebrtc makes them, two destinations, a run longer than maxRun: all
// arrive whole and in order.
func TestCorkedPacketsArriveInOrder(t *testing.T) {
	for _, network := range []struct{ name, local, peer string }{
		{"udp4", "127.0.0.1", "127.0.0.1:0"},
		{"udp6", "::1", "[::1]:0"},
	} {
		t.Run(network.name, func(t *testing.T) {
			e := listen(t, network.local)
			a, b := peer(t, network.name, network.peer), peer(t, network.name, network.peer)
			sizes := []int{1200, 1200, 1199, 1199, 1199, 300, 1200}
			for i := range 40 {
				sizes = append(sizes, 900+i%3)
			}
			for range 20 {
				sizes = append(sizes, 500)
			}
			e.Cork()
			for _, dst := range []*net.UDPConn{a, b} {
				for i, size := range sizes {
					if _, err := e.conns[0].WriteToAddrPort(rtp(i, size), addrOf(dst)); err != nil {
						t.Fatal(err)
					}
				}
			}
			if got := e.Stats().Sent; got != 0 {
				t.Fatalf("%d packets left while corked", got)
			}
			e.Uncork()
			for _, dst := range []*net.UDPConn{a, b} {
				for i, size := range sizes {
					expect(t, dst, rtp(i, size))
				}
			}
			s := e.Stats()
			if s.Sent != uint64(2*len(sizes)) || s.Refused+s.SocketFull+s.TooLong != 0 {
				t.Fatalf("%+v", s)
			}
			if s.NoSegmentation == 0 && s.Messages >= s.Sent {
				t.Fatalf("nothing was joined: %+v", s)
			}
		})
	}
}

// STUN and DTLS never wait for the cork.
func TestOnlyMediaIsCorked(t *testing.T) {
	e := listen(t, "127.0.0.1")
	p := peer(t, "udp4", "127.0.0.1:0")
	e.Cork()
	stun, dtls, media := []byte{0, 1, 2, 3}, []byte{22, 1, 2, 3}, rtp(1, 100)
	for _, b := range [][]byte{media, stun, dtls} {
		if _, err := e.conns[0].WriteToAddrPort(b, addrOf(p)); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, p, stun)
	expect(t, p, dtls)
	e.Uncork()
	expect(t, p, media)
}

// More than the arena holds goes out before Uncork, in order.
func TestArenaOverflowKeepsOrder(t *testing.T) {
	e := listen(t, "127.0.0.1")
	p := peer(t, "udp4", "127.0.0.1:0")
	const n = 400 // 400 x 1,200 B is more than 256 KiB
	e.Cork()
	for i := range n {
		if _, err := e.conns[0].WriteToAddrPort(rtp(i, 1200), addrOf(p)); err != nil {
			t.Fatal(err)
		}
	}
	e.Uncork()
	for i := range n {
		expect(t, p, rtp(i, 1200))
	}
}

// A destination the kernel refuses costs only its own packets.
func TestBadMessageIsSkipped(t *testing.T) {
	e := listen(t, "127.0.0.1")
	p := peer(t, "udp4", "127.0.0.1:0")
	bad := netip.MustParseAddrPort("[::1]:9") // wrong family for the socket
	e.Cork()
	for i := range 3 {
		_, _ = e.conns[0].WriteToAddrPort(rtp(i, 200), addrOf(p))
		_, _ = e.conns[0].WriteToAddrPort(rtp(9, 200), bad)
	}
	e.Uncork()
	for i := range 3 {
		expect(t, p, rtp(i, 200))
	}
	if s := e.Stats(); s.Refused != 3 || s.Sent != 3 {
		t.Fatalf("%+v", s)
	}
}

// Where UDP_SEGMENT does not work, everything still arrives, and after some tries
// the socket stops trying.
func TestFallsBackWithoutSegmentation(t *testing.T) {
	e := listen(t, "127.0.0.1")
	p := peer(t, "udp4", "127.0.0.1:0")
	c := e.conns[0]
	// The kernel refuses to segment without UDP checksums, with EINVAL.
	if err := unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1); err != nil {
		t.Fatal(err)
	}
	for range maxDoubts + 1 {
		e.Cork()
		for i := range 4 {
			_, _ = c.WriteToAddrPort(rtp(i, 200), addrOf(p))
		}
		e.Uncork()
		for i := range 4 {
			expect(t, p, rtp(i, 200))
		}
	}
	if s := e.Stats(); !c.plain.Load() || s.NoSegmentation != 1 || s.Refused != 0 || s.Sent != 4*(maxDoubts+1) {
		t.Fatalf("%+v", s)
	}
}

func TestReceives(t *testing.T) {
	e := listen(t, "127.0.0.1", "::1")
	if l := e.LocalAddrs(); len(l) != 2 || l[0].Port() != l[1].Port() || l[0].Port() == 0 {
		t.Fatal(l)
	}
	// The mux reads; take the raw socket's place beside it.
	c, err := openConn(netip.MustParseAddrPort("127.0.0.1:0"), &e.stats)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := peer(t, "udp4", "127.0.0.1:0")
	for i := range 70 {
		if _, err := p.WriteToUDPAddrPort(rtp(i, 100+i), c.local); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 1500)
	for i := range 70 {
		n, from, err := c.ReadFromAddrPort(buf)
		if err != nil || from != addrOf(p) || !bytes.Equal(buf[:n], rtp(i, 100+i)) {
			t.Fatal(i, n, from, err)
		}
	}
}

// Close while a reader is blocked, and while others write.
func TestCloseWakesReader(t *testing.T) {
	for _, local := range []string{"127.0.0.1:0", "[::1]:0"} {
		c, err := openConn(netip.MustParseAddrPort(local), &counters{})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() {
			_, _, err := c.ReadFromAddrPort(make([]byte, 1500))
			done <- err
		}()
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			for {
				if _, err := c.WriteToAddrPort([]byte{0, 1}, c.local); err != nil {
					return
				}
				select {
				case err := <-done:
					done <- err
					return
				default:
				}
			}
		}()
		// The reader gets our own packets until closed.
		go func() { _ = c.Close() }()
		select {
		case err := <-done:
			t.Log("reader ended:", err) // with a packet of ours or with the closing, whichever was first
		case <-time.After(hangLimit):
			t.Fatal("reader still blocked")
		}
		select {
		case <-stop:
		case <-time.After(hangLimit):
			t.Fatal("writer still blocked")
		}
		_ = c.Close()
	}
}

func TestCloseWhileIdle(t *testing.T) {
	for range 20 {
		e := listen(t, "127.0.0.1", "::1")
		closed := make(chan struct{})
		go func() { _ = e.Close(); close(closed) }()
		select {
		case <-closed:
		case <-time.After(hangLimit):
			t.Fatal("Close hangs")
		}
	}
}

func TestListenRefuses(t *testing.T) {
	for _, a := range []string{"0.0.0.0", "::"} {
		if _, err := Listen(Config{Addrs: []netip.Addr{netip.MustParseAddr(a)}}); err == nil {
			t.Errorf("%s accepted", a)
		}
	}
	if _, err := Listen(Config{}); err == nil {
		t.Error("no address accepted")
	}
	e := listen(t, "127.0.0.1")
	if _, err := Listen(Config{Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}, Port: e.LocalAddrs()[0].Port()}); err == nil {
		t.Error("port taken twice")
	}
}

func TestGatherAllocatesNothing(t *testing.T) {
	e := listen(t, "127.0.0.1")
	p := peer(t, "udp4", "127.0.0.1:0")
	b, to := rtp(1, 1200), addrOf(p)
	if n := testing.AllocsPerRun(200, func() {
		e.Cork()
		for range 8 {
			_, _ = e.conns[0].WriteToAddrPort(b, to)
		}
		e.Uncork()
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func BenchmarkSend(b *testing.B) {
	for _, burst := range []int{1, 8} {
		b.Run(fmt.Sprintf("burst=%d", burst), func(b *testing.B) {
			e, err := Listen(Config{Addrs: []netip.Addr{netip.MustParseAddr("127.0.0.1")}})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				b.Fatal(err)
			}
			defer sink.Close()
			to, pkt := addrOf(sink), rtp(1, 1200)
			b.ReportAllocs()
			for b.Loop() {
				e.Cork()
				for range burst {
					_, _ = e.conns[0].WriteToAddrPort(pkt, to)
				}
				e.Uncork()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*burst), "ns/packet")
		})
	}
}
