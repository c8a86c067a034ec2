package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"aparte/recorder/compose"
	"aparte/recorder/compose/render"
	"aparte/recorder/export"
)

type recordCompose struct {
	Recording string `arg:"" placeholder:"PATH" help:"Folder of a recording, the file of one part, or a folder that 'aparte record open' or 'aparte record export' made."`
	Output    string `required:"" short:"o" aliases:"out" placeholder:"DIR" help:"Folder for the film and its captions, which are not encrypted. It is made, or is empty."`
	Layout    string `enum:"grid,speaker" default:"grid" help:"grid: all of one size; speaker: whoever speaks large. A shared screen is large in both."`
	Format    string `enum:"webm,mp4" default:"webm" help:"webm (VP9, Opus) or mp4 (H.264, AAC); without pictures ogg or m4a."`
	Language  string `enum:"fr,en,ar" default:"fr" help:"Of chapters and labels: fr, en or ar."`
	Identity  string `short:"i" placeholder:"FILE" help:"Private key of an archive that it is sealed to. Needed for a recording that is sealed."`
	NodeKey   string `placeholder:"KEY" help:"Public key of the server that recorded, as for 'aparte record verify'."`
	Damaged   bool   `help:"Open what is left of a recording that is not as it was written."`
	Work      string `placeholder:"DIR" help:"Folder for what is made on the way, not encrypted; beside the output by default. It is deleted in the end; after an interruption the same command goes on from there."`
	Threads   int    `default:"2" help:"How many threads ffmpeg may use."`
	FFmpeg    string `name:"ffmpeg" default:"ffmpeg" placeholder:"PATH" help:"The program that composes."`
}

// Run makes one film of a recording, with a program that is not ours.
func (c *recordCompose) Run(ctx context.Context, p *process) error {
	if c.Threads < 1 {
		return usageError{fmt.Errorf("threads: %d, at least 1", c.Threads)}
	}
	tool, err := render.Find(ctx, c.FFmpeg, confiner())
	if err == nil {
		err = tool.Check(render.Format(c.Format))
	}
	if err != nil {
		return err
	}
	for _, lack := range tool.Lacks {
		fmt.Fprintln(p.stderr, "aparte: ffmpeg is not kept apart as it could be:", lack)
	}
	output := filepath.Clean(c.Output)
	if c.Work == "" {
		c.Work = output + ".work"
	}
	if err := os.MkdirAll(c.Work, 0o700); err != nil {
		return usageError{fmt.Errorf("work: %w", err)}
	}
	release, err := render.Lock(c.Work)
	if err != nil {
		return usageError{fmt.Errorf("work: %w", err)}
	}
	defer release() //nolint:errcheck // nothing was written to it
	if err := emptyFolder(output); err != nil {
		_ = os.Remove(c.Work) // unless something is left in it
		return err
	}
	if err = c.compose(ctx, p, tool, output); err != nil {
		_ = os.Remove(output) // if nothing is in it
	}
	if errors.Is(err, compose.ErrNothing) || errors.Is(err, compose.ErrTooLong) || errors.Is(err, render.ErrTooCostly) {
		err = usageError{err}
	}
	if err == nil || errors.As(err, &usageError{}) {
		return errors.Join(err, c.clear())
	}
	if left := os.Remove(c.Work); left == nil || errors.Is(left, fs.ErrNotExist) { // nothing was in it
		return err
	}
	if ctx.Err() != nil {
		err = stoppedError{}
	}
	return fmt.Errorf("%w\nWhat is made until now stays in %s, not encrypted: the same command goes on from there, or delete it", err, c.Work)
}

// confiner is this program, also after its file was replaced; nothing where no program
// can be confined.
func confiner() string {
	if runtime.GOOS != "linux" {
		return ""
	}
	return "/proc/self/exe"
}

// The folders within the work folder.
const (
	workOpened = "opened"
	workExport = "export"
	workFilm   = "film"
)

// clear deletes what was made on the way, and the work folder if nothing else is in it.
func (c *recordCompose) clear() error {
	var failed error
	for _, name := range []string{workOpened, workExport, workFilm} {
		failed = errors.Join(failed, os.RemoveAll(filepath.Join(c.Work, name)))
	}
	_ = os.Remove(c.Work)
	return failed
}

func (c *recordCompose) compose(ctx context.Context, p *process, tool *render.Tool, output string) error {
	media, index, err := c.media(ctx, p)
	if err != nil {
		return err
	}
	result, err := render.Compose(ctx, render.Config{
		Tool: tool, Index: index, Media: media, Work: filepath.Join(c.Work, workFilm), Dir: output,
		Layout: compose.Layout(c.Layout), Language: compose.Language(c.Language), Format: render.Format(c.Format), Threads: c.Threads,
		Progress: progress(p.stderr),
	})
	if err != nil {
		return err
	}
	for _, s := range result.Spoiled {
		fmt.Fprintf(p.stdout, "could not be decoded, or not all of it: %s\n", inert(s))
	}
	if index.Incomplete != "" {
		fmt.Fprintf(p.stdout, "the recording is not whole: %s\n", inert(index.Incomplete))
	}
	if result.Measured {
		fmt.Fprintln(p.stdout, "who speaks is told by loudness: the recording does not say")
	}
	plan := result.Plan
	fmt.Fprintf(p.stdout, "%s: lasts %.3f s, intervals %d, chapters %d, steps %d, of which %d were made before\n",
		filepath.Join(c.Output, result.Film), plan.Length.Seconds(), len(plan.Intervals), len(plan.Chapters), result.Made, result.Reused)
	if result.Captions != "" {
		fmt.Fprintf(p.stdout, "%s: who speaks, and messages to everybody\n", filepath.Join(c.Output, result.Captions))
	}
	fmt.Fprintf(p.stdout, "%s: not encrypted\n", c.Output)
	return nil
}

// media are the files of each track: those of an export, or made of a recording, which is
// opened if it is sealed.
func (c *recordCompose) media(ctx context.Context, p *process) (folder string, index *export.Index, err error) {
	switch index, err := readIndex(c.Recording); {
	case err == nil:
		return c.Recording, index, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", nil, usageError{err}
	}
	opened := c.Recording
	if _, err := os.Stat(opened); err != nil {
		return "", nil, usageError{err}
	}
	if _, err := os.Stat(filepath.Join(opened, "journal")); err != nil {
		if c.Identity == "" {
			return "", nil, usageError{fmt.Errorf("%s: neither opened nor exported: --identity names the private key that opens it", c.Recording)}
		}
		opened = filepath.Join(c.Work, workOpened)
		if err := os.RemoveAll(opened); err != nil {
			return "", nil, err
		}
		open := recordOpen{Recording: c.Recording, Identity: c.Identity, Output: opened, NodeKey: c.NodeKey, Damaged: c.Damaged}
		if err := open.Run(ctx, p); err != nil {
			return "", nil, err
		}
	}
	folder = filepath.Join(c.Work, workExport)
	if err := os.RemoveAll(folder); err != nil {
		return "", nil, err
	}
	made := recordExport{Recording: opened, Output: folder}
	if err := made.Run(ctx, &process{stdout: io.Discard, stderr: p.stderr, environ: p.environ}); err != nil {
		return "", nil, err
	}
	// What is exported suffices from here on.
	if err := os.RemoveAll(filepath.Join(c.Work, workOpened)); err != nil {
		return "", nil, err
	}
	index, err = readIndex(folder)
	return folder, index, err
}

func readIndex(folder string) (*export.Index, error) {
	if info, err := os.Stat(folder); err == nil && !info.IsDir() {
		return nil, fs.ErrNotExist // a file: of one part
	}
	text, err := os.ReadFile(filepath.Join(folder, export.IndexName))
	if err != nil {
		return nil, err
	}
	var index export.Index
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(folder, export.IndexName), err)
	}
	if index.Version != 1 {
		return nil, fmt.Errorf("%s: an index of version %d, not 1", filepath.Join(folder, export.IndexName), index.Version)
	}
	return &index, nil
}

// emptyFolder makes a folder, or finds it empty.
func emptyFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return usageError{fmt.Errorf("output: %w", err)}
	}
	entries, err := os.ReadDir(path)
	switch {
	case err != nil:
		return usageError{fmt.Errorf("output: %w", err)}
	case len(entries) > 0:
		return usageError{fmt.Errorf("output %s: %w: name a new one", path, export.ErrNotEmpty)}
	}
	return nil
}

// progress prints how far a film is, at each stage and each twentieth of its pictures.
func progress(w io.Writer) func(render.Progress) {
	stage, told := "", -1
	return func(now render.Progress) {
		percent := 0
		if now.Of > 0 {
			percent = int(100 * now.Done / now.Of)
		}
		if now.Stage == stage && percent < told+5 {
			return
		}
		stage, told = now.Stage, percent
		if percent > 0 {
			fmt.Fprintf(w, "%s: %d %%, %v of %v\n", stage, percent, now.Done.Round(time.Second), now.Of.Round(time.Second))
		} else {
			fmt.Fprintln(w, stage)
		}
	}
}
