package store

import (
	"context"
	"encoding/base64"
	"fmt"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
)

const linkColumns = `id, meeting_id, kind, label, guest_name, organisation, max_uses, uses,
	valid_from, expires_at, revoked_at, created_at, created_by, code_hash, unbound, session_id,
	key_thumbprint, pin_hash, language, opened_at, issue, issued_at, role`

func scanLink(row scanner) (v link.Link, err error) {
	err = row.Scan(&v.ID, &v.Meeting, &v.Kind, &v.Label, &v.GuestName, &v.Organisation, &v.MaxUses, &v.Uses,
		at(&v.ValidFrom), at(&v.ExpiresAt), at(&v.RevokedAt), at(&v.CreatedAt), &v.CreatedBy,
		hashInto((*[32]byte)(&v.CodeHash)), is(&v.Unbound), &v.Session,
		&v.Key, orNone((*[32]byte)(&v.PINHash)), &v.Language, at(&v.OpenedAt), &v.Issue, at(&v.IssuedAt), &v.Role)
	return v, err
}

func saveLink(ctx context.Context, q queries, v link.Link) error {
	_, err := q.ExecContext(ctx, `INSERT INTO guest_links (`+linkColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
		ON CONFLICT (id) DO UPDATE SET uses = excluded.uses, expires_at = excluded.expires_at, revoked_at = excluded.revoked_at,
		code_hash = excluded.code_hash, unbound = excluded.unbound, session_id = excluded.session_id,
		key_thumbprint = excluded.key_thumbprint, pin_hash = excluded.pin_hash, opened_at = excluded.opened_at,
		issue = excluded.issue, issued_at = excluded.issued_at`,
		v.ID, v.Meeting, v.Kind, v.Label, v.GuestName, v.Organisation, v.MaxUses, v.Uses,
		ms(v.ValidFrom), ms(v.ExpiresAt), ms(v.RevokedAt), ms(v.CreatedAt), v.CreatedBy,
		hexOf(v.CodeHash), flag(v.Unbound), v.Session,
		v.Key, hexOrNone(v.PINHash), v.Language, ms(v.OpenedAt), v.Issue, ms(v.IssuedAt), v.Role)
	return err
}

const sessionColumns = `id, token_hash, meeting_id, link_id, created_at, expires_at, issue, public_key, pin_passed`

func scanSession(row scanner) (v lobby.Session, err error) {
	err = row.Scan(&v.ID, hashInto(&v.TokenHash), &v.Meeting, &v.Link, at(&v.CreatedAt), at(&v.ExpiresAt),
		&v.Issue, keyInto(&v.PublicKey), is(&v.PINPassed))
	return v, err
}

func saveSession(ctx context.Context, q queries, v lobby.Session) error {
	_, err := q.ExecContext(ctx, `INSERT INTO lobby_sessions (`+sessionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at, public_key = excluded.public_key, pin_passed = excluded.pin_passed`,
		v.ID, hexOf(v.TokenHash), v.Meeting, v.Link, ms(v.CreatedAt), ms(v.ExpiresAt),
		v.Issue, keyText(v.PublicKey), flag(v.PINPassed))
	return err
}

// maxTokens is how many tabs of one browser are remembered beside the first; the
// oldest goes.
const maxTokens = 8

func saveToken(ctx context.Context, q queries, v lobby.Token) error {
	if _, err := q.ExecContext(ctx, `INSERT INTO lobby_tokens (token_hash, session_id, created_at) VALUES ($1, $2, $3)`,
		hexOf(v.Hash), v.Session, ms(v.CreatedAt)); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, `DELETE FROM lobby_tokens WHERE session_id = $1 AND token_hash NOT IN
		(SELECT token_hash FROM lobby_tokens WHERE session_id = $1 ORDER BY created_at DESC, token_hash LIMIT $2)`, v.Session, maxTokens)
	return err
}

// maxUses bounds the log of a link: beyond it the oldest lines go on which no
// host decided. Hosts' decisions are kept.
const maxUses = 1000

const useColumns = `session_id, knocked_at, link_id, meeting_id, issue, opened_at, name, organisation,
	status, decided_at, decided_by_name, removed_at, bound, pin_passed`

func saveUse(ctx context.Context, q queries, v lobby.Use) error {
	if _, err := q.ExecContext(ctx, `INSERT INTO link_uses (`+useColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (session_id, knocked_at) DO UPDATE SET status = excluded.status, decided_at = excluded.decided_at,
		decided_by_name = excluded.decided_by_name, removed_at = excluded.removed_at`,
		v.Session, ms(v.KnockedAt), v.Link, v.Meeting, v.Issue, ms(v.OpenedAt), v.Name, v.Organisation,
		v.Status, ms(v.DecidedAt), v.DecidedByName, ms(v.RemovedAt), flag(v.Bound), flag(v.PINPassed)); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, `DELETE FROM link_uses WHERE link_id = $1 AND decided_at IS NULL AND knocked_at <
		(SELECT knocked_at FROM link_uses WHERE link_id = $1 ORDER BY knocked_at DESC LIMIT 1 OFFSET $2)`, v.Link, maxUses-1)
	return err
}

// LinkUses is the log of a link, newest first, at most limit lines.
func (s *Store) LinkUses(ctx context.Context, linkID string, limit int) ([]lobby.Use, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+useColumns+` FROM link_uses WHERE link_id = $1
		ORDER BY knocked_at DESC, session_id LIMIT $2`, linkID, limit)
	all, err := collect(rows, err, func(row scanner) (v lobby.Use, err error) {
		err = row.Scan(&v.Session, at(&v.KnockedAt), &v.Link, &v.Meeting, &v.Issue, at(&v.OpenedAt), &v.Name, &v.Organisation,
			&v.Status, at(&v.DecidedAt), &v.DecidedByName, at(&v.RemovedAt), is(&v.Bound), is(&v.PINPassed))
		return v, err
	})
	if err != nil {
		return nil, classify(fmt.Errorf("read uses of a link: %w", err))
	}
	return all, nil
}

// keyText is a public key in base64url, or nothing.
func keyText(k link.PublicKey) string {
	if k == (link.PublicKey{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(k[:])
}

type publicKey struct{ to *link.PublicKey }

func keyInto(to *link.PublicKey) publicKey { return publicKey{to} }

func (s publicKey) Scan(v any) error {
	text, _ := v.(string)
	*s.to = link.PublicKey{}
	if text == "" {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != len(s.to) {
		return fmt.Errorf("public key of %d characters", len(text))
	}
	*s.to = link.PublicKey(raw)
	return nil
}

// hexOrNone is a hash in hex, or nothing for the zero hash.
func hexOrNone(h [32]byte) string {
	if h == ([32]byte{}) {
		return ""
	}
	return hexOf(h)
}

type hashOrNone struct{ to *[32]byte }

func orNone(to *[32]byte) hashOrNone { return hashOrNone{to} }

func (s hashOrNone) Scan(v any) error {
	if text, ok := v.(string); ok && text == "" {
		*s.to = [32]byte{}
		return nil
	}
	return hashInto(s.to).Scan(v)
}
