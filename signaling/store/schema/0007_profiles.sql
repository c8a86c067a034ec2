-- Security profiles. Every edit is a new version and nothing is overwritten; what ships
-- with the program is version 1 of its profiles and is not in the table.

-- +goose Up
CREATE TABLE profiles (
    post            TEXT NOT NULL,
    id              TEXT NOT NULL,                 -- standard, protected, ...
    version         BIGINT NOT NULL,               -- from 1
    name_fr         TEXT NOT NULL,
    name_en         TEXT NOT NULL,
    sentence_fr     TEXT NOT NULL,
    sentence_en     TEXT NOT NULL,
    rules           TEXT NOT NULL,                 -- JSON
    changed_at      BIGINT NOT NULL,
    changed_by      TEXT NOT NULL,                 -- account
    changed_by_name TEXT NOT NULL,
    PRIMARY KEY (post, id, version)
);

-- The version of its profile that a meeting has taken up.
ALTER TABLE meetings ADD COLUMN profile_version BIGINT NOT NULL DEFAULT 1;
CREATE INDEX meetings_by_profile ON meetings (profile);

-- +goose Down
DROP INDEX meetings_by_profile;
ALTER TABLE meetings DROP COLUMN profile_version;
DROP TABLE profiles;
