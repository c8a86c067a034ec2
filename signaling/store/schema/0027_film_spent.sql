-- What making a film has used of processors, so that one that is too costly ends also if
-- the server is started anew meanwhile.

-- +goose Up
ALTER TABLE recording_films ADD COLUMN spent_ms BIGINT NOT NULL DEFAULT 0; -- in all attempts, until it is there or asked for again

-- +goose Down
ALTER TABLE recording_films DROP COLUMN spent_ms;
