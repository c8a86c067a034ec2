-- Messages between hosts and those who wait, bans, and coming back from the call.

-- +goose Up
CREATE TABLE lobby_messages (
    knock_id   TEXT NOT NULL REFERENCES knocks (id) ON DELETE CASCADE,
    seq        BIGINT NOT NULL,                -- order in the thread, from 1
    by_host    BIGINT NOT NULL,
    by_account TEXT NOT NULL,                  -- '' from the guest
    by_name    TEXT NOT NULL,
    text       TEXT NOT NULL,
    sent_at    BIGINT NOT NULL,
    PRIMARY KEY (knock_id, seq)
);

ALTER TABLE knocks ADD COLUMN banned_at BIGINT;
ALTER TABLE knocks ADD COLUMN sent_back_at BIGINT; -- waiting again after having been in the call

-- +goose Down
ALTER TABLE knocks DROP COLUMN sent_back_at;
ALTER TABLE knocks DROP COLUMN banned_at;
DROP TABLE lobby_messages;
