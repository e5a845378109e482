package org.authservice.session;

import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.AccountColumns;
import org.authservice.account.Profile;
import org.authservice.database.Row;
import org.authservice.database.Statement;
import org.authservice.http.Client;
import org.authservice.token.RefreshTokens;

/** All SQL on {@code sessions}. */
final class SessionStore {
  /** What a refresh answers besides what it knows already. */
  private static final String ENDS_AND_DEVICE = "idle_expires_at, absolute_expires_at, device_id";

  private static final String REST =
      """
      sessions.id, user_id, current_number, previous_number, oldest_number, changed_at,
      previous_seen_at, sessions.created_at, proven_at, ended_at, address, user_agent
      """;

  private static final String COLUMNS = ENDS_AND_DEVICE + ", " + REST;

  private static final String FROM_ASKED =
      """
      FROM unnest(?::varchar[]) WITH ORDINALITY AS asked (asked_id, item)
      JOIN sessions ON sessions.id = asked_id
      """;

  private static final String OWNED = "SELECT " + COLUMNS + ", " + AccountColumns.ALL + " ";

  private static final String OWNED_GATHERED =
      "SELECT item, "
          + COLUMNS
          + ", "
          + AccountColumns.ALL
          + " "
          + FROM_ASKED
          + "JOIN users ON users.id = user_id";

  private static final String ONE_ASKED =
      "(VALUES (?::varchar, ?::bigint, ?::bigint, ?::bigint, ?::bigint, ?::varchar, ?::varchar, 1))";

  private static final String MANY_ASKED =
      """
      unnest(?::varchar[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::varchar[],
        ?::varchar[]) WITH ORDINALITY
      """;

  private static final String ROTATE_ONE = rotation(ONE_ASKED);
  private static final String ROTATE_MANY = rotation(MANY_ASKED);

  Statement<Integer> insert(Session session) {
    return Statement.count(
        """
        INSERT INTO sessions (id, user_id, current_number, previous_number, oldest_number,
          changed_at, previous_seen_at, idle_expires_at, absolute_expires_at, created_at,
          proven_at, device_id, address, user_agent)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        p ->
            p.text(session.id())
                .number(session.userId())
                .number(session.numbers().current())
                .number(session.numbers().previous())
                .number(session.numbers().oldest())
                .millis(session.numbers().changedAt())
                .millis(session.numbers().previousSeenAt())
                .millis(session.idleExpiresAt())
                .millis(session.absoluteExpiresAt())
                .millis(session.createdAt())
                .millis(session.provenAt())
                .text(session.deviceId())
                .text(session.address())
                .text(session.userAgent()));
  }

  Statement<Optional<Session>> find(String id) {
    return Statement.row(
            "SELECT " + COLUMNS + "FROM sessions WHERE id = ?",
            p -> p.text(id),
            SessionStore::session)
        .gathered("SELECT item, " + COLUMNS + FROM_ASKED, id);
  }

  /** What a refresh finds. */
  sealed interface Found {
    /** A session and whose it is, as both are at one moment. */
    record Owned(Session session, Account account) implements Found {}

    /**
     * To read it has changed its numbers already; see {@link #rotate}.
     *
     * @param claims what its new token says
     */
    record Rotated(
        RefreshTokens.Claims claims,
        Instant absoluteExpiresAt,
        Optional<String> deviceId,
        Profile user)
        implements Found {}
  }

  Statement<Optional<Found>> findOwned(String id) {
    return Statement.row(
            OWNED + "FROM sessions JOIN users ON users.id = user_id WHERE sessions.id = ?",
            p -> p.text(id),
            SessionStore::owned)
        .gathered(OWNED_GATHERED, id);
  }

  /**
   * The same as {@link #findOwned}, for PostgreSQL only, and in the plainest case the change of
   * numbers with it: where the current token of a living session of an active account is presented
   * and {@link Numbers#present} could say nothing but {@code ROTATED}. Whatever it leaves alone is
   * for that rule to decide. Of several for one session that run as one, one rotates it and the
   * others read the row as it was: a flood of one session's must not hold up everybody else's.
   *
   * @param number which was presented
   * @param idleEnd when the session shall expire if it is not used, unless its life ends before
   */
  Statement<Optional<Found>> rotate(
      String id, int number, Instant now, Duration grace, Instant idleEnd, Client client) {
    return Statement.row(
            ROTATE_ONE,
            p ->
                p.text(id)
                    .number(number)
                    .millis(now)
                    .millis(now.minus(grace))
                    .millis(idleEnd)
                    .text(client.address())
                    .text(client.userAgent()),
            row -> row.flag("rotated") ? rotated(row, id, number + 1, now) : owned(row))
        .gathered(ROTATE_MANY, id + " " + client.requestId());
  }

  /** Changes the numbers, if they are still those that the decision was made on. */
  Statement<Integer> change(Session read, Session next) {
    return Statement.count(
            """
            UPDATE sessions SET current_number = ?, previous_number = ?, oldest_number = ?,
              changed_at = ?, previous_seen_at = ?, idle_expires_at = ?,
              address = ?, user_agent = ?
            WHERE id = ? AND current_number = ? AND previous_number = ? AND changed_at = ?
              AND previous_seen_at = ? AND ended_at IS NULL
            """,
            p ->
                p.number(next.numbers().current())
                    .number(next.numbers().previous())
                    .number(next.numbers().oldest())
                    .millis(next.numbers().changedAt())
                    .millis(next.numbers().previousSeenAt())
                    .millis(next.idleExpiresAt())
                    .text(next.address())
                    .text(next.userAgent())
                    .text(read.id())
                    .number(read.numbers().current())
                    .number(read.numbers().previous())
                    .millis(read.numbers().changedAt())
                    .millis(read.numbers().previousSeenAt()))
        .gathered(
            """
            UPDATE sessions s SET current_number = asked.next_current,
              previous_number = asked.next_previous, oldest_number = asked.next_oldest,
              changed_at = asked.next_changed, previous_seen_at = asked.next_seen,
              idle_expires_at = asked.next_idle, address = asked.next_address,
              user_agent = asked.next_agent
            FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[],
                ?::bigint[], ?::varchar[], ?::varchar[], ?::varchar[], ?::bigint[], ?::bigint[],
                ?::bigint[], ?::bigint[])
              WITH ORDINALITY AS asked (next_current, next_previous, next_oldest, next_changed,
                next_seen, next_idle, next_address, next_agent, id, current, previous, changed, seen, item)
            WHERE s.id = asked.id AND s.current_number = asked.current
              AND s.previous_number = asked.previous AND s.changed_at = asked.changed
              AND s.previous_seen_at = asked.seen AND s.ended_at IS NULL
            RETURNING item
            """,
            read.id());
  }

  /** Notes that the previous token came again, if it is still the previous one. */
  Statement<Integer> markPreviousSeen(Session read, Numbers seen) {
    return Statement.count(
            """
            UPDATE sessions SET previous_seen_at = ?
            WHERE id = ? AND current_number = ? AND previous_number = ? AND changed_at = ?
              AND ended_at IS NULL
            """,
            p ->
                p.millis(seen.previousSeenAt())
                    .text(read.id())
                    .number(read.numbers().current())
                    .number(read.numbers().previous())
                    .millis(read.numbers().changedAt()))
        .gathered(
            """
            UPDATE sessions s SET previous_seen_at = asked.seen
            FROM unnest(?::bigint[], ?::varchar[], ?::bigint[], ?::bigint[], ?::bigint[])
              WITH ORDINALITY AS asked (seen, id, current, previous, changed, item)
            WHERE s.id = asked.id AND s.current_number = asked.current
              AND s.previous_number = asked.previous AND s.changed_at = asked.changed
              AND s.ended_at IS NULL
            RETURNING item
            """,
            read.id());
  }

  /** Counts an answer that went somewhere else, while the session lives; how many it were. */
  Statement<Optional<Integer>> countShared(String id) {
    return Statement.row(
        """
        UPDATE sessions SET shared = shared + 1 WHERE id = ? AND ended_at IS NULL
        RETURNING shared
        """,
        p -> p.text(id),
        row -> row.integer("shared"));
  }

  /** Ends the session, if its numbers are still those that reuse was found on. */
  Statement<Integer> endReused(Session read, Instant now) {
    return Statement.count(
        """
        UPDATE sessions SET ended_at = ?
        WHERE id = ? AND current_number = ? AND previous_number = ? AND ended_at IS NULL
        """,
        p ->
            p.millis(now)
                .text(read.id())
                .number(read.numbers().current())
                .number(read.numbers().previous()));
  }

  /** Ends a session of that account. */
  Statement<Integer> end(long userId, String id, Instant now) {
    return Statement.count(
        "UPDATE sessions SET ended_at = ? WHERE id = ? AND user_id = ? AND ended_at IS NULL",
        p -> p.millis(now).text(id).number(userId));
  }

  /** What is shown of a session. */
  record Listed(
      String id,
      String address,
      String userAgent,
      Instant createdAt,
      Instant changedAt,
      Instant previousSeenAt) {}

  /** The living sessions of an account: one first, then those last used. */
  Statement<List<Listed>> living(long userId, Optional<String> first, Instant now, int most) {
    return Statement.rows(
        """
        SELECT id, address, user_agent, created_at, changed_at, previous_seen_at FROM sessions
        WHERE user_id = ? AND ended_at IS NULL AND idle_expires_at > ? AND absolute_expires_at > ?
        ORDER BY CASE WHEN id = ? THEN 0 ELSE 1 END,
          CASE WHEN changed_at > created_at THEN changed_at ELSE created_at END DESC, id
        LIMIT ?
        """,
        p -> p.number(userId).millis(now).millis(now).text(first.orElse("")).number(most),
        row ->
            new Listed(
                row.text("id"),
                row.text("address"),
                row.text("user_agent"),
                row.millis("created_at"),
                row.millis("changed_at"),
                row.millis("previous_seen_at")));
  }

  /**
   * Ends all sessions of an account but one. Those that expired within the hour are taken along: an
   * access token given inside a grace, or by a node whose clock is a little behind, may outlive
   * them.
   */
  Statement<List<String>> endAll(long userId, Optional<String> except, Instant now) {
    return Statement.rows(
        """
        UPDATE sessions SET ended_at = ?
        WHERE user_id = ? AND id <> ? AND ended_at IS NULL AND idle_expires_at > ?
        RETURNING id
        """,
        p ->
            p.millis(now)
                .number(userId)
                .text(except.orElse(""))
                .millis(now.minus(Duration.ofHours(1))),
        row -> row.text("id"));
  }

  Statement<Integer> forget(long userId) {
    return Statement.count("DELETE FROM sessions WHERE user_id = ?", p -> p.number(userId));
  }

  /** By the absolute end, which never changes. */
  Statement<Integer> sweep(Instant expiredBefore, int most) {
    return Statement.deleteOldest(
        "sessions",
        "absolute_expires_at < ?",
        "absolute_expires_at",
        p -> p.millis(expiredBefore),
        most);
  }

  // Of a row that it changes it gives only what is not known already.
  private static String rotation(String asked) {
    String rest = REST + ", " + AccountColumns.REST;
    return """
    WITH asked (asked_id, number, now, changed_until, idle_end, next_address, next_agent, item)
      AS MATERIALIZED (SELECT * FROM %1$s AS asked),
    rotated AS (
      UPDATE sessions SET current_number = current_number + 1, previous_number = current_number,
        oldest_number = previous_number, changed_at = now,
        idle_expires_at = least(idle_end, absolute_expires_at),
        address = next_address, user_agent = next_agent
      FROM asked, users
      WHERE sessions.id = asked_id AND users.id = user_id AND is_active
        AND current_number = number AND changed_at <= changed_until
        AND ended_at IS NULL AND idle_expires_at > now AND absolute_expires_at > now
      RETURNING item, true AS rotated, %2$s)
    SELECT item, false AS rotated, %2$s, %3$s
    FROM asked JOIN sessions ON sessions.id = asked_id JOIN users ON users.id = user_id
    WHERE item NOT IN (SELECT item FROM rotated)
    UNION ALL
    SELECT rotated.*, %4$s FROM rotated
    """
        .formatted(
            asked,
            ENDS_AND_DEVICE + ", " + AccountColumns.PROFILE,
            rest,
            rest.replaceAll("[^,]+", "NULL")); // as many, of the types of the rows above
  }

  private static Found rotated(Row row, String id, int next, Instant now) throws SQLException {
    Profile user = AccountColumns.profileReader().read(row);
    var claims = new RefreshTokens.Claims(user.id(), id, next, now, row.millis("idle_expires_at"));
    return new Found.Rotated(
        claims, row.millis("absolute_expires_at"), row.optionalText("device_id"), user);
  }

  private static Found owned(Row row) throws SQLException {
    return new Found.Owned(session(row), AccountColumns.reader().read(row));
  }

  private static Session session(Row row) throws SQLException {
    return new Session(
        row.text("id"),
        row.number("user_id"),
        new Numbers(
            row.integer("current_number"),
            row.integer("previous_number"),
            row.integer("oldest_number"),
            row.millis("changed_at"),
            row.millis("previous_seen_at")),
        row.millis("idle_expires_at"),
        row.millis("absolute_expires_at"),
        row.millis("created_at"),
        row.millis("proven_at"),
        row.optionalNumber("ended_at").map(Instant::ofEpochMilli),
        row.optionalText("device_id"),
        row.text("address"),
        row.text("user_agent"));
  }
}
