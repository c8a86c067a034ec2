package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/store"
)

// auditCommand reads the audit trail of a data folder, also while a server runs
// on it. What it proves stands in docs/audit.md.
type auditCommand struct {
	Verify auditVerify `cmd:"" help:"Verify the chains of events; names whatever was tampered with and exits with 1."`
	Export auditExport `cmd:"" help:"Write events as lines of JSON, with the personal texts that are still there."`
	Anchor auditAnchor `cmd:"" help:"Print the signed heads of the chains, one a line, to be kept where this server's administrators cannot change them."`
	Key    auditKey    `cmd:"" help:"Print the public key that signs the heads (Ed25519, base64url)."`
}

type dataFolder struct {
	DataDir string `default:"/var/lib/aparte" env:"APARTE_DATA_DIR" placeholder:"DIR" help:"Folder of the database."`
}

// read opens the trail for the time of one command.
func (f dataFolder) read(ctx context.Context, use func(*store.Trail) error) error {
	trail, err := store.OpenTrail(ctx, f.DataDir)
	if errors.Is(err, store.ErrNoDatabase) {
		return usageError{fmt.Errorf("data_dir %s: %w", f.DataDir, err)}
	}
	if err != nil {
		return fmt.Errorf("data_dir %s: %w", f.DataDir, err)
	}
	return errors.Join(use(trail), trail.Close())
}

type auditVerify struct {
	dataFolder
	File   string `placeholder:"FILE" help:"Verify an exported file instead of a data folder; - is standard input."`
	Post   string `placeholder:"POST" help:"Only the chain of this post ('installation': what belongs to none). Otherwise all."`
	Anchor string `placeholder:"FILE" help:"Heads that 'aparte audit anchor' printed earlier: the chains must still hold them."`
	Key    string `placeholder:"KEY" help:"Public key that must have signed the heads ('aparte audit key'). Otherwise the one found with them is believed."`
}

// errTampered is that a trail was not found as it was written.
var errTampered = errors.New("the audit trail is not as it was written")

// Run verifies a data folder or a file.
func (c *auditVerify) Run(ctx context.Context, p *process) error {
	trusted, err := c.trusted()
	if err != nil {
		return usageError{err}
	}
	anchors, err := readAnchors(c.Anchor)
	if err != nil {
		return usageError{fmt.Errorf("anchor %s: %w", c.Anchor, err)}
	}
	var reports []audit.Report
	if c.File != "" {
		reports, err = verifyFile(c.File, trusted, anchors)
	} else {
		err = c.read(ctx, func(t *store.Trail) error {
			reports, err = t.Verify(ctx, trusted, anchors)
			return err
		})
	}
	if err != nil {
		return err
	}
	if c.Post != "" {
		reports = slices.DeleteFunc(reports, func(r audit.Report) bool { return r.Post != c.Post })
	}
	if len(reports) == 0 {
		fmt.Fprintln(p.stdout, "no events")
	}
	findings := 0
	for _, r := range reports {
		printReport(p.stdout, r)
		findings += len(r.Findings) + r.MoreFindings
	}
	if len(anchors) == 0 {
		fmt.Fprintln(p.stdout, "no anchor given: whether the whole trail was rewritten with its key, or its end cut off together with its head, cannot be told")
	}
	if findings > 0 {
		return fmt.Errorf("%w (findings: %d)", errTampered, findings)
	}
	return nil
}

func (c *auditVerify) trusted() (ed25519.PublicKey, error) {
	if c.Key == "" {
		return nil, nil
	}
	var key audit.Bytes
	if err := key.UnmarshalText([]byte(c.Key)); err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("key: %q is not what 'aparte audit key' prints", c.Key)
	}
	return ed25519.PublicKey(key), nil
}

func readAnchors(path string) ([]audit.SignedHead, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	anchors, err := audit.ReadAnchors(file)
	if err == nil && len(anchors) == 0 {
		err = errors.New("is empty")
	}
	return anchors, errors.Join(err, file.Close())
}

func verifyFile(path string, trusted ed25519.PublicKey, anchors []audit.SignedHead) ([]audit.Report, error) {
	if path == "-" {
		return audit.VerifyExport(os.Stdin, trusted, anchors)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, usageError{err}
	}
	reports, err := audit.VerifyExport(file, trusted, anchors)
	return reports, errors.Join(err, file.Close())
}

func printReport(w io.Writer, r audit.Report) {
	for _, f := range r.Findings {
		fmt.Fprintln(w, f)
	}
	if r.MoreFindings > 0 {
		fmt.Fprintf(w, "post %s: %d more findings\n", r.Post, r.MoreFindings)
	}
	state := "verified"
	if len(r.Findings) > 0 {
		state = "NOT AS WRITTEN"
	}
	fmt.Fprintf(w, "post %s: %s: events %d to %d, head %s signed by %s, personal texts %d there and %d purged, anchors held %d\n",
		r.Post, state, r.First, r.Last, r.LastHash, r.PublicKey, r.Texts, r.Purged, r.Anchors)
}

type auditExport struct {
	dataFolder
	Post  string `placeholder:"POST" help:"Only the chain of this post. Otherwise all, one after the other."`
	Since string `placeholder:"TIME" help:"From this time on: 2027-03-02 or 2027-03-02T09:00:00Z."`
	Until string `placeholder:"TIME" help:"Up to before this time."`
}

// Run writes events to standard output. A chain that does not verify is not
// exported: its new head would vouch for what was tampered with.
func (c *auditExport) Run(ctx context.Context, p *process) error {
	since, err := parseTime("since", c.Since)
	if err != nil {
		return usageError{err}
	}
	until, err := parseTime("until", c.Until)
	if err != nil {
		return usageError{err}
	}
	return c.read(ctx, func(t *store.Trail) error {
		out := bufio.NewWriter(p.stdout)
		events, err := t.Export(ctx, out, store.Range{Post: c.Post, Since: since, Until: until})
		if err = errors.Join(err, out.Flush()); err != nil {
			if tampered := (*audit.TamperedError)(nil); errors.As(err, &tampered) {
				return fmt.Errorf("%w: %w", errTampered, tampered)
			}
			return fmt.Errorf("export: %w", err)
		}
		if events == 0 {
			fmt.Fprintln(p.stderr, "aparte: no events there")
		}
		return nil
	})
}

func parseTime(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s: %q is neither a day such as 2027-03-02 nor a time such as 2027-03-02T09:00:00Z", name, text)
}

type auditAnchor struct {
	dataFolder
	Post string `placeholder:"POST" help:"Only the chain of this post. Otherwise all."`
}

// Run prints the heads as they are stored.
func (c *auditAnchor) Run(ctx context.Context, p *process) error {
	return c.read(ctx, func(t *store.Trail) error {
		heads, err := t.Heads(ctx)
		if err != nil {
			return err
		}
		for _, head := range heads {
			if c.Post != "" && head.Head.Post != c.Post {
				continue
			}
			if err := audit.WriteHead(p.stdout, head); err != nil {
				return err
			}
		}
		return nil
	})
}

type auditKey struct{ dataFolder }

// Run prints the public key.
func (c *auditKey) Run(ctx context.Context, p *process) error {
	return c.read(ctx, func(t *store.Trail) error {
		key, err := t.PublicKey(ctx)
		if err != nil {
			return err
		}
		if key == nil {
			return errors.New("the key that signs the audit trail is not in the database")
		}
		_, err = fmt.Fprintln(p.stdout, audit.Bytes(key))
		return err
	})
}
