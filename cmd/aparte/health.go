package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"aparte/sfu"
	"aparte/signaling/file"
	"aparte/signaling/health"
	"aparte/signaling/recording"
	"aparte/signaling/store"
)

// How the server is looked at for its administrators.
const (
	// lookedFresh is for how long a look is good: each writes to the database.
	lookedFresh = 5 * time.Second
	// lookWait is how long is waited for what does not answer.
	lookWait = 3 * time.Second
	// sampleEvery is how often is noted what the rules see change.
	sampleEvery = 10 * time.Second
)

// checkup measures what health has rules for. What another part measures already is
// asked of that part.
type checkup struct {
	// Set at creation.
	server  *server
	config  *Config
	started time.Time
	wait    time.Duration // lookWait

	turn chan struct{} // holds one: whose turn it is owns what follows
	last health.Report
	took time.Time // when last was, by a clock that nobody sets

	database probe[health.Database]
	disks    probe[[]health.Disk]
	calls    probe[int]
	stores   probe[error]
	rooms    probe[[]health.Room]
	archives probe[int] // posts with keys of their own
	films    probe[*health.Films]

	mu    sync.Mutex
	watch health.Watch // guarded by mu
}

func newCheckup(s *server, c *Config) *checkup {
	h := &checkup{server: s, config: c, started: time.Now(), wait: lookWait, turn: make(chan struct{}, 1)}
	h.database.ask = h.askDatabase
	h.disks.ask = func(context.Context) []health.Disk { return h.lookAtDisks() }
	h.films.ask = s.lookAtFilms
	h.calls.ask = func(context.Context) int { return inCalls(s.rooms) }
	h.stores.ask = s.kept.look
	h.rooms.ask = h.askRooms
	h.archives.ask = h.askArchives
	h.sample()
	return h
}

// run samples until ctx ends.
func (h *checkup) run(ctx context.Context) {
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.sample()
		}
	}
}

// sample notes what is counted now. Of what is not sent, only that counts for which this
// machine had no time or room: narrow paths are their owners'.
func (h *checkup) sample() {
	now := time.Now()
	forwarded, sockets := h.server.engine.Forwarding(), h.server.engine.Stats()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watch.Add(health.Sample{
		Wall: now, Since: now.Sub(h.started), Sent: forwarded.Packets,
		Dropped: forwarded.Overrun + forwarded.WriteErrors + sockets.SocketFull + sockets.Refused,
	})
}

// Report is what is found now, or was seconds ago. It takes some seconds where something
// does not answer, and no longer: that is a finding then.
func (h *checkup) Report(ctx context.Context) (health.Report, error) {
	select {
	case h.turn <- struct{}{}:
		defer func() { <-h.turn }()
	case <-ctx.Done():
		return health.Report{}, ctx.Err()
	}
	if h.took.IsZero() || time.Since(h.took) >= lookedFresh {
		// Whoever asked may leave: others wait for the same answer.
		measured := h.measure(context.WithoutCancel(ctx))
		now := time.Now()
		h.last, h.took = health.Report{At: now, Findings: health.Judge(now, measured)}, now
	}
	return h.last, nil
}

// measure is only for whose turn it is.
func (h *checkup) measure(ctx context.Context) health.Measured {
	begun := time.Now()
	h.database.begin(ctx)
	h.films.begin(ctx)
	h.disks.begin(ctx)
	h.calls.begin(ctx)
	h.stores.begin(ctx)
	h.rooms.begin(ctx)
	h.archives.begin(ctx)
	h.sample()
	version, commit := built()
	m := health.Measured{
		Program: health.Program{Version: version, Commit: commit, Up: begun.Sub(h.started), Trial: h.server.dev},
		Load:    machineLoad(), Memory: machineMemory(), Clock: health.Clock{Kept: clockKept()},
		Ways: h.ways(), TLS: h.tls(), Recipients: h.recipients(),
	}
	h.mu.Lock()
	m.Traffic, m.Clock.Jump = h.watch.Traffic(), h.watch.Jump(begun)
	h.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, h.wait)
	defer cancel()
	var known bool
	if m.Database, known = h.database.answer(ctx); !known {
		m.Database = health.Database{Took: time.Since(h.database.since)}
	}
	if m.Disks, known = h.disks.answer(ctx); !known {
		m.Disks = []health.Disk{{Use: health.ForData, Folder: h.config.DataDir}}
	}
	m.Rooms, _ = h.rooms.answer(ctx)    // where the database is silent, that is said already
	m.Posts, _ = h.archives.answer(ctx) // what the database does not answer is told of it
	m.Films, _ = h.films.answer(ctx)
	if n, known := h.calls.answer(ctx); m.Load != nil {
		m.Load.Participants = n
		if !known {
			m.Load = nil
		}
	}
	failed, answered := h.stores.answer(ctx)
	m.Store = h.server.kept.stored(failed, answered)
	return m
}

// askRooms adds up what the recordings of posts take.
func (h *checkup) askRooms(ctx context.Context) []health.Room {
	all, err := h.server.meetings.RecordingUsage(ctx)
	if err != nil {
		h.server.log.Error("look how much recordings take", "err", err)
	}
	var rooms []health.Room
	for _, u := range all {
		rooms = append(rooms, health.Room{Post: u.Name, Used: u.Used, Limit: u.Limit})
	}
	for _, id := range unknownPosts(ctx, h.config, h.server.store, h.server.log) {
		rooms = append(rooms, health.Room{Post: id, Unknown: true})
	}
	return rooms
}

// unknownPosts are the ids in recordings.post_quotas that no post has. One may be made
// later, and one that was mistyped leaves its post with the quota of all.
func unknownPosts(ctx context.Context, c *Config, of *store.Store, log *slog.Logger) []string {
	unknown, err := of.UnknownPosts(ctx, slices.Collect(maps.Keys(c.Recordings.PostQuotas)))
	if err != nil {
		log.ErrorContext(ctx, "look for the posts in recordings.post_quotas", "err", err)
	}
	return unknown
}

// askDatabase writes, as /healthz does.
func (h *checkup) askDatabase(ctx context.Context) health.Database {
	begun := time.Now()
	err := h.server.store.Healthy(ctx)
	if err != nil {
		h.server.log.Error("look at the database", "err", err)
	}
	return health.Database{Answered: true, Failed: err != nil, Took: time.Since(begun)}
}

func (h *checkup) askArchives(ctx context.Context) int {
	n, err := h.server.store.PostsWithRecipients(ctx)
	if err != nil {
		h.server.log.Error("look at the posts' keys", "err", err)
	}
	return n
}

func (h *checkup) lookAtDisks() []health.Disk {
	all := []health.Disk{lookAtDisk(health.ForData, h.config.DataDir)}
	if _, err := os.Stat(h.server.kept.dir); err == nil { // it can record, or has
		all = append(all, lookAtDisk(health.ForRecordings, filepath.Join(h.config.DataDir, recordingsFolder)))
	}
	return all
}

func lookAtDisk(use health.Use, folder string) health.Disk {
	d := health.Disk{Use: use, Folder: folder}
	disk, err := file.DiskOf(folder)
	info, statErr := os.Stat(folder)
	if errors.Join(err, statErr) != nil {
		return d
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		d.Device = uint64(stat.Dev) //nolint:unconvert,gosec // the widths differ between systems
	}
	d.Known, d.Free, d.Total = true, disk.Free, disk.Total
	return d
}

// inCalls counts who is in rooms of meetings and of integrations.
func inCalls(rooms *sfu.SFU) (n int) {
	for _, space := range []sfu.Space{rooms.Meetings(), rooms.Integration()} {
		for _, room := range space.Rooms() {
			n += int(room.GetNumParticipants())
		}
	}
	return n
}

func (h *checkup) ways() health.Ways {
	s := h.server
	udp, tcp := s.engine.Stats(), s.engine.TCPStats()
	w := health.Ways{HereOnly: isHere(s.origin), TCP: len(s.ports.tcp) > 0, ByUDP: udp.Received - min(udp.Received, udp.Unknown), ByOthers: tcp.Received}
	if s.exchange != nil {
		w.ByOthers += s.exchange.Stats().FromClients
	}
	seen := make(map[netip.Addr]bool)
	for _, a := range s.engine.PublicAddrs() {
		if !seen[a.Addr()] {
			seen[a.Addr()] = true
			w.Addresses = append(w.Addresses, a.Addr())
		}
	}
	for _, address := range s.turnURLs {
		w.TURN = true
		w.TURNS = w.TURNS || strings.HasPrefix(address, "turns:")
	}
	return w
}

func (h *checkup) tls() health.TLS {
	t := health.TLS{Secure: strings.HasPrefix(strings.ToLower(h.server.origin), "https://"), HereOnly: isHere(h.server.origin), Host: hostOf(h.server.origin)}
	if cert := h.server.ports.cert; cert != nil {
		leaf, unread := cert.Shown()
		t.Certificate = &health.Shown{From: leaf.NotBefore, Until: leaf.NotAfter, ForHost: leaf.VerifyHostname(t.Host) == nil, Unread: unread}
	}
	return t
}

// lookAtFilms is nil where nothing can be watched and nothing waits.
func (s *server) lookAtFilms(ctx context.Context) *health.Films {
	waiting, err := s.store.UnmadeFilms(ctx, maxUnmade)
	if err != nil || !s.kept.filmKey.is() && len(waiting) == 0 {
		return nil
	}
	// One that waits for a program waits for a format that this one lacks.
	lacks := slices.ContainsFunc(waiting, func(f recording.Film) bool { return f.State == recording.FilmUnavailable })
	return &health.Films{Waiting: len(waiting), Possible: s.films.available() && !lacks}
}

// recipients counts the keys that recordings of posts without any of their own are sealed to.
func (h *checkup) recipients() int { return len(h.server.recorder.server) }

func hostOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// isHere tells whether only this machine can type an origin.
func isHere(origin string) bool { return isLoopback(net.JoinHostPort(hostOf(origin), "0")) }

// probe asks what may not answer, one question at a time: what is still out is not asked
// again, and waited for the next time. It is for one goroutine at a time.
type probe[T any] struct {
	ask   func(context.Context) T
	out   chan T    // nil: nothing is asked
	since time.Time // it was
}

func (p *probe[T]) begin(ctx context.Context) {
	if p.out != nil {
		return
	}
	out := make(chan T, 1)
	p.out, p.since = out, time.Now()
	go func() { out <- p.ask(ctx) }()
}

// answer waits until ctx ends.
func (p *probe[T]) answer(ctx context.Context) (T, bool) {
	select {
	case answer := <-p.out:
		p.out = nil
		return answer, true
	case <-ctx.Done():
		var none T
		return none, false
	}
}
