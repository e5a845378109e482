-- What rows are found by is derived from this, whatever the secret key is; encrypted.
ALTER TABLE installation ADD COLUMN lookup_root ${bytes};

-- The check value of each SECRET_KEY in use, and until when something that it signed may be alive.
CREATE TABLE secret_keys (
  id varchar(16) PRIMARY KEY,
  needed_until bigint NOT NULL,
  distrusted_at bigint
);

-- Key pairs that sign access tokens; the private half is encrypted.
CREATE TABLE signing_keys (
  kid varchar(64) PRIMARY KEY,
  algorithm varchar(10) NOT NULL,
  public_key ${bytes} NOT NULL,
  private_key ${bytes} NOT NULL,
  created_at bigint NOT NULL,
  signs_from bigint NOT NULL,
  revoked_at bigint
);
