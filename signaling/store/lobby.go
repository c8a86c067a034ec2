package store

import (
	"context"
	"fmt"

	"aparte/signaling/lobby"
)

const knockColumns = `id, meeting_id, session_id, link_id, status, place, name, organisation, since,
	decided_at, decided_by, decided_by_name, message, removed_at, admission, identity,
	may_speak, may_camera, may_share, may_chat, banned_at, sent_back_at, may_files, account_id, expires_at, until_left`

func scanKnock(row scanner) (v lobby.Knock, err error) {
	err = row.Scan(&v.ID, &v.Meeting, text(&v.Session), text(&v.Link), &v.Status, &v.Place, &v.Name, &v.Organisation, at(&v.Since),
		at(&v.DecidedAt), &v.DecidedBy, &v.DecidedByName, &v.Message, at(&v.RemovedAt), &v.Admission, &v.Identity,
		is(&v.Permissions.Speak), is(&v.Permissions.Camera), is(&v.Permissions.Share), is(&v.Permissions.Chat), at(&v.BannedAt), at(&v.SentBackAt),
		is(&v.Permissions.Files), text(&v.Account), at(&v.ExpiresAt), is(&v.UntilLeft))
	return v, err
}

const messageColumns = `knock_id, seq, by_host, by_account, by_name, text, sent_at`

func scanMessage(row scanner) (v lobby.Message, err error) {
	err = row.Scan(&v.Knock, &v.Seq, is(&v.ByHost), &v.By, &v.ByName, &v.Text, at(&v.At))
	return v, err
}

func saveLobby(ctx context.Context, q queries, c lobby.Changes) error {
	for _, v := range c.Links {
		if err := saveLink(ctx, q, v); err != nil {
			return fmt.Errorf("save link: %w", err)
		}
	}
	for _, v := range c.Sessions {
		if err := saveSession(ctx, q, v); err != nil {
			return fmt.Errorf("save lobby session: %w", err)
		}
	}
	for _, v := range c.Tokens {
		if err := saveToken(ctx, q, v); err != nil {
			return fmt.Errorf("save lobby token: %w", err)
		}
	}
	for _, v := range c.Uses {
		if err := saveUse(ctx, q, v); err != nil {
			return fmt.Errorf("save use of a link: %w", err)
		}
	}
	for _, v := range c.Knocks {
		if err := saveKnock(ctx, q, v); err != nil {
			return fmt.Errorf("save knock: %w", err)
		}
	}
	if err := saveMessages(ctx, q, c); err != nil {
		return err
	}
	for _, id := range c.DroppedKnocks {
		if _, err := q.ExecContext(ctx, `DELETE FROM knocks WHERE id = $1`, id); err != nil {
			return fmt.Errorf("drop knock: %w", err)
		}
	}
	for _, id := range c.Dropped {
		if _, err := q.ExecContext(ctx, `DELETE FROM lobby_sessions WHERE id = $1`, id); err != nil {
			return fmt.Errorf("drop lobby session: %w", err)
		}
	}
	return nil
}

func saveKnock(ctx context.Context, q queries, v lobby.Knock) error {
	p := v.Permissions
	_, err := q.ExecContext(ctx, `INSERT INTO knocks (`+knockColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, place = excluded.place, name = excluded.name,
		organisation = excluded.organisation, since = excluded.since, decided_at = excluded.decided_at,
		decided_by = excluded.decided_by, decided_by_name = excluded.decided_by_name, message = excluded.message,
		removed_at = excluded.removed_at, admission = excluded.admission, identity = excluded.identity,
		may_speak = excluded.may_speak, may_camera = excluded.may_camera, may_share = excluded.may_share, may_chat = excluded.may_chat,
		banned_at = excluded.banned_at, sent_back_at = excluded.sent_back_at, may_files = excluded.may_files, expires_at = excluded.expires_at, until_left = excluded.until_left`,
		v.ID, v.Meeting, orNull(v.Session), orNull(v.Link), v.Status, v.Place, v.Name, v.Organisation, ms(v.Since),
		ms(v.DecidedAt), v.DecidedBy, v.DecidedByName, v.Message, ms(v.RemovedAt), v.Admission, v.Identity,
		flag(p.Speak), flag(p.Camera), flag(p.Share), flag(p.Chat), ms(v.BannedAt), ms(v.SentBackAt), flag(p.Files),
		orNull(v.Account), ms(v.ExpiresAt), flag(v.UntilLeft))
	return err
}

func saveMessages(ctx context.Context, q queries, c lobby.Changes) error {
	for _, v := range c.Messages {
		_, err := q.ExecContext(ctx, `INSERT INTO lobby_messages (`+messageColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			v.Knock, v.Seq, flag(v.ByHost), v.By, v.ByName, v.Text, ms(v.At))
		if err != nil {
			return fmt.Errorf("save lobby message: %w", err)
		}
	}
	for _, v := range c.DroppedMessages {
		if _, err := q.ExecContext(ctx, `DELETE FROM lobby_messages WHERE knock_id = $1 AND seq = $2`, v.Knock, v.Seq); err != nil {
			return fmt.Errorf("drop lobby message: %w", err)
		}
	}
	return nil
}
