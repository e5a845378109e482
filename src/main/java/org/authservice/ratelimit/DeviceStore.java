package org.authservice.ratelimit;

import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Statement;

/** All SQL on {@code devices}. */
final class DeviceStore {
  Statement<Integer> insert(String id, long userId, Instant now, Instant expiresAt) {
    return Statement.count(
        "INSERT INTO devices (id, user_id, created_at, expires_at) VALUES (?, ?, ?, ?)",
        p -> p.text(id).number(userId).millis(now).millis(expiresAt));
  }

  Statement<Integer> deleteAllButNewest(long userId, int keep) {
    return Statement.count(
        """
        DELETE FROM devices WHERE user_id = ? AND id NOT IN
          (SELECT id FROM devices WHERE user_id = ? ORDER BY created_at DESC, id LIMIT ?)
        """,
        p -> p.number(userId).number(userId).number(keep));
  }

  Statement<Optional<Long>> owner(String id, Instant now) {
    return Statement.row(
        "SELECT user_id FROM devices WHERE id = ? AND expires_at > ?",
        p -> p.text(id).millis(now),
        row -> row.number("user_id"));
  }

  /** A device of the account beside that one. */
  Statement<Optional<String>> other(long userId, String id, Instant now) {
    return Statement.row(
        "SELECT id FROM devices WHERE user_id = ? AND id <> ? AND expires_at > ? LIMIT 1",
        p -> p.number(userId).text(id).millis(now),
        row -> row.text("id"));
  }

  Statement<Integer> deleteAll(long userId, Optional<String> except) {
    return Statement.count(
        "DELETE FROM devices WHERE user_id = ? AND id <> ?",
        p -> p.number(userId).text(except.orElse("")));
  }

  /** Devices whose tokens have expired. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "devices", "expires_at < ?", "expires_at", p -> p.millis(expiredBefore), most);
  }
}
