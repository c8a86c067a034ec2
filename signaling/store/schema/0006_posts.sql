-- Posts, and which account is what at which. What there was belongs to one first
-- post, whose id is the name that its audit chain had: the chain goes on.

-- +goose Up
CREATE TABLE posts (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    time_zone  TEXT NOT NULL,                  -- IANA
    languages  TEXT NOT NULL,                  -- BCP 47, separated by spaces, the preferred first
    address    TEXT NOT NULL,
    phone      TEXT NOT NULL,
    email      TEXT NOT NULL,
    web        TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE account_posts (
    account_id TEXT NOT NULL REFERENCES accounts (id),
    post_id    TEXT NOT NULL REFERENCES posts (id),
    role       TEXT NOT NULL,                  -- agent, administrator, auditor
    since      BIGINT NOT NULL,
    PRIMARY KEY (account_id, post_id)
);
CREATE INDEX account_posts_by_post ON account_posts (post_id);

ALTER TABLE meetings ADD COLUMN post_id TEXT REFERENCES posts (id); -- always set; without one nobody gets in
CREATE INDEX meetings_by_post ON meetings (post_id);

INSERT INTO posts (id, name, time_zone, languages, address, phone, email, web, created_at)
    SELECT 'default', 'Aparté', 'UTC', 'fr', '', '', '', '', min(created_at) FROM accounts GROUP BY 1 = 1;
INSERT INTO account_posts (account_id, post_id, role, since)
    SELECT id, 'default', CASE WHEN admin = 1 THEN 'administrator' ELSE 'agent' END, created_at FROM accounts;
UPDATE meetings SET post_id = 'default';

-- +goose Down
DROP INDEX meetings_by_post;
ALTER TABLE meetings DROP COLUMN post_id;
DROP TABLE account_posts;
DROP TABLE posts;
