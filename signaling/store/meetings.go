package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"aparte/signaling/link"
	"aparte/signaling/lobby"
	"aparte/signaling/meeting"
	"aparte/signaling/role"
)

// A meeting without a post, which the schema allows, is nobody's.
const meetingColumns = `m.id, coalesce(m.post_id, ''), m.title, m.state, m.organiser_id, a.name, m.profile, m.profile_version,
	m.starts_at, m.ends_at, m.created_at, m.opened_at, m.ended_at, m.hostless_since, m.permanent, m.revision, m.locked,
	m.forbid_speak, m.forbid_camera, m.forbid_share, m.forbid_chat, m.forbid_react, m.forbid_hand, m.forbid_files`

// meetingFields is where meetingColumns go.
func meetingFields(m *meeting.Meeting) []any {
	f := &m.Forbidden
	return []any{
		&m.ID, &m.Post, &m.Title, &m.State, &m.Organiser.Account, &m.Organiser.Name, &m.Profile, &m.ProfileVersion,
		at(&m.StartsAt), at(&m.EndsAt), at(&m.CreatedAt), at(&m.OpenedAt), at(&m.EndedAt), at(&m.HostlessSince), is(&m.Permanent), &m.Revision, is(&m.Locked),
		is(&f.Speak), is(&f.Camera), is(&f.Share), is(&f.Chat), is(&f.React), is(&f.Hand), is(&f.Files),
	}
}

func scanMeeting(row scanner) (m meeting.Meeting, err error) {
	err = row.Scan(meetingFields(&m)...)
	return m, err
}

// LoadMeeting reads a meeting with its links, its sessions that are alive or
// have knocked, its knocks and seats, as of one moment.
func (s *Store) LoadMeeting(ctx context.Context, id string) (out meeting.Stored, err error) {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return out, classify(fmt.Errorf("load meeting: %w", err))
	}
	defer func() { _ = tx.Rollback() }()
	out.Meeting, err = scanMeeting(tx.QueryRowContext(ctx,
		`SELECT `+meetingColumns+` FROM meetings m JOIN accounts a ON a.id = m.organiser_id WHERE m.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return out, meeting.ErrNotFound
	}
	if err != nil {
		return out, classify(fmt.Errorf("load meeting: %w", err))
	}
	out.Meeting.Members, err = members(ctx, tx, id, out.Meeting.Organiser.Account)
	if err != nil {
		return out, classify(err)
	}
	if out.Applied, out.Newest, err = profilesOf(ctx, tx, out.Meeting); err != nil {
		return out, classify(fmt.Errorf("load security profile: %w", err))
	}
	if err = tx.QueryRowContext(ctx, `SELECT time_zone, name FROM posts WHERE id = $1`, out.Meeting.Post).Scan(&out.PostZone, &out.PostName); err != nil {
		return out, classify(fmt.Errorf("load the post: %w", err))
	}
	if out.PostRecipients, err = recipientCount(ctx, tx, out.Meeting.Post); err != nil {
		return out, classify(fmt.Errorf("load the post's keys: %w", err))
	}
	if out.Meeting.Acting, err = acting(ctx, tx, out.Meeting.Post); err != nil {
		return out, classify(fmt.Errorf("load who acts for the post: %w", err))
	}
	rows, err := tx.QueryContext(ctx, `SELECT `+linkColumns+` FROM guest_links WHERE meeting_id = $1`, id)
	if out.Lobby.Links, err = collect(rows, err, scanLink); err != nil {
		return out, classify(fmt.Errorf("load links: %w", err))
	}
	rows, err = tx.QueryContext(ctx, `SELECT `+sessionColumns+` FROM lobby_sessions WHERE meeting_id = $1`, id)
	if out.Lobby.Sessions, err = collect(rows, err, scanSession); err != nil {
		return out, classify(fmt.Errorf("load lobby sessions: %w", err))
	}
	rows, err = tx.QueryContext(ctx, `SELECT `+knockColumns+` FROM knocks WHERE meeting_id = $1`, id)
	if out.Lobby.Knocks, err = collect(rows, err, scanKnock); err != nil {
		return out, classify(fmt.Errorf("load knocks: %w", err))
	}
	rows, err = tx.QueryContext(ctx, `SELECT `+messageColumns+` FROM lobby_messages
		WHERE knock_id IN (SELECT id FROM knocks WHERE meeting_id = $1) ORDER BY knock_id, seq`, id)
	if out.Lobby.Messages, err = collect(rows, err, scanMessage); err != nil {
		return out, classify(fmt.Errorf("load lobby messages: %w", err))
	}
	rows, err = tx.QueryContext(ctx, `SELECT id, meeting_id, account_id, agent_session_id, identity, created_at
		FROM seats WHERE meeting_id = $1`, id)
	if out.Seats, err = collect(rows, err, scanSeat); err != nil {
		return out, classify(fmt.Errorf("load seats: %w", err))
	}
	if out.Chat, err = keptChat(ctx, tx, id); err != nil {
		return out, classify(err)
	}
	if out.Recording, err = ongoing(ctx, tx, id); err != nil {
		return out, classify(fmt.Errorf("load recording: %w", err))
	}
	return out, nil
}

func scanSeat(row scanner) (v meeting.Seat, err error) {
	err = row.Scan(&v.ID, &v.Meeting, &v.Account, &v.Session, &v.Identity, at(&v.CreatedAt))
	return v, err
}

func members(ctx context.Context, q queries, id, organiser string) ([]meeting.Member, error) {
	rows, err := q.QueryContext(ctx, `SELECT a.id, a.name, h.role,
		h.forbid_speak, h.forbid_camera, h.forbid_share, h.forbid_chat, h.forbid_files, h.writes FROM members h JOIN accounts a ON a.id = h.account_id
		WHERE h.meeting_id = $1 AND a.id <> $2 ORDER BY a.name, a.id`, id, organiser)
	return collect(rows, err, func(row scanner) (v meeting.Member, err error) {
		f := &v.Forbidden
		err = row.Scan(&v.Account, &v.Name, &v.Role, is(&f.Speak), is(&f.Camera), is(&f.Share), is(&f.Chat), is(&f.Files), is(&v.Writes))
		return v, err
	})
}

// SaveMeeting makes changes to a meeting durable, all or none.
func (s *Store) SaveMeeting(ctx context.Context, c meeting.Changes) error {
	return s.write.do(ctx, func(ctx context.Context, q queries) error {
		if c.Meeting != nil {
			if err := saveMeeting(ctx, q, *c.Meeting); err != nil {
				return fmt.Errorf("save meeting: %w", err)
			}
		}
		if err := saveLobby(ctx, q, c.Lobby); err != nil {
			return err
		}
		for _, v := range c.Seats {
			_, err := q.ExecContext(ctx, `INSERT INTO seats (id, meeting_id, account_id, agent_session_id, identity, created_at)
				VALUES ($1, $2, $3, $4, $5, $6)`, v.ID, v.Meeting, v.Account, v.Session, v.Identity, ms(v.CreatedAt))
			if err != nil {
				return fmt.Errorf("save seat: %w", err)
			}
		}
		for _, id := range c.DroppedSeats {
			if _, err := q.ExecContext(ctx, `DELETE FROM seats WHERE id = $1`, id); err != nil {
				return fmt.Errorf("drop seat: %w", err)
			}
		}
		if err := saveChat(ctx, q, c); err != nil {
			return err
		}
		if err := saveRecordings(ctx, q, c); err != nil {
			return err
		}
		if err := saveVisits(ctx, q, c.ID, c.Visits); err != nil {
			return err
		}
		return s.trail.record(ctx, q, c.Audit)
	})
}

func saveMeeting(ctx context.Context, q queries, m meeting.Meeting) error {
	f := m.Forbidden
	_, err := q.ExecContext(ctx, `INSERT INTO meetings
		(id, title, state, organiser_id, profile, starts_at, ends_at, created_at, opened_at, ended_at, hostless_since,
		locked, forbid_speak, forbid_camera, forbid_share, forbid_chat, forbid_react, forbid_hand, profile_version, post_id, forbid_files, permanent, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
		ON CONFLICT (id) DO UPDATE SET title = excluded.title, state = excluded.state, organiser_id = excluded.organiser_id,
		profile = excluded.profile, starts_at = excluded.starts_at, ends_at = excluded.ends_at, opened_at = excluded.opened_at,
		ended_at = excluded.ended_at, hostless_since = excluded.hostless_since,
		locked = excluded.locked, forbid_speak = excluded.forbid_speak, forbid_camera = excluded.forbid_camera,
		forbid_share = excluded.forbid_share, forbid_chat = excluded.forbid_chat, forbid_react = excluded.forbid_react, forbid_hand = excluded.forbid_hand,
		profile_version = excluded.profile_version, forbid_files = excluded.forbid_files,
		permanent = excluded.permanent, revision = excluded.revision`,
		m.ID, m.Title, m.State, m.Organiser.Account, m.Profile, ms(m.StartsAt), ms(m.EndsAt), ms(m.CreatedAt), ms(m.OpenedAt), ms(m.EndedAt), ms(m.HostlessSince),
		flag(m.Locked), flag(f.Speak), flag(f.Camera), flag(f.Share), flag(f.Chat), flag(f.React), flag(f.Hand), m.ProfileVersion, m.Post, flag(f.Files), flag(m.Permanent), m.Revision)
	if err != nil {
		return err
	}
	if _, err := q.ExecContext(ctx, `DELETE FROM members WHERE meeting_id = $1`, m.ID); err != nil {
		return err
	}
	for _, p := range append([]meeting.Member{{Person: m.Organiser, Role: role.Host}}, m.Members...) {
		f := p.Forbidden
		if _, err := q.ExecContext(ctx, `INSERT INTO members (meeting_id, account_id, role, forbid_speak, forbid_camera, forbid_share, forbid_chat, forbid_files, writes)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			m.ID, p.Account, p.Role, flag(f.Speak), flag(f.Camera), flag(f.Share), flag(f.Chat), flag(f.Files), flag(p.Writes)); err != nil {
			return err
		}
	}
	return nil
}

// actsAt joins, to meetings m and members h, the membership of the post without which
// nobody has a role, and that of who is disabled does not count.
var actsAt = ` JOIN account_posts r ON r.account_id = h.account_id AND r.post_id = m.post_id AND r.role IN (` + actingRoles + `)` +
	` AND r.account_id NOT IN (SELECT id FROM accounts WHERE disabled_at IS NOT NULL) `

// MeetingsOf lists the meetings in which an account has a role, newest first, 500 at most; of
// one post, or of all ("").
func (s *Store) MeetingsOf(ctx context.Context, account, post string) ([]meeting.Summary, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+meetingColumns+`,
		(SELECT count(*) FROM knocks k WHERE k.meeting_id = m.id AND k.status = 'waiting'), h.role
		FROM members h JOIN meetings m ON m.id = h.meeting_id`+actsAt+`JOIN accounts a ON a.id = m.organiser_id
		WHERE h.account_id = $1 AND ($2 = '' OR m.post_id = $2) ORDER BY m.created_at DESC, m.id LIMIT 500`, account, post)
	all, err := collect(rows, err, func(row scanner) (v meeting.Summary, err error) {
		err = row.Scan(append(meetingFields(&v.Meeting), &v.Waiting, &v.Role)...)
		return v, err
	})
	return all, classify(err)
}

// WaitingFor lists where somebody waits for an account that hosts, whoever knocked
// last first, limit at most.
func (s *Store) WaitingFor(ctx context.Context, account string, now time.Time, limit int) ([]meeting.Notice, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT m.id, m.title, count(*), max(CASE WHEN k.sent_back_at IS NULL THEN k.since END)
		FROM members h JOIN meetings m ON m.id = h.meeting_id`+actsAt+`JOIN knocks k ON k.meeting_id = m.id
		LEFT JOIN lobby_sessions s ON s.id = k.session_id
		WHERE h.account_id = $1 AND h.role IN ('host', 'cohost') AND m.state <> 'ended' AND k.status = 'waiting' AND coalesce(s.expires_at, k.expires_at) > $2
		GROUP BY m.id, m.title ORDER BY coalesce(max(CASE WHEN k.sent_back_at IS NULL THEN k.since END), 0) DESC, m.id LIMIT $3`, account, ms(now), limit)
	all, err := collect(rows, err, func(row scanner) (v meeting.Notice, err error) {
		err = row.Scan(&v.Meeting, &v.Title, &v.Waiting, at(&v.Newest))
		return v, err
	})
	return all, classify(err)
}

// AgentByEmail finds an agent whom the hosts of a meeting may name: one who acts
// for its post. Else it says meeting.ErrNoAccount.
func (s *Store) AgentByEmail(ctx context.Context, id, email string) (p meeting.Person, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT a.id, a.name FROM accounts a JOIN account_posts r ON r.account_id = a.id
		JOIN meetings m ON m.post_id = r.post_id WHERE m.id = $1 AND a.email = $2 AND a.disabled_at IS NULL AND r.role IN (`+actingRoles+`)`, id, email).Scan(&p.Account, &p.Name)
	if errors.Is(err, sql.ErrNoRows) {
		return p, meeting.ErrNoAccount
	}
	return p, classify(err)
}

// OrphansOf lists the meetings of a post that are not over and that nobody hosts who
// acts for it, newest first.
func (s *Store) OrphansOf(ctx context.Context, post string, limit int) ([]meeting.Meeting, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+meetingColumns+` FROM meetings m JOIN accounts a ON a.id = m.organiser_id
		WHERE m.post_id = $1 AND m.state <> 'ended' AND NOT EXISTS (
			SELECT 1 FROM members h`+actsAt+`WHERE h.meeting_id = m.id AND h.role IN ('host', 'cohost'))
		ORDER BY m.created_at DESC, m.id LIMIT $2`, post, limit)
	all, err := collect(rows, err, func(row scanner) (v meeting.Meeting, err error) {
		err = row.Scan(meetingFields(&v)...)
		return v, err
	})
	return all, classify(err)
}

// Hostless lists the open meetings that the last host has left, longest ago first.
func (s *Store) Hostless(ctx context.Context, limit int) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id FROM meetings WHERE hostless_since IS NOT NULL AND state = 'open'
		ORDER BY hostless_since LIMIT $1`, limit)
	all, err := collect(rows, err, func(row scanner) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	})
	return all, classify(err)
}

// GuestLink finds a link by its id, or says link.ErrUnknown.
func (s *Store) GuestLink(ctx context.Context, id string) (link.Link, error) {
	v, err := scanLink(s.read.QueryRowContext(ctx, `SELECT `+linkColumns+` FROM guest_links WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return link.Link{}, link.ErrUnknown
	}
	return v, classify(err)
}

// LobbySession finds a session by the hash of its token, or says
// lobby.ErrNoSession.
func (s *Store) LobbySession(ctx context.Context, tokenHash [32]byte) (lobby.Session, error) {
	v, err := scanSession(s.read.QueryRowContext(ctx,
		`SELECT `+sessionColumns+` FROM lobby_sessions WHERE token_hash = $1
		OR id = (SELECT session_id FROM lobby_tokens WHERE token_hash = $1)`, hexOf(tokenHash)))
	if errors.Is(err, sql.ErrNoRows) {
		return lobby.Session{}, lobby.ErrNoSession
	}
	return v, classify(err)
}

// SeatedIn lists the meetings in which an agent's session has a seat.
func (s *Store) SeatedIn(ctx context.Context, agentSession string) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT DISTINCT meeting_id FROM seats WHERE agent_session_id = $1`, agentSession)
	all, err := collect(rows, err, func(row scanner) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	})
	return all, classify(err)
}

// EnteredAt lists the meetings of a post in which an account has a seat, or waits or is
// admitted in the lobby.
func (s *Store) EnteredAt(ctx context.Context, account, post string) ([]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT m.id FROM meetings m WHERE m.post_id = $2 AND m.id IN (
		SELECT meeting_id FROM seats WHERE account_id = $1
		UNION SELECT meeting_id FROM knocks WHERE account_id = $1 AND status IN ('waiting', 'admitted'))`, account, post)
	all, err := collect(rows, err, func(row scanner) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	})
	return all, classify(err)
}
