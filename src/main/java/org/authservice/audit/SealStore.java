package org.authservice.audit;

import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Row;
import org.authservice.database.Statement;

/** All SQL on {@code audit_seals}, and what sealing reads of {@code security_events}. */
final class SealStore {
  private static final String COLUMNS =
      " number, sealed_until, events, digest, kept_since, chain, signature FROM audit_seals ";

  /** An event as it is sealed. */
  record Sealed(
      String id,
      Instant at,
      String type,
      String outcome,
      Optional<Long> userId,
      Optional<String> sessionId,
      String address,
      String userAgent,
      String requestId,
      String personal) {

    /** Whether what is personal has been wiped. */
    boolean erased() {
      return address.isEmpty() && userAgent.isEmpty() && requestId.isEmpty();
    }
  }

  Statement<Optional<Seal>> newest() {
    return Statement.row(
        "SELECT" + COLUMNS + "ORDER BY number DESC LIMIT 1", p -> {}, SealStore::seal);
  }

  Statement<List<Seal>> after(long number, int most) {
    return Statement.rows(
        "SELECT" + COLUMNS + "WHERE number > ? ORDER BY number LIMIT ?",
        p -> p.number(number).number(most),
        SealStore::seal);
  }

  /** Of nodes that seal at the same time, one does. */
  Statement<Integer> insert(Seal seal) {
    return Statement.count(
        """
        INSERT INTO audit_seals
          (number, sealed_until, events, digest, kept_since, chain, signature)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (number) DO NOTHING
        """,
        p ->
            p.number(seal.number())
                .millis(seal.until())
                .number(seal.events())
                .text(seal.digest())
                .millis(seal.keptSince())
                .text(seal.chain())
                .text(seal.signature()));
  }

  /** Events in their order, after a place and before a moment. */
  Statement<List<Sealed>> events(SecurityEvents.Position after, Instant until, int most) {
    return Statement.rows(
        """
        SELECT id, at, type, outcome, user_id, session_id, address, user_agent, request_id, personal
        FROM security_events WHERE at >= ? AND at < ? AND (at > ? OR id > ?)
        ORDER BY at, id LIMIT ?
        """,
        p -> p.millis(after.at()).millis(until).millis(after.at()).text(after.id()).number(most),
        row ->
            new Sealed(
                row.text("id"),
                row.millis("at"),
                row.text("type"),
                row.text("outcome"),
                row.optionalNumber("user_id"),
                row.optionalText("session_id"),
                row.text("address"),
                row.text("user_agent"),
                row.text("request_id"),
                row.text("personal")));
  }

  /** An event from before a moment that is in the stretch from another on. */
  Statement<Optional<Instant>> oldest(Instant from, Instant until) {
    return Statement.row(
        "SELECT at FROM security_events WHERE at >= ? AND at < ? ORDER BY at LIMIT 1",
        p -> p.millis(from).millis(until),
        row -> row.millis("at"));
  }

  /** Whether that account was erased. */
  Statement<Optional<String>> erasure(long userId) {
    return Statement.row(
        """
        SELECT id FROM security_events WHERE user_id = ? AND type = 'account_deleted'
        ORDER BY at LIMIT 1
        """,
        p -> p.number(userId),
        row -> row.text("id"));
  }

  /**
   * Seals of stretches that ended before then, but for the last such one: there the chain begins.
   */
  Statement<Integer> sweep(Instant before, int most) {
    return Statement.deleteOldest(
        "audit_seals",
        "number < (SELECT max(number) FROM audit_seals WHERE sealed_until < ?)",
        "number",
        p -> p.millis(before),
        most);
  }

  private static Seal seal(Row row) throws SQLException {
    return new Seal(
        row.number("number"),
        row.millis("sealed_until"),
        row.number("events"),
        row.text("digest"),
        row.millis("kept_since"),
        row.text("chain"),
        row.text("signature"));
  }
}
