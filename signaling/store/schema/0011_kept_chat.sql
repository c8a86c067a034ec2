-- What is written to everybody in a call whose security profile keeps it.

-- +goose Up
CREATE TABLE kept_messages (
    meeting_id TEXT NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
    seq        BIGINT NOT NULL,                -- order in the call
    identity   TEXT NOT NULL,                  -- of who wrote
    name       TEXT NOT NULL,                  -- theirs, then
    role       TEXT NOT NULL,                  -- theirs, then
    text       TEXT NOT NULL,
    sent_at    BIGINT NOT NULL,
    PRIMARY KEY (meeting_id, seq)
);
CREATE INDEX kept_messages_by_age ON kept_messages (sent_at);

-- From which message on somebody in the call may read, by the grant that let them in.
CREATE TABLE chat_arrivals (
    meeting_id TEXT NOT NULL REFERENCES meetings (id) ON DELETE CASCADE,
    grant_id   TEXT NOT NULL,
    first_seq  BIGINT NOT NULL,
    PRIMARY KEY (meeting_id, grant_id)
);

-- +goose Down
DROP TABLE chat_arrivals;
DROP TABLE kept_messages;
