package store

import (
	"database/sql"
	"encoding/hex"
	"fmt"
	"time"
)

// How Go values lie in columns.

// ms is a time in milliseconds, NULL when zero.
func ms(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// instant scans what ms wrote into a time.Time.
type instant struct{ to *time.Time }

func at(to *time.Time) instant { return instant{to} }

func (s instant) Scan(v any) error {
	var n sql.NullInt64
	if err := n.Scan(v); err != nil {
		return err
	}
	*s.to = time.Time{}
	if n.Valid {
		*s.to = time.UnixMilli(n.Int64).UTC()
	}
	return nil
}

// flag is a truth value as 0 or 1, which SQLite and PostgreSQL both keep.
func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

type truth struct{ to *bool }

func is(to *bool) truth { return truth{to} }

func (s truth) Scan(v any) error {
	var n sql.NullInt64
	if err := n.Scan(v); err != nil {
		return err
	}
	*s.to = n.Int64 != 0
	return nil
}

// orNull is a text, NULL when empty.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// nullable scans what orNull wrote into a string.
type nullable struct{ to *string }

func text(to *string) nullable { return nullable{to} }

func (s nullable) Scan(v any) error {
	var n sql.NullString
	err := n.Scan(v)
	*s.to = n.String
	return err
}

// hash scans 32 bytes in hex.
type hash struct{ to *[32]byte }

func hashInto(to *[32]byte) hash { return hash{to} }

func hexOf(h [32]byte) string { return hex.EncodeToString(h[:]) }

func (s hash) Scan(v any) error {
	var text sql.NullString
	if err := text.Scan(v); err != nil {
		return err
	}
	raw, err := hex.DecodeString(text.String)
	if err != nil || len(raw) != len(s.to) {
		return fmt.Errorf("hash of %d characters", len(text.String))
	}
	*s.to = [32]byte(raw)
	return nil
}

// scanner is a row.
type scanner interface{ Scan(dest ...any) error }

// collect reads all rows of a query.
func collect[T any](rows *sql.Rows, err error, scan func(scanner) (T, error)) (all []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
