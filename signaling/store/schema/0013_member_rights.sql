-- What hosts have forbidden, or allowed, one of the agents who are named.

-- +goose Up
ALTER TABLE members ADD COLUMN forbid_speak BIGINT NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN forbid_camera BIGINT NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN forbid_share BIGINT NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN forbid_chat BIGINT NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN writes BIGINT NOT NULL DEFAULT 0; -- an observer may use the chat

-- +goose Down
ALTER TABLE members DROP COLUMN writes;
ALTER TABLE members DROP COLUMN forbid_chat;
ALTER TABLE members DROP COLUMN forbid_share;
ALTER TABLE members DROP COLUMN forbid_camera;
ALTER TABLE members DROP COLUMN forbid_speak;
