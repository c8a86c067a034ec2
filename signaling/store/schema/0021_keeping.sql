-- What is decided about a recording once it was started.

-- +goose Up
CREATE TABLE recording_shares (
    recording_id TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    account_id   TEXT NOT NULL REFERENCES accounts (id),
    since        BIGINT NOT NULL,
    until        BIGINT NOT NULL,              -- not later than the recording expires
    PRIMARY KEY (recording_id, account_id)
);
CREATE INDEX recording_shares_by_account ON recording_shares (account_id);

-- While there is a line here the recording cannot be deleted, not even by mistake.
CREATE TABLE recording_holds (
    recording_id TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE RESTRICT,
    by_account   TEXT NOT NULL,                -- an administrator of the post
    by_name      TEXT NOT NULL,                -- theirs, then
    reason       TEXT NOT NULL,
    since        BIGINT NOT NULL
);

-- Deletions that have begun. Whatever stops the server in between, they are gone on with.
CREATE TABLE recording_deletions (
    recording_id TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    by_account   TEXT NOT NULL,                -- the host; empty: the server
    because      TEXT NOT NULL,                -- host, expired
    since        BIGINT NOT NULL,
    tried        BIGINT NOT NULL               -- last
);

-- +goose Down
DROP TABLE recording_deletions;
DROP TABLE recording_holds;
DROP TABLE recording_shares;
