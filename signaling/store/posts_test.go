package store

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"aparte/signaling/audit"
	"aparte/signaling/login"
	"aparte/signaling/meeting"
	"aparte/signaling/post"
)

// before makes a database of an earlier version, with what statements put there
// and a chain of the only post it knew.
func before(t *testing.T, version int64, chain []audit.Draft, statements ...string) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, fileName)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", dsn(path, "foreign_keys(1)", "journal_mode(WAL)"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	seed := make([]byte, ed25519.SeedSize)
	for _, s := range append(statements, `INSERT INTO signing_keys VALUES ('audit', '`+base64.RawURLEncoding.EncodeToString(seed)+`', 1)`) {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if len(chain) > 0 {
		if err := (trail{ed25519.NewKeyFromSeed(seed), zeros{}}).extend(t.Context(), db, "default", chain); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// What there was before posts belongs to one, whose chain is the one there was.
func TestWhatWasBeforePostsBelongsToOne(t *testing.T) {
	d := audit.Did(audit.MeetingCreated).By(audit.Agent, "anne").Typed("title", "Coopération")
	d.Time, d.Meeting = start, "m"
	dir := before(t, 5, []audit.Draft{d, d, d},
		`INSERT INTO accounts VALUES ('anne', 'Anne', 'anne@aparte.example', '', 1, 1000), ('luc', 'Luc', 'luc@aparte.example', '', 0, 2000)`,
		`INSERT INTO meetings (id, title, state, organiser_id, profile, created_at) VALUES ('m', 'Coopération', 'open', 'luc', 'standard', 3000)`,
		`INSERT INTO hosts VALUES ('m', 'luc')`,
	)
	old, err := openTrail(t, dir).Heads(t.Context())
	if err != nil || len(old) != 1 || old[0].Head.Seq != 3 {
		t.Fatalf("heads %+v, %v", old, err)
	}
	s := open(t, dir)
	first := post.Post{ID: "default", Name: "Aparté", TimeZone: "UTC", Languages: []string{"fr"}, CreatedAt: time.UnixMilli(1000).UTC()}
	members, err := s.Members(t.Context(), "default")
	want := []post.Member{
		{Account: "anne", Name: "Anne", Email: "anne@aparte.example", Role: post.Administrator, Since: time.UnixMilli(1000).UTC()},
		{Account: "luc", Name: "Luc", Email: "luc@aparte.example", Role: post.Agent, Since: time.UnixMilli(2000).UTC()},
	}
	if err != nil || !reflect.DeepEqual(members, want) {
		t.Errorf("members %+v, %v", members, err)
	}
	if got, err := s.Memberships(t.Context(), "luc"); err != nil || !reflect.DeepEqual(got, post.Memberships{{Post: first, Role: post.Agent}}) {
		t.Errorf("memberships %+v, %v", got, err)
	}
	m, err := s.LoadMeeting(t.Context(), "m")
	if err != nil || m.Meeting.Post != "default" || !reflect.DeepEqual(m.Meeting.Acting, map[string]bool{"anne": true, "luc": true}) {
		t.Errorf("meeting %+v, %v", m.Meeting, err)
	}
	if all, err := s.MeetingsOf(t.Context(), "luc", "default"); err != nil || len(all) != 1 {
		t.Errorf("meetings %+v, %v", all, err)
	}
	// The chain goes on where it was, and holds what was anchored before.
	ended := audit.Did(audit.MeetingEnded).By(audit.Agent, "luc")
	ended.Time, ended.Meeting = start, "m"
	started := audit.Did(audit.ServerStarted).By(audit.Server, "")
	started.Time = start
	if err := s.Note(t.Context(), ended, started); err != nil {
		t.Fatal(err)
	}
	reports, err := openTrail(t, dir).Verify(t.Context(), nil, old)
	if err != nil || len(reports) != 2 {
		t.Fatalf("%+v, %v", reports, err)
	}
	for i, want := range []audit.Report{{Post: "default", Last: 4, Texts: 3, Anchors: 1}, {Post: audit.Installation, Last: 1}} {
		if r := reports[i]; r.Post != want.Post || r.Last != want.Last || r.Texts != want.Texts || r.Anchors != want.Anchors || len(r.Findings) > 0 {
			t.Errorf("chain %+v, want %+v", r, want)
		}
	}
}

func TestADatabaseWithoutAccountsGetsNoPost(t *testing.T) {
	s := open(t, before(t, 5, nil))
	var posts int
	if err := s.read.QueryRowContext(t.Context(), `SELECT count(*) FROM posts`).Scan(&posts); err != nil || posts != 0 {
		t.Errorf("%d posts, %v", posts, err)
	}
}

// Acts are told to whom they concern, and nobody writes into the trail of a post by
// naming what is its.
func TestActsAreToldToThePostsConcerned(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	a, err := addHost(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	rome := post.Post{ID: "rome", Name: "Rome", TimeZone: "Europe/Rome", Languages: []string{"fr"}, CreatedAt: start}
	if err := s.AddPost(t.Context(), rome, a.ID); err != nil {
		t.Fatal(err)
	}
	l := login.Account{ID: "luc", Name: "Luc", Email: "luc@aparte.example", Posts: post.Memberships{{Post: rome, Role: post.Agent}}, CreatedAt: start}
	if err := s.AddAccount(t.Context(), l, login.Code{Account: l.ID, CreatedAt: start, ExpiresAt: start}); err != nil {
		t.Fatal(err)
	}
	saveAll(t, s, meeting.Changes{Meeting: &meeting.Meeting{ID: "m", Post: dakar.ID, Organiser: meeting.Person{Account: a.ID}, CreatedAt: start}})
	in := func(d audit.Draft, meeting string, within ...string) audit.Draft {
		d.Meeting, d.Within = meeting, within
		return d
	}
	did := func(account string) audit.Draft { return audit.Did("x").By(audit.Agent, account) }
	nobody := audit.Did("x").By(audit.Nobody, "")
	for _, c := range []struct {
		name string
		d    audit.Draft
		want []string
	}{
		{"the server", audit.Did("x").By(audit.Server, ""), []string{audit.Installation}},
		{"of a meeting", in(nobody, "m"), []string{"dakar"}},
		{"of no meeting", in(nobody, "n"), []string{audit.Installation}},
		{"an account of two posts", did(a.ID), []string{"dakar", "rome"}},
		{"an account of one", did(l.ID), []string{"rome"}},
		{"an account of none", did("x"), []string{audit.Installation}},
		{"about an account", did(a.ID).On(audit.Account, l.ID), []string{"rome"}},
		{"in one of one's posts", in(did(a.ID), "m", "dakar", "rome"), []string{"dakar"}},
		{"in another post", in(did(l.ID), "m", "rome"), []string{"rome"}},
		{"nobody, naming a meeting", func() audit.Draft { d := in(nobody, "m"); d.Within = []string{}; return d }(), []string{audit.Installation}},
	} {
		var got []string
		err := s.write.do(t.Context(), func(ctx context.Context, q queries) (err error) {
			got, err = chainsOf(ctx, q, c.d)
			return err
		})
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		}
	}
}

// Each change asks in its own transaction whether whoever makes it may.
func TestAPostIsAdministeredByItsAdministrators(t *testing.T) {
	s := open(t, t.TempDir())
	a, err := addHost(t.Context(), s) // the only administrator
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		id   string
		role post.Role
	}{{"luc", post.Agent}, {"aude", post.Auditor}} {
		v := login.Account{ID: one.id, Name: one.id, Email: one.id + "@aparte.example", CreatedAt: start, Posts: post.Memberships{{Post: dakar, Role: one.role}}}
		if err := s.AddAccountBy(t.Context(), a.ID, v, login.Code{Hash: [32]byte{one.id[0]}, Account: v.ID, CreatedAt: start, ExpiresAt: start}); err != nil {
			t.Fatal(err)
		}
	}
	act := audit.Did("x").By(audit.Server, "")
	act.Time = start
	for _, by := range []struct {
		id   string
		want error
	}{{"luc", post.ErrForbidden}, {"aude", post.ErrForbidden}, {"nobody", post.ErrNotFound}} {
		for what, err := range map[string]error{
			"save": s.SavePost(t.Context(), by.id, dakar, act),
			"add": func() error {
				_, err := s.AddMember(t.Context(), by.id, dakar.ID, "luc@aparte.example", post.Agent, start, act)
				return err
			}(),
			"role": func() error {
				_, err := s.SetRole(t.Context(), by.id, dakar.ID, by.id, post.Administrator, act)
				return err
			}(),
			"remove": s.RemoveMember(t.Context(), by.id, dakar.ID, a.ID, act),
			"account": s.AddAccountBy(t.Context(), by.id, login.Account{ID: "x", Email: "x@aparte.example", Posts: post.Memberships{{Post: dakar, Role: post.Agent}}},
				login.Code{Account: "x", CreatedAt: start, ExpiresAt: start}),
		} {
			if !errors.Is(err, by.want) {
				t.Errorf("%s by %s: %v, want %v", what, by.id, err, by.want)
			}
		}
	}
	if err := s.RemoveMember(t.Context(), a.ID, dakar.ID, a.ID, act); !errors.Is(err, post.ErrLastAdmin) {
		t.Errorf("the last administrator removed: %v", err)
	}
	if _, err := s.SetRole(t.Context(), a.ID, dakar.ID, a.ID, post.Agent, act); !errors.Is(err, post.ErrLastAdmin) {
		t.Errorf("the last administrator became an agent: %v", err)
	}
	if _, err := s.SetRole(t.Context(), a.ID, dakar.ID, "luc", post.Administrator, act); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveMember(t.Context(), a.ID, dakar.ID, a.ID, act); err != nil {
		t.Errorf("one of two administrators: %v", err)
	}
	if err := s.RemoveMember(t.Context(), "luc", dakar.ID, a.ID, act); !errors.Is(err, post.ErrNoMember) {
		t.Errorf("removed twice: %v", err)
	}
}
