-- The keys of archives to which the recordings of a post are sealed. A row that was removed
-- stays: it says who could open what was recorded meanwhile, and by whose hand.

-- +goose Up
CREATE TABLE post_recipients (
    id          TEXT PRIMARY KEY,
    post_id     TEXT NOT NULL REFERENCES posts (id),
    name        TEXT NOT NULL,                 -- what the post calls the archive
    key         TEXT NOT NULL,                 -- public half: age1pq1...
    fingerprint TEXT NOT NULL,                 -- of the key: half of its SHA-256, in hexadecimal
    added_by    TEXT NOT NULL REFERENCES accounts (id),
    added_at    BIGINT NOT NULL,
    removed_by  TEXT REFERENCES accounts (id),
    removed_at  BIGINT                         -- absent: recordings are sealed to it
);
CREATE UNIQUE INDEX post_recipients_once ON post_recipients (post_id, key) WHERE removed_at IS NULL;

-- +goose Down
DROP TABLE post_recipients;
