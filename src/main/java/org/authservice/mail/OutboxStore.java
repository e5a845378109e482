package org.authservice.mail;

import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Row;
import org.authservice.database.Statement;

/** All SQL on {@code outbox}. */
final class OutboxStore {
  /** A mail that this node has leased. */
  record Leased(
      String id,
      String recipient,
      Template template,
      byte[] payload,
      int attempts,
      Instant expiresAt) {}

  Statement<Integer> insert(String id, Mail mail, byte[] payload, Instant now) {
    return Statement.count(
        """
        INSERT INTO outbox (id, user_id, recipient, template, payload, state, attempts, due_at,
          lease_until, expires_at, created_at)
        VALUES (?, ?, ?, ?, ?, 'queued', 0, ?, 0, ?, ?)
        """,
        p ->
            p.text(id)
                .number(mail.userId())
                .text(mail.recipient())
                .text(mail.template().name())
                .bytes(payload)
                .millis(now)
                .millis(mail.expiresAt())
                .millis(now));
  }

  /** What a mail to nobody leaves: a row like any other, never sent. */
  Statement<Integer> insertDecoy(String id, Template template, byte[] payload, Instant now) {
    return Statement.count(
        """
        INSERT INTO outbox (id, user_id, recipient, template, payload, state, attempts, due_at,
          lease_until, expires_at, created_at, finished_at)
        VALUES (?, NULL, '', ?, ?, 'decoy', 0, ?, 0, ?, ?, ?)
        """,
        p ->
            p.text(id)
                .text(template.name())
                .bytes(payload)
                .millis(now)
                .millis(now)
                .millis(now)
                .millis(now));
  }

  /** Leases mails that are due; two senders never lease the same one. */
  Statement<List<Leased>> lease(int most, Instant now, Instant leaseEnd) {
    return Statement.rows(
        """
        UPDATE outbox SET lease_until = ?, attempts = attempts + 1
        WHERE id IN (
          SELECT id FROM outbox WHERE state = 'queued' AND due_at <= ? AND lease_until <= ?
          ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED)
        RETURNING id, recipient, template, payload, attempts, expires_at
        """,
        p -> p.millis(leaseEnd).millis(now).millis(now).number(most),
        OutboxStore::leased);
  }

  /** Ends a mail and wipes what was in it, unless another node holds it by now. */
  Statement<Integer> finish(
      Leased mail, String state, Optional<String> reason, Instant now, Instant leaseEnd) {
    return Statement.count(
            """
            UPDATE outbox SET state = ?, reason = ?, payload = NULL, finished_at = ?
            WHERE id = ? AND state = 'queued' AND lease_until = ?
            """,
            p -> p.text(state).text(reason).millis(now).text(mail.id()).millis(leaseEnd))
        .gathered(
            """
            UPDATE outbox o SET state = asked.state, reason = asked.reason, payload = NULL,
              finished_at = asked.now
            FROM unnest(?::varchar[], ?::varchar[], ?::bigint[], ?::varchar[], ?::bigint[])
              WITH ORDINALITY AS asked (state, reason, now, id, lease_until, item)
            WHERE o.id = asked.id AND o.state = 'queued' AND o.lease_until = asked.lease_until
            RETURNING item
            """,
            mail.id());
  }

  Statement<Integer> retry(Leased mail, String reason, Instant dueAt, Instant leaseEnd) {
    return Statement.count(
        """
        UPDATE outbox SET reason = ?, due_at = ?, lease_until = 0
        WHERE id = ? AND state = 'queued' AND lease_until = ?
        """,
        p -> p.text(reason).millis(dueAt).text(mail.id()).millis(leaseEnd));
  }

  Statement<Optional<Instant>> oldestQueued() {
    return Statement.row(
        "SELECT min(created_at) AS oldest FROM outbox WHERE state = 'queued'",
        p -> {},
        row -> row.optionalNumber("oldest").map(Instant::ofEpochMilli).orElse(Instant.MAX));
  }

  Statement<Integer> forget(long userId) {
    return Statement.count("DELETE FROM outbox WHERE user_id = ?", p -> p.number(userId));
  }

  private static Leased leased(Row row) throws SQLException {
    return new Leased(
        row.text("id"),
        row.text("recipient"),
        Template.valueOf(row.text("template")),
        row.bytes("payload"),
        row.integer("attempts"),
        row.millis("expires_at"));
  }
}
