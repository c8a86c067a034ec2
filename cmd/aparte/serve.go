package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/alecthomas/kong"
	"github.com/prometheus/client_golang/prometheus"

	"aparte/sfu"
	"aparte/sfu/transport"
	"aparte/signaling/token"
	"aparte/signaling/wire"
	"aparte/web"
)

// serveCommand is the server's life: build, run, drain.
type serveCommand struct {
	Dev            bool   `help:"Try it out on this machine: throw-away data, demo links, API key devkey with secret 'secret'."`
	DevBeyondLocal bool   `help:"Let --dev listen on addresses that other machines reach."`
	ConfigFile     string `name:"config" placeholder:"FILE" help:"YAML file of settings ('aparte config' prints one)."`
	Settings       Config `embed:"" group:"Settings"`
}

// drainTime is how long meetings get to hear that the server stops.
const drainTime = 10 * time.Second

func (c *serveCommand) Run(ctx context.Context, p *process, parsed *kong.Context) error {
	config, err := loadConfig(c.ConfigFile, p.environ, parsed.Flags(), c.Dev)
	if err != nil {
		return err
	}
	if c.Dev && !c.DevBeyondLocal && !isLoopback(config.Listen) {
		return usageError{fmt.Errorf("listen: %s can be reached from other machines, and --dev has a known API key: "+
			"leave --dev out, or add --dev-beyond-local", config.Listen)}
	}
	log := newLogger(&config, p.stderr)
	return serve(ctx, &config, c.Dev, log, p)
}

func serve(ctx context.Context, c *Config, dev bool, log *slog.Logger, p *process) (err error) {
	pages, err := web.Handler()
	if err != nil {
		return usageError{err}
	}
	addrs, err := mediaAddresses(c.Media.Addresses, dev)
	if err != nil {
		return err
	}
	listener, err := listen("listen", c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	engine, err := transport.NewEngine(transport.Config{Addrs: addrs, Port: uint16(c.Media.UDPPort), Log: log})
	if err != nil {
		return usageError{fmt.Errorf("media.udp_port: %w", err)}
	}
	rooms := sfu.New(sfu.Config{Engine: engine, Log: log, Dev: dev})
	signal := wire.NewServer(wire.Config{SFU: rooms, Authorizer: token.Keys(c.Integration.Keys), Log: log})

	mux := http.NewServeMux()
	mux.Handle("/rtc", signal)
	mux.Handle("/rtc/", signal)
	mux.Handle("/settings/", signal)
	mux.Handle("/", pages)

	servers := &group{}
	servers.start(listener, mux, log)
	if c.Admin.Listen != "" {
		admin, err := listen("admin.listen", c.Admin.Listen)
		if err != nil {
			return err
		}
		servers.start(admin, adminHandler(prometheus.NewRegistry()), log)
	}
	fmt.Fprintf(p.stdout, "listening: http://%s\n", listener.Addr())
	select {
	case <-ctx.Done():
	case err = <-servers.failed():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err = errors.Join(err, rooms.Close(drain))
	signal.Close()
	return errors.Join(err, servers.stop(drain), engine.Close())
}

// group is the HTTP servers of the process.
type group struct {
	servers []*http.Server
	errs    chan error
}

func (g *group) start(l net.Listener, h http.Handler, log *slog.Logger) {
	if g.errs == nil {
		g.errs = make(chan error, 2)
	}
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    72 << 10, // a join request carries an SDP in its request line
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	g.servers = append(g.servers, s)
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			g.errs <- fmt.Errorf("serve %s: %w", l.Addr(), err)
		}
	}()
}

func (g *group) failed() <-chan error { return g.errs }

func (g *group) stop(ctx context.Context) error {
	var err error
	for _, s := range g.servers {
		err = errors.Join(err, s.Shutdown(ctx))
	}
	return err
}

type openapiCommand struct{}
type versionCommand struct{}

func (versionCommand) Run(p *process) error { return nil }
func (openapiCommand) Run(p *process) error { return nil }
