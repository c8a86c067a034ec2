package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"aparte/cmd/aparte-load/load"
)

// runCommand is one load, measured.
type runCommand struct {
	Server server `embed:""`

	Rooms       int    `default:"1" help:"Number of rooms; all others are per room."`
	Publishers  int    `help:"Participants that only send."`
	Subscribers int    `help:"Participants that only receive. Alone in their rooms they are idle."`
	Mesh        int    `help:"Participants that send and receive all others."`
	Audio       bool   `default:"true" negatable:"" help:"Publish a microphone."`
	Video       string `enum:"none,single,simulcast" default:"simulcast" help:"Publish a camera: none, in one layer, or in three."`
	Screen      int    `help:"So many of a room also share a screen."`
	Speakers    int    `default:"1" help:"So many microphones of a room are loud, the others silent."`
	VideoKbps   int    `name:"video-kbps" default:"1700" help:"Bitrate of the camera's highest layer."`
	AudioKbps   int    `name:"audio-kbps" default:"32" help:"Bitrate of a microphone."`
	FPS         int    `name:"fps" default:"30" help:"Frames a second of a camera."`

	JoinsPerSecond float64       `default:"10" help:"How fast they come in."`
	Duration       time.Duration `default:"30s" help:"How long to measure when all are in and receive all there is."`
	Settle         time.Duration `default:"3s" help:"Pause before the memory is read when all have left."`
	JoinLimit      time.Duration `default:"20s" help:"How long one join may take."`
	Prefix         string        `help:"Beginning of the rooms' names; by default another one each time."`
	JSON           bool          `name:"json" help:"Print one JSON object."`
}

// Run fails when somebody did not get in.
func (c *runCommand) Run(ctx context.Context, stdout io.Writer) error {
	process, profiles, err := c.Server.open()
	if err != nil {
		return err
	}
	prefix := c.Prefix
	if prefix == "" {
		prefix = fmt.Sprintf("load-%06x", rand.Uint32()&0xffffff)
	}
	cfg := load.Config{
		Plan: load.Plan{
			Rooms: c.Rooms, Publishers: c.Publishers, Subscribers: c.Subscribers, Mesh: c.Mesh,
			Audio: c.Audio, Video: c.Video, Screen: c.Screen, Speakers: c.Speakers,
			VideoBps: c.VideoKbps * 1000, AudioBps: c.AudioKbps * 1000, FPS: c.FPS, Prefix: prefix,
		},
		URL: c.Server.URL, Keys: c.Server.keys(), Single: c.Server.Signal == "v1",
		JoinsPerSecond: c.JoinsPerSecond, Duration: c.Duration, Settle: c.Settle, JoinLimit: c.JoinLimit,
		Process: process, Go: profiles,
	}
	switch {
	case c.JoinsPerSecond <= 0 || c.JoinsPerSecond > 10_000:
		return usageError{fmt.Errorf("--joins-per-second: more than 0, at most 10000, not %g", c.JoinsPerSecond)}
	case c.Duration <= 0:
		return usageError{fmt.Errorf("--duration: more than 0, not %s", c.Duration)}
	case c.JoinLimit <= 0 || c.Settle < 0:
		return usageError{fmt.Errorf("--join-limit and --settle: not below 0")}
	}
	if err := cfg.Check(); err != nil {
		return usageError{err}
	}
	report, err := load.Run(ctx, cfg)
	if err != nil {
		return err
	}
	write := report.Text
	if c.JSON {
		write = report.JSON
	}
	if err := write(stdout); err != nil {
		return err
	}
	if !report.OK() && !report.Interrupted {
		return fmt.Errorf("%d of %d did not get in", report.Participants-report.Joined, report.Participants)
	}
	return nil
}
