-- How the store of recordings keeps what it has of one from being deleted, so that it is
-- known before somebody asks for that, and what of it is still to be told to the store.

-- +goose Up
CREATE TABLE recording_locks (
    recording_id TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    until        BIGINT NOT NULL,              -- of the retention: never later than the recording is kept
    hold         TEXT NOT NULL,                -- legal hold: empty (there was none), on, off (lifted)
    settled      INTEGER NOT NULL              -- 1: all that is there is locked so
);

-- +goose Down
DROP TABLE recording_locks;
