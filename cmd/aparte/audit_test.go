package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aparte/signaling/audit"
	"aparte/signaling/store"
)

// trail makes a data folder, or adds to one: trail FOLDER FIRST LAST. Event n is
// of the nth of March 2027.
func trail(ts *testscript.TestScript, _ bool, args []string) {
	s, err := store.Open(context.Background(), ts.MkAbs(args[0]), slog.New(slog.NewTextHandler(io.Discard, nil)))
	ts.Check(err)
	first, err := strconv.Atoi(args[1])
	ts.Check(err)
	last, err := strconv.Atoi(args[2])
	ts.Check(err)
	for n := first; n <= last; n++ {
		d := audit.Did(audit.KnockWaiting).By(audit.Guest, "session").On(audit.Knock, fmt.Sprint(n)).Typed("name", "Inês")
		d.Time = time.Date(2027, 3, n, 9, 0, 0, 0, time.UTC)
		ts.Check(s.Note(context.Background(), d))
	}
	ts.Check(s.Close())
}

// tamper changes the database as its owner can: tamper FOLDER SQL...
func tamper(ts *testscript.TestScript, _ bool, args []string) {
	db, err := sql.Open("sqlite", filepath.Join(ts.MkAbs(args[0]), "aparte.db"))
	ts.Check(err)
	for _, statement := range args[1:] {
		_, err := db.ExecContext(context.Background(), statement)
		ts.Check(err)
	}
	ts.Check(db.Close())
}
