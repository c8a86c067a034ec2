-- A film may be made anew in another layout or format. What was made before stays to be
-- watched until that is there.

-- +goose Up
ALTER TABLE recording_films ADD COLUMN layout TEXT NOT NULL DEFAULT 'grid'; -- chosen: grid, speaker
ALTER TABLE recording_films ADD COLUMN format TEXT NOT NULL DEFAULT 'webm'; -- chosen: webm, mp4
ALTER TABLE recording_films ADD COLUMN take BIGINT NOT NULL DEFAULT 0;      -- which of those made is there, from 1; 0: none
ALTER TABLE recording_films ADD COLUMN made_at BIGINT;
ALTER TABLE recording_films ADD COLUMN made_layout TEXT NOT NULL DEFAULT '';
ALTER TABLE recording_films ADD COLUMN made_format TEXT NOT NULL DEFAULT '';
ALTER TABLE recording_films ADD COLUMN replaced BIGINT NOT NULL DEFAULT 0;  -- take whose files are still to be deleted; 0: none
UPDATE recording_films SET take = 1, made_at = since, made_layout = 'grid', made_format = 'webm' WHERE state = 'done';
CREATE INDEX recording_films_replaced ON recording_films (recording_id) WHERE replaced > 0;

-- +goose Down
DROP INDEX recording_films_replaced;
ALTER TABLE recording_films DROP COLUMN layout;
ALTER TABLE recording_films DROP COLUMN format;
ALTER TABLE recording_films DROP COLUMN take;
ALTER TABLE recording_films DROP COLUMN made_at;
ALTER TABLE recording_films DROP COLUMN made_layout;
ALTER TABLE recording_films DROP COLUMN made_format;
ALTER TABLE recording_films DROP COLUMN replaced;
