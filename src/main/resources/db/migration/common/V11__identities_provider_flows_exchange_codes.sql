-- Signing in with OpenID providers. Times are epoch milliseconds; *_hash columns are HMACs.

-- Who signs in to which account, by the provider's own name for the person. For Google,
-- users.google_id says the same to the Python service.
CREATE TABLE identities (
  issuer varchar NOT NULL,
  subject varchar(255) NOT NULL,
  user_id integer NOT NULL REFERENCES users (id),
  linked_at bigint NOT NULL,
  PRIMARY KEY (issuer, subject)
);
CREATE UNIQUE INDEX ix_identities_user_id_issuer ON identities (user_id, issuer);

-- Sign-ins that are at their provider; with a user_id, an identity is being linked to it. What the
-- provider must prove to know (nonce) and what proves us to it (PKCE verifier) is encrypted.
CREATE TABLE provider_flows (
  state_hash varchar(64) PRIMARY KEY,
  browser_hash varchar(64) NOT NULL,
  provider varchar(40) NOT NULL,
  sealed ${bytes} NOT NULL,
  redirect_to varchar,
  code_challenge varchar(43),
  app_state varchar,
  user_id integer REFERENCES users (id),
  session_id varchar(32),
  credentials_version integer,
  expires_at bigint NOT NULL
);
CREATE INDEX ix_provider_flows_user_id ON provider_flows (user_id);
CREATE INDEX ix_provider_flows_expires_at ON provider_flows (expires_at);

-- What native apps put into ID tokens, each good once.
CREATE TABLE provider_nonces (
  nonce_hash varchar(64) PRIMARY KEY,
  expires_at bigint NOT NULL
);
CREATE INDEX ix_provider_nonces_expires_at ON provider_nonces (expires_at);

-- Sign-ins that an app has yet to collect.
CREATE TABLE exchange_codes (
  code_hash varchar(64) PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users (id),
  credentials_version integer NOT NULL,
  code_challenge varchar(43) NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX ix_exchange_codes_user_id ON exchange_codes (user_id);
CREATE INDEX ix_exchange_codes_expires_at ON exchange_codes (expires_at);
