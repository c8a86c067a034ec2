package adapttest

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/livekit/protocol/livekit"
	"github.com/pion/logging"
	"github.com/pion/transport/v5/vnet"

	"aparte/sfu"
	"aparte/sfu/leaktest"
	"aparte/sfu/transport"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// world is one SFU with one room, on a virtual network.
type world struct {
	t       *testing.T
	net     *vnet.Router
	shaper  *shaper
	engine  *transport.Engine
	unit    *sfu.SFU
	space   sfu.SpaceKind
	clients []*client
	hosts   int
	cut     atomic.Bool // nothing is delivered any more
}

func quiet() logging.LoggerFactory {
	f := logging.NewDefaultLoggerFactory()
	f.DefaultLogLevel = logging.LogLevelDisabled
	f.Writer = io.Discard
	return f
}

// inWorld runs a test in virtual time. meeting says in which kind of room.
func inWorld(t *testing.T, meeting bool, test func(*testing.T, *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		if meeting {
			w.space = sfu.MeetingSpace
		}
		var err error
		if w.net, err = vnet.NewRouter(&vnet.RouterConfig{CIDR: "10.0.0.0/24", LoggerFactory: quiet()}); err != nil {
			t.Fatal(err)
		}
		w.net.AddChunkFilter(func(vnet.Chunk) bool { return !w.cut.Load() })
		host := w.host()
		if err := w.net.Start(); err != nil {
			t.Fatal(err)
		}
		conn, err := host.ListenPacket("udp4", "10.0.0.1:7882")
		if err != nil {
			t.Fatal(err)
		}
		w.shaper = newShaper(conn)
		log := slog.New(slog.DiscardHandler)
		if testing.Verbose() && os.Getenv("ADAPT_LOG") != "" {
			log = slog.New(slog.NewTextHandler(os.Stderr, nil))
		}
		if w.engine, err = transport.NewEngine(transport.Config{Conns: []net.PacketConn{w.shaper}, Log: log}); err != nil {
			t.Fatal(err)
		}
		w.unit = sfu.New(sfu.Config{Engine: w.engine, Log: log})
		defer w.close()
		test(t, w)
	})
}

// close ends everything. Nobody hears of the other's end: Pion, when the other side
// closes first, waits for 200 ms with a mutex held that another goroutine waits for,
// and time in a bubble does not pass while anybody waits for a mutex.
func (w *world) close() {
	w.cut.Store(true)
	for _, c := range w.clients {
		c.close()
	}
	if err := w.unit.Close(w.t.Context()); err != nil {
		w.t.Error(err)
	}
	if err := w.engine.Close(); err != nil {
		w.t.Error(err)
	}
	w.shaper.stop()
	if err := w.net.Stop(); err != nil {
		w.t.Error(err)
	}
}

// host is a machine with the next address.
func (w *world) host() *vnet.Net {
	w.hosts++
	n, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{fmt.Sprintf("10.0.0.%d", w.hosts)}})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.net.AddNet(n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// until waits for something that must come true within d of virtual time, and
// returns how long it took.
func (w *world) until(what string, d time.Duration, holds func() bool) time.Duration {
	w.t.Helper()
	begun := time.Now()
	for !holds() {
		if time.Since(begun) > d {
			w.t.Fatalf("not within %v: %s\n%s", d, what, w.describe())
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(begun)
}

func (w *world) describe() (s string) {
	for _, c := range w.clients {
		s += c.describe() + "\n"
	}
	return s + fmt.Sprintf("%+v", w.engine.Forwarding())
}

func permission(publish, subscribe bool) *livekit.ParticipantPermission {
	return &livekit.ParticipantPermission{CanPublish: publish, CanSubscribe: subscribe, CanPublishData: true}
}
