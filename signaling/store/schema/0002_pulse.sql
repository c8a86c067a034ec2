-- The one row that is written to find out whether the database can be.

-- +goose Up
CREATE TABLE pulse (
    id    BIGINT PRIMARY KEY,
    beats BIGINT NOT NULL
);

-- +goose Down
DROP TABLE pulse;
