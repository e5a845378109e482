-- Addresses are looked up in whatever case they were typed.
CREATE INDEX IF NOT EXISTS ix_users_lower_email ON users (lower(email));
