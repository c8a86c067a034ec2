package export

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// ErrNotEmpty says that there is something in the folder to export into.
var ErrNotEmpty = errors.New("the folder is not empty")

// Config is what to export, and where to.
type Config struct {
	// Open gives the journal in plain, from its beginning. It is called twice.
	Open func() (io.ReadCloser, error)
	// Dir is the folder that the files go into. It is made if need be; what is in it is
	// never overwritten.
	Dir string
}

// Export writes the media files and the index, and returns the index. When it fails,
// what it wrote until then stays, without an index.
func Export(ctx context.Context, cfg Config) (*Index, error) {
	s := newSurvey()
	if err := reading(cfg, func(r io.Reader) error { return s.read(canceled{ctx, r}) }); err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := empty(root); err != nil {
		return nil, err
	}
	f := newFiles(s, root)
	err = reading(cfg, func(r io.Reader) error { return f.write(canceled{ctx, r}) })
	if closed := f.close(); !errors.Is(err, closed) { // what a track met ends the reading, too
		err = errors.Join(err, closed)
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(s.index.Files, func(a, b File) int { return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.Start, b.Start)) })
	return &s.index, writeIndex(root, &s.index)
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

// empty refuses a folder in which somebody's files are.
func empty(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s: %w: name a new one to export into", root.Name(), ErrNotEmpty)
	}
	return nil
}

func writeIndex(root *os.Root, index *Index) error {
	f, err := root.OpenFile(IndexName, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	e := json.NewEncoder(f)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return errors.Join(e.Encode(index), f.Close())
}
