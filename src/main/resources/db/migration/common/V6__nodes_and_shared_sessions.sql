-- How often a session's tokens were asked for from somewhere else inside a grace; address and
-- user_agent are from now on those of the session's last change.
ALTER TABLE sessions ADD COLUMN shared integer NOT NULL DEFAULT 0;

-- The nodes that run, and what they must agree on.
CREATE TABLE nodes (
  id varchar(32) PRIMARY KEY,
  reuse_grace_millis bigint NOT NULL,
  seen_at bigint NOT NULL
) ${hot};
