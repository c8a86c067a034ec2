-- Who may send files in a call. Nobody who was let in before has the right: whether
-- their profile gives it as a matter of course was not asked then, and a host can.

-- +goose Up
ALTER TABLE knocks ADD COLUMN may_files BIGINT NOT NULL DEFAULT 0;
ALTER TABLE meetings ADD COLUMN forbid_files BIGINT NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN forbid_files BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE members DROP COLUMN forbid_files;
ALTER TABLE meetings DROP COLUMN forbid_files;
ALTER TABLE knocks DROP COLUMN may_files;
