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
)

type recordExport struct {
	Recording string `arg:"" placeholder:"PATH" help:"Folder that 'aparte record open' made, or the journal in it."`
	Output    string `required:"" short:"o" placeholder:"DIR" help:"Folder for the media files and their index. It is made, or is empty."`
}

// Run writes a media file for each track, as it was sent, and tells what it wrote.
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
	index, err := export.Export(ctx, export.Config{
		Open: func() (io.ReadCloser, error) { return os.Open(path) }, Into: export.OnDisk(c.Output),
	})
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
