-- Times are milliseconds since 1970 (UTC); ids are 16 random bytes in base64url;
-- hashes are SHA-256 in lower-case hex. Words are those of the product. Written
-- for SQLite and PostgreSQL alike.

-- +goose Up
CREATE TABLE accounts (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    email      TEXT NOT NULL UNIQUE,           -- lower case
    password   TEXT NOT NULL DEFAULT '',       -- argon2id, '' before one is set
    admin      BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);

CREATE TABLE one_time_codes (
    code_hash  TEXT PRIMARY KEY,
    account_id TEXT REFERENCES accounts (id),  -- NULL: the set-up code
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);

CREATE TABLE agent_sessions (
    id         TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    by_code    BIGINT NOT NULL DEFAULT 0,      -- began with a one-time code
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX agent_sessions_by_account ON agent_sessions (account_id);

CREATE TABLE meetings (
    id           TEXT PRIMARY KEY,
    title        TEXT NOT NULL,
    state        TEXT NOT NULL,                -- scheduled, open, ended
    organiser_id TEXT NOT NULL REFERENCES accounts (id),
    profile      TEXT NOT NULL,
    starts_at    BIGINT,
    ends_at      BIGINT,
    created_at   BIGINT NOT NULL,
    opened_at    BIGINT,
    ended_at     BIGINT,
    home_epoch   BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE hosts (
    meeting_id TEXT NOT NULL REFERENCES meetings (id),
    account_id TEXT NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (account_id, meeting_id)
);
CREATE INDEX hosts_by_meeting ON hosts (meeting_id);

CREATE TABLE guest_links (
    id           TEXT PRIMARY KEY,
    meeting_id   TEXT NOT NULL REFERENCES meetings (id),
    kind         TEXT NOT NULL,                -- personal, shared
    label        TEXT NOT NULL,
    guest_name   TEXT NOT NULL,
    organisation TEXT NOT NULL,
    max_uses     BIGINT NOT NULL,
    uses         BIGINT NOT NULL,
    valid_from   BIGINT,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT,
    created_at   BIGINT NOT NULL,
    created_by   TEXT NOT NULL,
    code_hash    TEXT NOT NULL,
    unbound      BIGINT NOT NULL,
    session_id   TEXT NOT NULL                 -- personal: bound to; '' before
);
CREATE INDEX guest_links_by_meeting ON guest_links (meeting_id);

CREATE TABLE lobby_sessions (
    id         TEXT PRIMARY KEY,
    token_hash TEXT NOT NULL UNIQUE,
    meeting_id TEXT NOT NULL REFERENCES meetings (id),
    link_id    TEXT NOT NULL REFERENCES guest_links (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX lobby_sessions_by_meeting ON lobby_sessions (meeting_id);

CREATE TABLE knocks (
    id              TEXT PRIMARY KEY,
    meeting_id      TEXT NOT NULL REFERENCES meetings (id),
    session_id      TEXT NOT NULL UNIQUE REFERENCES lobby_sessions (id),
    link_id         TEXT NOT NULL REFERENCES guest_links (id),
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
    admission       TEXT NOT NULL,             -- grant id, '' without one
    identity        TEXT NOT NULL,
    may_speak       BIGINT NOT NULL,
    may_camera      BIGINT NOT NULL,
    may_share       BIGINT NOT NULL,
    may_chat        BIGINT NOT NULL
);
CREATE INDEX knocks_by_meeting ON knocks (meeting_id, status);

CREATE TABLE seats (
    id               TEXT PRIMARY KEY,
    meeting_id       TEXT NOT NULL REFERENCES meetings (id),
    account_id       TEXT NOT NULL REFERENCES accounts (id),
    agent_session_id TEXT NOT NULL,
    identity         TEXT NOT NULL,
    created_at       BIGINT NOT NULL
);
CREATE INDEX seats_by_meeting ON seats (meeting_id);
CREATE INDEX seats_by_session ON seats (agent_session_id);

CREATE TABLE signing_keys (
    name       TEXT PRIMARY KEY,
    secret     TEXT NOT NULL,                  -- base64url
    created_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE signing_keys;
DROP TABLE seats;
DROP TABLE knocks;
DROP TABLE lobby_sessions;
DROP TABLE guest_links;
DROP TABLE hosts;
DROP TABLE meetings;
DROP TABLE agent_sessions;
DROP TABLE one_time_codes;
DROP TABLE accounts;
