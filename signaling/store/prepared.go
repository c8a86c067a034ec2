package store

import (
	"context"
	"database/sql"
)

// prepared runs queries on a connection and compiles each text once, for as long
// as a transaction lasts: in a group, everybody's are much the same, and
// compiling costs SQLite more than running.
type prepared struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt // by text; all texts are ours, so they are few
}

func newPrepared(conn *sql.Conn) *prepared {
	return &prepared{conn: conn, statements: make(map[string]*sql.Stmt)}
}

// close must come before the connection is given back.
func (p *prepared) close() {
	for _, s := range p.statements {
		_ = s.Close() // what went wrong with it was said when it ran
	}
}

func (p *prepared) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := p.statements[query]; ok {
		return s, nil
	}
	s, err := p.conn.PrepareContext(ctx, query)
	if err == nil {
		p.statements[query] = s
	}
	return s, err
}

func (p *prepared) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := p.statement(ctx, query) //nolint:sqlclosecheck // close ends it, with all others
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.statement(ctx, query) //nolint:sqlclosecheck // close ends it, with all others
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := p.statement(ctx, query) //nolint:sqlclosecheck // close ends it, with all others
	if err != nil {
		return p.conn.QueryRowContext(ctx, query, args...) // a row holds its error
	}
	return s.QueryRowContext(ctx, args...)
}
