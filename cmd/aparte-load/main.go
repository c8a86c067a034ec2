// Command aparte-load puts load on a server that speaks the LiveKit protocol, and
// says what it did under it.
//
// It knows nothing of Aparté: what it finds out of one server can be compared with
// another. docs/load.md tells how. The rooms are planned and run in load, their
// participants live in client, their media in media, figures come from measure.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // somebody did not get in, or the measuring failed
	exitUsage  = 2
)

// usageError is a mistake in the flags: one line, exit code 2.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

type commands struct {
	Run  runCommand  `cmd:"" default:"withargs" help:"Fill rooms, measure, leave (the default)."`
	Soak soakCommand `cmd:"" help:"Join, leave, resume, mute and vanish for a long time, and compare the server's memory before and after."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cli commands
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name("aparte-load"),
		kong.Description("Load for any server that speaks the LiveKit protocol."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.BindTo(stdout, (*io.Writer)(nil)),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return report(stderr, fmt.Errorf("build command line: %w", err))
	}
	parsed, err := parser.Parse(args)
	switch {
	case exited >= 0: // --help has been printed
		return exited
	case err != nil:
		return report(stderr, usageError{err})
	}
	return report(stderr, parsed.Run())
}

func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "aparte-load: %v\n", err)
	if usage := (usageError{}); errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}
