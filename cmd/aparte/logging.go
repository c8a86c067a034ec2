package main

import (
	"io"
	"log/slog"
)

func logLevel(name string) (slog.Level, error) {
	var level slog.Level
	return level, level.UnmarshalText([]byte(name))
}

// newLogger writes to w in the format and from the level of c, which have
// been checked.
func newLogger(c *Config, w io.Writer) *slog.Logger {
	level, _ := logLevel(c.Log.Level)
	options := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
