package org.authservice.ratelimit;

import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.authservice.database.Row;
import org.authservice.database.Statement;

/**
 * All SQL on {@code throttles}. A row holds the moments of its last ten failures, newest first, so
 * that "ten within the window" is exact wherever the window is laid, the failures of a day in
 * pieces ({@link RollingDay}), and the ends of the leases of the checks under way, of which there
 * are never more than ten: each ends by itself. Statements compare with moments of their own, and
 * clean-up only saves room.
 */
final class ThrottleStore {
  private static final int KEPT = 10;

  /** How many of the kept failures came within the window. */
  private static final String RECENT =
      sum(i -> "CASE WHEN t.failed_%d > excluded.window_started_at THEN 1 ELSE 0 END".formatted(i));

  /** How many checks are under way. */
  private static final String UNDER_WAY =
      sum(i -> "CASE WHEN t.lease_%d > excluded.updated_at THEN 1 ELSE 0 END".formatted(i));

  private static final String ANOTHER_FAILURE = shifted("failed");
  private static final String ANOTHER_LEASE = shifted("lease");

  /** Takes a check's lease out; two leases with the same end are the same for this purpose. */
  private static final String LEASE_RETURNED =
      each(i -> {
        String next = i < KEPT ? "t.lease_" + (i + 1) : "0";
        return "lease_%d = CASE WHEN at.lease_until IN (%s) THEN %s ELSE t.lease_%d END"
            .formatted(i, leasesUpTo(i), next, i);
      });

  private static final String TODAY = RollingDay.total("t", "excluded.day_piece");
  private static final String ANOTHER_TODAY = RollingDay.another("t", "at.day_piece");

  private static final String FORGOTTEN = each("failed_%d = 0"::formatted);

  /** The moments that a decision compares with. */
  record Moments(Instant now, Instant windowAgo, Instant dayAgo) {}

  /** What a subject's row says. */
  record State(Instant blockedUntil, RollingDay day) {}

  /** What a failure led to. */
  record Failed(boolean blocked) {}

  /**
   * Lets one more check begin: while failures and checks under way stay below the limit, or alone
   * once a wait is over. No row when it must not. {@code day_failures} is what older versions
   * count, and {@code day_started_at} moves once a day, so that clean-up need not pass by rows in
   * use.
   *
   * @param limit at most ten, as no more is kept
   */
  Statement<Optional<Instant>> enter(
      String subject, Moments at, Instant leaseEnd, int limit, int dayLimit) {
    return Statement.row(
        """
        INSERT INTO throttles AS t (subject, failures, window_started_at, blocked_until, blocks,
          day_failures, day_started_at, in_flight, in_flight_until, updated_at, lease_1, day_piece)
        VALUES (?, 0, ?, 0, 0, 0, ?, 0, 0, ?, ?, ?)
        ON CONFLICT (subject) DO UPDATE SET
          @ANOTHER_LEASE@, lease_1 = excluded.lease_1,
          day_failures = CASE WHEN t.day_started_at <= ? THEN 0 ELSE t.day_failures END,
          day_started_at = CASE WHEN t.day_started_at <= ? THEN excluded.day_started_at
            ELSE t.day_started_at END,
          updated_at = excluded.updated_at
        WHERE t.blocked_until <= excluded.updated_at
          AND @TODAY@ + @UNDER_WAY@ < ?
          AND ((t.blocked_until > excluded.window_started_at AND @UNDER_WAY@ = 0)
            OR (t.blocked_until <= excluded.window_started_at AND @RECENT@ + @UNDER_WAY@ < ?))
        RETURNING lease_1
        """
            .replace("@ANOTHER_LEASE@", ANOTHER_LEASE)
            .replace("@TODAY@", TODAY)
            .replace("@UNDER_WAY@", UNDER_WAY)
            .replace("@RECENT@", RECENT),
        p ->
            p.text(subject)
                .millis(at.windowAgo())
                .millis(at.now())
                .millis(at.now())
                .millis(leaseEnd)
                .number(RollingDay.piece(at.now()))
                .millis(at.dayAgo())
                .millis(at.dayAgo())
                .number(dayLimit)
                .number(limit),
        row -> row.millis("lease_1"));
  }

  Statement<Optional<State>> state(String subject) {
    return Statement.row(
        "SELECT blocked_until, " + RollingDay.columns() + " FROM throttles WHERE subject = ?",
        p -> p.text(subject),
        row -> new State(row.millis("blocked_until"), day(row)));
  }

  /**
   * Counts a failure. The one that is the tenth in the window begins a wait; each one soon after a
   * wait, another twice as long.
   */
  Statement<Optional<Failed>> fail(
      String subject, Instant lease, Moments at, long firstWaitMillis, long longestWaitMillis) {
    return Statement.row(
        """
        UPDATE throttles AS t SET
          @ANOTHER_FAILURE@, failed_1 = at.now,
          @LEASE_RETURNED@,
          blocks = CASE WHEN t.blocked_until > at.window_ago THEN t.blocks + 1
            WHEN t.failed_9 > at.window_ago THEN 1 ELSE 0 END,
          blocked_until =
            CASE WHEN t.blocked_until > at.window_ago
                THEN at.now + CASE WHEN t.blocks > 10 OR at.first_wait * (1 << t.blocks) > at.longest
                  THEN at.longest ELSE at.first_wait * (1 << t.blocks) END
              WHEN t.failed_9 > at.window_ago THEN at.now + at.first_wait
              ELSE t.blocked_until END,
          @ANOTHER_TODAY@,
          updated_at = at.now
        FROM (SELECT CAST(? AS bigint) AS now, CAST(? AS bigint) AS window_ago,
            CAST(? AS bigint) AS day_piece, CAST(? AS bigint) AS lease_until,
            CAST(? AS bigint) AS first_wait, CAST(? AS bigint) AS longest) AS at
        WHERE subject = ?
        RETURNING blocked_until
        """
            .replace("@ANOTHER_FAILURE@", ANOTHER_FAILURE)
            .replace("@ANOTHER_TODAY@", ANOTHER_TODAY)
            .replace("@LEASE_RETURNED@", LEASE_RETURNED),
        p ->
            p.millis(at.now())
                .millis(at.windowAgo())
                .number(RollingDay.piece(at.now()))
                .millis(lease)
                .number(firstWaitMillis)
                .number(longestWaitMillis)
                .text(subject),
        row -> new Failed(row.millis("blocked_until").isAfter(at.now())));
  }

  /** Notes a warning unless there was one since; also where nothing has failed yet. */
  Statement<Integer> claimWarning(String subject, Instant now, Instant since) {
    return Statement.count(
        """
        INSERT INTO throttles AS t (subject, failures, window_started_at, blocked_until, blocks,
          day_failures, day_started_at, in_flight, in_flight_until, updated_at, warned_at)
        VALUES (?, 0, 0, 0, 0, 0, ?, 0, 0, ?, ?)
        ON CONFLICT (subject) DO UPDATE SET warned_at = excluded.warned_at WHERE t.warned_at <= ?
        """,
        p -> p.text(subject).millis(now).millis(now).millis(now).millis(since));
  }

  Statement<Integer> succeed(String subject, Instant lease, Instant now) {
    return leave("@FORGOTTEN@, blocks = 0, blocked_until = 0,", subject, lease, now);
  }

  Statement<Integer> abandon(String subject, Instant lease, Instant now) {
    return leave("", subject, lease, now);
  }

  private static Statement<Integer> leave(
      String assignments, String subject, Instant lease, Instant now) {
    return Statement.count(
        """
        UPDATE throttles AS t SET @ASSIGNMENTS@ @LEASE_RETURNED@, updated_at = at.now
        FROM (SELECT CAST(? AS bigint) AS lease_until, CAST(? AS bigint) AS now) AS at
        WHERE subject = ?
        """
            .replace("@ASSIGNMENTS@", assignments)
            .replace("@FORGOTTEN@", FORGOTTEN)
            .replace("@LEASE_RETURNED@", LEASE_RETURNED),
        p -> p.millis(lease).millis(now).text(subject));
  }

  Statement<Integer> clear(String subject) {
    return Statement.count(
        """
        UPDATE throttles SET @FORGOTTEN@, @NONE_TODAY@, blocks = 0, blocked_until = 0,
          day_failures = 0
        WHERE subject = ?
        """
            .replace("@FORGOTTEN@", FORGOTTEN)
            .replace("@NONE_TODAY@", RollingDay.none()),
        p -> p.text(subject));
  }

  /** No window, day or wait of these goes on. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    Instant unused = expiredBefore.minus(RollingDay.LONGEST);
    return Statement.deleteOldest(
        "throttles",
        "day_started_at < ? AND updated_at < ?",
        "day_started_at",
        p -> p.millis(unused).millis(unused),
        most);
  }

  private static RollingDay day(Row row) throws SQLException {
    List<Integer> counts = new ArrayList<>();
    for (int k = 0; k < RollingDay.PIECES; k++) {
      counts.add(row.integer(RollingDay.column(k)));
    }
    return new RollingDay(row.number("day_piece"), counts);
  }

  /** Assignments that make room in front; the oldest falls out. */
  private static String shifted(String column) {
    return IntStream.iterate(KEPT, i -> i > 1, i -> i - 1)
        .mapToObj(i -> "%s_%d = t.%s_%d".formatted(column, i, column, i - 1))
        .collect(Collectors.joining(", "));
  }

  private static String sum(IntFunction<String> term) {
    return IntStream.rangeClosed(1, KEPT)
        .mapToObj(term)
        .collect(Collectors.joining(" + ", "(", ")"));
  }

  private static String each(IntFunction<String> assignment) {
    return IntStream.rangeClosed(1, KEPT).mapToObj(assignment).collect(Collectors.joining(", "));
  }

  private static String leasesUpTo(int last) {
    return IntStream.rangeClosed(1, last)
        .mapToObj(i -> "t.lease_" + i)
        .collect(Collectors.joining(", "));
  }
}
