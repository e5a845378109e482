package org.authservice.mail;

import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Statement;

/** All SQL on {@code mail_suppressions}. */
final class SuppressionStore {

  Statement<Integer> add(String address, String reason, Instant now, Instant until) {
    return Statement.count(
        """
        INSERT INTO mail_suppressions (address, reason, created_at, until_at) VALUES (?, ?, ?, ?)
        ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, until_at = excluded.until_at
        """,
        p -> p.text(address).text(reason).millis(now).millis(until));
  }

  Statement<Optional<String>> reason(String address, Instant now) {
    return Statement.row(
        "SELECT reason FROM mail_suppressions WHERE address = ? AND until_at > ?",
        p -> p.text(address).millis(now),
        row -> row.text("reason"));
  }

  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "mail_suppressions", "until_at < ?", "until_at", p -> p.millis(expiredBefore), most);
  }

  Statement<Integer> lift(String address) {
    return Statement.count("DELETE FROM mail_suppressions WHERE address = ?", p -> p.text(address));
  }
}
