-- Who came to a meeting, and when: as long as the meeting itself is kept.

-- +goose Up
CREATE TABLE attendance (
    meeting_id   TEXT NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
    identity     TEXT NOT NULL,                -- in the call
    came_at      BIGINT NOT NULL,
    left_at      BIGINT,                       -- absent: is in, or a server went down under them
    name         TEXT NOT NULL,                -- theirs, then
    organisation TEXT NOT NULL,
    role         TEXT NOT NULL,                -- theirs, then
    PRIMARY KEY (meeting_id, identity, came_at)
);
CREATE INDEX attendance_by_time ON attendance (meeting_id, came_at);

-- +goose Down
DROP TABLE attendance;
