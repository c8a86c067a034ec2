package trial

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"aparte/cmd/aparte-load/measure"
)

// BenchmarkKnocking has a thousand guests knock on one meeting, and prints how soon the host
// sees each and each hears of the host's decision, beside the target, with what one who waits
// costs. It never fails because of a figure: machines differ.
func BenchmarkKnocking(b *testing.B) {
	for range b.N {
		if b.N > 1 {
			b.Fatal("run it with -benchtime 1x")
		}
		var t table
		newCrowd(b, 1000).measure(&t)
		fmt.Printf("\n%s\n", t.text.String())
	}
}

// A crowd that is smaller by far: everybody is seen, told and let in, and the host's socket holds.
func TestKnocking(t *testing.T) {
	t.Parallel()
	var figures table
	newCrowd(t, 60).measure(&figures)
	t.Log("\n" + figures.text.String())
}

const (
	perLink     = 20              // who may wait by one link
	knockTime   = 3 * time.Second // in which all of them knock
	askers      = 32              // at a time
	oneByOne    = 100             // guests of a thousand let in one by one, the others at once
	knockTarget = 1000            // ms, p95
)

// crowd is a meeting, a host who watches it and guests with open lobby sockets.
type crowd struct {
	t       testing.TB
	p       *program
	base    string // http://127.0.0.1:PORT/api/v1
	agent   *http.Client
	meeting string
	guests  []*waitingGuest
	desk    *desk
	idle    measure.Memory
}

// waitingGuest is one guest; what is guarded by mu is also read by others.
type waitingGuest struct {
	name, session string
	ws            *websocket.Conn

	mu     sync.Mutex
	acked  time.Time // when the knock was acknowledged
	states map[string]time.Time
	news   chan struct{} // closed when admitted
}

// desk is a host's socket.
type desk struct {
	ws       *websocket.Conn
	snapshot int // bytes
	done     chan struct{}

	mu    sync.Mutex
	seen  map[string]time.Time // by name
	ids   map[string]string    // of knocks, by name
	all   chan struct{}        // closed when want are seen
	want  int
	ended error
}

func newCrowd(t testing.TB, size int) *crowd {
	t.Helper()
	p := start(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{
		t: t, p: p, base: "http" + strings.TrimPrefix(p.url, "ws") + "/api/v1",
		agent: &http.Client{Jar: jar, Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: askers}},
	}
	_, code, _ := strings.Cut(p.agent, "#")
	c.must(c.agent, "", "session/one-time", map[string]any{"code": code}, nil)
	var made struct{ ID string }
	c.must(c.agent, "", "meetings", map[string]any{"title": "Crisis hotline"}, &made)
	c.meeting = made.ID
	c.desk = c.sit(size)
	if c.idle, err = p.profiles.Memory(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range size {
		c.guests = append(c.guests, &waitingGuest{name: fmt.Sprintf("Guest %04d", i), states: map[string]time.Time{}, news: make(chan struct{})})
	}
	for first := 0; first < size; first += perLink {
		raw := make([]byte, 32)
		_, _ = rand.Read(raw)
		sum := sha256.Sum256(raw)
		var link struct{ ID string }
		c.must(c.agent, "", "meetings/"+c.meeting+"/links", map[string]any{
			"kind": "shared", "expires_at": time.Now().Add(time.Hour), "code_hash": base64.RawURLEncoding.EncodeToString(sum[:]),
		}, &link)
		c.each(c.guests[first:min(first+perLink, size)], 0, func(g *waitingGuest) {
			var redeemed struct{ Session string }
			c.must(c.agent, "", "guest/redeem", map[string]any{"link_id": link.ID, "code": base64.RawURLEncoding.EncodeToString(raw)}, &redeemed)
			g.session = redeemed.Session
			g.ws = c.dial("guest/lobby", nil)
			if err := g.ws.WriteJSON(map[string]any{"session": g.session}); err != nil {
				c.t.Error(err)
			}
			go g.listen()
		})
	}
	t.Cleanup(func() {
		for _, g := range c.guests {
			if g.ws != nil {
				_ = g.ws.Close()
			}
		}
	})
	return c
}

// each does something for some guests, a few at a time, spread over a time.
func (c *crowd) each(guests []*waitingGuest, spread time.Duration, what func(*waitingGuest)) {
	c.t.Helper()
	var wg sync.WaitGroup
	turns := make(chan struct{}, askers)
	began := time.Now()
	for i, g := range guests {
		if wait := time.Until(began.Add(spread * time.Duration(i) / time.Duration(len(guests)))); wait > 0 {
			time.Sleep(wait) // the pace of a crowd, not a wait for anything
		}
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			what(g)
		})
	}
	wg.Wait()
	if c.t.Failed() {
		c.t.FailNow()
	}
}

// must is a POST that has to succeed. It may be called from any goroutine.
func (c *crowd) must(client *http.Client, session, path string, body, into any) {
	var raw []byte
	if body != nil {
		raw, _ = json.Marshal(body) // of what stands in this file
	}
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.base+"/"+path, bytes.NewReader(raw))
	if err != nil {
		c.t.Error(err)
		return
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if session != "" {
		req.Header.Set("Authorization", "Bearer "+session)
	}
	res, err := client.Do(req)
	if err != nil {
		c.t.Error(err)
		return
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s: %d %s", path, res.StatusCode, answer)
	}
	if err == nil && into != nil {
		err = json.Unmarshal(answer, into)
	}
	if err != nil {
		c.t.Error(err)
	}
}

func (c *crowd) dial(path string, jar http.CookieJar) *websocket.Conn {
	origin := strings.TrimSuffix(c.base, "/api/v1")
	dialer := websocket.Dialer{Jar: jar, HandshakeTimeout: patience, ReadBufferSize: 1024, WriteBufferSize: 256}
	ws, res, err := dialer.DialContext(context.WithoutCancel(c.t.Context()), "ws"+strings.TrimPrefix(c.base, "http")+"/"+path, http.Header{"Origin": {origin}})
	if res != nil {
		_ = res.Body.Close() // gorilla/websocket has read what there is
	}
	if err != nil {
		c.t.Error(err)
		panic(err) // there is nothing to measure
	}
	return ws
}

// listen notes when each state was first told.
func (g *waitingGuest) listen() {
	for {
		var m struct{ Guest struct{ Status string } }
		if err := g.ws.ReadJSON(&m); err != nil {
			return
		}
		now := time.Now()
		g.mu.Lock()
		if _, known := g.states[m.Guest.Status]; !known {
			g.states[m.Guest.Status] = now
			if m.Guest.Status == "admitted" {
				close(g.news)
			}
		}
		g.mu.Unlock()
	}
}

// sit opens a host's socket that waits for so many knocks.
func (c *crowd) sit(want int) *desk {
	c.t.Helper()
	d := &desk{
		ws: c.dial("meetings/"+c.meeting+"/host", c.agent.Jar), done: make(chan struct{}),
		seen: map[string]time.Time{}, ids: map[string]string{}, all: make(chan struct{}), want: want,
	}
	_, raw, err := d.ws.ReadMessage()
	if err != nil {
		c.t.Fatal(err)
	}
	d.snapshot = len(raw)
	d.note(raw)
	go d.listen()
	c.t.Cleanup(func() {
		_ = d.ws.Close()
		<-d.done
	})
	return d
}

func (d *desk) listen() {
	defer close(d.done)
	for {
		_, raw, err := d.ws.ReadMessage()
		if err != nil {
			d.mu.Lock()
			d.ended = err
			d.mu.Unlock()
			return
		}
		d.note(raw)
	}
}

type knockNote struct{ ID, Name, Status string }

func (d *desk) note(raw []byte) {
	now := time.Now()
	var m struct {
		Knock  *knockNote
		Knocks []knockNote
	}
	if json.Unmarshal(raw, &m) != nil {
		return
	}
	if m.Knock != nil {
		m.Knocks = append(m.Knocks, *m.Knock)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range m.Knocks {
		if _, known := d.seen[k.Name]; known {
			continue
		}
		d.seen[k.Name], d.ids[k.Name] = now, k.ID
		if len(d.seen) == d.want {
			close(d.all)
		}
	}
}

func (c *crowd) await(what string, happened <-chan struct{}) {
	c.t.Helper()
	select {
	case <-happened:
	case <-time.After(patience):
		c.desk.mu.Lock()
		defer c.desk.mu.Unlock()
		c.t.Fatalf("not in %s: %s; the host saw %d, its socket: %v", patience, what, len(c.desk.seen), c.desk.ended)
	}
}

func (c *crowd) measure(t *table) {
	c.t.Helper()
	size := len(c.guests)
	before := c.cpuTime()
	c.each(c.guests, knockTime*time.Duration(size)/1000, func(g *waitingGuest) {
		c.must(c.agent, g.session, "guest/knock", map[string]any{"name": g.name}, nil)
		g.mu.Lock()
		g.acked = time.Now()
		g.mu.Unlock()
	})
	c.await("the host sees all who knock", c.desk.all)
	knocking := c.cpuTime() - before
	var toHost measure.Histogram
	c.desk.mu.Lock()
	for _, g := range c.guests {
		// The push may overtake the answer: then the host saw it at once.
		toHost.Add(max(0, c.desk.seen[g.name].Sub(g.acked)))
	}
	c.desk.mu.Unlock()
	t.latency(fmt.Sprintf("%d knocks, from the answer to the host's socket", size), &toHost)
	t.row("    server CPU a knock", ms(knocking)/float64(size), 0, "ms")

	waiting, err := c.p.profiles.Memory(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	t.row("guest who waits, objects in use and stacks", float64(waiting.Live()-c.idle.Live())/float64(size)/1024, 0, "kiB")
	began := time.Now()
	again := c.sit(size)
	c.await("another host sees them in the snapshot", again.all)
	t.row(fmt.Sprintf("host's list of %d: socket opened and list read", size), ms(time.Since(began)), knockTarget, "ms")
	t.row("    size", float64(again.snapshot)/1024, 0, "kiB")

	single := c.guests[:max(1, size*oneByOne/1000)]
	var toGuest measure.Histogram
	before = c.cpuTime()
	c.each(single, time.Second, func(g *waitingGuest) {
		c.desk.mu.Lock()
		id := c.desk.ids[g.name]
		c.desk.mu.Unlock()
		pressed := time.Now()
		c.must(c.agent, "", "meetings/"+c.meeting+"/knocks/"+id+"/admit", map[string]any{}, nil)
		toGuest.Add(c.told(g).Sub(pressed))
	})
	t.latency(fmt.Sprintf("%d admitted one by one, from the press to the guest's socket", len(single)), &toGuest)
	t.row("    server CPU an admission", ms(c.cpuTime()-before)/float64(len(single)), 0, "ms")

	var atOnce measure.Histogram
	pressed := time.Now()
	c.must(c.agent, "", "meetings/"+c.meeting+"/knocks/admit-all", map[string]any{}, nil)
	for _, g := range c.guests[len(single):] {
		atOnce.Add(c.told(g).Sub(pressed))
	}
	t.latency(fmt.Sprintf("%d admitted at once, from the press to the guest's socket", size-len(single)), &atOnce)
	for _, d := range []*desk{c.desk, again} {
		d.mu.Lock()
		if d.ended != nil {
			c.t.Errorf("a host's socket ended: %v", d.ended)
		}
		d.mu.Unlock()
	}
}

// told waits until a guest knows that it was let in, and says since when.
func (c *crowd) told(g *waitingGuest) time.Time {
	select {
	case <-g.news:
	case <-time.After(patience):
		c.t.Errorf("%s is not told", g.name)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.states["admitted"]
}

func (c *crowd) cpuTime() time.Duration {
	c.t.Helper()
	d, err := c.p.process.CPU()
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

// latency adds the quantiles of a latency with a target for p95.
func (t *table) latency(name string, h *measure.Histogram) {
	s := h.Summary()
	t.row(name+", p50", ms(s.P50), 0, "ms")
	t.row("    p95", ms(s.P95), knockTarget, "ms")
	t.row("    max", ms(h.Max()), 0, "ms")
}
