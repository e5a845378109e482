package org.authservice.ratelimit;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Statement;

/**
 * All SQL on {@code throttles}. A window of failures is over when it, or the wait that it led to,
 * began so long ago; each statement works that out for itself, and clean-up only saves room.
 */
final class ThrottleStore {
  private static final String OVER =
      "(CASE WHEN t.blocked_until > t.window_started_at THEN t.blocked_until"
          + " ELSE t.window_started_at END) <= ?";

  private static final Duration LONGEST_COUNT = Duration.ofDays(1);

  /** The moments that a decision compares with. */
  record Moments(Instant now, Instant windowAgo, Instant dayAgo, Instant leaseEnd) {}

  /** What a subject's row says. */
  record State(Instant blockedUntil, int dayFailures, Instant dayStartedAt) {}

  /** What a failure led to. */
  record Failed(boolean blocked, int blocks) {}

  /**
   * Lets one more check begin: while failures and checks under way stay below the limit, or alone
   * once a wait is over. No row when it must not.
   */
  Statement<Optional<Integer>> enter(String subject, Moments at, int limit, int dayLimit) {
    return Statement.row(
        """
        INSERT INTO throttles AS t (subject, failures, window_started_at, blocked_until, blocks,
          day_failures, day_started_at, in_flight, in_flight_until, updated_at)
        VALUES (?, 0, 0, 0, 0, 0, ?, 1, ?, ?)
        ON CONFLICT (subject) DO UPDATE SET
          in_flight = (CASE WHEN t.in_flight_until <= ? THEN 0 ELSE t.in_flight END) + 1,
          in_flight_until = excluded.in_flight_until,
          day_failures = CASE WHEN t.day_started_at <= ? THEN 0 ELSE t.day_failures END,
          day_started_at = CASE WHEN t.day_started_at <= ? THEN excluded.day_started_at
            ELSE t.day_started_at END,
          updated_at = excluded.updated_at
        WHERE t.blocked_until <= ?
          AND (CASE WHEN t.day_started_at <= ? THEN 0 ELSE t.day_failures END)
            + (CASE WHEN t.in_flight_until <= ? THEN 0 ELSE t.in_flight END) < ?
          AND ((CASE WHEN @OVER@ THEN 0 ELSE t.failures END)
              + (CASE WHEN t.in_flight_until <= ? THEN 0 ELSE t.in_flight END) < ?
            OR (t.failures >= ? AND (t.in_flight = 0 OR t.in_flight_until <= ?)))
        RETURNING in_flight
        """
            .replace("@OVER@", OVER),
        p ->
            p.text(subject)
                .millis(at.now())
                .millis(at.leaseEnd())
                .millis(at.now())
                .millis(at.now())
                .millis(at.dayAgo())
                .millis(at.dayAgo())
                .millis(at.now())
                .millis(at.dayAgo())
                .millis(at.now())
                .number(dayLimit)
                .millis(at.windowAgo())
                .millis(at.now())
                .number(limit)
                .number(limit)
                .millis(at.now()),
        row -> row.integer("in_flight"));
  }

  Statement<Optional<State>> state(String subject) {
    return Statement.row(
        "SELECT blocked_until, day_failures, day_started_at FROM throttles WHERE subject = ?",
        p -> p.text(subject),
        row ->
            new State(
                row.millis("blocked_until"),
                row.integer("day_failures"),
                row.millis("day_started_at")));
  }

  /**
   * Counts a failure. The one that reaches the limit, and each after it, begins a wait twice as
   * long as the last.
   */
  Statement<Optional<Failed>> fail(
      String subject, Moments at, int limit, long firstWaitMillis, long longestWaitMillis) {
    return Statement.row(
        """
        UPDATE throttles AS t SET
          failures = (CASE WHEN @OVER@ THEN 0 ELSE t.failures END) + 1,
          window_started_at =
            CASE WHEN @OVER@ OR t.failures = 0 THEN ? ELSE t.window_started_at END,
          blocks = CASE WHEN @OVER@ THEN 0 WHEN t.failures + 1 >= ? THEN t.blocks + 1
            ELSE t.blocks END,
          blocked_until =
            CASE WHEN NOT (@OVER@) AND t.failures + 1 >= ?
              THEN ? + CASE WHEN t.blocks > 10 OR ? * (1 << t.blocks) > ? THEN ?
                ELSE ? * (1 << t.blocks) END
              ELSE t.blocked_until END,
          day_failures = (CASE WHEN t.day_started_at <= ? THEN 0 ELSE t.day_failures END) + 1,
          day_started_at = CASE WHEN t.day_started_at <= ? THEN ? ELSE t.day_started_at END,
          in_flight = CASE WHEN t.in_flight > 0 THEN t.in_flight - 1 ELSE 0 END,
          updated_at = ?
        WHERE subject = ?
        RETURNING blocked_until, blocks
        """
            .replace("@OVER@", OVER),
        p ->
            p.millis(at.windowAgo())
                .millis(at.windowAgo())
                .millis(at.now())
                .millis(at.windowAgo())
                .number(limit)
                .millis(at.windowAgo())
                .number(limit)
                .millis(at.now())
                .number(firstWaitMillis)
                .number(longestWaitMillis)
                .number(longestWaitMillis)
                .number(firstWaitMillis)
                .millis(at.dayAgo())
                .millis(at.dayAgo())
                .millis(at.now())
                .millis(at.now())
                .text(subject),
        row -> new Failed(row.millis("blocked_until").isAfter(at.now()), row.integer("blocks")));
  }

  Statement<Integer> succeed(String subject, Instant now) {
    return Statement.count(
        """
        UPDATE throttles SET failures = 0, blocks = 0, blocked_until = 0,
          in_flight = CASE WHEN in_flight > 0 THEN in_flight - 1 ELSE 0 END, updated_at = ?
        WHERE subject = ?
        """,
        p -> p.millis(now).text(subject));
  }

  Statement<Integer> abandon(String subject, Instant now) {
    return Statement.count(
        """
        UPDATE throttles SET
          in_flight = CASE WHEN in_flight > 0 THEN in_flight - 1 ELSE 0 END, updated_at = ?
        WHERE subject = ?
        """,
        p -> p.millis(now).text(subject));
  }

  Statement<Integer> clear(String subject) {
    return Statement.count(
        """
        UPDATE throttles SET failures = 0, blocks = 0, blocked_until = 0, day_failures = 0
        WHERE subject = ?
        """,
        p -> p.text(subject));
  }

  /** No window, day or wait of these goes on. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.count(
        """
        DELETE FROM throttles WHERE subject IN (
          SELECT subject FROM throttles WHERE day_started_at < ? AND updated_at < ?
          ORDER BY day_started_at LIMIT ? FOR UPDATE SKIP LOCKED)
        """,
        p ->
            p.millis(expiredBefore.minus(LONGEST_COUNT))
                .millis(expiredBefore.minus(LONGEST_COUNT))
                .number(most));
  }
}
