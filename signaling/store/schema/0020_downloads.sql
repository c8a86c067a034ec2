-- Who took a recording away: a line for each person, thing and hour, written together with
-- the audit event of the act. The trail, which is long, is not read for it any more. What it
-- tells of before is taken over, so that a host's list loses nothing; of those it was not
-- kept whether somebody asked for all of a part.

-- +goose Up
DROP INDEX audit_downloads;

CREATE TABLE recording_downloads (
    recording_id TEXT NOT NULL REFERENCES recordings (id) ON DELETE CASCADE,
    account_id   TEXT NOT NULL,                -- whoever did, also if their account is no more
    what         TEXT NOT NULL,                -- part
    part         BIGINT NOT NULL,              -- its number
    hour         BIGINT NOT NULL,              -- hours since 1970
    extent       TEXT NOT NULL,                -- whole, range (some of its bytes, never all in one request) or empty: not known
    at           BIGINT NOT NULL,              -- last within the hour
    PRIMARY KEY (recording_id, account_id, what, part, hour)
);

INSERT INTO recording_downloads (recording_id, account_id, what, part, hour, extent, at)
SELECT recording, account, 'part', part, second / 3600, '', max(second) * 1000
FROM (
    SELECT json_extract(event, '$.subjects.recording') AS recording, json_extract(event, '$.actor.id') AS account,
        CAST(json_extract(event, '$.detail.part') AS INTEGER) AS part, CAST(strftime('%s', json_extract(event, '$.time')) AS INTEGER) AS second
    FROM audit_events WHERE substr(event, 1, 30) = '{"act":"recording.downloaded",'
) AS told
WHERE recording IN (SELECT id FROM recordings) AND part > 0
GROUP BY recording, account, part, second / 3600;

-- +goose Down
DROP TABLE recording_downloads;
CREATE INDEX audit_downloads ON audit_events (post, seq) WHERE substr(event, 1, 30) = '{"act":"recording.downloaded",';
