-- Signatures of mail events that were taken, until they are too old to be taken anyway.
CREATE TABLE mail_event_signatures (
  signature_hash varchar(64) PRIMARY KEY,
  expires_at bigint NOT NULL
);
CREATE INDEX ix_mail_event_signatures_expires_at ON mail_event_signatures (expires_at);
