package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"aparte/sfu"
	"aparte/sfu/relay"
	"aparte/sfu/transport"
	"aparte/signaling"
	"aparte/signaling/api"
	"aparte/signaling/audit"
	"aparte/signaling/file"
	"aparte/signaling/front"
	"aparte/signaling/hook"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/netcheck"
	"aparte/signaling/post"
	"aparte/signaling/roomservice"
	"aparte/signaling/store"
	"aparte/signaling/token"
	"aparte/signaling/wire"
	"aparte/web"
)

// server is every part of a running aparte. Set by build, ended by stop.
type server struct {
	log    *slog.Logger
	dev    bool
	origin string // what browsers type, without a slash at the end

	ports   *ports
	admin   net.Listener   // may be nil
	fronts  []*front.Front // of the main port, and of media's own if there is one
	servers []served

	store    *store.Store
	logins   *login.Login
	files    *file.Store
	meetings *meeting.Meetings
	posts    *post.Posts
	api      *api.API
	engine   *transport.Engine
	exchange *relay.Exchange // between TURN and the media; nil: no TURN
	relay    *relay.Server
	turnURLs []string
	rooms    *sfu.SFU
	checks   *netcheck.Checks
	hooks    *hook.Sender // nil: nobody is told
	signals  *wire.Server
	kept     *kept  // recordings, whether others can be made or not
	films    *films // of recordings that hosts may watch
	checkup  *checkup
	recorder *scribe
	archive  string        // file of the key that opens what --dev records; "": there is none
	noted    bool          // the audit trail knows of the start
	swept    chan struct{} // closed when the sweeper has ended
	sweep    context.CancelFunc
}

// build makes every part and joins them. A packet's way begins in engine, a
// guest's in api. On an error what was already made is ended again.
func build(ctx context.Context, c *Config, dev bool, log *slog.Logger) (_ *server, err error) {
	s := &server{log: log, dev: dev}
	defer func() {
		if err != nil {
			s.stop(ctx)
		}
	}()
	cert, err := loadCertificate(c, s)
	if err != nil {
		return nil, err
	}
	addrs, err := mediaAddresses(c.Media.Addresses, dev)
	if err != nil {
		return nil, err
	}
	var external []netip.Addr
	for _, a := range c.Media.ExternalAddresses {
		external = append(external, netip.MustParseAddr(a)) // checked
	}
	if s.ports, err = openPorts(ctx, c, addrs, cert); err != nil {
		return nil, err
	}
	if c.Admin.Listen != "" {
		if s.admin, err = listen(ctx, "admin.listen", c.Admin.Listen); err != nil {
			return nil, err
		}
	}
	s.origin = s.ports.origins[0]

	// Who may be where.
	if s.store, err = store.Open(ctx, c.DataDir, log); err != nil {
		return nil, dataError(c.DataDir, err)
	}
	s.logins = login.New(s.store, time.Now, rand.Reader, log)

	// The pages. A data folder that is none has been refused by now.
	pack, err := web.LoadBrand(filepath.Join(c.DataDir, "brand"))
	if err != nil {
		return nil, usageError{err}
	}
	pages, err := web.Handler(pack)
	if err != nil {
		return nil, usageError{err}
	}

	// The media. The rooms tell the meetings who is present, the meetings tell
	// the rooms who must go.
	var inside net.PacketConn
	if c.TURN.Enabled {
		s.exchange = relay.NewExchange()
		inside = s.exchange.MediaConn()
	}
	if s.engine, err = transport.NewEngine(transport.Config{
		Addrs: addrs, Port: uint16(c.Media.UDPPort), TCP: s.ports.tcp, External: external, Relay: inside,
		Log: log, NoAdaptation: !c.Media.Adaptation,
	}); err != nil {
		return nil, mediaError(err)
	}
	if s.exchange != nil {
		if err := s.openRelay(c, addrs); err != nil {
			return nil, err
		}
		s.turnURLs = turnURLs(c, s.ports)
	}
	presence := &signaling.Presence{}
	told := listeners{presence}
	if urls := c.Webhooks.URLs; len(urls) > 0 {
		key := c.webhookKey()
		if s.hooks, err = hook.New(hook.Config{URLs: urls, Key: key, Secret: c.Integration.Keys[key], Log: log}); err != nil {
			return nil, usageError{fmt.Errorf("webhooks.urls: %w", err)}
		}
		told = append(told, s.hooks)
	}
	s.rooms = sfu.New(sfu.Config{
		Engine: s.engine, Listener: told, Log: log, Dev: dev, ICEServers: s.iceServers,
		OnlyNamedRooms: !c.Integration.RoomsOnJoin,
		Limits:         sfu.Limits{Microphones: heard(c.Meetings.Microphones), IntegrationMicrophones: heard(c.Integration.Microphones)},
	})
	if s.files, err = file.Open(file.Config{Dir: filepath.Join(c.DataDir, "files"), Total: megabytes(c.Files.TotalMB), Spare: megabytes(500), Log: log}); err != nil {
		return nil, dataError(c.DataDir, err)
	}
	if dev && len(c.Recordings.Recipients) == 0 {
		if s.archive, err = devArchive(c); err != nil {
			return nil, dataError(c.DataDir, err)
		}
	}
	if s.kept, err = openKept(ctx, c, s.store, s.origin, log); err != nil {
		return nil, err
	}
	if s.films, err = newFilms(c, s.store, s.kept, log); err != nil {
		return nil, err
	}
	s.kept.films = s.films
	if s.recorder, err = openRecorder(c, s.kept, s.rooms.Meetings(), s.store, log); err != nil {
		return nil, err
	}
	s.meetings = meeting.NewMeetings(meeting.Config{
		Store: s.store, Media: s.rooms.Meetings(), Now: time.Now, Random: rand.Reader, Log: log,
		KeepChatDays: c.Meetings.KeepChatDays, ServerKey: s.kept.filmKey.is(), Film: c.film(),
		Recorder: s.recorder, Kept: s.kept, KeepRecordingDays: c.Meetings.KeepRecordingDays, Quotas: c.quotas(),
		NoRecipients: len(s.recorder.server) == 0,
		NewShelf:     func() (meeting.Shelf, error) { return s.files.NewShelf() },
		Files:        meeting.FileLimits{Size: megabytes(c.Files.SizeMB), Bytes: megabytes(c.Files.MeetingMB)},
	})
	presence.Meetings = s.meetings
	for _, id := range unknownPosts(ctx, c, s.store, log) {
		log.WarnContext(ctx, "recordings.post_quotas names a post that there is not: its id is in the address of its page", "post", id)
	}
	s.posts = post.NewPosts(s.store, s.meetings, post.Archive{Server: len(s.recorder.server), Read: readRecipient}, time.Now, rand.Reader)

	// What lets into the rooms.
	key, err := s.store.SigningKey(ctx, "meetings", rand.Reader, time.Now())
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	tokens, err := token.NewMeetings(key, s.meetings, s.logins, time.Now, log)
	if err != nil {
		return nil, err
	}
	s.checks = netcheck.New(netcheck.Config{Rooms: s.rooms.Checks(), Ways: s.ways(), Now: time.Now})
	checkTokens, err := token.NewChecks(s.checks, time.Now, rand.Reader)
	if err != nil {
		return nil, err
	}
	integration := token.Integration{Keys: c.Integration.Keys, Now: time.Now}
	s.signals = wire.NewServer(wire.Config{
		SFU: s.rooms, Log: log, Authorizer: token.Spaces{Meetings: tokens, Checks: checkTokens, Integration: integration},
	})
	var integrations http.Handler // nil without API keys: there is nobody to ask
	if len(c.Integration.Keys) > 0 {
		integrations = roomservice.New(roomservice.Config{SFU: s.rooms, Authorizer: integration, Log: log})
	}
	s.checkup = newCheckup(s, c)
	s.api = api.New(api.Config{
		Login: s.logins, Meetings: s.meetings, Posts: s.posts, Tokens: tokens, Checks: s.checks, CheckTokens: checkTokens, Trail: s.store, Health: s.checkup, Origins: s.ports.origins, Now: time.Now, Log: log,
	})

	s.openFronts()
	main := s.fronts[0]
	s.serve(main.HTTP(), signaling.NewServer(signaling.Handlers{
		API: s.api, Wire: s.signals, Rooms: integrations, Web: pages, Healthy: s.store.Healthy, Log: log,
		Secure: strings.HasPrefix(strings.ToLower(s.origin), "https://"),
	}))
	if cert != nil {
		s.serve(main.Plain(), toSecure(s.origin))
	}
	if s.admin != nil {
		s.serve(s.admin, adminHandler(metrics(s)))
	}
	if err := s.store.Note(ctx, ofServer(audit.ServerStarted)); err != nil {
		return nil, fmt.Errorf("audit trail: %w", err)
	}
	s.noted = true
	return s, nil
}

func megabytes(n int) int64 { return int64(n) * 1_000_000 }

// ofServer is an act of the server itself.
func ofServer(act audit.Act) audit.Draft {
	d := audit.Did(act).By(audit.Server, "")
	d.Time = time.Now()
	return d
}

// openFronts begins to take connections: what speaks HTTP waits until start.
func (s *server) openFronts() {
	config := front.Config{Listeners: []net.Listener{s.ports.main}, Media: s.engine.ServeTCP, Log: s.log}
	if s.relay != nil {
		config.Relay = s.relay.Serve
	}
	if s.ports.cert != nil {
		config.TLS = s.ports.cert.Config()
	}
	s.fronts = append(s.fronts, front.New(config))
	if len(s.ports.media) > 0 {
		config.Listeners, config.NoHTTP = s.ports.media, true
		s.fronts = append(s.fronts, front.New(config))
	}
}

// ways are those that this server's media has.
func (s *server) ways() []netcheck.Way {
	all := []netcheck.Way{netcheck.UDP}
	if len(s.ports.tcp) > 0 {
		all = append(all, netcheck.TCP)
	}
	if len(s.turnURLs) > 0 {
		all = append(all, netcheck.Relay)
	}
	return all
}

// heard is a setting of microphones as the rooms take it, where 0 is the default.
func heard(microphones int) int {
	if microphones == 0 {
		return -1
	}
	return microphones
}

// served is an HTTP server with where it serves.
type served struct {
	*http.Server
	on net.Listener
}

// serve adds an HTTP server; start runs it.
func (s *server) serve(on net.Listener, h http.Handler) {
	s.servers = append(s.servers, served{on: on, Server: &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    72 << 10, // a join carries an SDP in its request line
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}})
}

// start serves. The channel tells of a listener that failed.
func (s *server) start() <-chan error {
	failed := make(chan error, len(s.servers))
	for _, h := range s.servers {
		go func() {
			err := h.Serve(h.on)
			if !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				failed <- fmt.Errorf("serve %s: %w", h.on.Addr(), err)
			}
		}()
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.sweep, s.swept = cancel, make(chan struct{})
	go func() {
		defer close(s.swept)
		var watching sync.WaitGroup
		defer watching.Wait()
		watching.Go(func() { s.checkup.run(ctx) })
		watching.Go(func() { s.films.run(ctx) })
		watching.Go(func() { s.kept.locks.run(ctx) })
		signaling.Sweep(ctx, s.meetings, s.checks)
	}()
	return failed
}

// stop drains: no new request, sockets are told to come back, everybody in a
// call is told to join again, then the parts end in the order that nothing
// ended is still used. It runs also on what build left unfinished.
func (s *server) stop(ctx context.Context) {
	note := func(what string, err error) {
		if err != nil {
			s.log.Error("stop", "part", what, "error", err)
		}
	}
	for _, f := range s.fronts {
		_ = f.Close() // no new connection
	}
	if s.ports != nil {
		s.ports.close()
	}
	if s.sweep != nil {
		s.sweep() // and waits for it when everybody has been told
	}
	if s.api != nil {
		s.api.Close()
	}
	if s.rooms != nil {
		note("rooms", s.rooms.Close(ctx))
	}
	if s.hooks != nil {
		hooksCtx, cancel := context.WithTimeout(ctx, hooksTime)
		s.hooks.Close(hooksCtx)
		cancel()
	}
	if s.signals != nil {
		s.signals.Close()
	}
	for _, h := range s.servers {
		note("http", h.Shutdown(ctx))
	}
	if s.admin != nil {
		_ = s.admin.Close()
	}
	if s.sweep != nil {
		sweptCtx, cancel := context.WithTimeout(ctx, sweptTime)
		note("sweeps", s.sweepsEnd(sweptCtx))
		cancel()
	}
	if s.meetings != nil {
		s.meetings.Close()
	}
	if s.kept != nil {
		keptCtx, cancel := context.WithTimeout(ctx, keptTime)
		note("recordings", s.kept.keeper.Close(keptCtx))
		cancel()
	}
	if s.files != nil {
		note("files", s.files.Close())
	}
	if s.relay != nil {
		note("relay", s.relay.Close())
	}
	if s.engine != nil {
		note("media", s.engine.Close())
	}
	if s.noted {
		note("audit trail", s.store.Note(ctx, ofServer(audit.ServerStopped)))
	}
	if s.store != nil {
		note("store", s.store.Close())
	}
}

// hooksTime is how long webhooks may still be delivered while stopping.
const hooksTime = 3 * time.Second

// keptTime is how long may be waited for recordings on their way to a store, which go on
// the next time.
const keptTime = 2 * time.Second

// sweptTime is how long may be waited for what is looked after every few seconds or
// minutes, of which films and deletions of recordings take long. All of it was told to end
// before the calls were, and does within a moment; a disk that hangs is told nothing. What
// it keeps from being done is gone on with the next time.
const sweptTime = 3 * time.Second

// sweepsEnd waits until the sweeps have ended, for no longer than ctx.
func (s *server) sweepsEnd(ctx context.Context) error {
	select {
	case <-s.swept:
		return nil
	default: // nor is it an accident if both are so
	}
	select {
	case <-s.swept:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("films or deletions of recordings have not ended, as where a disk does not answer: %w", ctx.Err())
	}
}

// listeners tell one after the other.
type listeners []sfu.Listener

// Told implements sfu.Listener.
func (l listeners) Told(e sfu.Event) {
	for _, one := range l {
		one.Told(e)
	}
}

// origins are the addresses of the web client, the public one first. On
// loopback both of its names are typed.
func origins(c *Config, addr net.Addr, secure bool) []string {
	if c.PublicURL != "" {
		return []string{trimSlash(c.PublicURL)}
	}
	scheme := "http"
	if secure {
		scheme = "https"
	}
	list := []string{scheme + "://" + addr.String()}
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		list = append(list, fmt.Sprintf("%s://localhost:%d", scheme, tcp.Port))
	}
	return list
}

// throwAway makes a data folder that remove deletes.
func throwAway() (folder string, remove func(), err error) {
	folder, err = os.MkdirTemp("", "aparte-dev-")
	if err != nil {
		return "", nil, usageError{fmt.Errorf("throw-away data: %w", err)}
	}
	return folder, func() { _ = os.RemoveAll(folder) }, nil
}
