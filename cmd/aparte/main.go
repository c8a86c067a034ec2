// Command aparte serves video meetings with people outside: the web client,
// the API, the signalling and the media, in one process.
//
// Start with serve.go: it wires the parts in one readable function. Rules
// live in the packages it names, never here.
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

	"aparte/recorder/compose/confine"
	"aparte/recorder/seal"
)

// Exit codes. Scripts and service managers tell a wrong configuration, which
// a restart will not mend, from a failure.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitStopped = 130 // by SIGINT or SIGTERM, before it was done
)

// usageError is a mistake of the operator: a wrong flag, key, address or
// folder. It is printed as one line, with exit code 2.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// stoppedError says that a signal ended a command before it was done, with exit code 130.
type stoppedError struct{ left string } // what there is of its work

func (e stoppedError) Error() string {
	if e.left == "" {
		return "stopped by a signal"
	}
	return "stopped by a signal: " + e.left
}

type commands struct {
	Serve   serveCommand   `cmd:"" help:"Serve meetings until stopped by SIGINT or SIGTERM."`
	Audit   auditCommand   `cmd:"" help:"Verify, export and anchor the audit trail."`
	Config  configCommand  `cmd:"" help:"Print every setting with its default as a YAML file."`
	Keygen  keygenCommand  `cmd:"" help:"Make the key of an archive, which opens recordings."`
	Record  recordCommand  `cmd:"" help:"Verify, open, export, compose and delete recordings, from their files alone."`
	NodeKey nodeKeyCommand `cmd:"" help:"Rotate the key that this server signs recordings with."`
	Openapi openapiCommand `cmd:"" help:"Print the OpenAPI 3.1 document of /api/v1."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// process is what a command may touch of the world around it.
type process struct {
	stdin          io.Reader // nil: there is none
	stdout, stderr io.Writer
	environ        func() []string
}

func main() {
	if args := os.Args[1:]; len(args) > 0 && args[0] == confine.Verb {
		// Of this program's own doing, see package confine: nothing else may come before.
		fmt.Fprintln(os.Stderr, confine.Become(args[1:]))
		os.Exit(exitFailed)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if len(os.Args) > 1 && os.Args[1] == "record" {
		context.AfterFunc(ctx, stop) // the second one kills: nothing but files hangs on it
	}
	code := run(ctx, os.Args[1:], &process{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ})
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, p *process) int {
	var cli commands
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name("aparte"),
		kong.Description("Self-hosted video meetings with people outside."),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return report(p, fmt.Errorf("build command line: %w", err))
	}
	for i, arg := range args {
		if seal.HasPrivateKey(arg) {
			return report(p, usageError{fmt.Errorf("argument %d is a private key, which belongs into a file of its own: here others of this machine can read it among the running programs, and the shell keeps it. Name the file (for --node-key %s, which has the public one)", i+1, seal.PublicKeyFile)})
		}
	}
	parsed, err := parser.Parse(args)
	switch {
	case exited >= 0: // --help has been printed
		return exited
	case err != nil:
		return report(p, usageError{err})
	}
	err = parsed.Run(parsed)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) && !errors.As(err, &stoppedError{}) {
		err = stoppedError{}
	}
	return report(p, err)
}

// report says what went wrong. What may be a private key is in no error that is known; that
// it is in none at all, of the libraries' too, is seen to here.
func report(p *process, err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(p.stderr, "aparte: %s\n", seal.HidePrivateKeys(err.Error()))
	switch {
	case errors.As(err, &stoppedError{}):
		return exitStopped
	case errors.As(err, &usageError{}):
		return exitUsage
	}
	return exitFailed
}
