package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"aparte/signaling"
	"aparte/signaling/login"
)

// greet prints, one a line, how to get in: the demo's links with --dev, the
// set-up link while there is no account. They hold secrets, which is why they
// are printed and never logged.
func (s *server) greet(ctx context.Context, w io.Writer) error {
	lines := []string{"listening: " + s.origin}
	if s.dev {
		demo, err := signaling.MakeDemo(ctx, s.logins, s.posts, s.meetings, rand.Reader, time.Now())
		switch {
		case errors.Is(err, login.ErrTaken):
			lines = append(lines, "data: of an earlier run, sign in as before")
		case err != nil:
			return err
		default:
			lines = append(lines,
				fmt.Sprintf("agent: %s/signin#%s", s.origin, demo.SignInCode),
				fmt.Sprintf("guest: %s/i/%s#%s", s.origin, demo.LinkID, demo.Secret))
		}
	} else {
		code, err := s.logins.SetupCode(ctx)
		if err != nil {
			return fmt.Errorf("set-up link: %w", err)
		}
		if code != "" {
			lines = append(lines, fmt.Sprintf("setup: %s/setup#%s", s.origin, code))
		}
	}
	if s.archive != "" {
		lines = append(lines, fmt.Sprintf("recordings: in %s, opened with 'aparte record open' and %s", filepath.Join(filepath.Dir(s.archive), recordingsFolder), s.archive))
	}
	if s.admin != nil {
		lines = append(lines, "admin: http://"+s.admin.Addr().String())
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return fmt.Errorf("print links: %w", err)
		}
	}
	return nil
}
