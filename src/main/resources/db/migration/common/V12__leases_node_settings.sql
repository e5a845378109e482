-- Which node does what only one needs to do, and until when.
CREATE TABLE leases (
  name varchar(40) PRIMARY KEY,
  holder varchar(32) NOT NULL,
  lease_until bigint NOT NULL
) ${hot};

-- What each node runs with, as HMACs of the settings that must agree.
CREATE TABLE node_settings (
  node varchar(32) NOT NULL,
  setting varchar(60) NOT NULL,
  fingerprint varchar(64) NOT NULL,
  seen_at bigint NOT NULL,
  PRIMARY KEY (node, setting)
) ${hot};

CREATE INDEX ix_mail_suppressions_until_at ON mail_suppressions (until_at);
