package org.authservice.signin;

import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Statement;

/** All SQL on {@code reset_tokens}. */
final class ResetTokenStore {
  /** A token that is good. */
  record Entry(String tokenHash, long userId) {}

  Statement<Integer> insert(String tokenHash, long userId, Instant expiresAt) {
    return Statement.count(
        "INSERT INTO reset_tokens (token_hash, user_id, expires_at) VALUES (?, ?, ?)",
        p -> p.text(tokenHash).number(userId).millis(expiresAt));
  }

  Statement<Optional<Entry>> find(String tokenHash, Instant now) {
    return Statement.row(
        "SELECT token_hash, user_id FROM reset_tokens WHERE token_hash = ? AND expires_at > ?",
        p -> p.text(tokenHash).millis(now),
        row -> new Entry(row.text("token_hash"), row.number("user_id")));
  }

  Statement<Integer> spend(String tokenHash, Instant now) {
    return Statement.count(
        "DELETE FROM reset_tokens WHERE token_hash = ? AND expires_at > ?",
        p -> p.text(tokenHash).millis(now));
  }

  Statement<Integer> deleteAll(long userId) {
    return Statement.count("DELETE FROM reset_tokens WHERE user_id = ?", p -> p.number(userId));
  }

  /** Those that nobody used. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "reset_tokens", "expires_at < ?", "expires_at", p -> p.millis(expiredBefore), most);
  }
}
