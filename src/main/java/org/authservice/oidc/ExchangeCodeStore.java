package org.authservice.oidc;

import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Statement;

/** All SQL on {@code exchange_codes}. */
final class ExchangeCodeStore {
  /** What a code was issued for. */
  record Issued(long userId, int credentialsVersion, String codeChallenge) {}

  Statement<Integer> insert(String codeHash, Issued issued, Instant expiresAt) {
    return Statement.count(
        """
        INSERT INTO exchange_codes
          (code_hash, user_id, credentials_version, code_challenge, expires_at)
        VALUES (?, ?, ?, ?, ?)
        """,
        p ->
            p.text(codeHash)
                .number(issued.userId())
                .number(issued.credentialsVersion())
                .text(issued.codeChallenge())
                .millis(expiresAt));
  }

  Statement<Optional<Long>> owner(String codeHash, Instant now) {
    return Statement.row(
        "SELECT user_id FROM exchange_codes WHERE code_hash = ? AND expires_at > ?",
        p -> p.text(codeHash).millis(now),
        row -> row.number("user_id"));
  }

  /** Spends a code, whatever else comes of it. */
  Statement<Optional<Issued>> spend(String codeHash, Instant now) {
    return Statement.row(
        """
        DELETE FROM exchange_codes WHERE code_hash = ? AND expires_at > ?
        RETURNING user_id, credentials_version, code_challenge
        """,
        p -> p.text(codeHash).millis(now),
        row ->
            new Issued(
                row.number("user_id"),
                row.integer("credentials_version"),
                row.text("code_challenge")));
  }

  Statement<Integer> deleteAll(long userId) {
    return Statement.count("DELETE FROM exchange_codes WHERE user_id = ?", p -> p.number(userId));
  }

  /** Those that no app collected. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "exchange_codes", "expires_at < ?", "expires_at", p -> p.millis(expiredBefore), most);
  }
}
