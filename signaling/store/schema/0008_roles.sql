-- Who is named in a meeting and as what, links for observers, and since when a
-- meeting is without a host.

-- +goose Up
ALTER TABLE hosts RENAME TO members;
ALTER TABLE members ADD COLUMN role TEXT NOT NULL DEFAULT 'cohost';     -- host, cohost, participant, observer
UPDATE members SET role = 'host'
    WHERE account_id = (SELECT organiser_id FROM meetings WHERE meetings.id = members.meeting_id);
DROP INDEX hosts_by_meeting;
CREATE INDEX members_by_meeting ON members (meeting_id);

ALTER TABLE guest_links ADD COLUMN role TEXT NOT NULL DEFAULT 'guest';  -- of who comes in by it: guest, observer

ALTER TABLE meetings ADD COLUMN hostless_since BIGINT;                  -- NULL: a host is in the call, or none was yet
CREATE INDEX meetings_hostless ON meetings (hostless_since) WHERE hostless_since IS NOT NULL;

-- +goose Down
DROP INDEX meetings_hostless;
ALTER TABLE meetings DROP COLUMN hostless_since;
ALTER TABLE guest_links DROP COLUMN role;
DROP INDEX members_by_meeting;
DELETE FROM members WHERE role IN ('participant', 'observer');
ALTER TABLE members DROP COLUMN role;
ALTER TABLE members RENAME TO hosts;
CREATE INDEX hosts_by_meeting ON hosts (meeting_id);
