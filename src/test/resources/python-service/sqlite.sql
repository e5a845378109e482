CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE users (
	id INTEGER NOT NULL,
	email VARCHAR NOT NULL,
	hashed_password VARCHAR,
	google_id VARCHAR,
	is_active BOOLEAN NOT NULL,
	is_verified BOOLEAN NOT NULL,
	full_name VARCHAR,
	created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
	updated_at DATETIME,
	PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE UNIQUE INDEX ix_users_google_id ON users (google_id);
CREATE INDEX ix_users_id ON users (id);
CREATE INDEX idx_user_active_verified ON users (is_active, is_verified);

CREATE TABLE otps (
	id INTEGER NOT NULL,
	user_id INTEGER NOT NULL,
	email VARCHAR NOT NULL,
	otp_code VARCHAR NOT NULL,
	purpose VARCHAR NOT NULL,
	expires_at DATETIME NOT NULL,
	created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
	PRIMARY KEY (id),
	FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX ix_otps_email ON otps (email);
CREATE INDEX ix_otps_id ON otps (id);

CREATE TABLE invalidated_tokens (
	id INTEGER NOT NULL,
	jti VARCHAR(64) NOT NULL,
	user_id INTEGER NOT NULL,
	expires_at DATETIME NOT NULL,
	invalidated_at DATETIME,
	PRIMARY KEY (id)
);
CREATE INDEX ix_invalidated_tokens_id ON invalidated_tokens (id);
CREATE UNIQUE INDEX ix_invalidated_tokens_jti ON invalidated_tokens (jti);
CREATE INDEX ix_invalidated_tokens_user_id ON invalidated_tokens (user_id);
