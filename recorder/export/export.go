package export

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Config is what to export, and where to.
type Config struct {
	// Open gives the journal in plain, from its beginning. It is called twice.
	Open func() (io.ReadCloser, error)
	Into Folder
	// Steady has sound last as long as its times say, for players that count samples and
	// look at no times: silence where nothing was sent, and where a sender's clock runs
	// slow; a frame less where it runs fast.
	Steady bool
	// Most is how many bytes the index may have, in memory or in JSON: ErrTooMuch beyond it;
	// 0: no such limit.
	Most int64
}

// ErrTooMuch says that a journal tells more than there is room for.
var ErrTooMuch = errors.New("the recording tells of more than there is room for")

// Export writes the media files and the index, and returns the index. When it fails,
// what it wrote until then stays, without an index.
func Export(ctx context.Context, cfg Config) (*Index, error) {
	s := newSurvey()
	s.most = cfg.Most
	if err := reading(cfg, func(r io.Reader) error { return s.read(canceled{ctx, r}) }); err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	err := cfg.Into.Begin()
	if err == nil {
		err = write(ctx, cfg, s)
	}
	if err = errors.Join(err, cfg.Into.End()); err != nil {
		return nil, err
	}
	return &s.index, nil
}

// write is the second reading, and the index.
func write(ctx context.Context, cfg Config, s *survey) error {
	f := newFiles(s, cfg.Into, cfg.Steady)
	err := reading(cfg, func(r io.Reader) error { return f.write(canceled{ctx, r}) })
	if closed := f.close(); !errors.Is(err, closed) { // what a track met ends the reading, too
		err = errors.Join(err, closed)
	}
	if err != nil {
		return err
	}
	slices.SortStableFunc(s.index.Files, func(a, b File) int { return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.Start, b.Start)) })
	return writeIndex(cfg.Into, &s.index)
}

// canceled is a reader that ends with its context.
type canceled struct {
	ctx context.Context //nolint:containedctx // for as long as one reading
	r   io.Reader
}

func (c canceled) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}

func reading(cfg Config, do func(io.Reader) error) error {
	r, err := cfg.Open()
	if err != nil {
		return err
	}
	return errors.Join(do(r), r.Close())
}

func writeIndex(into Folder, index *Index) error {
	f, err := into.Create(IndexName)
	if err != nil {
		return err
	}
	e := json.NewEncoder(f)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return errors.Join(e.Encode(index), f.Close())
}
