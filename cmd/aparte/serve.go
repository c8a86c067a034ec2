package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/pprof"
	"time"

	"github.com/alecthomas/kong"
)

// serveCommand is the server's life: build, run, drain.
type serveCommand struct {
	Dev            bool   `help:"Try it out on this machine: throw-away data (unless a data folder is named), demo links, API key devkey with secret 'secret'."`
	DevBeyondLocal bool   `help:"Let --dev listen on addresses that other machines reach."`
	ConfigFile     string `name:"config" placeholder:"FILE" help:"YAML file of settings ('aparte config' prints one)."`
	Settings       Config `embed:"" group:"Settings"`
}

// drainTime is how long meetings get to hear that the server stops.
const drainTime = 10 * time.Second

// Run serves until ctx ends, then drains. What stands on standard output is
// for the person who starts the server: where it listens and how to get in.
func (c *serveCommand) Run(ctx context.Context, p *process, parsed *kong.Context) error {
	config, err := loadConfig(c.ConfigFile, p.environ, parsed.Flags(), c.Dev)
	if err != nil {
		return err
	}
	if c.Dev && !c.DevBeyondLocal && !isLoopback(config.Listen) {
		return usageError{fmt.Errorf("listen: %s can be reached from other machines, and --dev has a known API key: "+
			"leave --dev out, or add --dev-beyond-local", config.Listen)}
	}
	if c.Dev && config.DataDir == defaults().DataDir {
		folder, remove, err := throwAway()
		if err != nil {
			return err
		}
		defer remove()
		config.DataDir = folder
	}

	server, err := build(ctx, &config, c.Dev, newLogger(&config, p.stderr))
	if err != nil {
		return err
	}
	failed := server.start()
	err = server.greet(ctx, p.stdout)
	if err == nil {
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if !ended(func() { server.stop(drain) }, stopLimit) {
		// Which part waits for what is all that can be learnt of it afterwards.
		_ = pprof.Lookup("goroutine").WriteTo(p.stderr, 1)
		err = errors.Join(err, fmt.Errorf("stopping took more than %s: please report the list of goroutines above", stopLimit))
	}
	return err
}

// stopLimit is how long all parts together may take to end. It is more than each may
// take, so that it is reached by a bug alone, and less than what systemd waits.
const stopLimit = 60 * time.Second

// ended runs stop and tells whether it came to its end in time.
func ended(stop func(), limit time.Duration) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		stop()
	}()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-done:
		return true
	case <-late.C:
		return false
	}
}
