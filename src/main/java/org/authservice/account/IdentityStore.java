package org.authservice.account;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.database.Statement;

/** All SQL on {@code identities} and {@code users.google_id}. */
final class IdentityStore {
  Statement<Optional<Long>> owner(Identity identity) {
    return identity.google() ? googleOwner(identity) : otherOwner(identity);
  }

  Statement<Integer> insert(Identity identity, long userId, Instant now) {
    return Statement.count(
        """
        INSERT INTO identities (issuer, subject, user_id, linked_at) VALUES (?, ?, ?, ?)
        ON CONFLICT DO NOTHING
        """,
        p -> p.text(identity.issuer()).text(identity.subject()).number(userId).millis(now));
  }

  /** The subject by which this provider knows the account. */
  Statement<Optional<String>> subject(Identity identity, long userId) {
    return identity.google()
        ? Statement.row(
            "SELECT google_id AS subject FROM users WHERE id = ? AND google_id IS NOT NULL",
            p -> p.number(userId),
            row -> row.text("subject"))
        : Statement.row(
            "SELECT subject FROM identities WHERE user_id = ? AND issuer = ?",
            p -> p.number(userId).text(identity.issuer()),
            row -> row.text("subject"));
  }

  /** Rows that the Python service has overtaken: it writes {@code users.google_id} only. */
  Statement<Integer> deleteOvertaken(Identity identity, long userId) {
    return Statement.count(
        """
        DELETE FROM identities WHERE issuer = ? AND (subject = ? OR user_id = ?)
          AND NOT EXISTS (SELECT 1 FROM users
            WHERE users.id = identities.user_id AND users.google_id = identities.subject)
        """,
        p -> p.text(identity.issuer()).text(identity.subject()).number(userId));
  }

  Statement<Integer> setGoogleId(Identity identity, long userId) {
    return Statement.count(
        "UPDATE users SET google_id = ? WHERE id = ?",
        p -> p.text(identity.subject()).number(userId));
  }

  Statement<Integer> clearGoogleId(long userId) {
    return Statement.count("UPDATE users SET google_id = NULL WHERE id = ?", p -> p.number(userId));
  }

  Statement<Integer> delete(String issuer, long userId) {
    return Statement.count(
        "DELETE FROM identities WHERE issuer = ? AND user_id = ?",
        p -> p.text(issuer).number(userId));
  }

  Statement<Integer> deleteAll(long userId) {
    return Statement.count("DELETE FROM identities WHERE user_id = ?", p -> p.number(userId));
  }

  Statement<List<String>> issuers(long userId) {
    return Statement.rows(
        "SELECT issuer FROM identities WHERE user_id = ?",
        p -> p.number(userId),
        row -> row.text("issuer"));
  }

  private static Statement<Optional<Long>> otherOwner(Identity identity) {
    return Statement.row(
        "SELECT user_id FROM identities WHERE issuer = ? AND subject = ?",
        p -> p.text(identity.issuer()).text(identity.subject()),
        row -> row.number("user_id"));
  }

  /**
   * The Python service's column decides; but not what was written there under an issuer that {@code
   * GOOGLE_ISSUER} named before, whose subjects are other people.
   */
  private static Statement<Optional<Long>> googleOwner(Identity identity) {
    return Statement.row(
        """
        SELECT id FROM users WHERE google_id = ? AND (
          EXISTS (SELECT 1 FROM identities
            WHERE user_id = users.id AND subject = users.google_id AND issuer = ?)
          OR NOT EXISTS (SELECT 1 FROM identities
            WHERE user_id = users.id AND subject = users.google_id AND issuer <> ?))
        """,
        p -> p.text(identity.subject()).text(identity.issuer()).text(identity.issuer()),
        row -> row.number("id"));
  }
}
