-- What an agent's session tells its owner: the browser, and about where. And accounts
-- that are shut, and when somebody was last there.

-- +goose Up
ALTER TABLE agent_sessions ADD COLUMN browser TEXT NOT NULL DEFAULT ''; -- family, such as Firefox; '': not known
ALTER TABLE agent_sessions ADD COLUMN system TEXT NOT NULL DEFAULT '';  -- such as Windows; '': not known
ALTER TABLE agent_sessions ADD COLUMN place TEXT NOT NULL DEFAULT '';   -- source address shortened to /24 or /48, of the last use
ALTER TABLE accounts ADD COLUMN disabled_at BIGINT;                     -- absent: may sign in
ALTER TABLE accounts ADD COLUMN seen_at BIGINT;                         -- last use of a session, to within minutes
UPDATE accounts SET seen_at = (SELECT max(used_at) FROM agent_sessions s WHERE s.account_id = accounts.id);

-- +goose Down
ALTER TABLE accounts DROP COLUMN seen_at;
ALTER TABLE accounts DROP COLUMN disabled_at;
ALTER TABLE agent_sessions DROP COLUMN place;
ALTER TABLE agent_sessions DROP COLUMN system;
ALTER TABLE agent_sessions DROP COLUMN browser;
