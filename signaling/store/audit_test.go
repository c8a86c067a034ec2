package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aparte/signaling/audit"
	"aparte/signaling/login"
)

// noteSome writes n events, each with a text that a person typed.
func noteSome(t *testing.T, s *Store, n int) {
	t.Helper()
	for i := range n {
		d := audit.Did(audit.KnockWaiting).By(audit.Guest, "s").On(audit.Knock, fmt.Sprint(i)).Typed("name", "Inês").Typed("organisation", "MNE")
		d.Time = start.Add(time.Duration(i) * time.Second)
		if err := s.Note(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
}

func openTrail(t *testing.T, dir string) *Trail {
	t.Helper()
	trail, err := OpenTrail(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = trail.Close() })
	return trail
}

// wrong verifies a data directory and returns what was found, a line each.
func wrong(t *testing.T, dir string, anchors ...audit.SignedHead) string {
	t.Helper()
	reports, err := openTrail(t, dir).Verify(t.Context(), nil, anchors)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range reports {
		for _, f := range r.Findings {
			all = append(all, f.String())
		}
	}
	return strings.Join(all, "\n")
}

// asOwner runs SQL as whoever owns the file may: without triggers.
func asOwner(t *testing.T, dir string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, fileName)))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, trigger := range []string{
		"audit_events_stay", "audit_events_remain", "audit_events_follow", "audit_personal_stays", "audit_heads_remain", "audit_heads_advance",
	} {
		statements = append([]string{"DROP TRIGGER " + trigger}, statements...)
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// Whatever is done to the tables by somebody who can write them is found, up to
// what docs/audit.md says cannot be.
func TestTamperingWithTheDatabaseIsFound(t *testing.T) {
	for _, c := range []struct {
		name string
		sql  []string
		want string // "" for nothing
	}{
		{"nothing", nil, ""},
		{"purge", []string{`DELETE FROM audit_personal WHERE seq <= 3`}, ""},
		{"altered event", []string{`UPDATE audit_events SET event = replace(event, '"id":"s"', '"id":"t"') WHERE seq = 3`}, "event 3: altered: its hash does not fit"},
		{"unreadable event", []string{`UPDATE audit_events SET event = event || ' ' WHERE seq = 3`}, "event 3: altered: it cannot be read"},
		{"altered hash", []string{`UPDATE audit_events SET hash = replace(hash, 'a', 'b') WHERE seq = 3`}, "event 3: altered"},
		{"unreadable hash", []string{`UPDATE audit_events SET hash = 'x' WHERE seq = 3`}, "event 3: altered"},
		{"deleted in the middle", []string{`DELETE FROM audit_personal WHERE seq = 3`, `DELETE FROM audit_events WHERE seq = 3`}, "event 3: missing"},
		{"deleted, the rest moved up", []string{
			`DELETE FROM audit_personal`, `DELETE FROM audit_events WHERE seq = 3`, `UPDATE audit_events SET seq = seq - 1 WHERE seq > 3`,
		}, "event 3: moved: it was written as event 4"},
		{"deleted at the beginning", []string{`DELETE FROM audit_personal`, `DELETE FROM audit_events WHERE seq = 1`}, "event 1: missing"},
		{"reordered", []string{
			`DELETE FROM audit_personal`, `UPDATE audit_events SET seq = 100 WHERE seq = 2`, `UPDATE audit_events SET seq = 2 WHERE seq = 3`, `UPDATE audit_events SET seq = 3 WHERE seq = 100`,
		}, "event 2: moved: it was written as event 3"},
		{"inserted", []string{
			`DELETE FROM audit_personal`, `UPDATE audit_events SET seq = -seq - 1 WHERE seq >= 3`, `UPDATE audit_events SET seq = -seq WHERE seq < 0`,
			`INSERT INTO audit_events SELECT post, 3, event, hash FROM audit_events WHERE seq = 2`,
		}, "event 3: moved: it was written as event 2"},
		{"appended", []string{`INSERT INTO audit_events SELECT post, 7, replace(event, '"seq":6', '"seq":7'), hash FROM audit_events WHERE seq = 6`}, "event 7: altered"},
		{"cut off", []string{`DELETE FROM audit_personal WHERE seq = 6`, `DELETE FROM audit_events WHERE seq = 6`}, "cut off: the head is at event 6, the last event is 5"},
		{"everything deleted but the head", []string{`DELETE FROM audit_personal`, `DELETE FROM audit_events`}, "cut off: the head is at event 6"},
		{"cut off with its head", []string{
			`DELETE FROM audit_personal WHERE seq = 6`, `DELETE FROM audit_events WHERE seq = 6`,
			`UPDATE audit_heads SET seq = 5, hash = (SELECT hash FROM audit_events WHERE seq = 5)`,
		}, "head replaced: its signature does not fit"},
		{"head of another hash", []string{`UPDATE audit_heads SET hash = (SELECT hash FROM audit_events WHERE seq = 5)`}, "event 6: rewritten, or head replaced"},
		{"head of another time", []string{`UPDATE audit_heads SET at = at + 1000`}, "head replaced"},
		{"unreadable head", []string{`UPDATE audit_heads SET hash = 'x', signature = 'é'`}, "head replaced"},
		{"head deleted", []string{`DELETE FROM audit_heads`}, "head missing"},
		{"another key", []string{`UPDATE signing_keys SET secret = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' WHERE name = 'audit'`}, "head replaced: its signature does not fit it and key"},
		{"key deleted", []string{`DELETE FROM signing_keys`}, "head replaced: its signature does not fit"},
		{"text altered", []string{`UPDATE audit_personal SET text = 'Ines' WHERE seq = 3 AND field = 'name'`}, "event 3: personal text altered: name"},
		{"salt altered", []string{`UPDATE audit_personal SET salt = '00000000000000000000000000000000' WHERE seq = 3 AND field = 'name'`}, "event 3: personal text altered: name"},
		{"salt made longer", []string{`UPDATE audit_personal SET salt = salt || '00' WHERE seq = 3 AND field = 'name'`}, "event 3: personal text altered: name has a salt of 34"},
		{"texts exchanged", []string{
			`UPDATE audit_personal SET field = 'x' WHERE seq = 3 AND field = 'name'`, `UPDATE audit_personal SET field = 'name' WHERE seq = 3 AND field = 'organisation'`, `UPDATE audit_personal SET field = 'organisation' WHERE seq = 3 AND field = 'x'`,
		}, "event 3: personal text altered: name"},
		{"text inserted", []string{`INSERT INTO audit_personal VALUES ('installation', 3, 'email', '00000000000000000000000000000000', 'x')`}, "event 3: personal text inserted: the event has no email"},
		{"text of nothing", []string{`INSERT INTO audit_personal VALUES ('installation', 9, 'email', '00000000000000000000000000000000', 'x')`}, "event 9: personal text without its event"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			noteSome(t, s, 6)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			asOwner(t, dir, c.sql...)
			got := wrong(t, dir)
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("found:\n%s\nwant %q", got, c.want)
			}
			if got == "" {
				return
			}
			var out bytes.Buffer
			_, err := openTrail(t, dir).Export(t.Context(), &out, Range{})
			if tampered := (*audit.TamperedError)(nil); !errors.As(err, &tampered) || out.Len() > 0 {
				t.Errorf("exported all the same: %v, %d bytes", err, out.Len())
			}
		})
	}
}

// Who has the key can cut off the end and sign a new head. Only an anchor tells.
func TestAnAnchorTellsWhatTheDatabaseCannot(t *testing.T) {
	dir, older := t.TempDir(), ""
	s := open(t, dir)
	noteSome(t, s, 4)
	if err := s.read.QueryRowContext(t.Context(), `SELECT signature FROM audit_heads`).Scan(&older); err != nil {
		t.Fatal(err)
	}
	noteSome(t, s, 2)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	anchors, err := openTrail(t, dir).Heads(t.Context())
	if err != nil || len(anchors) != 1 || anchors[0].Head.Seq != 6 {
		t.Fatalf("anchors %+v, %v", anchors, err)
	}
	if got := wrong(t, dir, anchors...); got != "" {
		t.Errorf("before: %s", got)
	}
	asOwner(t, dir, `DELETE FROM audit_personal WHERE seq > 4`, `DELETE FROM audit_events WHERE seq > 4`,
		`UPDATE audit_heads SET seq = 4, hash = (SELECT hash FROM audit_events WHERE seq = 4), at = at + 2000, signature = '`+older+`'`)
	if got := wrong(t, dir); got != "" {
		t.Errorf("without an anchor: %s", got)
	}
	if got := wrong(t, dir, anchors...); !strings.Contains(got, "knows event 6, the last event is 4") {
		t.Errorf("with an anchor: %q", got)
	}
}

func TestAuditTablesOnlyGrow(t *testing.T) {
	s := open(t, t.TempDir())
	noteSome(t, s, 3)
	for statement, allowed := range map[string]bool{
		`UPDATE audit_events SET hash = hash`:                                    false,
		`DELETE FROM audit_events WHERE seq = 3`:                                 false,
		`INSERT INTO audit_events VALUES ('installation', 9, '', '')`:            false,
		`INSERT OR REPLACE INTO audit_events VALUES ('installation', 2, '', '')`: false,
		`UPDATE audit_personal SET text = ''`:                                    false,
		`DELETE FROM audit_heads`:                                                false,
		`UPDATE audit_heads SET seq = 2`:                                         false,
		`UPDATE audit_heads SET hash = ''`:                                       false,
		`DELETE FROM audit_personal WHERE seq = 2`:                               true,
	} {
		err := s.write.do(t.Context(), func(ctx context.Context, q queries) error {
			_, err := q.ExecContext(ctx, statement)
			return err
		})
		if (err == nil) != allowed {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// An act that is refused or undone leaves no event and no gap, also in a group
// with others that succeed.
func TestUndoneActsLeaveNoEventAndNoGap(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	errOurs := errors.New("refused")
	noted := func(i int, then error) *write {
		return &write{ctx: t.Context(), fn: func(ctx context.Context, q queries) error {
			d := audit.Did(audit.LinkRevoked).By(audit.Agent, "a").On(audit.Link, fmt.Sprint(i))
			d.Time = start
			return errors.Join(insert(i)(ctx, q), s.trail.record(ctx, q, []audit.Draft{d, d}), then)
		}}
	}
	var jobs []*write
	for i := range 30 {
		var then error
		switch i % 3 {
		case 1:
			then = errOurs
		case 2:
			jobs = append(jobs, &write{ctx: t.Context(), fn: func(ctx context.Context, q queries) error {
				_ = noted(100+i, nil).fn(ctx, q)
				panic("in the middle")
			}})
			continue
		}
		jobs = append(jobs, noted(i, then))
	}
	for i, err := range enqueue(t, s, jobs) {
		if (err == nil) != (i%3 == 0) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	reports, err := openTrail(t, dir).Verify(t.Context(), nil, nil)
	if err != nil || len(reports) != 1 || len(reports[0].Findings) > 0 || reports[0].Last != 20 {
		t.Errorf("%+v, %v: want 20 events", reports, err)
	}
	// An event that cannot be made undoes its act.
	account := login.Account{ID: "x", Name: "X", Email: "x@aparte.example", CreatedAt: start}
	if err := s.AddAccount(t.Context(), account, login.Code{Account: "x"}, audit.Did(audit.AccountCreated)); err == nil {
		t.Error("added without its event")
	}
	if _, _, err := s.AccountByID(t.Context(), "x"); !errors.Is(err, login.ErrRefused) {
		t.Errorf("the account is there: %v", err)
	}
}

func TestEveryPostHasItsChain(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	d := audit.Did(audit.MeetingEnded).By(audit.Server, "")
	d.Time = start
	rome, lisbon := d, d
	rome.Post, lisbon.Post = "rome", "lisbon"
	if err := s.Note(t.Context(), rome, d, lisbon, rome); err != nil {
		t.Fatal(err)
	}
	reports, err := openTrail(t, dir).Verify(t.Context(), nil, nil)
	if err != nil || len(reports) != 3 {
		t.Fatalf("%+v, %v", reports, err)
	}
	for i, want := range []struct {
		post string
		last uint64
	}{{audit.Installation, 1}, {"lisbon", 1}, {"rome", 2}} {
		if r := reports[i]; r.Post != want.post || r.Last != want.last || len(r.Findings) > 0 {
			t.Errorf("%+v, want %v", r, want)
		}
	}
	var one bytes.Buffer
	if n, err := openTrail(t, dir).Export(t.Context(), &one, Range{Post: "rome"}); n != 2 || err != nil {
		t.Errorf("exported %d, %v", n, err)
	}
}

func TestExportsOfAnyRangeVerify(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir) // stays open: an export does not wait for the server
	noteSome(t, s, 6)
	for _, c := range []struct {
		since, until int // seconds
		events       uint64
	}{{0, 0, 6}, {2, 0, 4}, {0, 4, 4}, {2, 4, 2}, {3, 4, 1}, {9, 0, 0}, {4, 2, 0}} {
		r := Range{}
		if c.since > 0 {
			r.Since = start.Add(time.Duration(c.since) * time.Second)
		}
		if c.until > 0 {
			r.Until = start.Add(time.Duration(c.until) * time.Second)
		}
		var out bytes.Buffer
		n, err := openTrail(t, dir).Export(t.Context(), &out, r)
		if n != c.events || err != nil {
			t.Errorf("%+v: %d events, %v", c, n, err)
		}
		reports, err := audit.VerifyExport(&out, nil, nil)
		if err != nil || (len(reports) == 1) != (n > 0) {
			t.Fatalf("%+v: %+v, %v", c, reports, err)
		}
		for _, r := range reports {
			if len(r.Findings) > 0 || r.Events != c.events || r.Texts != 2*c.events {
				t.Errorf("%+v: %+v", c, r)
			}
		}
	}
	whole, head := bytes.Buffer{}, bytes.Buffer{}
	trail := openTrail(t, dir)
	if _, err := trail.Export(t.Context(), &whole, Range{}); err != nil {
		t.Fatal(err)
	}
	heads, err := trail.Heads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.WriteHead(&head, heads[0]); err != nil || !bytes.HasSuffix(whole.Bytes(), head.Bytes()) {
		t.Errorf("a whole export does not end in the anchor: %v", err)
	}
}

func TestATrailNeedsADatabase(t *testing.T) {
	if _, err := OpenTrail(t.Context(), t.TempDir()); !errors.Is(err, ErrNoDatabase) {
		t.Errorf("empty directory: %v", err)
	}
}
