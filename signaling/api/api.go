// Package api is /api/v1: JSON in, JSON or a problem out, and the two sockets.
// It knows no rules. operations.go is its table of contents; the handlers lie in
// one file per subject.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aparte/signaling/audit"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/netcheck"
	"aparte/signaling/post"
	"aparte/signaling/throttle"
)

// Tokens issues media tokens.
type Tokens interface {
	Issue(g meeting.Grant) (string, error)
}

// Config is what an API is made from. All but Trail, Log and Source are required.
type Config struct {
	Login    *login.Login
	Meetings *meeting.Meetings
	Posts    *post.Posts
	Tokens   Tokens
	// Checks are the network checks, CheckTokens what lets into them.
	Checks      *netcheck.Checks
	CheckTokens CheckTokens
	Trail       Trail  // nil: refusals are not kept
	Health      Health // what administrators of the installation are told of the server
	// Origins are where the web client is served, such as https://meet.example;
	// the first is the public one. No other page may open a socket here.
	Origins []string
	Now     func() time.Time
	Log     *slog.Logger // nil: slog.Default
	// Source names where a request comes from, for throttling. nil: the peer's
	// address (its /64 for IPv6).
	Source func(*http.Request) string
	// Timing of the sockets; zero values are the defaults.
	Timing Timing
}

// Timing of the sockets.
type Timing struct {
	Hello time.Duration // until the first frame of the lobby socket; 5 s
	Ping  time.Duration // between pings; 20 s. Without an answer to two, the socket ends
	Write time.Duration // for one frame; 10 s
	// Of files: for a piece of one, 30 s; for all of it, 30 min.
	Piece, File time.Duration
}

// API is the handler of everything below Prefix.
type API struct {
	login       *login.Login
	meetings    *meeting.Meetings
	posts       *post.Posts
	tokens      Tokens
	checks      *netcheck.Checks
	checkTokens CheckTokens
	trail       Trail
	health      Health
	origins     []string
	secure      bool // the public origin is https
	now         func() time.Time
	log         *slog.Logger
	source      func(*http.Request) string
	timing      Timing

	wrongCodes *throttle.Throttle // of links, by source
	refusals   *audit.Refusals
	handler    http.Handler
	sockets    sockets
}

// New makes the API; end it with Close.
func New(cfg Config) *API {
	a := &API{
		login: cfg.Login, meetings: cfg.Meetings, posts: cfg.Posts, tokens: cfg.Tokens, checks: cfg.Checks, checkTokens: cfg.CheckTokens, trail: cfg.Trail, health: cfg.Health,
		now: cfg.Now, log: cfg.Log, source: cfg.Source, timing: cfg.Timing.withDefaults(),
		wrongCodes: throttle.New(2*time.Second, 30, 10_000, cfg.Now), refusals: audit.NewRefusals(cfg.Now),
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	if a.source == nil {
		a.source = peer
	}
	for _, origin := range cfg.Origins {
		a.origins = append(a.origins, strings.ToLower(strings.TrimSuffix(origin, "/")))
	}
	a.secure = len(a.origins) > 0 && strings.HasPrefix(a.origins[0], "https://")

	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Prefix+"/openapi.json", a.serveContract(a.register(mux)))
	mux.HandleFunc("GET "+Prefix+"/meetings/{id}/host", a.hostSocket)
	mux.HandleFunc("GET "+Prefix+"/meetings/{id}/lobby", a.agentLobbySocket)
	mux.HandleFunc("GET "+Prefix+"/agent/notices", a.noticeSocket)
	mux.HandleFunc("GET "+Prefix+"/guest/lobby", a.lobbySocket)
	mux.HandleFunc("/", a.nothingHere)
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(a.foreign))
	a.handler = a.recovered(a.headed(guard.Handler(mux)))
	return a
}

func (t Timing) withDefaults() Timing {
	if t.Hello == 0 {
		t.Hello = 5 * time.Second
	}
	if t.Ping == 0 {
		t.Ping = 20 * time.Second
	}
	if t.Write == 0 {
		t.Write = 10 * time.Second
	}
	if t.Piece == 0 {
		t.Piece = 30 * time.Second
	}
	if t.File == 0 {
		t.File = 30 * time.Minute
	}
	return t
}

// Close ends the sockets with "going away" and waits for them.
func (a *API) Close() { a.sockets.close() }

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// headed sets what goes with every answer: it is data of the moment.
func (a *API) headed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		ctx := context.WithValue(context.WithValue(r.Context(), requestKey{}, r), writerKey{}, w)
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// recovered answers our own fault with a problem and logs where it was.
func (a *API) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(v)
				}
				sendProblem(w, a.internal(r.Context(), "panic", v))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func (a *API) nothingHere(w http.ResponseWriter, _ *http.Request) {
	sendProblem(w, problem(http.StatusNotFound, codeNotFound, "no such call"))
}

func (a *API) foreign(w http.ResponseWriter, _ *http.Request) {
	sendProblem(w, problem(http.StatusForbidden, codeForbidden, "requests from other sites are refused"))
}

// Keys of what a request's context carries through huma.
type (
	requestKey struct{}
	writerKey  struct{}
	agentKey   struct{}
	guestKey   struct{}
)

// request is the HTTP request behind a handler's context.
func request(ctx context.Context) *http.Request {
	r, _ := ctx.Value(requestKey{}).(*http.Request)
	return r
}

// writer is what answers the HTTP request behind a handler's context.
func writer(ctx context.Context) http.ResponseWriter {
	w, _ := ctx.Value(writerKey{}).(http.ResponseWriter)
	return w
}

// known is a signed-in agent.
type known struct {
	session login.Session
	account login.Account
}

func (k known) agent() meeting.Agent {
	return meeting.Agent{Account: k.account.ID, Name: k.account.Name, Session: k.session.ID, Posts: k.account.Posts.Acting(), Administers: k.account.Posts.Administering()}
}

func theAgent(ctx context.Context) known {
	k, _ := ctx.Value(agentKey{}).(known)
	return k
}

func theGuest(ctx context.Context) meeting.Caller {
	c, _ := ctx.Value(guestKey{}).(meeting.Caller)
	return c
}

// agent lets signed-in agents through.
func (a *API) agent(ctx huma.Context) (context.Context, error) {
	k, err := a.whoIs(request(ctx.Context()))
	if err != nil {
		return nil, err
	}
	return context.WithValue(ctx.Context(), agentKey{}, k), nil
}

// admin lets administrators of the installation through.
func (a *API) admin(ctx huma.Context) (context.Context, error) {
	c, err := a.agent(ctx)
	if err == nil && !theAgent(c).account.Admin {
		return nil, problem(http.StatusForbidden, codeForbidden, "for administrators of the installation")
	}
	return c, err
}

func (a *API) whoIs(r *http.Request) (known, error) {
	cookie, err := r.Cookie(a.cookieName())
	if err != nil {
		return known{}, login.ErrNoSession
	}
	s, account, err := a.login.Who(r.Context(), cookie.Value, a.from(r))
	return known{s, account}, err
}

// guest lets lobby sessions through. A guest's call never looks at cookies.
func (a *API) guest(ctx huma.Context) (context.Context, error) {
	token, ok := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
	if !ok {
		return nil, login.ErrNoSession
	}
	c, err := a.meetings.Recognise(ctx.Context(), token)
	if err != nil {
		return nil, err
	}
	return context.WithValue(ctx.Context(), guestKey{}, c), nil
}

// from is what login keeps of where a request comes from.
func (a *API) from(r *http.Request) login.From {
	source := a.source(r)
	return login.From{
		Source: source, Place: login.Shorten(source),
		Browser: login.DescribeBrowser(r.UserAgent(), r.Header.Get("Sec-CH-UA"), r.Header.Get("Sec-CH-UA-Platform")),
	}
}

// peer is where a request comes from: an IPv4 address or an IPv6 /64.
func peer(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if prefix, err := addr.Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return addr.String()
}

// socketURL is where media clients connect: the origin the caller used, if it is
// one of ours, with a WebSocket's scheme.
func (a *API) socketURL(r *http.Request) string {
	chosen := ""
	for i, origin := range a.origins {
		u, err := url.Parse(origin)
		if err == nil && (i == 0 || r != nil && strings.EqualFold(u.Host, r.Host)) {
			chosen = origin
		}
	}
	return "ws" + strings.TrimPrefix(chosen, "http")
}
