package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"aparte/recorder/export"
	"aparte/recorder/journal"
	"aparte/recorder/mux"
)

type recordExport struct {
	Recording string `arg:"" placeholder:"PATH" help:"Folder that 'aparte record open' made, or the journal in it."`
	Output    string `required:"" short:"o" placeholder:"DIR" help:"Folder for the media files and their index. It is made, or is empty."`
}

// Run writes a media file for each track, as it was sent, and tells what it wrote. When it
// fails, or a signal stops it, it deletes what it wrote.
func (c *recordExport) Run(ctx context.Context, p *process) error {
	path := c.Recording
	if info, err := os.Stat(path); err != nil {
		return usageError{err}
	} else if info.IsDir() {
		path = filepath.Join(path, "journal")
	}
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return usageError{fmt.Errorf("%s: no journal in it: 'aparte record open' decrypts a recording into such a folder", c.Recording)}
	case err != nil:
		return usageError{err}
	}
	_, before := os.Stat(c.Output)
	into := &noted{Folder: export.OnDisk(c.Output)}
	index, err := export.Export(ctx, export.Config{
		Open: func() (io.ReadCloser, error) { return os.Open(path) }, Into: into,
	})
	if err != nil {
		// Nothing in the clear stays half made.
		if gone := into.remove(c.Output, errors.Is(before, fs.ErrNotExist)); gone != nil {
			err = fmt.Errorf("%w\nWhat was made until then is still in %s, not encrypted: delete it: %w", err, c.Output, gone)
		} else if ctx.Err() != nil {
			err = stoppedError{"what was made until then is deleted"}
		}
	}
	var format *journal.FormatError
	switch {
	case errors.As(err, &format), errors.Is(err, export.ErrNotEmpty):
		return usageError{err}
	case err != nil:
		return err
	}
	for _, f := range index.Files {
		approximate := ""
		if f.Approximate {
			approximate = ", its time approximate"
		}
		fmt.Fprintf(p.stdout, "%s: %s, from %.3f s on, lasts %.3f s, frames %d, lost %d%s\n",
			f.Name, f.Codec, f.Start, f.Duration, f.Frames, f.LostFrames, approximate)
	}
	for _, s := range index.Skipped {
		fmt.Fprintf(p.stdout, "no file of %s, %s of %s: %s\n", inert(s.Track), inert(s.Codec), inert(s.Identity), inert(s.Reason))
	}
	if index.Incomplete != "" {
		fmt.Fprintf(p.stdout, "the recording is not whole: %s\n", inert(index.Incomplete))
	}
	fmt.Fprintf(p.stdout, "%s: files %d and %s\n", c.Output, len(index.Files), export.IndexName)
	return nil
}

// noted is a folder of which it is noted what was made in it.
type noted struct {
	export.Folder
	made []string
}

func (n *noted) Create(name string) (mux.File, error) {
	f, err := n.Folder.Create(name)
	if err == nil {
		n.made = append(n.made, name)
	}
	return f, err
}

// remove deletes what was made, and the folder if it is new.
func (n *noted) remove(folder string, isNew bool) error {
	var all error
	for _, name := range n.made {
		all = errors.Join(all, os.Remove(filepath.Join(folder, name)))
	}
	if isNew {
		_ = os.Remove(folder) // unless something else is in it
	}
	return all
}
