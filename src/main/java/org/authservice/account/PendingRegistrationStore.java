package org.authservice.account;

import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Row;
import org.authservice.database.Statement;

/** All SQL on {@code pending_registrations}. */
final class PendingRegistrationStore {
  private static final String COLUMNS =
      "id, code_id, address_key, email, hashed_password, full_name, client_key";

  Statement<Integer> insert(PendingRegistration pending, Instant now) {
    return Statement.count(
        """
        INSERT INTO pending_registrations
          (id, code_id, address_key, email, hashed_password, full_name, client_key, created_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        p ->
            p.text(pending.id())
                .text(pending.codeId())
                .text(pending.addressKey())
                .text(pending.email())
                .text(pending.hashedPassword())
                .text(pending.fullName())
                .text(pending.clientKey())
                .millis(now));
  }

  Statement<Optional<PendingRegistration>> newest(String addressKey, Instant since) {
    return Statement.row(
            "SELECT "
                + COLUMNS
                + """
                 FROM pending_registrations WHERE address_key = ? AND created_at > ?
                ORDER BY created_at DESC, id LIMIT 1
                """,
            p -> p.text(addressKey).millis(since),
            PendingRegistrationStore::pending)
        .gathered(
            "SELECT item, newest.* FROM unnest(?::varchar[], ?::bigint[])"
                + " WITH ORDINALITY AS asked (asked_key, since, item) JOIN LATERAL (SELECT "
                + COLUMNS
                + """
                 FROM pending_registrations WHERE address_key = asked_key AND created_at > since
                ORDER BY created_at DESC, id LIMIT 1) newest ON true
                """,
            addressKey);
  }

  Statement<Optional<PendingRegistration>> take(String id) {
    return Statement.row(
        "DELETE FROM pending_registrations WHERE id = ? RETURNING " + COLUMNS,
        p -> p.text(id),
        PendingRegistrationStore::pending);
  }

  /** Those that nobody confirmed. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "pending_registrations",
        "created_at < ?",
        "created_at",
        p -> p.millis(expiredBefore.minus(PendingRegistrations.LIFE)),
        most);
  }

  private static PendingRegistration pending(Row row) throws SQLException {
    return new PendingRegistration(
        row.text("id"),
        row.text("code_id"),
        row.text("address_key"),
        row.text("email"),
        row.text("hashed_password"),
        row.optionalText("full_name"),
        row.text("client_key"));
  }
}
