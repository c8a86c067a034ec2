package front

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aparte/sfu/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// What the kinds of clients say first.
var (
	stunHeader  = []byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	allocate    = []byte{0, 3, 0, 8, 0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	framed      = append([]byte{0, 20}, stunHeader...)
	httpRequest = []byte("GET /hello HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
)

// rig is a Front whose media and relay answer by their names and what they read.
type rig struct {
	*Front
	t     *testing.T
	conns chan net.Conn
}

// start runs a Front on a listener without network: with synctest, time can be waited for.
func start(t *testing.T, edit func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, conns: make(chan net.Conn)}
	cfg := Config{
		Listeners: []net.Listener{&queue{&net.TCPAddr{}, r.conns, make(chan struct{})}},
		Media:     r.taker("media"), Relay: r.taker("relay"), Log: slog.New(slog.DiscardHandler),
	}
	if edit != nil {
		edit(&cfg)
	}
	done := make(chan struct{})
	cfg.Listeners = []net.Listener{&closer{queue{&net.TCPAddr{}, r.conns, done}, done, sync.Once{}}}
	r.Front = New(cfg)
	handler := func(name string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			_, _ = io.WriteString(w, name+" "+req.Proto+" "+req.URL.Path)
		})
	}
	servers := []*http.Server{{Handler: handler("http")}, {Handler: handler("plain")}}
	var serving sync.WaitGroup
	for i, l := range []net.Listener{r.HTTP(), r.Plain()} {
		serving.Go(func() { _ = servers[i].Serve(l) })
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		for _, s := range servers {
			_ = s.Close()
		}
		serving.Wait()
	})
	return r
}

// closer ends its Accept.
type closer struct {
	queue
	end  chan struct{}
	once sync.Once
}

func (c *closer) Close() error {
	c.once.Do(func() { close(c.end) })
	return nil
}

// taker answers with its name and the first bytes it was given.
func (r *rig) taker(name string) func(net.Conn) {
	return func(c net.Conn) {
		defer c.Close()
		buf := make([]byte, 64)
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		_, _ = c.Write(append([]byte(name+" "), buf[:n]...))
	}
}

// dial is a client's end of a new connection.
func (r *rig) dial() net.Conn {
	client, server := net.Pipe()
	r.conns <- server
	return client
}

// say writes and returns all that comes back.
func say(t *testing.T, c net.Conn, pieces ...[]byte) string {
	t.Helper()
	go func() {
		for _, p := range pieces {
			if _, err := c.Write(p); err != nil {
				return
			}
		}
	}()
	got, err := io.ReadAll(c)
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Logf("read: %v", err)
	}
	_ = c.Close()
	return string(got)
}

func TestEachProtocolGoesToItsTaker(t *testing.T) {
	for _, tc := range []struct {
		name string
		data []byte
		want string
	}{
		{"HTTP", httpRequest, "http HTTP/1.1 /hello"},
		{"a method that is none", []byte("\x80 / HTTP/1.1\r\n\r\n"), "400 Bad Request"},
		{"zeros", append(bytes.Repeat([]byte{0}, 40), "\r\n\r\n"...), "400 Bad Request"},
		{"framed STUN", framed, "media " + string(framed)},
		{"TURN", allocate, "relay " + string(allocate)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, nil)
				if got := say(t, r.dial(), tc.data); !strings.Contains(got, tc.want[:min(len(tc.want), 16)]) {
					t.Errorf("at once: got %q, want %q", got, tc.want)
				}
				var single [][]byte
				for i := range tc.data {
					single = append(single, tc.data[i:i+1])
				}
				if got := say(t, r.dial(), single...); !strings.Contains(got, strings.Fields(tc.want)[0]) {
					t.Errorf("byte by byte: got %q, want %q", got, tc.want)
				}
			})
		})
	}
}

// Nobody may hold a place for long by saying nothing, or little.
func TestSlowConnectionsAreClosed(t *testing.T) {
	for name, data := range map[string][]byte{"nothing": nil, "little": {0, 1, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, nil)
				c := r.dial()
				began := time.Now()
				if got := say(t, c, data); got != "" {
					t.Errorf("got %q", got)
				}
				if took := time.Since(began); took != decideLimit {
					t.Errorf("closed after %s", took)
				}
				synctest.Wait()
				if s := r.Stats(); s.TooSlow != 1 {
					t.Errorf("got %+v", s)
				}
			})
		})
	}
}

// A byte now and then does not prolong it.
func TestTrickleIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cert := certificate(t, "a.example")
		r := start(t, func(c *Config) { c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}} })
		c := r.dial()
		began := time.Now()
		var writing sync.WaitGroup
		defer writing.Wait()
		writing.Go(func() {
			hello := append([]byte{recordHandshake, 3, 1, 1, 0}, make([]byte, 256)...)
			for i := range hello {
				if _, err := c.Write(hello[i : i+1]); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		_, _ = io.Copy(io.Discard, c)
		if took := time.Since(began); took > decideLimit+time.Second {
			t.Errorf("closed after %s", took)
		}
		_ = c.Close()
		synctest.Wait()
		if s := r.Stats(); s.NoTLS != 1 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestUndecidedConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, nil)
		var held []net.Conn
		for range maxUndecidedFrom {
			held = append(held, r.dial())
		}
		synctest.Wait()
		if got := say(t, r.dial(), httpRequest); got != "" {
			t.Errorf("one more: got %q", got)
		}
		if s := r.Stats(); s.TooMany != 1 {
			t.Errorf("got %+v", s)
		}
		// One that was decided frees its place, as one that gave up does.
		if got := say(t, held[0], framed); !strings.HasPrefix(got, "media") {
			t.Errorf("got %q", got)
		}
		_ = held[1].Close()
		synctest.Wait()
		for range 2 {
			if got := say(t, r.dial(), framed); !strings.HasPrefix(got, "media") {
				t.Errorf("got %q", got)
			}
			synctest.Wait()
		}
		for _, c := range held {
			_ = c.Close()
		}
	})
}

func TestWhatIsNotConfiguredIsNotTaken(t *testing.T) {
	for _, tc := range []struct {
		name string
		edit func(*Config)
		data []byte
		want Stats
	}{
		{"no TLS", nil, []byte{recordHandshake, 3, 1, 0, 5}, Stats{NoTLS: 1}},
		{"no relay", func(c *Config) { c.Relay = nil }, allocate, Stats{NotTaken: 1}},
		{"no media", func(c *Config) { c.Media = nil }, framed, Stats{NotTaken: 1}},
		{"no HTTP", func(c *Config) { c.NoHTTP = true }, httpRequest, Stats{NotTaken: 1}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := start(t, tc.edit)
				if got := say(t, r.dial(), tc.data); got != "" {
					t.Errorf("got %q", got)
				}
				if got := r.Stats(); got != tc.want {
					t.Errorf("got %+v, want %+v", got, tc.want)
				}
			})
		})
	}
}

func TestInsideTLS(t *testing.T) {
	cert := certificate(t, "a.example")
	for _, tc := range []struct {
		name string
		alpn []string
		data []byte
		want string
	}{
		{"HTTP/1.1", []string{"http/1.1"}, httpRequest, "http HTTP/1.1 /hello"},
		{"HTTP without ALPN", nil, httpRequest, "http HTTP/1.1 /hello"},
		{"TURN without ALPN", nil, allocate, "relay "},
		{"TURN by its name", []string{"stun.turn"}, allocate, "relay "},
		{"STUN bytes in HTTP/1.1", []string{"http/1.1"}, append(allocate, "\r\n\r\n"...), "400 Bad Request"},
		{"framed STUN", nil, framed, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := start(t, func(c *Config) { c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}} })
			c := tls.Client(r.dial(), &tls.Config{InsecureSkipVerify: true, NextProtos: tc.alpn})
			got := say(t, c, tc.data)
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	t.Run("HTTP/2", func(t *testing.T) {
		r := start(t, func(c *Config) { c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}} })
		transport := &http.Transport{
			ForceAttemptHTTP2: true,
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
			DialContext:       func(context.Context, string, string) (net.Conn, error) { return r.dial(), nil },
		}
		defer transport.CloseIdleConnections()
		res, err := (&http.Client{Transport: transport}).Get("https://a.example/two")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != "http HTTP/2.0 /two" {
			t.Errorf("got %q, %v", body, err)
		}
	})
	t.Run("unknown ALPN", func(t *testing.T) {
		r := start(t, func(c *Config) { c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}} })
		c := tls.Client(r.dial(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"smtp"}})
		if err := c.HandshakeContext(t.Context()); err == nil {
			t.Error("the handshake went through")
		}
		_ = c.Close()
	})
	t.Run("HTTP beside it", func(t *testing.T) {
		r := start(t, func(c *Config) { c.TLS = &tls.Config{Certificates: []tls.Certificate{cert}} })
		if got := say(t, r.dial(), httpRequest); !strings.Contains(got, "plain HTTP/1.1 /hello") {
			t.Errorf("got %q", got)
		}
	})
}

// certificate signs itself.
func certificate(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// write puts a certificate into the two files.
func write(t *testing.T, dir, name string, changed time.Time) {
	t.Helper()
	cert := certificate(t, name)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: key},
	} {
		file = filepath.Join(dir, file)
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, changed, changed); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCertificateIsReadAgainWhenItChanges(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	write(t, dir, "old.example", now)
	c, err := LoadCertificate(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), func() time.Time { return now }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		t.Helper()
		cert, err := c.Config().GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return cert.Leaf.Subject.CommonName
	}
	unread := func(want bool) {
		t.Helper()
		leaf, unread := c.Shown()
		if unread != want || leaf.Subject.CommonName != shown() {
			t.Errorf("shows %s, which the files do not hold: %t, want %t", leaf.Subject.CommonName, unread, want)
		}
	}
	write(t, dir, "new.example", now.Add(time.Minute))
	if got := shown(); got != "old.example" {
		t.Errorf("at once: %s", got)
	}
	now = now.Add(recheck)
	if got := shown(); got != "new.example" {
		t.Errorf("after %s: %s", recheck, got)
	}
	unread(false)
	// A renewal that is half written, or gone, takes nothing away.
	for _, spoil := range []func(string) error{
		func(file string) error { return os.WriteFile(file, []byte("-----BEGIN"), 0o600) },
		os.Remove,
	} {
		if err := spoil(filepath.Join(dir, "key.pem")); err != nil {
			t.Fatal(err)
		}
		now = now.Add(recheck)
		if got := shown(); got != "new.example" {
			t.Errorf("spoilt: %s", got)
		}
		unread(true)
	}
	write(t, dir, "third.example", now.Add(time.Hour))
	now = now.Add(recheck)
	if got := shown(); got != "third.example" {
		t.Errorf("mended: %s", got)
	}
	unread(false)
}

// FuzzFirstBytes: whatever comes first goes to one of them whole, however it is cut.
func FuzzFirstBytes(f *testing.F) {
	for _, seed := range [][]byte{httpRequest, framed, allocate, {recordHandshake, 3, 1}, {0}, {7, 0xff, 0, 0}} {
		f.Add(seed, uint8(1))
		f.Add(seed, uint8(9))
	}
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		client, server := net.Pipe()
		go func() {
			at := min(int(cut), len(data))
			_, _ = client.Write(data[:at])
			_, _ = client.Write(data[at:])
			_ = client.Close()
		}()
		c := &conn{Conn: server}
		defer server.Close()
		p, err := c.protocol()
		if err != nil {
			if len(data) >= decideBytes {
				t.Fatalf("undecided after % x: %v", data, err)
			}
			return
		}
		if want := protocolOf(data); p != want {
			t.Errorf("in pieces %d, at once %d", p, want)
		}
		if got, err := io.ReadAll(bufio.NewReader(c)); err != nil || !bytes.Equal(got, data) {
			t.Errorf("gave % x, %v; came % x", got, err, data)
		}
	})
}
