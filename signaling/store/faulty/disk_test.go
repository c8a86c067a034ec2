package faulty

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

func newDisk(t *testing.T) *Disk {
	t.Helper()
	d, err := NewDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// open opens the disk's database as the store does.
func (d *Disk) open(t *testing.T, pragmas ...string) *sql.DB {
	t.Helper()
	query := url.Values{"_pragma": append([]string{"journal_mode(WAL)", "synchronous(FULL)"}, pragmas...)}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(d.dir, "a.db")+"?"+query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func rows(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOtherFoldersAreLeftAlone(t *testing.T) {
	newDisk(t).SetRule(func(Op) Fault { return Fault{Code: IOError} })
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	run(t, db, "CREATE TABLE t (x)")
	run(t, db, "INSERT INTO t VALUES (1)")
	if n := rows(t, db); n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestWhatWasSyncedOutlivesThePower(t *testing.T) {
	for seed := range uint64(50) {
		d := newDisk(t)
		random := rand.New(rand.NewPCG(seed, 1))
		db := d.open(t)
		run(t, db, "CREATE TABLE t (x)")
		for i := range 20 {
			run(t, db, "INSERT INTO t VALUES (?)", fmt.Sprint(i, strings.Repeat("x", 3000)))
		}
		d.Cut()
		if _, err := db.ExecContext(t.Context(), "INSERT INTO t VALUES ('late')"); err == nil {
			t.Fatal("a write succeeds without power")
		}
		db.Close()
		if err := d.Restart(random); err != nil {
			t.Fatal(err)
		}
		if n := rows(t, d.open(t)); n != 20 {
			t.Errorf("seed %d: %d rows, want 20", seed, n)
		}
	}
}

// The check of the check: a disk that only says it has synced loses what was
// acknowledged, and so does a database that does not ask for it.
func TestWithoutSyncsSomethingIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		pragma string
		rule   Rule
	}{
		"a lying disk":       {"synchronous(FULL)", func(o Op) Fault { return Fault{Lie: o.Act == Sync && o.File == Log} }},
		"synchronous=NORMAL": {"synchronous(NORMAL)", nil},
	} {
		lost := 0
		for seed := range uint64(20) {
			d := newDisk(t)
			db := d.open(t, c.pragma)
			run(t, db, "CREATE TABLE t (x)")
			run(t, db, "PRAGMA wal_checkpoint(TRUNCATE)")
			d.SetRule(c.rule)
			for i := range 20 {
				run(t, db, "INSERT INTO t VALUES (?)", i)
			}
			d.Cut()
			db.Close()
			if err := d.Restart(rand.New(rand.NewPCG(seed, 2))); err != nil {
				t.Fatal(err)
			}
			db = d.open(t)
			if rows(t, db) < 20 {
				lost++
			}
			verdict := ""
			if err := db.QueryRowContext(t.Context(), "PRAGMA quick_check").Scan(&verdict); err != nil || verdict != "ok" {
				t.Errorf("%s: %s, %v", name, verdict, err)
			}
		}
		if lost == 0 {
			t.Errorf("%s lost nothing in 20 power failures", name)
		}
	}
}

func TestFaultsReachSQLite(t *testing.T) {
	for name, c := range map[string]struct {
		fault Fault
		at    Op
		do    string
		want  string
	}{
		"write to the log":      {Fault{Code: IOError}, Op{Act: Write, File: Log}, "INSERT INTO t VALUES (1)", "disk I/O error (778)"},
		"half a write":          {Fault{Code: IOError, Reached: 100}, Op{Act: Write, File: Log}, "INSERT INTO t VALUES (1)", "disk I/O error (778)"},
		"full":                  {Fault{Code: Full, Reached: 10}, Op{Act: Write, File: Log}, "INSERT INTO t VALUES (1)", "database or disk is full (13)"},
		"sync of the log":       {Fault{Code: IOError}, Op{Act: Sync, File: Log}, "INSERT INTO t VALUES (1)", "disk I/O error (1034)"},
		"write in a checkpoint": {Fault{Code: Full}, Op{Act: Write, File: Database}, "PRAGMA wal_checkpoint(TRUNCATE)", "database or disk is full (13)"},
		"sync in a checkpoint":  {Fault{Code: IOError}, Op{Act: Sync, File: Database}, "PRAGMA wal_checkpoint(TRUNCATE)", "disk I/O error (1034)"},
		"truncating the log":    {Fault{Code: IOError}, Op{Act: Truncate, File: Log}, "PRAGMA wal_checkpoint(TRUNCATE)", "disk I/O error (1546)"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDisk(t)
			db := d.open(t)
			run(t, db, "CREATE TABLE t (x)")
			run(t, db, "INSERT INTO t VALUES (0)")
			d.SetRule(func(o Op) Fault {
				if o.Act == c.at.Act && o.File == c.at.File {
					return c.fault
				}
				return Fault{}
			})
			if _, err := db.ExecContext(t.Context(), c.do); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
			d.SetRule(nil)
			run(t, db, "INSERT INTO t VALUES (2)")
			if n := rows(t, db); n != 2 {
				t.Errorf("%d rows afterwards, want 2", n)
			}
		})
	}
	t.Run("shared memory", func(t *testing.T) {
		d := newDisk(t)
		d.SetRule(func(o Op) Fault {
			if o.Act == Map {
				return Fault{Code: NoMemory}
			}
			return Fault{}
		})
		if _, err := d.open(t).ExecContext(t.Context(), "CREATE TABLE t (x)"); err == nil || !strings.Contains(err.Error(), "out of memory") {
			t.Errorf("%v", err)
		}
	})
}

// A name in the folder is as durable as the last sync of the folder.
func TestAFileThatWasNeverSyncedMayBeGone(t *testing.T) {
	gone, there := 0, 0
	for seed := range uint64(40) {
		d := newDisk(t)
		db := d.open(t)
		d.SetRule(func(o Op) Fault { return Fault{Cut: o.Act == Sync} })
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (x)"); err == nil {
			t.Fatal("created without power")
		}
		db.Close()
		if err := d.Restart(rand.New(rand.NewPCG(seed, 3))); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(d.dir, "a.db")); err != nil {
			gone++
		} else {
			there++
		}
	}
	if gone == 0 || there == 0 {
		t.Errorf("%d times gone, %d times there", gone, there)
	}
}

func TestImage(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	var m image
	m.write(0, []byte("hello"))
	m.write(1000, []byte("world"))
	m.truncate(1003)
	m.sync()
	if len(m.durable) != 1003 || string(m.durable[:5])+string(m.durable[1000:]) != "hellowor" {
		t.Errorf("%d bytes: %q", len(m.durable), m.durable)
	}
	// Of two sectors, each may be there without the other; none is half old, half
	// new in another way than by its first bytes.
	seen := make(map[string]int)
	for range 4000 {
		m := image{durable: make([]byte, 2*sector)}
		m.write(0, []byte(strings.Repeat("n", 2*sector)))
		m.lose(random, 0.5)
		key := ""
		for _, half := range []string{string(m.durable[:sector]), string(m.durable[sector:])} {
			switch n := len(strings.TrimRight(half, "\x00")); {
			case strings.Count(half, "n") != n:
				t.Fatal("holes in a sector")
			case n == 0:
				key += "old "
			case n == sector:
				key += "new "
			default:
				key += "torn "
			}
		}
		seen[key]++
	}
	for _, want := range []string{"old old ", "old new ", "new old ", "new new ", "torn old ", "old torn "} {
		if seen[want] == 0 {
			t.Errorf("never %s: %v", want, seen)
		}
	}
}
