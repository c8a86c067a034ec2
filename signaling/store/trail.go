package store

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"aparte/signaling/audit"
)

// ErrNoDatabase is about a data directory without a database.
var ErrNoDatabase = errors.New("no database here")

// Trail is the audit trail in a data directory as of one moment. It is only read,
// also while a server writes; it is for one goroutine.
type Trail struct {
	db *sql.DB
	tx *sql.Tx
}

// OpenTrail opens the audit trail of a data directory for reading; end it with
// Close. Errors wrap ErrNoDatabase or ErrCorrupt where that is the reason.
func OpenTrail(ctx context.Context, dir string) (*Trail, error) {
	path := filepath.Join(dir, fileName)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoDatabase, err)
	}
	db, err := sql.Open("sqlite", dsn(path, "query_only(1)")+"&mode=ro")
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	t := &Trail{db: db}
	if t.tx, err = db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}); err != nil {
		return nil, errors.Join(classify(fmt.Errorf("open %s: %w", path, err)), t.Close())
	}
	if _, err := t.posts(ctx); err != nil {
		return nil, errors.Join(classify(fmt.Errorf("read audit trail: %w (a database of an older version gets one when aparte starts)", err)), t.Close())
	}
	return t, nil
}

// Close ends the reading.
func (t *Trail) Close() error {
	if t.tx != nil {
		_ = t.tx.Rollback() // nothing was written
	}
	return t.db.Close()
}

func (t *Trail) posts(ctx context.Context) ([]string, error) {
	rows, err := t.tx.QueryContext(ctx, `SELECT post FROM audit_heads UNION SELECT post FROM audit_events UNION SELECT post FROM audit_personal ORDER BY 1`)
	return collect(rows, err, func(row scanner) (post string, err error) {
		err = row.Scan(&post)
		return post, err
	})
}

// key is what signs heads, nil if it is lost.
func (t *Trail) key(ctx context.Context) (ed25519.PrivateKey, error) {
	var text string
	err := t.tx.QueryRowContext(ctx, `SELECT secret FROM signing_keys WHERE name = $1`, auditKey).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, classify(err)
	}
	seed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("key %s: %w: not 32 bytes", auditKey, ErrCorrupt)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// PublicKey is the key that heads are verified with, nil if it is lost.
func (t *Trail) PublicKey(ctx context.Context) (ed25519.PublicKey, error) {
	key, err := t.key(ctx)
	if key == nil {
		return nil, err
	}
	public, _ := key.Public().(ed25519.PublicKey)
	return public, nil
}

// head returns a post's signed head as stored, nil if there is none.
func (t *Trail) head(ctx context.Context, post string) (*audit.SignedHead, error) {
	head := audit.Start(post)
	var hash, signature string
	err := t.tx.QueryRowContext(ctx, `SELECT seq, hash, at, signature FROM audit_heads WHERE post = $1`, post).
		Scan(&head.Seq, &hash, at(&head.Time), &signature)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, classify(err)
	}
	public, err := t.PublicKey(ctx)
	if err != nil {
		return nil, err
	}
	// What cannot be read is left empty, and so does not fit.
	_ = head.Hash.UnmarshalText([]byte(hash))
	signed := &audit.SignedHead{Head: head, PublicKey: audit.Bytes(public)}
	_ = signed.Signature.UnmarshalText([]byte(signature))
	return signed, nil
}

// Heads returns the signed heads of all chains, to be kept elsewhere.
func (t *Trail) Heads(ctx context.Context) ([]audit.SignedHead, error) {
	posts, err := t.posts(ctx)
	if err != nil {
		return nil, err
	}
	var all []audit.SignedHead
	for _, post := range posts {
		head, err := t.head(ctx, post)
		if err != nil {
			return nil, err
		}
		if head != nil && head.Head.Seq > 0 {
			all = append(all, *head)
		}
	}
	return all, nil
}

// Verify verifies every chain, and that the anchors fit. trusted is the key that
// must have signed the heads; nil: the one in the database.
func (t *Trail) Verify(ctx context.Context, trusted ed25519.PublicKey, anchors []audit.SignedHead) ([]audit.Report, error) {
	posts, err := t.posts(ctx)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]bool)
	for _, post := range posts {
		seen[post] = true
	}
	for _, a := range anchors { // of a chain that is gone
		if post := a.Head.Post; !seen[post] {
			seen[post] = true
			posts = append(posts, post)
		}
	}
	var reports []audit.Report
	for _, post := range posts {
		report, err := t.verify(ctx, post, trusted, anchors, func(audit.Event, audit.Entry) error { return nil })
		if err != nil {
			return nil, err
		}
		reports = append(reports, report)
	}
	return reports, nil
}

func (t *Trail) verify(ctx context.Context, post string, trusted ed25519.PublicKey, anchors []audit.SignedHead, each func(audit.Event, audit.Entry) error) (audit.Report, error) {
	v := audit.NewVerifier(post, false, anchors)
	err := t.walk(ctx, post, 1, v.Found, func(e audit.Entry) error { return each(v.Entry(e), e) })
	if err != nil {
		return audit.Report{}, err
	}
	rows, err := t.tx.QueryContext(ctx, `SELECT DISTINCT p.seq FROM audit_personal p
		LEFT JOIN audit_events e ON e.post = p.post AND e.seq = p.seq WHERE p.post = $1 AND e.seq IS NULL ORDER BY p.seq`, post)
	orphans, err := collect(rows, err, func(row scanner) (seq uint64, err error) {
		err = row.Scan(&seq)
		return seq, err
	})
	if err != nil {
		return audit.Report{}, classify(err)
	}
	for _, seq := range orphans {
		v.Found(seq, "personal text without its event")
	}
	head, err := t.head(ctx, post)
	if err != nil {
		return audit.Report{}, err
	}
	return v.Close(head, trusted), nil
}

// walk reads a post's events in their order, from an event on. found is told what
// cannot be read.
func (t *Trail) walk(ctx context.Context, post string, first uint64, found func(uint64, string), each func(audit.Entry) error) (err error) {
	rows, err := t.tx.QueryContext(ctx, `SELECT e.seq, e.event, e.hash, p.field, p.salt, p.text
		FROM audit_events e LEFT JOIN audit_personal p ON p.post = e.post AND p.seq = e.seq
		WHERE e.post = $1 AND e.seq >= $2 ORDER BY e.seq, p.field`, post, int64(first))
	if err != nil {
		return classify(err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var now audit.Entry
	give := func() error {
		if now.Event == nil {
			return nil
		}
		return each(now)
	}
	for rows.Next() {
		var seq uint64
		var event, hash string
		var field, salt, text sql.NullString
		if err := rows.Scan(&seq, &event, &hash, &field, &salt, &text); err != nil {
			return fmt.Errorf("read event after %d of post %s: %w", now.Seq, post, classify(err))
		}
		if seq != now.Seq || now.Event == nil {
			if err := give(); err != nil {
				return err
			}
			now = audit.Entry{Seq: seq, Event: []byte(event), Personal: make(map[string]audit.Personal)}
			_ = now.Hash.UnmarshalText([]byte(hash)) // what cannot be read does not fit
		}
		if field.Valid {
			p := audit.Personal{Text: text.String}
			if err := p.Salt.UnmarshalText([]byte(salt.String)); err != nil {
				found(seq, fmt.Sprintf("personal text altered: %s has a %v", field.String, err))
			}
			now.Personal[field.String] = p
		}
	}
	if err := rows.Err(); err != nil {
		return classify(err)
	}
	return give()
}

// Range chooses what to export; zero times are open ends.
type Range struct {
	Post         string    // empty: all
	Since, Until time.Time // Since ≤ time < Until
}

// Export writes chains, or the stretches of them that hold a range of time, as
// lines of JSON, each followed by a signed head. Nothing of a chain that does not
// verify is written: its *audit.TamperedError. It returns how many events were written.
func (t *Trail) Export(ctx context.Context, w io.Writer, r Range) (events uint64, err error) {
	posts, err := t.posts(ctx)
	if err != nil {
		return 0, err
	}
	for _, post := range posts {
		if r.Post != "" && r.Post != post {
			continue
		}
		written, err := t.export(ctx, w, post, r)
		if err != nil {
			return events, err
		}
		events += written
	}
	return events, nil
}

func (t *Trail) export(ctx context.Context, w io.Writer, post string, r Range) (uint64, error) {
	part, prev := audit.Start(post), audit.Hash{}
	part.First = 0
	report, err := t.verify(ctx, post, nil, nil, func(event audit.Event, e audit.Entry) error {
		if part.First == 0 && !event.Time.Before(r.Since) {
			part.First, part.Prev = e.Seq, prev
		}
		if r.Until.IsZero() || event.Time.Before(r.Until) {
			part.Seq, part.Hash, part.Time = e.Seq, e.Hash, event.Time
		}
		prev = e.Hash
		return nil
	})
	switch {
	case err != nil:
		return 0, err
	case len(report.Findings) > 0:
		return 0, &audit.TamperedError{Report: report}
	case part.First == 0 || part.Seq < part.First:
		return 0, nil
	}
	signed, err := t.sign(ctx, part)
	if err != nil {
		return 0, err
	}
	errEnough := errors.New("enough")
	err = t.walk(ctx, post, part.First, func(uint64, string) {}, func(e audit.Entry) error {
		if e.Seq > part.Seq {
			return errEnough
		}
		return audit.WriteEntry(w, e)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return 0, err
	}
	return part.Seq - part.First + 1, audit.WriteHead(w, signed)
}

// sign vouches for a part of a chain that was verified. For a whole chain this is
// the signature that is stored: Ed25519 has no randomness.
func (t *Trail) sign(ctx context.Context, part audit.Head) (audit.SignedHead, error) {
	key, err := t.key(ctx)
	if err != nil {
		return audit.SignedHead{}, err
	}
	return part.Sign(key)
}
