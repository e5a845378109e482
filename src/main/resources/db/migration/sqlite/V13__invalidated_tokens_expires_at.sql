-- Clean-up finds what has expired without reading what has not.
CREATE INDEX IF NOT EXISTS ix_invalidated_tokens_expires_at ON invalidated_tokens (expires_at);
