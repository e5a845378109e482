package org.authservice.otp;

import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Row;
import org.authservice.database.Statement;
import org.authservice.ratelimit.RollingDay;

/** All SQL on {@code codes} and {@code code_failures}. */
final class OtpStore {
  private static final Duration BUDGETS_REMEMBER = Duration.ofDays(1);
  private static final String TODAY = RollingDay.total("t", "excluded.day_piece");
  private static final String ANOTHER_TODAY = RollingDay.another("t", "excluded.day_piece");

  /** A code's row, after a guess at it was counted. */
  record Counted(String id, String codeHash, Optional<Long> userId, Optional<String> pendingId) {}

  /** What a budget has spent. */
  record Spent(
      Instant newest,
      Instant oldestOfHour,
      Instant oldestOfDay,
      int hour,
      int day,
      int clientHour,
      int clientDay) {}

  /** What of it counts: since when. */
  record Since(Instant hour, Instant day) {}

  Statement<Optional<Spent>> spent(String budgetKey, String clientKey, Since since) {
    return Statement.row(
            """
            SELECT coalesce(max(created_at), 0) AS newest,
              coalesce(min(CASE WHEN created_at > ? THEN created_at END), 0) AS oldest_of_hour,
              coalesce(min(created_at), 0) AS oldest_of_day,
              coalesce(sum(CASE WHEN created_at > ? THEN 1 ELSE 0 END), 0) AS hour,
              count(*) AS day,
              coalesce(sum(CASE WHEN created_at > ? AND client_key = ? THEN 1 ELSE 0 END), 0)
                AS client_hour,
              coalesce(sum(CASE WHEN client_key = ? THEN 1 ELSE 0 END), 0) AS client_day
            FROM codes WHERE budget_key = ? AND created_at > ?
            """,
            p ->
                p.millis(since.hour())
                    .millis(since.hour())
                    .millis(since.hour())
                    .text(clientKey)
                    .text(clientKey)
                    .text(budgetKey)
                    .millis(since.day()),
            row ->
                new Spent(
                    row.millis("newest"),
                    row.millis("oldest_of_hour"),
                    row.millis("oldest_of_day"),
                    row.integer("hour"),
                    row.integer("day"),
                    row.integer("client_hour"),
                    row.integer("client_day")))
        .gathered(
            """
            SELECT item, spent.*
            FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::varchar[], ?::varchar[],
                ?::varchar[], ?::bigint[])
              WITH ORDINALITY AS asked (since_hour, again, once_more, client, client_again, budget,
                since_day, item)
            JOIN LATERAL (
              SELECT coalesce(max(created_at), 0) AS newest,
                coalesce(min(created_at) FILTER (WHERE created_at > since_hour), 0)
                  AS oldest_of_hour,
                coalesce(min(created_at), 0) AS oldest_of_day,
                count(*) FILTER (WHERE created_at > since_hour) AS hour,
                count(*) AS day,
                count(*) FILTER (WHERE created_at > since_hour AND client_key = client)
                  AS client_hour,
                count(*) FILTER (WHERE client_key = client) AS client_day
              FROM codes WHERE budget_key = budget AND created_at > since_day) spent ON true
            """,
            budgetKey);
  }

  Statement<Integer> insert(
      String id,
      Addressee addressee,
      Purpose purpose,
      String budgetKey,
      String clientKey,
      String codeHash,
      Instant now,
      Instant expiresAt) {
    return Statement.count(
            """
            INSERT INTO codes (id, address_key, budget_key, client_key, purpose, user_id, pending_id,
              code_hash, attempts, bound_attempts, created_at, expires_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?)
            """,
            p ->
                p.text(id)
                    .text(addressee.key())
                    .text(budgetKey)
                    .text(clientKey)
                    .text(purpose.code())
                    .number(addressee.userId())
                    .text(addressee.pendingId())
                    .text(codeHash)
                    .millis(now)
                    .millis(expiresAt))
        .gathered(
            """
            INSERT INTO codes (id, address_key, budget_key, client_key, purpose, user_id,
              pending_id, code_hash, attempts, bound_attempts, created_at, expires_at)
            SELECT id, address_key, budget_key, client_key, purpose, user_id,
              pending_id, code_hash, 0, 0, created_at, expires_at
            FROM unnest(?::varchar[], ?::varchar[], ?::varchar[], ?::varchar[], ?::varchar[],
                ?::bigint[], ?::varchar[], ?::varchar[], ?::bigint[], ?::bigint[])
              AS asked (id, address_key, budget_key, client_key, purpose, user_id, pending_id,
                code_hash, created_at, expires_at)
            """,
            id);
  }

  Statement<Optional<String>> newestId(String addressKey, Purpose purpose) {
    return Statement.row(
        """
        SELECT id FROM codes WHERE address_key = ? AND purpose = ?
        ORDER BY created_at DESC, id DESC LIMIT 1
        """,
        p -> p.text(addressKey).text(purpose.code()),
        row -> row.text("id"));
  }

  /** One guess without its id: the newest code of that purpose only. */
  Statement<Optional<Counted>> countNewest(
      String addressKey, Purpose purpose, int maxAttempts, Instant now) {
    return Statement.row(
            """
            UPDATE codes SET attempts = attempts + 1
            WHERE id = (SELECT id FROM codes WHERE address_key = ? AND purpose = ?
                        ORDER BY created_at DESC, id DESC LIMIT 1)
              AND attempts < ? AND ended_at IS NULL AND expires_at > ?
            RETURNING id, code_hash, user_id, pending_id
            """,
            p -> p.text(addressKey).text(purpose.code()).number(maxAttempts).millis(now),
            OtpStore::counted)
        .gathered(
            """
            UPDATE codes c SET attempts = attempts + 1
            FROM unnest(?::varchar[], ?::varchar[], ?::bigint[], ?::bigint[])
              WITH ORDINALITY AS asked (address_key, purpose, most, now, item)
            WHERE c.id = (SELECT id FROM codes n
                WHERE n.address_key = asked.address_key AND n.purpose = asked.purpose
                ORDER BY created_at DESC, id DESC LIMIT 1)
              AND attempts < asked.most AND ended_at IS NULL AND expires_at > asked.now
            RETURNING item, c.id, code_hash, user_id, pending_id
            """,
            addressKey);
  }

  /** One guess with its id, which has a counter of its own. */
  Statement<Optional<Counted>> countBound(
      String id, String addressKey, Purpose purpose, int maxAttempts, Instant now) {
    return Statement.row(
            """
            UPDATE codes SET bound_attempts = bound_attempts + 1
            WHERE id = ? AND address_key = ? AND purpose = ?
              AND bound_attempts < ? AND ended_at IS NULL AND expires_at > ?
            RETURNING id, code_hash, user_id, pending_id
            """,
            p -> p.text(id).text(addressKey).text(purpose.code()).number(maxAttempts).millis(now),
            OtpStore::counted)
        .gathered(
            """
            UPDATE codes c SET bound_attempts = bound_attempts + 1
            FROM unnest(?::varchar[], ?::varchar[], ?::varchar[], ?::bigint[], ?::bigint[])
              WITH ORDINALITY AS asked (id, address_key, purpose, most, now, item)
            WHERE c.id = asked.id AND c.address_key = asked.address_key
              AND c.purpose = asked.purpose AND bound_attempts < asked.most
              AND ended_at IS NULL AND expires_at > asked.now
            RETURNING item, c.id, code_hash, user_id, pending_id
            """,
            id);
  }

  Statement<Integer> consume(String id, Instant now) {
    return Statement.count(
        "UPDATE codes SET ended_at = ? WHERE id = ? AND ended_at IS NULL AND expires_at > ?",
        p -> p.millis(now).text(id).millis(now));
  }

  Statement<Integer> endPurpose(String addressKey, Purpose purpose, Instant now) {
    return Statement.count(
        """
        UPDATE codes SET ended_at = ?
        WHERE address_key = ? AND purpose = ? AND ended_at IS NULL AND expires_at > ?
        """,
        p -> p.millis(now).text(addressKey).text(purpose.code()).millis(now));
  }

  Statement<Integer> endAll(long userId, Instant now) {
    return Statement.count(
        "UPDATE codes SET ended_at = ? WHERE user_id = ? AND ended_at IS NULL AND expires_at > ?",
        p -> p.millis(now).number(userId).millis(now));
  }

  Statement<Integer> forget(long userId) {
    return Statement.count("DELETE FROM codes WHERE user_id = ?", p -> p.number(userId));
  }

  Statement<Optional<String>> clientKeyOf(String id, String addressKey) {
    return Statement.row(
        "SELECT client_key FROM codes WHERE id = ? AND address_key = ?",
        p -> p.text(id).text(addressKey),
        row -> row.text("client_key"));
  }

  /**
   * Takes one of a day's guesses and tells how many are taken; no row when they are used up. {@code
   * failures} is what older versions count since {@code day_started_at}, which is when the newest
   * piece of the day began to be used.
   */
  Statement<Optional<Integer>> takeGuess(String addressKey, int limit, Instant now) {
    long piece = RollingDay.piece(now);
    return Statement.row(
        """
        INSERT INTO code_failures AS t (address_key, day_started_at, failures, day_piece, @COLUMN@)
        VALUES (?, ?, 0, ?, 1)
        ON CONFLICT (address_key) DO UPDATE SET
          @ANOTHER_TODAY@,
          failures = CASE WHEN t.day_piece < excluded.day_piece THEN 0 ELSE t.failures END,
          day_started_at = CASE WHEN t.day_piece < excluded.day_piece THEN excluded.day_started_at
            ELSE t.day_started_at END
        WHERE @TODAY@ < ?
        RETURNING @TAKEN@ AS taken
        """
            .replace("@COLUMN@", RollingDay.column(piece))
            .replace("@ANOTHER_TODAY@", ANOTHER_TODAY)
            .replace("@TODAY@", TODAY)
            .replace("@TAKEN@", RollingDay.totalWritten()),
        p -> p.text(addressKey).millis(now).number(piece).number(limit),
        row -> row.integer("taken"));
  }

  /** Gives back the guess that was right, taken at that moment. */
  Statement<Integer> giveBackGuess(String addressKey, Instant taken) {
    return Statement.count(
        "UPDATE code_failures SET @COLUMN@ = @COLUMN@ - 1 WHERE address_key = ? AND @COLUMN@ > 0"
            .replace("@COLUMN@", RollingDay.column(RollingDay.piece(taken))),
        p -> p.text(addressKey));
  }

  /** Notes a warning about wrong guesses unless there was one since. */
  Statement<Integer> claimWarning(String addressKey, Instant now, Instant since) {
    return Statement.count(
        "UPDATE code_failures SET warned_at = ? WHERE address_key = ? AND warned_at <= ?",
        p -> p.millis(now).text(addressKey).millis(since));
  }

  /** Codes also count towards their budgets for a day after they were made. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "codes",
        "created_at < ? AND expires_at < ?",
        "created_at",
        p -> p.millis(expiredBefore.minus(BUDGETS_REMEMBER)).millis(expiredBefore),
        most);
  }

  /** None of these failures counts any more. */
  Statement<Integer> sweepFailures(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "code_failures",
        "day_started_at < ?",
        "day_started_at",
        p -> p.millis(expiredBefore.minus(RollingDay.LONGEST)),
        most);
  }

  private static Counted counted(Row row) throws SQLException {
    return new Counted(
        row.text("id"),
        row.text("code_hash"),
        row.optionalNumber("user_id"),
        row.optionalText("pending_id"));
  }
}
