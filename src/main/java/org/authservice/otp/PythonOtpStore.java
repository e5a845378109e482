package org.authservice.otp;

import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Statement;

/** All SQL on {@code otps}, the Python service's codes, which verify here during a cut-over. */
final class PythonOtpStore {
  /** A code's row, after a guess at it was counted. */
  record Counted(long id, String bcryptHash) {}

  Statement<Optional<Counted>> countNewest(
      long userId, Purpose purpose, int maxAttempts, Instant now) {
    return Statement.row(
        """
        UPDATE otps SET attempts = attempts + 1
        WHERE id = (SELECT id FROM otps WHERE user_id = ? AND purpose = ?
                    ORDER BY id DESC LIMIT 1)
          AND attempts < ? AND expires_at > ?
        RETURNING id, otp_code
        """,
        p -> p.number(userId).text(purpose.code()).number(maxAttempts).timestamp(now),
        row -> new Counted(row.number("id"), row.text("otp_code")));
  }

  Statement<Integer> consume(long id) {
    return Statement.count("DELETE FROM otps WHERE id = ?", p -> p.number(id));
  }

  Statement<Integer> endPurpose(long userId, Purpose purpose) {
    return Statement.count(
        "DELETE FROM otps WHERE user_id = ? AND purpose = ?",
        p -> p.number(userId).text(purpose.code()));
  }

  Statement<Integer> endAll(long userId) {
    return Statement.count("DELETE FROM otps WHERE user_id = ?", p -> p.number(userId));
  }

  /** In the order of their ids, as the Python service has no index on the expiry. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "otps", "expires_at < ?", "id", p -> p.timestamp(expiredBefore), most);
  }
}
