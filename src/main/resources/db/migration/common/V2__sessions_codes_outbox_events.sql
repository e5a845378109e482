-- What this service adds. Only columns with defaults, tables and indexes, so that the Python
-- service and older versions go on working on the same database. Times are epoch milliseconds
-- (to_timestamp(column / 1000.0) in psql, datetime(column / 1000, 'unixepoch') in sqlite3).
-- ${hot} leaves room on pages whose rows change often, so that updates stay on their page.

ALTER TABLE users ADD COLUMN credentials_version integer NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN tokens_valid_from bigint NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN password_confirmed boolean NOT NULL DEFAULT true;
-- Wrong guesses at a code that the Python service made.
ALTER TABLE otps ADD COLUMN attempts integer NOT NULL DEFAULT 0;

-- One row: what is true of this installation whatever node runs on it.
CREATE TABLE installation (
  id integer PRIMARY KEY,
  salt varchar(64) NOT NULL,
  adopted boolean NOT NULL,
  created_at bigint NOT NULL,
  legacy_token_seen_at bigint
);

CREATE TABLE sessions (
  id varchar(32) PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users (id),
  current_number integer NOT NULL,
  previous_number integer NOT NULL,
  oldest_number integer NOT NULL,
  changed_at bigint NOT NULL,
  previous_seen_at bigint NOT NULL,
  idle_expires_at bigint NOT NULL,
  absolute_expires_at bigint NOT NULL,
  created_at bigint NOT NULL,
  proven_at bigint NOT NULL,
  ended_at bigint,
  device_id varchar(32),
  address varchar(64) NOT NULL,
  user_agent varchar(400) NOT NULL
) ${hot};
CREATE INDEX ix_sessions_user_id ON sessions (user_id);
CREATE INDEX ix_sessions_absolute_expires_at ON sessions (absolute_expires_at);

-- A device that signed in once; its token gives it budgets of its own.
CREATE TABLE devices (
  id varchar(32) PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users (id),
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL
);
CREATE INDEX ix_devices_user_id ON devices (user_id);
CREATE INDEX ix_devices_expires_at ON devices (expires_at);

-- One-time codes, also those asked for addresses without an account (never mailed): they spend the
-- same budgets. address_key and client_key are HMACs, code_hash too.
CREATE TABLE codes (
  id varchar(32) PRIMARY KEY,
  address_key varchar(64) NOT NULL,
  budget_key varchar(64) NOT NULL,
  client_key varchar(64) NOT NULL,
  purpose varchar(32) NOT NULL,
  user_id integer REFERENCES users (id),
  pending_id varchar(32),
  code_hash varchar(64) NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  bound_attempts integer NOT NULL DEFAULT 0,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  ended_at bigint
) ${hot};
CREATE INDEX ix_codes_address_key ON codes (address_key, purpose, created_at);
CREATE INDEX ix_codes_budget_key ON codes (budget_key, created_at);
CREATE INDEX ix_codes_created_at ON codes (created_at);
CREATE INDEX ix_codes_user_id ON codes (user_id);

-- How an account that never proved its mailbox was registered; gone once it is proven.
CREATE TABLE registrations (
  user_id integer PRIMARY KEY REFERENCES users (id),
  code_id varchar(32) NOT NULL,
  device_id varchar(32) NOT NULL,
  client_key varchar(64) NOT NULL
);

-- Wrong codes of one address in a day, over all purposes.
CREATE TABLE code_failures (
  address_key varchar(64) PRIMARY KEY,
  day_started_at bigint NOT NULL,
  failures integer NOT NULL
) ${hot};
CREATE INDEX ix_code_failures_day_started_at ON code_failures (day_started_at);

-- With REGISTRATION_PRIVACY: what becomes an account when a code mailed for it is entered. code_id
-- is that of the code which registering mailed.
CREATE TABLE pending_registrations (
  id varchar(32) PRIMARY KEY,
  code_id varchar(32) NOT NULL,
  address_key varchar(64) NOT NULL,
  email varchar NOT NULL,
  hashed_password varchar NOT NULL,
  full_name varchar,
  client_key varchar(64) NOT NULL,
  created_at bigint NOT NULL
);
CREATE INDEX ix_pending_registrations_address_key ON pending_registrations (address_key, created_at);
CREATE INDEX ix_pending_registrations_created_at ON pending_registrations (created_at);

CREATE TABLE reset_tokens (
  token_hash varchar(64) PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users (id),
  expires_at bigint NOT NULL
);
CREATE INDEX ix_reset_tokens_user_id ON reset_tokens (user_id);
CREATE INDEX ix_reset_tokens_expires_at ON reset_tokens (expires_at);

-- Failed checks of one subject: an address (its HMAC), alone or with a known device.
CREATE TABLE throttles (
  subject varchar(128) PRIMARY KEY,
  failures integer NOT NULL,
  window_started_at bigint NOT NULL,
  blocked_until bigint NOT NULL,
  blocks integer NOT NULL,
  day_failures integer NOT NULL,
  day_started_at bigint NOT NULL,
  in_flight integer NOT NULL,
  in_flight_until bigint NOT NULL,
  updated_at bigint NOT NULL
) ${hot};
CREATE INDEX ix_throttles_day_started_at ON throttles (day_started_at);

-- Mail on its way. The payload (everything the template needs, codes too) is encrypted and wiped
-- as soon as the mail is sent or given up.
CREATE TABLE outbox (
  id varchar(32) PRIMARY KEY,
  user_id integer,
  recipient varchar NOT NULL,
  template varchar(40) NOT NULL,
  payload ${bytes},
  state varchar(10) NOT NULL,
  reason varchar(200),
  attempts integer NOT NULL DEFAULT 0,
  due_at bigint NOT NULL,
  lease_until bigint NOT NULL DEFAULT 0,
  expires_at bigint NOT NULL,
  created_at bigint NOT NULL,
  finished_at bigint
) ${hot};
CREATE INDEX ix_outbox_queued ON outbox (due_at) WHERE state = 'queued';
CREATE INDEX ix_outbox_created_at ON outbox (created_at);
CREATE INDEX ix_outbox_user_id ON outbox (user_id);

CREATE TABLE security_events (
  id varchar(32) PRIMARY KEY,
  at bigint NOT NULL,
  type varchar(40) NOT NULL,
  outcome varchar(40) NOT NULL,
  user_id integer,
  session_id varchar(32),
  address varchar(64) NOT NULL,
  user_agent varchar(400) NOT NULL,
  request_id varchar(64) NOT NULL
);
CREATE INDEX ix_security_events_at ON security_events (at);
CREATE INDEX ix_security_events_user_id ON security_events (user_id, at);
