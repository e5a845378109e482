-- The schema of the Python service at its last revision, 1f85d57b8e52. A database that the Python
-- service made holds these tables already and is taken over from here (baseline 1).
CREATE TABLE users (
  id serial PRIMARY KEY,
  email varchar NOT NULL,
  hashed_password varchar,
  google_id varchar,
  is_active boolean NOT NULL DEFAULT true,
  is_verified boolean NOT NULL DEFAULT false,
  full_name varchar,
  created_at timestamptz DEFAULT now(),
  updated_at timestamptz
);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE UNIQUE INDEX ix_users_google_id ON users (google_id);
CREATE INDEX ix_users_is_active_is_verified ON users (is_active, is_verified);

CREATE TABLE otps (
  id serial PRIMARY KEY,
  user_id integer NOT NULL REFERENCES users (id),
  email varchar NOT NULL,
  otp_code varchar NOT NULL,
  purpose varchar NOT NULL DEFAULT 'verification',
  expires_at timestamptz NOT NULL,
  created_at timestamptz DEFAULT now()
);
CREATE INDEX ix_otps_email ON otps (email);

CREATE TABLE invalidated_tokens (
  id serial PRIMARY KEY,
  jti varchar(64) NOT NULL,
  user_id integer NOT NULL,
  expires_at timestamp NOT NULL,
  invalidated_at timestamp
);
CREATE UNIQUE INDEX ix_invalidated_tokens_jti ON invalidated_tokens (jti);
CREATE INDEX ix_invalidated_tokens_user_id ON invalidated_tokens (user_id);
