// Package signaling answers who may be where. This file says which path reaches
// which package; demo.go fills a throw-away store for trying things out.
//
// A guest's way: api (redeem) → link → api (knock) → lobby → meeting (admit) →
// token → wire → the SFU's room.
package signaling

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"aparte/sfu"
	"aparte/signaling/meeting"
	"aparte/signaling/netcheck"
)

// Handlers are what a server is made of.
type Handlers struct {
	API  http.Handler // /api/v1
	Wire http.Handler // /rtc, /settings: the LiveKit protocol
	// Rooms is /twirp, LiveKit's server API; nil: there is none (404).
	Rooms http.Handler
	Web   http.Handler // everything else: the web client, with its security headers
	// Healthy says why this server cannot do its work, or nil. It is asked once a
	// second at most; what it says is logged, not told.
	Healthy func(context.Context) error
	// Secure says that the public origin is https: browsers are told to use
	// nothing else for this host.
	Secure bool
	Log    *slog.Logger // nil: slog.Default
}

// transportSecurity is for a year (RFC 6797), as threats.md asks. It speaks for
// this host only: what else the domain serves is not ours to decide.
const transportSecurity = "max-age=31536000"

// NewServer sends each request to its package.
//
// CORS: the LiveKit paths carry their own token and ignore cookies, so any page
// may call them. Everything else answers no other origin: it sets no header, and
// /api/v1 refuses foreign writes and sockets by itself.
func NewServer(h Handlers) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", h.API)
	wire := anyOrigin(h.Wire)
	for _, path := range []string{"/rtc", "/rtc/", "/settings", "/settings/"} {
		mux.Handle(path, wire)
	}
	if h.Rooms == nil {
		h.Rooms = http.NotFoundHandler()
	}
	mux.Handle("/twirp", anyOrigin(h.Rooms))
	mux.Handle("/twirp/", anyOrigin(h.Rooms))
	if h.Log == nil {
		h.Log = slog.Default()
	}
	mux.Handle("GET /healthz", newHealth(h.Healthy, h.Log))
	mux.Handle("/", h.Web)
	served := plain(singleSlash(mux))
	if h.Secure {
		return secured(served)
	}
	return served
}

// plain has every answer taken for what it is and shown in no frame, errors and
// refused sockets included. The web client's pages replace the policy by theirs.
func plain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// secured has browsers come back by TLS only. It belongs on every answer, errors
// included (RFC 6797, section 7.1).
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", transportSecurity)
		next.ServeHTTP(w, r)
	})
}

// anyOrigin lets every page call, without credentials. Errors carry the header
// as well, or browsers could not tell them from an unreachable server.
func anyOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, *")
			h.Set("Access-Control-Max-Age", "7200")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		r.Header.Del("Cookie") // whoever comes this way is known by token only
		next.ServeHTTP(w, r)
	})
}

// singleSlash mends the leading // that clients make by appending a path to a
// base URL with a slash; the mux would answer with a redirect, which WebSocket
// clients do not follow.
func singleSlash(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "//") {
			clean := *r.URL
			clean.Path = "/" + strings.TrimLeft(clean.Path, "/")
			clean.RawPath = ""
			mended := *r
			mended.URL = &clean
			r = &mended
		}
		next.ServeHTTP(w, r)
	})
}

// Presence carries who is in a call from the SFU to the meetings. Rooms of
// integrations are none of their business.
type Presence struct{ Meetings *meeting.Meetings }

// Told notes who came or went.
func (p Presence) Told(e sfu.Event) {
	if e.Space != sfu.MeetingSpace {
		return
	}
	switch e.Kind {
	case sfu.Joined:
		p.Meetings.Joined(e.Room.Name, e.Participant.Identity, e.Participant.Sid)
	case sfu.Left:
		p.Meetings.Left(e.Room.Name, e.Participant.Identity, e.Participant.Sid)
	}
}

// sweepEvery is how precisely the time limits of the lobby are kept for guests
// of whom nobody asks.
const sweepEvery = time.Minute

// sweepDueEvery is how precisely happens what a call was told will happen unless a host
// comes back.
const sweepDueEvery = 2 * time.Second

// Sweep keeps the time limits of lobbies, of meetings without a host, of network checks
// and of recordings, and their quotas, until ctx ends. What waits for files or for a store
// has a goroutine of its own: however slow that is, the others keep their time. It returns
// when all have ended, which a disk that hangs may hold up.
func Sweep(ctx context.Context, meetings *meeting.Meetings, checks *netcheck.Checks) {
	var all sync.WaitGroup
	defer all.Wait()
	repeat := func(every time.Duration, do func(context.Context)) {
		all.Go(func() {
			ticker := time.NewTicker(every)
			defer ticker.Stop()
			for {
				select {
				case <-ctx.Done():
				case <-ticker.C:
				}
				if ctx.Err() != nil { // also where both are so
					return
				}
				do(ctx)
			}
		})
	}
	repeat(sweepDueEvery, func(ctx context.Context) {
		meetings.SweepDue(ctx)
		checks.Sweep()
	})
	repeat(sweepEvery, meetings.Sweep)
	repeat(sweepEvery, meetings.SweepQuotas)
	repeat(sweepEvery, meetings.SweepRecordings)
}
