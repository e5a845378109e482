package org.authservice.token;

import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Row;
import org.authservice.database.Statement;

/** All SQL on {@code invalidated_tokens}, which the Python service reads and writes too. */
final class RevocationStore {
  /** A row of the table. */
  record Entry(long id, String jti, Instant expiresAt) {}

  Statement<Integer> insert(String jti, long userId, Instant expiresAt, Instant now) {
    return Statement.count(
        """
        INSERT INTO invalidated_tokens (jti, user_id, expires_at, invalidated_at)
        VALUES (?, ?, ?, ?) ON CONFLICT (jti) DO NOTHING
        """,
        p -> p.text(jti).number(userId).naiveTimestamp(expiresAt).naiveTimestamp(now));
  }

  Statement<Optional<Entry>> find(String jti) {
    return Statement.row(
        "SELECT id, jti, expires_at FROM invalidated_tokens WHERE jti = ?",
        p -> p.text(jti),
        RevocationStore::entry);
  }

  Statement<List<Entry>> living(long afterId, Instant now) {
    return Statement.rows(
        """
        SELECT id, jti, expires_at FROM invalidated_tokens
        WHERE id > ? AND expires_at > ? ORDER BY id
        """,
        p -> p.number(afterId).naiveTimestamp(now),
        RevocationStore::entry);
  }

  private static Entry entry(Row row) throws SQLException {
    return new Entry(
        row.number("id"), row.text("jti"), row.naiveTimestamp("expires_at").orElse(Instant.EPOCH));
  }
}
