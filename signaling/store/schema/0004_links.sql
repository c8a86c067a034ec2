-- Links that bind to a browser's key, PINs, links issued anew, and the log of
-- who used which link.

-- +goose Up
ALTER TABLE guest_links ADD COLUMN key_thumbprint TEXT NOT NULL DEFAULT '';  -- personal: of the browser (RFC 7638); ''
ALTER TABLE guest_links ADD COLUMN pin_hash TEXT NOT NULL DEFAULT '';        -- of the proof of the PIN; '': none
ALTER TABLE guest_links ADD COLUMN language TEXT NOT NULL DEFAULT '';        -- BCP 47
ALTER TABLE guest_links ADD COLUMN opened_at BIGINT;
ALTER TABLE guest_links ADD COLUMN issue BIGINT NOT NULL DEFAULT 0;
ALTER TABLE guest_links ADD COLUMN issued_at BIGINT;

ALTER TABLE lobby_sessions ADD COLUMN issue BIGINT NOT NULL DEFAULT 0;       -- of the link when it was opened
ALTER TABLE lobby_sessions ADD COLUMN public_key TEXT NOT NULL DEFAULT '';   -- P-256 point, base64url; '': not bound
ALTER TABLE lobby_sessions ADD COLUMN pin_passed BIGINT NOT NULL DEFAULT 0;

-- Tokens of a session beyond its first: other tabs of the same browser.
CREATE TABLE lobby_tokens (
    token_hash TEXT PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES lobby_sessions (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);
CREATE INDEX lobby_tokens_by_session ON lobby_tokens (session_id);

-- A line for each time somebody began to wait. It outlives session and knock.
CREATE TABLE link_uses (
    session_id      TEXT NOT NULL,
    knocked_at      BIGINT NOT NULL,
    link_id         TEXT NOT NULL REFERENCES guest_links (id),
    meeting_id      TEXT NOT NULL REFERENCES meetings (id),
    issue           BIGINT NOT NULL,
    opened_at       BIGINT NOT NULL,
    name            TEXT NOT NULL,
    organisation    TEXT NOT NULL,
    status          TEXT NOT NULL,
    decided_at      BIGINT,
    decided_by_name TEXT NOT NULL,
    removed_at      BIGINT,
    bound           BIGINT NOT NULL,
    pin_passed      BIGINT NOT NULL,
    PRIMARY KEY (session_id, knocked_at)
);
CREATE INDEX link_uses_by_link ON link_uses (link_id, knocked_at);

-- +goose Down
DROP TABLE link_uses;
DROP TABLE lobby_tokens;
ALTER TABLE lobby_sessions DROP COLUMN pin_passed;
ALTER TABLE lobby_sessions DROP COLUMN public_key;
ALTER TABLE lobby_sessions DROP COLUMN issue;
ALTER TABLE guest_links DROP COLUMN issued_at;
ALTER TABLE guest_links DROP COLUMN issue;
ALTER TABLE guest_links DROP COLUMN opened_at;
ALTER TABLE guest_links DROP COLUMN language;
ALTER TABLE guest_links DROP COLUMN pin_hash;
ALTER TABLE guest_links DROP COLUMN key_thumbprint;
