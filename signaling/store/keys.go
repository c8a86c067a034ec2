package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"
)

// SigningKey returns the named key of 32 bytes; the first time, it takes it from
// random and keeps it.
func (s *Store) SigningKey(ctx context.Context, name string, random io.Reader, now time.Time) ([]byte, error) {
	fresh := make([]byte, 32)
	if _, err := io.ReadFull(random, fresh); err != nil {
		return nil, fmt.Errorf("make key %s: %w", name, err)
	}
	var text string
	err := s.write.do(ctx, func(ctx context.Context, q queries) error {
		err := q.QueryRowContext(ctx, `SELECT secret FROM signing_keys WHERE name = $1`, name).Scan(&text)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		text = base64.RawURLEncoding.EncodeToString(fresh)
		_, err = q.ExecContext(ctx, `INSERT INTO signing_keys (name, secret, created_at) VALUES ($1, $2, $3)`, name, text, ms(now))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	key, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("key %s: %w: not 32 bytes", name, ErrCorrupt)
	}
	return key, nil
}
