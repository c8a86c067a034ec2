-- Recordings that were asked for, and what everybody answered. What was taken is not in
-- the database.

-- +goose Up
CREATE TABLE recordings (
    id              TEXT PRIMARY KEY,
    meeting_id      TEXT NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
    state           TEXT NOT NULL,             -- asking, running, paused, interrupted, stopping, stopped
    asked_by        TEXT NOT NULL,             -- account of the host
    asked_by_name   TEXT NOT NULL,             -- theirs, then
    purpose         TEXT NOT NULL,
    profile         TEXT NOT NULL,             -- security profile under which it was asked for
    profile_version BIGINT NOT NULL,
    policy          TEXT NOT NULL,             -- that profile's line 'recording', then
    keep_days       BIGINT NOT NULL,           -- from its end
    asked_at        BIGINT NOT NULL,
    started_at      BIGINT,
    ended_at        BIGINT,
    expires_at      BIGINT,                    -- when it is deleted; absent: it has not ended
    part            BIGINT NOT NULL,           -- the last one, from 1; 0: not started
    because         TEXT NOT NULL,             -- why it stopped or was interrupted last
    bytes           BIGINT NOT NULL,
    sealed          BIGINT NOT NULL
);
CREATE INDEX recordings_by_meeting ON recordings (meeting_id, asked_at);
CREATE INDEX recordings_by_expiry ON recordings (expires_at);

CREATE TABLE recording_consents (
    recording_id TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    person       TEXT NOT NULL,                -- an agent's account, a guest's identity in the call
    name         TEXT NOT NULL,                -- theirs, then
    answer       TEXT NOT NULL,                -- agreed, declined, withdrawn
    answered_at  BIGINT NOT NULL,
    recorded     BIGINT NOT NULL,              -- was let through while it ran
    PRIMARY KEY (recording_id, person)
);

-- +goose Down
DROP TABLE recording_consents;
DROP TABLE recordings;
