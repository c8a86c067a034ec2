-- Who took a recording away is read from the audit trail, which is long.

-- +goose Up
CREATE INDEX audit_downloads ON audit_events (post, seq) WHERE substr(event, 1, 30) = '{"act":"recording.downloaded",';

-- +goose Down
DROP INDEX audit_downloads;
