-- Clean-up finds what has expired without reading what has not. A leftover of an interrupted build is
-- invalid and dropped first; built concurrently, so that the table stays writable. It may wait long
-- for old transactions to end, as nothing waits for it.
SET lock_timeout = '10min';
DROP INDEX CONCURRENTLY IF EXISTS ix_invalidated_tokens_expires_at;
CREATE INDEX CONCURRENTLY ix_invalidated_tokens_expires_at ON invalidated_tokens (expires_at);
RESET lock_timeout;
