-- Knocks of agents, who came by no link: SQLite cannot let a column be NULL that was not,
-- so the table is made anew, and that of the messages which refers to it.

-- +goose Up
CREATE TABLE knocks_of_all (
    id              TEXT PRIMARY KEY,
    meeting_id      TEXT NOT NULL REFERENCES meetings (id),
    session_id      TEXT UNIQUE REFERENCES lobby_sessions (id),   -- of a guest
    link_id         TEXT REFERENCES guest_links (id),             -- of a guest
    account_id      TEXT REFERENCES accounts (id),                -- of an agent
    status          TEXT NOT NULL,             -- waiting, admitted, denied, withdrawn, expired
    place           BIGINT NOT NULL,
    name            TEXT NOT NULL,
    organisation    TEXT NOT NULL,
    since           BIGINT NOT NULL,
    decided_at      BIGINT,
    decided_by      TEXT NOT NULL,
    decided_by_name TEXT NOT NULL,
    message         TEXT NOT NULL,
    removed_at      BIGINT,
    admission       TEXT NOT NULL,             -- grant id of a guest, '' without one
    identity        TEXT NOT NULL,             -- of a guest
    may_speak       BIGINT NOT NULL,
    may_camera      BIGINT NOT NULL,
    may_share       BIGINT NOT NULL,
    may_chat        BIGINT NOT NULL,
    banned_at       BIGINT,
    sent_back_at    BIGINT,                    -- waiting again after having been in the call
    expires_at      BIGINT,                    -- of an agent: when waiting ends that nobody renews
    until_left      BIGINT NOT NULL DEFAULT 0, -- of an agent who was in the call: admitted until they leave it
    UNIQUE (meeting_id, account_id),
    CHECK ((account_id IS NULL) = (session_id IS NOT NULL) AND (session_id IS NULL) = (link_id IS NULL))
);
INSERT INTO knocks_of_all (id, meeting_id, session_id, link_id, status, place, name, organisation, since,
    decided_at, decided_by, decided_by_name, message, removed_at, admission, identity,
    may_speak, may_camera, may_share, may_chat, banned_at, sent_back_at)
    SELECT id, meeting_id, session_id, link_id, status, place, name, organisation, since,
    decided_at, decided_by, decided_by_name, message, removed_at, admission, identity,
    may_speak, may_camera, may_share, may_chat, banned_at, sent_back_at FROM knocks;
CREATE TABLE messages_of_all (
    knock_id   TEXT NOT NULL REFERENCES knocks_of_all (id) ON DELETE CASCADE,
    seq        BIGINT NOT NULL,                -- order in the thread, from 1
    by_host    BIGINT NOT NULL,
    by_account TEXT NOT NULL,                  -- '' from who waits
    by_name    TEXT NOT NULL,
    text       TEXT NOT NULL,
    sent_at    BIGINT NOT NULL,
    PRIMARY KEY (knock_id, seq)
);
INSERT INTO messages_of_all SELECT knock_id, seq, by_host, by_account, by_name, text, sent_at FROM lobby_messages;
DROP TABLE lobby_messages;
DROP TABLE knocks;
ALTER TABLE knocks_of_all RENAME TO knocks;
ALTER TABLE messages_of_all RENAME TO lobby_messages;
CREATE INDEX knocks_by_meeting ON knocks (meeting_id, status);
CREATE INDEX knocks_by_account ON knocks (account_id) WHERE account_id IS NOT NULL;

-- +goose Down
CREATE TABLE knocks_of_guests (
    id              TEXT PRIMARY KEY,
    meeting_id      TEXT NOT NULL REFERENCES meetings (id),
    session_id      TEXT NOT NULL UNIQUE REFERENCES lobby_sessions (id),
    link_id         TEXT NOT NULL REFERENCES guest_links (id),
    status          TEXT NOT NULL,
    place           BIGINT NOT NULL,
    name            TEXT NOT NULL,
    organisation    TEXT NOT NULL,
    since           BIGINT NOT NULL,
    decided_at      BIGINT,
    decided_by      TEXT NOT NULL,
    decided_by_name TEXT NOT NULL,
    message         TEXT NOT NULL,
    removed_at      BIGINT,
    admission       TEXT NOT NULL,
    identity        TEXT NOT NULL,
    may_speak       BIGINT NOT NULL,
    may_camera      BIGINT NOT NULL,
    may_share       BIGINT NOT NULL,
    may_chat        BIGINT NOT NULL,
    banned_at       BIGINT,
    sent_back_at    BIGINT
);
INSERT INTO knocks_of_guests
    SELECT id, meeting_id, session_id, link_id, status, place, name, organisation, since,
    decided_at, decided_by, decided_by_name, message, removed_at, admission, identity,
    may_speak, may_camera, may_share, may_chat, banned_at, sent_back_at FROM knocks WHERE account_id IS NULL;
CREATE TABLE messages_of_guests (
    knock_id   TEXT NOT NULL REFERENCES knocks_of_guests (id) ON DELETE CASCADE,
    seq        BIGINT NOT NULL,
    by_host    BIGINT NOT NULL,
    by_account TEXT NOT NULL,
    by_name    TEXT NOT NULL,
    text       TEXT NOT NULL,
    sent_at    BIGINT NOT NULL,
    PRIMARY KEY (knock_id, seq)
);
INSERT INTO messages_of_guests SELECT knock_id, seq, by_host, by_account, by_name, text, sent_at
    FROM lobby_messages WHERE knock_id IN (SELECT id FROM knocks_of_guests);
DROP TABLE lobby_messages;
DROP TABLE knocks;
ALTER TABLE knocks_of_guests RENAME TO knocks;
ALTER TABLE messages_of_guests RENAME TO lobby_messages;
CREATE INDEX knocks_by_meeting ON knocks (meeting_id, status);
