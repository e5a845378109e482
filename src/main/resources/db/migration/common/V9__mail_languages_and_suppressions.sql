-- The languages that an account prefers, as in Accept-Language, best first; empty: not known.
ALTER TABLE users ADD COLUMN locale varchar(120) NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN languages varchar(120) NOT NULL DEFAULT '';
-- What is past its life is ended without waiting for a connection to send it by.
CREATE INDEX ix_outbox_expires_at ON outbox (expires_at) WHERE state = 'queued';

-- Addresses that mail has bounced from for good: nothing is sent to them for a while.
CREATE TABLE mail_suppressions (
  address varchar(320) PRIMARY KEY,
  reason varchar(40) NOT NULL,
  created_at bigint NOT NULL,
  until_at bigint NOT NULL
);
