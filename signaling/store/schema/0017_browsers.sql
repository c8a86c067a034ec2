-- What an agent's session tells its owner: the browser, and about where. And accounts
-- that are shut, and when somebody was last there.

-- +goose Up
ALTER TABLE agent_sessions ADD COLUMN browser TEXT NOT NULL DEFAULT ''; -- family, such as Firefox; '': not known
ALTER TABLE agent_sessions ADD COLUMN system TEXT NOT NULL DEFAULT '';  -- such as Windows; '': not known
ALTER TABLE agent_sessions ADD COLUMN place TEXT NOT NULL DEFAULT '';   -- source address shortened to /24 or /48, of the last use
ALTER TABLE accounts ADD COLUMN disabled_at BIGINT;                     -- absent: may sign in

-- Apart from accounts, which change when somebody changes them.
CREATE TABLE account_uses (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id),
    seen_at    BIGINT NOT NULL                 -- last use of a session, to within minutes
);
INSERT INTO account_uses (account_id, seen_at) SELECT account_id, max(used_at) FROM agent_sessions GROUP BY account_id;

-- +goose Down
DROP TABLE account_uses;
ALTER TABLE accounts DROP COLUMN disabled_at;
ALTER TABLE agent_sessions DROP COLUMN place;
ALTER TABLE agent_sessions DROP COLUMN system;
ALTER TABLE agent_sessions DROP COLUMN browser;
