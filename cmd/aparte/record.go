package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"aparte/recorder"
	"aparte/recorder/seal"
)

// recordCommand works on the files of recordings, wherever they are: it needs neither
// a server nor its data folder. What the files are stands in docs/recording.md.
type recordCommand struct {
	Verify  recordVerify  `cmd:"" help:"Verify a recording; names whatever was tampered with and exits with 1. No private key is needed."`
	Open    recordOpen    `cmd:"" help:"Decrypt a recording into a folder, for export."`
	Fetch   recordFetch   `cmd:"" help:"Take a recording from the S3-compatible store that it was brought to, to verify and open it."`
	Export  recordExport  `cmd:"" help:"Make media files of an opened recording: one for each track, as it was sent."`
	Compose recordCompose `cmd:"" help:"Make one film of a recording: everybody in one picture, with names, chapters and captions. Needs ffmpeg."`
	Film    recordFilm    `cmd:"" hidden:""`
	Purge   recordPurge   `cmd:"" help:"Delete a recording, and say what is left of it."`
}

var (
	errRecordingTampered = errors.New("the recording is not as it was written")
	errRecordingStranger = errors.New("this is not the key that the recording was signed with, so nothing is known of whether it is whole: give node-key.json of the server that recorded")
	errRecordingUnclosed = errors.New("what is there is as it was written, but the recording was not closed: it is still being written, a crash left it so, or somebody cut off its end (--unclosed accepts it)")
)

// recordingFiles opens the argument that names a recording, which is read until the context
// ends.
func recordingFiles(ctx context.Context, path string, use func(*recorder.Files) error) error {
	if path == "" {
		return usageError{errors.New("no recording is named: a folder, or the file of one part")}
	}
	files, err := recorder.OpenFiles(path)
	if err != nil {
		return usageError{err}
	}
	for i := range files.Parts {
		files.Parts[i].ReaderAt = readerUntil{ctx, files.Parts[i].ReaderAt}
	}
	return errors.Join(use(files), files.Close())
}

// readerUntil is a reader that ends with its context.
type readerUntil struct {
	ctx context.Context //nolint:containedctx // for as long as one command
	io.ReaderAt
}

func (r readerUntil) ReadAt(b []byte, at int64) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.ReaderAt.ReadAt(b, at)
}

// readFile is os.ReadFile until the context ends: what is named may be a pipe, to which
// nobody writes.
func readFile(ctx context.Context, path string) ([]byte, error) {
	type result struct {
		content []byte
		err     error
	}
	done := make(chan result, 1)
	go func() {
		content, err := os.ReadFile(path)
		done <- result{content, err}
	}()
	select {
	case r := <-done:
		return r.content, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// nodeKey reads a node's public key, given as text or as the file that publishes it.
func nodeKey(ctx context.Context, given string) (seal.PublicKey, error) {
	text, in := given, "node key"
	if content, err := readFile(ctx, given); err == nil {
		text, in = string(content), "node key "+given
	} else if ctx.Err() != nil {
		return seal.PublicKey{}, err
	} else if !strings.Contains(given, "+") {
		return seal.PublicKey{}, usageError{fmt.Errorf("node key: %w", err)}
	}
	key, err := seal.ParsePublicKey(text)
	if err != nil {
		return seal.PublicKey{}, usageError{fmt.Errorf("%s: %w", in, err)}
	}
	return key, nil
}

type recordVerify struct {
	Recording string `arg:"" placeholder:"PATH" help:"Folder of a recording, or the file of one part."`
	NodeKey   string `required:"" placeholder:"KEY" help:"Public key of the server that recorded: the file node-key.json of its data folder, or what it says. Have it from elsewhere than from beside the recording."`
	Unclosed  bool   `help:"Accept a recording that was not closed, as after a crash."`
}

// Run prints what the recording says of itself and what is wrong with it.
func (c *recordVerify) Run(ctx context.Context, p *process) error {
	key, err := nodeKey(ctx, c.NodeKey)
	if err != nil {
		return err
	}
	return recordingFiles(ctx, c.Recording, func(files *recorder.Files) error {
		report, err := seal.Verify(files.Parts, key, files.Lone)
		if err != nil {
			return err
		}
		printRecording(p.stdout, report)
		if n := len(report.Findings) + report.MoreFindings; n > 0 {
			if report.Stranger != "" {
				return errRecordingStranger
			}
			return fmt.Errorf("%w (findings: %d)", errRecordingTampered, n)
		}
		if !report.Closed() && !c.Unclosed {
			return errRecordingUnclosed
		}
		fmt.Fprintln(p.stdout, "verified, signed by", signers(report))
		return nil
	})
}

// signers are the keys that the parts are signed with, of those that were given; "": none was.
func signers(report *seal.Report) string {
	var all []string
	for _, part := range report.Parts {
		if part.Signer != "" && !slices.Contains(all, part.Signer) {
			all = append(all, part.Signer)
		}
	}
	return strings.Join(all, " and ")
}

// inert is a text that may be anybody's, on one line and without what controls a terminal
// or turns the direction of writing.
func inert(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

func printRecording(w io.Writer, report *seal.Report) {
	line := func(format string, args ...any) { fmt.Fprintln(w, inert(fmt.Sprintf(format, args...))) }
	for _, part := range report.Parts {
		if b := part.Binding; b != nil {
			line("%s: recording %s, part %d, of room %s, begun %s, policy %q, recipients %d: segments 1 to %d%s",
				part.Name, b.Recording, b.Part, b.Room, b.Began.Format(time.RFC3339), b.Policy, len(b.Recipients), part.Segments, closedAt(part.Closing))
		}
	}
	for _, f := range report.Findings {
		line("%s", f)
	}
	if report.MoreFindings > 0 {
		line("%d more findings", report.MoreFindings)
	}
	if report.Unclosed != "" {
		line("not closed: %s", report.Unclosed)
	}
}

func closedAt(c *seal.Closing) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf(", closed %s (%s), packets %d, lost %d", c.Ended.Format(time.RFC3339), c.Reason, c.Packets, c.Lost)
}

type recordOpen struct {
	Recording string `arg:"" placeholder:"PATH" help:"Folder of a recording, or the file of one part."`
	Identity  string `required:"" short:"i" placeholder:"FILE" help:"Private key of an archive that it is sealed to, as 'aparte keygen' makes it."`
	Output    string `required:"" short:"o" placeholder:"DIR" help:"Folder for what comes out, which is not encrypted. It must not exist yet."`
	NodeKey   string `placeholder:"KEY" help:"Public key of the server that recorded, as for 'aparte record verify'. Without it nothing says who recorded."`
	Damaged   bool   `help:"Open what is left of a recording that is not as it was written. The journal shows gaps."`
}

// openedRecording is recording.json: what is known of a recording beside its journal.
type openedRecording struct {
	Signer    string                    `json:"signer"` // "" where no key was given; of parts of several keys "KEY and KEY"
	Unclosed  string                    `json:"unclosed"`
	Findings  []string                  `json:"findings"`
	More      int                       `json:"more_findings"` // beyond those, which are the first ones
	Segments  uint64                    `json:"segments"`
	Missing   uint64                    `json:"missing"`
	Bindings  []*seal.Binding           `json:"bindings"`
	Closings  []*seal.Closing           `json:"closings"`
	Manifests map[uint32]*seal.Manifest `json:"manifests"` // by part
}

// Run writes the folder whole, or not at all, also where a signal stops it.
func (c *recordOpen) Run(ctx context.Context, p *process) error {
	var key seal.PublicKey
	if c.NodeKey != "" {
		var err error
		if key, err = nodeKey(ctx, c.NodeKey); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(p.stderr, "aparte: no --node-key given: whether the recording is of that server is not verified")
	}
	content, err := readFile(ctx, c.Identity)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return usageError{fmt.Errorf("identity: %w", err)}
	}
	with, err := seal.ParseIdentities(content)
	if err != nil {
		return usageError{fmt.Errorf("identity %s: %w", c.Identity, err)}
	}
	return recordingFiles(ctx, c.Recording, func(files *recorder.Files) error {
		if err := seal.Fits(files.Parts, with); err != nil {
			return fmt.Errorf("identity %s: %w", c.Identity, err)
		}
		switch err := os.Mkdir(c.Output, 0o700); {
		case errors.Is(err, fs.ErrExist):
			return usageError{fmt.Errorf("output %s: it is there already: name another folder", c.Output)}
		case err != nil:
			return usageError{fmt.Errorf("output: %w", err)}
		}
		opened, err := c.open(files, key, with)
		if err != nil {
			if opened != nil && errors.Is(err, seal.ErrTampered) {
				printRecording(p.stdout, opened.Report)
				if opened.Report.Stranger != "" {
					err = fmt.Errorf("%w; without --node-key it is opened, and nothing says who recorded", errRecordingStranger)
				} else {
					err = fmt.Errorf("%w (findings: %d; --damaged opens what is left of it)", errRecordingTampered, len(opened.Report.Findings)+opened.Report.MoreFindings)
				}
			}
			gone := os.RemoveAll(c.Output)
			switch {
			case gone != nil:
				return fmt.Errorf("%w\nWhat was opened until then is still in %s, not encrypted: delete it: %w", err, c.Output, gone)
			case ctx.Err() != nil:
				return stoppedError{fmt.Sprintf("what was opened until then is deleted, and there is no %s", c.Output)}
			}
			return err
		}
		printRecording(p.stdout, opened.Report)
		fmt.Fprintf(p.stdout, "%s: segments opened %d, missing %d; it is not encrypted\n", c.Output, opened.Segments, opened.Missing)
		return nil
	})
}

func (c *recordOpen) open(files *recorder.Files, key seal.PublicKey, with []seal.Identity) (*seal.Opened, error) {
	out, err := os.OpenFile(filepath.Join(c.Output, "journal"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	buffered := bufio.NewWriterSize(out, 1<<20)
	opened, err := seal.Open(files.Parts, key, with, files.Lone, c.Damaged, buffered)
	if err = errors.Join(err, buffered.Flush(), out.Close()); err != nil {
		return opened, err
	}
	about := openedRecording{
		Signer: signers(opened.Report), Unclosed: opened.Report.Unclosed, Findings: []string{}, More: opened.Report.MoreFindings,
		Segments: opened.Segments, Missing: opened.Missing, Manifests: opened.Manifests,
	}
	for _, f := range opened.Report.Findings {
		about.Findings = append(about.Findings, f.String())
	}
	for _, part := range opened.Report.Parts {
		about.Bindings, about.Closings = append(about.Bindings, part.Binding), append(about.Closings, part.Closing)
	}
	text, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return opened, err
	}
	return opened, os.WriteFile(filepath.Join(c.Output, "recording.json"), append(text, '\n'), 0o600)
}

type recordPurge struct {
	Recording string `arg:"" placeholder:"DIR" help:"Folder of a recording."`
	Held      bool   `help:"Also one that is on legal hold."`
}

// Run deletes a recording that nobody is writing.
func (c *recordPurge) Run(ctx context.Context, p *process) error {
	recipients, err := recipientsOf(c.Recording)
	if err != nil {
		return err
	}
	done, err := recorder.Purge(ctx, c.Recording, c.Held)
	switch {
	case errors.Is(err, recorder.ErrHeld):
		return fmt.Errorf("purge: %w: an administrator of the post lifts it on the server's page Recordings; --held deletes it all the same", err)
	case errors.Is(err, recorder.ErrNoRecording):
		return usageError{err}
	case ctx.Err() != nil && err != nil:
		return stoppedError{fmt.Sprintf("files deleted before that: %d; the same command deletes the rest", done.Parts)}
	case err != nil:
		return fmt.Errorf("purge (files deleted before that: %d): %w", done.Parts, err)
	}
	fmt.Fprintf(p.stdout, "deleted %s: files %d, bytes %d\n", c.Recording, done.Parts, done.Bytes)
	for _, name := range done.Left {
		fmt.Fprintf(p.stdout, "left in it: %s, which is of no recording\n", name)
	}
	for _, m := range done.Away {
		fmt.Fprintf(p.stdout, "part %d is still in %s: the server deletes it there, or whoever has the keys of the store, below its id\n", m.Part, m.Store)
	}
	fmt.Fprintln(p.stdout, "What may be left: copies, exports and backups made elsewhere, and what the disk and its snapshots still hold of these bytes.")
	if len(recipients) > 0 {
		fmt.Fprintln(p.stdout, "All but exports is sealed; it could be opened with the private key of any of these, and of nobody once those are destroyed:")
	}
	for _, recipient := range recipients {
		fmt.Fprintf(p.stdout, "  %s, %.40s...\n", seal.Fingerprint(recipient), recipient)
	}
	return nil
}

// recipientsOf is to whom a recording's parts say that they are sealed.
func recipientsOf(folder string) (recipients []string, err error) {
	info, err := os.Stat(folder)
	if err != nil {
		return nil, usageError{err}
	}
	if !info.IsDir() {
		return nil, usageError{fmt.Errorf("%s: name the folder of the recording; one part of it is not deleted by itself", folder)}
	}
	files, err := recorder.OpenFiles(folder)
	if err != nil {
		return nil, nil //nolint:nilerr // Purge says what is wrong, or finds what is half made
	}
	return seal.SealedTo(files.Parts), files.Close() // what is damaged is no reason to keep it
}
