-- Addresses are looked up in whatever case they were typed. A leftover of an interrupted build is
-- invalid and dropped first; built concurrently, so that a big table stays writable. It may wait
-- long for old transactions to end, as nothing waits for it.
SET lock_timeout = '10min';
DROP INDEX CONCURRENTLY IF EXISTS ix_users_lower_email;
CREATE INDEX CONCURRENTLY ix_users_lower_email ON users (lower(email));
RESET lock_timeout;
