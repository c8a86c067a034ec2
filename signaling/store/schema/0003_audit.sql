-- The audit trail: one chain of events for each post (signaling/audit).

-- +goose Up
CREATE TABLE audit_heads (
    post      TEXT PRIMARY KEY,
    seq       BIGINT NOT NULL,                 -- of the last event; 0: none yet
    hash      TEXT NOT NULL,                   -- of the last event
    at        BIGINT,                          -- of the last event
    signature TEXT NOT NULL                    -- Ed25519 in base64url, by signing_keys 'audit'; '' before the first
);

CREATE TABLE audit_events (
    post  TEXT NOT NULL REFERENCES audit_heads (post),
    seq   BIGINT NOT NULL,                     -- from 1, without gaps
    event TEXT NOT NULL,                       -- canonical JSON (RFC 8785), exactly what was hashed
    hash  TEXT NOT NULL,                       -- SHA-256 of the hash before and the event
    PRIMARY KEY (post, seq)
);

-- What persons typed. A purge deletes rows here, and nothing else can be deleted.
CREATE TABLE audit_personal (
    post  TEXT NOT NULL,
    seq   BIGINT NOT NULL,
    field TEXT NOT NULL,
    salt  TEXT NOT NULL,                       -- 128 bits in hex
    text  TEXT NOT NULL,
    PRIMARY KEY (post, seq, field),
    FOREIGN KEY (post, seq) REFERENCES audit_events (post, seq)
);

-- Append-only against mistakes; against intent there are hashes, signatures and
-- anchors. PostgreSQL says the same with functions.

-- +goose StatementBegin
CREATE TRIGGER audit_events_stay BEFORE UPDATE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_events_remain BEFORE DELETE ON audit_events
BEGIN SELECT RAISE(ABORT, 'audit events are never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_events_follow BEFORE INSERT ON audit_events
WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit_events WHERE post = NEW.post)
BEGIN SELECT RAISE(ABORT, 'audit events are appended without gaps'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_personal_stays BEFORE UPDATE ON audit_personal
BEGIN SELECT RAISE(ABORT, 'personal texts of audit events are purged, never changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_heads_remain BEFORE DELETE ON audit_heads
BEGIN SELECT RAISE(ABORT, 'audit chains are never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_heads_advance BEFORE UPDATE ON audit_heads
WHEN NEW.post <> OLD.post OR NEW.seq < OLD.seq OR NEW.seq = OLD.seq AND (NEW.hash <> OLD.hash OR NEW.signature <> OLD.signature)
BEGIN SELECT RAISE(ABORT, 'audit chains only grow'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_personal;
DROP TABLE audit_events;
DROP TABLE audit_heads;
