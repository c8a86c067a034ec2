-- What making a film has used of processors, so that one that is too costly ends also if
-- the server is started anew meanwhile; and that something may be left where films are kept
-- which is of none: in place of which another is, or of an attempt that failed.

-- +goose Up
ALTER TABLE recording_films ADD COLUMN spent_ms BIGINT NOT NULL DEFAULT 0; -- in all attempts, until it is there or asked for again
ALTER TABLE recording_films ADD COLUMN left_at BIGINT;                     -- since when something may be left; null: nothing is
ALTER TABLE recording_films ADD COLUMN left_looks BIGINT NOT NULL DEFAULT 0; -- how often that was looked for since
UPDATE recording_films SET left_at = since WHERE replaced > 0;
DROP INDEX recording_films_replaced;
ALTER TABLE recording_films DROP COLUMN replaced;
CREATE INDEX recording_films_left ON recording_films (left_at) WHERE left_at IS NOT NULL;
UPDATE recording_locks SET settled = 0 WHERE hold = 'on'; -- films are on hold there, too

-- +goose Down
DROP INDEX recording_films_left;
ALTER TABLE recording_films ADD COLUMN replaced BIGINT NOT NULL DEFAULT 0;
CREATE INDEX recording_films_replaced ON recording_films (recording_id) WHERE replaced > 0;
ALTER TABLE recording_films DROP COLUMN left_at;
ALTER TABLE recording_films DROP COLUMN left_looks;
ALTER TABLE recording_films DROP COLUMN spent_ms;
