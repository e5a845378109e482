-- A code over address, user agent and request id, which go when their account is erased.
ALTER TABLE security_events ADD COLUMN personal varchar(64) NOT NULL DEFAULT '';

-- Evidence that the events of each minute are those that were recorded; decision 21.
CREATE TABLE audit_seals (
  number bigint PRIMARY KEY,
  sealed_until bigint NOT NULL,
  events bigint NOT NULL,
  digest varchar(64) NOT NULL,
  kept_since bigint NOT NULL,
  chain varchar(64) NOT NULL,
  signature varchar(64) NOT NULL
);
CREATE INDEX ix_audit_seals_sealed_until ON audit_seals (sealed_until);

-- What the settings were when a node last started, as codes: to tell that one was changed.
CREATE TABLE settings_seen (
  setting varchar(60) PRIMARY KEY,
  fingerprint varchar(64) NOT NULL
);
