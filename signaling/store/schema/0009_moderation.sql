-- What hosts rule for the whole meeting: that nobody new comes in, and what is
-- forbidden to all but hosts.

-- +goose Up
ALTER TABLE meetings ADD COLUMN locked BIGINT NOT NULL DEFAULT 0;
ALTER TABLE meetings ADD COLUMN forbid_speak BIGINT NOT NULL DEFAULT 0;
ALTER TABLE meetings ADD COLUMN forbid_camera BIGINT NOT NULL DEFAULT 0;
ALTER TABLE meetings ADD COLUMN forbid_share BIGINT NOT NULL DEFAULT 0;
ALTER TABLE meetings ADD COLUMN forbid_chat BIGINT NOT NULL DEFAULT 0;
ALTER TABLE meetings ADD COLUMN forbid_react BIGINT NOT NULL DEFAULT 0;
ALTER TABLE meetings ADD COLUMN forbid_hand BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE meetings DROP COLUMN forbid_hand;
ALTER TABLE meetings DROP COLUMN forbid_react;
ALTER TABLE meetings DROP COLUMN forbid_chat;
ALTER TABLE meetings DROP COLUMN forbid_share;
ALTER TABLE meetings DROP COLUMN forbid_camera;
ALTER TABLE meetings DROP COLUMN forbid_speak;
ALTER TABLE meetings DROP COLUMN locked;
