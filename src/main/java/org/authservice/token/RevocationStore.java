package org.authservice.token;

import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Dialect;
import org.authservice.database.Row;
import org.authservice.database.Statement;

/** All SQL on {@code invalidated_tokens}, which the Python service reads and writes too. */
final class RevocationStore {
  /** A row of the table. */
  record Entry(long id, String jti, Instant expiresAt) {}

  /** What a server says: an entry, and whether it is a standby. */
  record Read(boolean standby, Optional<Entry> entry) {}

  private final Dialect dialect;

  RevocationStore(Dialect dialect) {
    this.dialect = dialect;
  }

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

  /**
   * The living entries of higher ids, so many at most; always at least one row, for a server tells
   * with each whether it is a standby.
   */
  Statement<List<Read>> living(long afterId, Instant now, int most) {
    return Statement.rows(
        """
        SELECT server.standby, entry.id, entry.jti, entry.expires_at
        FROM (SELECT %s AS standby) server LEFT JOIN (
          SELECT id, jti, expires_at FROM invalidated_tokens
          WHERE id > ? AND expires_at > ? ORDER BY id LIMIT ?) entry ON true
        ORDER BY entry.id
        """
            .formatted(dialect.standby()),
        p -> p.number(afterId).naiveTimestamp(now).number(most),
        row ->
            new Read(
                row.flag("standby"),
                row.optionalText("jti").isPresent() ? Optional.of(entry(row)) : Optional.empty()));
  }

  /** The tokens that these rows end have expired by then themselves. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "invalidated_tokens",
        "expires_at < ?",
        "expires_at",
        p -> p.naiveTimestamp(expiredBefore),
        most);
  }

  private static Entry entry(Row row) throws SQLException {
    return new Entry(
        row.number("id"), row.text("jti"), row.naiveTimestamp("expires_at").orElse(Instant.EPOCH));
  }
}
