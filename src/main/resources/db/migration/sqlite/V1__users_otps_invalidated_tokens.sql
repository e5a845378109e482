-- The schema of the Python service at its last revision, 1f85d57b8e52. A database that the Python
-- service made holds these tables already and is taken over from here (baseline 1).
CREATE TABLE users (
  id integer PRIMARY KEY AUTOINCREMENT,
  email varchar NOT NULL,
  hashed_password varchar,
  google_id varchar,
  is_active boolean NOT NULL DEFAULT true,
  is_verified boolean NOT NULL DEFAULT false,
  full_name varchar,
  created_at datetime DEFAULT CURRENT_TIMESTAMP,
  updated_at datetime
);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE UNIQUE INDEX ix_users_google_id ON users (google_id);
CREATE INDEX ix_users_is_active_is_verified ON users (is_active, is_verified);

CREATE TABLE otps (
  id integer PRIMARY KEY AUTOINCREMENT,
  user_id integer NOT NULL REFERENCES users (id),
  email varchar NOT NULL,
  otp_code varchar NOT NULL,
  purpose varchar NOT NULL DEFAULT 'verification',
  expires_at datetime NOT NULL,
  created_at datetime DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX ix_otps_email ON otps (email);

CREATE TABLE invalidated_tokens (
  id integer PRIMARY KEY AUTOINCREMENT,
  jti varchar(64) NOT NULL,
  user_id integer NOT NULL,
  expires_at datetime NOT NULL,
  invalidated_at datetime
);
CREATE UNIQUE INDEX ix_invalidated_tokens_jti ON invalidated_tokens (jti);
CREATE INDEX ix_invalidated_tokens_user_id ON invalidated_tokens (user_id);
