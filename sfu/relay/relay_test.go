package relay

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	"github.com/pion/turn/v5"

	"aparte/sfu/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// hangLimit bounds the waiting for events; nothing takes that long.
const hangLimit = 20 * time.Second

// The media's addresses in these tests; nobody listens there, which nobody should
// notice.
var (
	media4  = netip.MustParseAddrPort("127.0.0.1:7882")
	media4b = netip.MustParseAddrPort("192.0.2.7:7882")
	media6  = netip.MustParseAddrPort("[2001:db8::7]:7882")
)

// rig is a server whose media answers each packet with the same, and a "!" behind it.
type rig struct {
	*Server
	exchange *Exchange
	tcp, udp net.Addr
	clock    atomic.Int64 // Unix seconds
	seen     sync.Map     // sources of packets, as the media sees them

	// Open until the end: allocations are not ended, and whoever is given the port of one
	// that is there is refused another.
	raws []net.PacketConn
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{exchange: NewExchange()}
	r.clock.Store(1_800_000_000)
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.tcp, r.udp = listener.Addr(), socket.LocalAddr()
	r.Server, err = New(Config{
		Exchange: r.exchange, Media: []netip.AddrPort{media4, media4b, media6}, UDP: []net.PacketConn{socket},
		Now: func() time.Time { return time.Unix(r.clock.Load(), 0) }, LoggerFactory: quiet{},
	})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { r.Serve(c) })
		}
	})
	running.Go(func() { r.echo(r.exchange.MediaConn().(mediaConn)) })
	t.Cleanup(func() {
		_ = listener.Close()
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		_ = r.exchange.Close()
		running.Wait()
		for _, c := range r.raws {
			_ = c.Close()
		}
	})
	return r
}

func (r *rig) echo(c mediaConn) {
	buf := make([]byte, packetBytes)
	for {
		n, from, err := c.ReadFromAddrPort(buf)
		if err != nil {
			return
		}
		r.seen.Store(from, true)
		if _, err := c.WriteToAddrPort(append(buf[:n:n], '!'), from); err != nil {
			return
		}
	}
}

// quiet is a logging.LoggerFactory.
type quiet struct{}

func (quiet) NewLogger(string) logging.LeveledLogger {
	f := logging.NewDefaultLoggerFactory()
	f.DefaultLogLevel = logging.LogLevelDisabled
	return f.NewLogger("turn")
}

// client is a TURN client over the network given.
func (r *rig) client(t *testing.T, network, username, password string) *turn.Client {
	t.Helper()
	var conn net.PacketConn
	var server string
	if network == "udp" {
		socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		conn, server = socket, r.udp.String()
	} else {
		stream, err := net.Dial("tcp4", r.tcp.String())
		if err != nil {
			t.Fatal(err)
		}
		conn, server = turn.NewSTUNConn(stream), r.tcp.String()
	}
	c, err := turn.NewClient(&turn.ClientConfig{
		STUNServerAddr: server, TURNServerAddr: server, Conn: conn,
		Username: username, Password: password, Realm: realm, LoggerFactory: quiet{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		_ = conn.Close()
	})
	return c
}

func (r *rig) allocate(t *testing.T, network, participant string) (*turn.Client, net.PacketConn) {
	t.Helper()
	username, password := r.Credentials(participant)
	c := r.client(t, network, username, password)
	conn, err := c.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return c, conn
}

// expectEcho writes until the media answers: a client library that is about to bind a
// channel may lose one.
func expectEcho(t *testing.T, conn net.PacketConn, to netip.AddrPort, text string) {
	t.Helper()
	buf := make([]byte, packetBytes)
	for end := time.Now().Add(hangLimit); time.Now().Before(end); {
		if _, err := conn.WriteTo([]byte(text), net.UDPAddrFromAddrPort(to)); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, from, err := conn.ReadFrom(buf)
		if err != nil || string(buf[:n]) != text+"!" {
			continue
		}
		if from.String() != to.String() {
			t.Fatalf("%s answered for %s", from, to)
		}
		return
	}
	t.Fatalf("no answer from %s to %q", to, text)
}

// answered is what was counted once the media has answered all that it was sent: what
// expectEcho wrote again may still be on its way.
func (r *rig) answered() (s Stats) {
	for end := time.Now().Add(hangLimit); ; {
		if s = r.exchange.Stats(); s.FromClients == s.ToClients || time.Now().After(end) {
			return s
		}
		runtime.Gosched()
	}
}

func TestMediaThroughTheRelay(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			r := newRig(t)
			_, conn := r.allocate(t, network, "anna")
			// Both addresses of the media answer for themselves; the second write of
			// each goes by a channel.
			for i, to := range []netip.AddrPort{media4, media4b, media4, media4b} {
				expectEcho(t, conn, to, fmt.Sprintf("hello %d %s", i, to))
			}
			if s := r.exchange.Stats(); s.Allocations != 1 || s.FromClients < 4 || s.ToClients < 4 {
				t.Errorf("got %+v", s)
			}
		})
	}
}

// What a TURN server has been used to reach: Slack 2020, coturn's CVE-2020-26262.
func TestNothingElseCanBeReached(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{
		"0.0.0.0", "127.0.0.2", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
		"224.0.0.1", "255.255.255.255", "192.0.0.8", "240.0.0.0", "8.8.8.8",
		"::", "::1", "fd00::1", "fe80::1", "2001:4860:4860::8888",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0.0.0.0", "::127.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:7f00:1::",
	} {
		t.Run(target, func(t *testing.T) {
			ip := netip.MustParseAddr(target)
			// The family of the allocation must not be the only thing that refuses.
			for _, family := range []turn.RequestedAddressFamily{turn.RequestedAddressFamilyIPv4, turn.RequestedAddressFamilyIPv6} {
				c := r.raw(t, target)
				c.allocate(family)
				for method, extra := range map[stun.Method][]stun.Setter{
					stun.MethodCreatePermission: nil,
					stun.MethodChannelBind:      {stun.RawAttribute{Type: stun.AttrChannelNumber, Value: []byte{0x40, 0x01, 0, 0}}},
					stun.MethodConnect:          nil,
				} {
					answer := c.ask(method, append([]stun.Setter{xorPeer{ip, 7882}}, extra...)...)
					if answer.Type.Class != stun.ClassErrorResponse {
						t.Errorf("%s of %v allocation: got %s", method, family, answer.Type)
					}
				}
				// What was not permitted is not sent either, not even to ourselves.
				for _, peer := range []xorPeer{{ip, 7882}, {media4.Addr(), 7882}, {media6.Addr(), 7882}} {
					c.send(stun.NewType(stun.MethodSend, stun.ClassIndication), peer, stun.RawAttribute{Type: stun.AttrData, Value: []byte("x")})
				}
				c.ask(stun.MethodRefresh) // is answered after them
			}
		})
	}
	if s := r.exchange.Stats(); s.FromClients != 0 || s.NotPermitted == 0 {
		t.Errorf("got %+v", s)
	}
}

// Permissions are for addresses: of our own, other ports lead nowhere.
func TestOtherPortsOfOurAddressLeadNowhere(t *testing.T) {
	r := newRig(t)
	_, conn := r.allocate(t, "tcp", "anna")
	for _, port := range []uint16{22, 80, 7880, 7883} {
		if _, err := conn.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(netip.AddrPortFrom(media4.Addr(), port))); err != nil {
			t.Fatal(err)
		}
	}
	expectEcho(t, conn, media4, "last")
	if s := r.answered(); s.FromClients != s.ToClients || s.Unreachable != 4 {
		t.Errorf("got %+v", s)
	}
}

// A client of the relay cannot write to another one, nor to the inside of the exchange.
func TestRelayedAddressesAreNotReachable(t *testing.T) {
	r := newRig(t)
	_, other := r.allocate(t, "tcp", "boris")
	_, conn := r.allocate(t, "tcp", "anna")
	for _, to := range []net.Addr{other.LocalAddr(), net.UDPAddrFromAddrPort(netip.AddrPortFrom(media4.Addr(), dummy.Port()))} {
		if _, err := conn.WriteTo([]byte("x"), to); err != nil {
			t.Fatal(err)
		}
	}
	expectEcho(t, conn, media4, "last")
	if s := r.answered(); s.FromClients != s.ToClients || s.Unreachable != 2 {
		t.Errorf("got %+v", s)
	}
}

func TestNeitherTCPNorPortsOfChoice(t *testing.T) {
	r := newRig(t)
	for name, extra := range map[string][]stun.Setter{
		"TCP":       {stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{6, 0, 0, 0}}},
		"even port": {udpTransport, stun.RawAttribute{Type: stun.AttrEvenPort, Value: []byte{0x80}}},
	} {
		c := r.raw(t, "anna")
		if answer := c.ask(stun.MethodAllocate, extra...); answer.Type.Class != stun.ClassErrorResponse {
			t.Errorf("%s: got %s", name, answer.Type)
		}
	}
}

func TestCredentials(t *testing.T) {
	r := newRig(t)
	username, password := r.Credentials("anna")
	later := fmt.Sprint(r.clock.Load()+86400) + username[strings.Index(username, ":"):]
	for _, tc := range []struct {
		name, username, password string
	}{
		{"wrong password", username, password[1:] + "A"},
		{"longer life", later, password},
		{"another's name", strings.Replace(username, ":", ":0", 1), password},
		{"no expiry", "anna", password},
		{"no number", "soon:anna", password},
		{"nothing", ":", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := r.client(t, "udp", tc.username, tc.password).Allocate(); err == nil {
				t.Error("an allocation was made")
			}
		})
	}
	if s := r.exchange.Stats(); s.Allocations != 0 || s.NoCredential < 6 {
		t.Errorf("got %+v", s)
	}
	if strings.Contains(username, "anna") {
		t.Errorf("username %q tells who it is", username)
	}
}

// Ten minutes make allocations; what was made goes on, for a call may be long.
func TestExpiredCredentialsMakeNothingAndKeepWhatTheyMade(t *testing.T) {
	r := newRig(t)
	c := r.raw(t, "anna")
	c.allocate(turn.RequestedAddressFamilyIPv4)
	r.clock.Add(int64((credentialLife + time.Second) / time.Second))
	if answer := c.ask(stun.MethodRefresh); answer.Type.Class != stun.ClassSuccessResponse {
		t.Errorf("refresh: got %s", answer.Type)
	}
	if answer := c.ask(stun.MethodCreatePermission, xorPeer{media4.Addr(), media4.Port()}); answer.Type.Class != stun.ClassSuccessResponse {
		t.Errorf("permission: got %s", answer.Type)
	}
	other := r.rawWith(t, c.username, c.password)
	if answer := other.ask(stun.MethodAllocate, udpTransport); answer.Type.Class != stun.ClassErrorResponse {
		t.Errorf("another allocation: got %s", answer.Type)
	}
	r.clock.Add(int64(keepLife / time.Second))
	if answer := c.ask(stun.MethodRefresh); answer.Type.Class != stun.ClassErrorResponse {
		t.Errorf("refresh a day later: got %s", answer.Type)
	}
}

func TestQuota(t *testing.T) {
	r := newRig(t)
	for range maxAllocationsOf {
		r.allocate(t, "udp", "anna")
	}
	username, password := r.Credentials("anna")
	_, err := r.client(t, "udp", username, password).Allocate()
	if err == nil || !strings.Contains(err.Error(), "486") {
		t.Errorf("one more: got %v, want 486", err)
	}
	_, conn := r.allocate(t, "udp", "boris")
	_ = conn.Close()
	if s := r.exchange.Stats(); s.Quota != 1 || s.Allocations != maxAllocationsOf+1 {
		t.Errorf("got %+v", s)
	}
}

// Allocations of all participants together.
func TestAllocationsAreBounded(t *testing.T) {
	x := NewExchange()
	defer x.Close()
	for i := range maxAllocations {
		if _, err := x.allocate(fmt.Sprint(i), media4.Addr()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.allocate("one more", media4.Addr()); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

// Nobody takes what the media sends: it is dropped and counted, and the media does
// not wait.
func TestSlowClientLosesItsPackets(t *testing.T) {
	x := NewExchange()
	defer x.Close()
	x.reach([]netip.AddrPort{media4})
	a, err := x.allocate("anna", media4.Addr())
	if err != nil {
		t.Fatal(err)
	}
	c := x.MediaConn().(mediaConn)
	for range toClient + 10 {
		if _, err := c.WriteToAddrPort([]byte("x"), inside(0, a.addr.Port())); err != nil {
			t.Fatal(err)
		}
	}
	if s := x.Stats(); s.QueueFull != 10 {
		t.Errorf("got %+v", s)
	}
	_ = a.Close()
	if _, err := c.WriteToAddrPort([]byte("x"), inside(0, a.addr.Port())); err != nil {
		t.Fatal(err)
	}
	if s := x.Stats(); s.Gone != 1 {
		t.Errorf("got %+v", s)
	}
}

// A packet costs no memory on its way, whatever way it goes.
func TestPacketsAreNotAllocated(t *testing.T) {
	x := NewExchange()
	defer x.Close()
	x.reach([]netip.AddrPort{media4})
	a, err := x.allocate("anna", media4.Addr())
	if err != nil {
		t.Fatal(err)
	}
	c, buf, data := x.MediaConn().(mediaConn), make([]byte, packetBytes), bytes.Repeat([]byte{1}, 1200)
	to := net.UDPAddrFromAddrPort(media4)
	allocs := testing.AllocsPerRun(200, func() {
		if _, err := a.WriteTo(data, to); err != nil {
			t.Error(err)
		}
		_, from, err := c.ReadFromAddrPort(buf)
		if err != nil {
			t.Error(err)
		}
		if _, err := c.WriteToAddrPort(data, from); err != nil {
			t.Error(err)
		}
		<-a.queue // ReadFrom tells the sender's address, which pion/turn wants allocated
	})
	if allocs > 1 { // the packet that was not given back
		t.Errorf("%.1f allocations", allocs)
	}
}

func TestWhatIsNoTURNEndsTheConnection(t *testing.T) {
	r := newRig(t)
	for name, first := range map[string][]byte{
		"neither":        {0x80, 1, 0, 4, 1, 2, 3, 4},
		"a long message": {0, 1, 0xff, 0xfc, 0x21, 0x12, 0xa4, 0x42},
		"a long channel": {0x40, 1, 0xff, 0xff, 0},
	} {
		c, err := net.Dial("tcp4", r.tcp.String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(first); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(hangLimit))
		if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: read %d, %v", name, n, err)
		}
		_ = c.Close()
	}
}

// Nobody without a credential takes the place of those who have one.
func TestConnectionsWithoutAnAllocationAreBounded(t *testing.T) {
	r := newRig(t)
	source := netip.MustParseAddr("198.51.100.7")
	var entered []*conn
	enter := func(source netip.Addr) bool {
		c := &conn{source: source, useless: true}
		ok := r.enter(fmt.Sprint(len(entered)), c)
		if ok {
			entered = append(entered, c)
		}
		return ok
	}
	for range maxUselessFrom {
		if !enter(source) {
			t.Fatal("refused below the limit")
		}
	}
	if enter(source) {
		t.Error("taken above the limit")
	}
	if !enter(netip.MustParseAddr("198.51.100.8")) {
		t.Error("another source is refused")
	}
	if n := r.exchange.Stats().TooMany; n != 1 {
		t.Errorf("%d refused", n)
	}
	for i, c := range entered {
		r.leave(fmt.Sprint(i), c)
	}
	r.allocate(t, "tcp4", "p_1")
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.useless) != 0 {
		t.Errorf("counted without an allocation: %v", r.useless)
	}
}

func FuzzMessageBytes(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0})
	f.Add([]byte{0x40, 0, 0, 3})
	f.Add([]byte{0x4f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, head []byte) {
		if len(head) < 4 {
			return
		}
		n := messageBytes(head)
		if n != 0 && (n < 4 || n > 20+1<<16) {
			t.Errorf("% x is %d bytes long", head[:4], n)
		}
	})
}
