-- Films of the recordings that hosts may watch on the server. The films themselves are not
-- in the database.

-- +goose Up
ALTER TABLE recordings ADD COLUMN watchable BIGINT NOT NULL DEFAULT 0; -- sealed to the server's own key as well

CREATE TABLE recording_films (
    recording_id TEXT PRIMARY KEY REFERENCES recordings (id) ON DELETE CASCADE,
    state        TEXT NOT NULL,                -- queued, running, done, failed, unavailable
    queued_at    BIGINT NOT NULL,              -- its place in the queue
    since        BIGINT NOT NULL,              -- in this state
    attempts     BIGINT NOT NULL,              -- that failed
    begun        BIGINT NOT NULL,              -- times
    stage        TEXT NOT NULL,                -- opening, sound, pictures, joining; empty: is not running
    stage_since  BIGINT,
    progress     BIGINT NOT NULL,              -- of the stage, in thousandths
    reason       TEXT NOT NULL,                -- why it failed last
    type         TEXT NOT NULL,                -- media type, once it is there
    length_ms    BIGINT NOT NULL,
    bytes        BIGINT NOT NULL,
    captions     BIGINT NOT NULL
);
CREATE INDEX recording_films_by_place ON recording_films (queued_at) WHERE state IN ('queued', 'running', 'unavailable');

-- +goose Down
DROP TABLE recording_films;
ALTER TABLE recordings DROP COLUMN watchable;
