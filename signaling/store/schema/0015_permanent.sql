-- Meetings without a schedule that are opened again and again, and how often what a
-- calendar shows of a meeting has changed.

-- +goose Up
ALTER TABLE meetings ADD COLUMN permanent BIGINT NOT NULL DEFAULT 0;
ALTER TABLE meetings ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE meetings DROP COLUMN revision;
ALTER TABLE meetings DROP COLUMN permanent;
