package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"aparte/cmd/aparte-load/soak"
)

// soakCommand comes and goes, and compares.
type soakCommand struct {
	Server   server        `embed:""`
	Rooms    int           `default:"10" help:"Number of rooms."`
	Seats    int           `default:"4" help:"Participants of each room that come and go."`
	Stayers  int           `default:"2" help:"Participants of each room that stay; from two on they hear each other."`
	Duration time.Duration `default:"10m" help:"How long."`
	Warmup   time.Duration `default:"10s" help:"Coming and going before the first look at the server's memory."`
	Patience time.Duration `default:"2m" help:"How long the server may take to forget those who vanished."`
	Seed     uint64        `default:"1" help:"What happens when depends on it."`
}

// Run fails when the server keeps more than it should.
func (c *soakCommand) Run(ctx context.Context, stdout io.Writer) error {
	process, profiles, err := c.Server.open()
	switch {
	case err != nil:
		return err
	case profiles == nil:
		return usageError{errors.New("--server-pprof is needed: what is compared is read there")}
	case c.Rooms < 1 || c.Seats < 1 || c.Duration <= 0 || c.Stayers < 0 || c.Warmup < 0 || c.Patience < 0:
		return usageError{errors.New("--rooms, --seats and --duration must be more than 0, --stayers, --warmup and --patience not less")}
	}
	result, err := soak.Run(ctx, soak.Config{
		URL: c.Server.URL, Keys: c.Server.keys(), Rooms: c.Rooms, Seats: c.Seats, Stayers: c.Stayers,
		Duration: c.Duration, Warmup: c.Warmup, Patience: c.Patience, Seed: c.Seed,
		Go: profiles, Process: process,
	})
	if err != nil {
		return err
	}
	if err := result.Text(stdout); err != nil {
		return err
	}
	if err := result.Check(); err != nil {
		return fmt.Errorf("the server is not what it was: %w", err)
	}
	return nil
}
