package org.authservice.database;

import java.util.List;
import java.util.Optional;

/** Statements for tests, on a table that needs no other. */
final class Counters {
  private Counters() {}

  static Statement<Integer> add(String name) {
    return Statement.count(
        """
        INSERT INTO throttles (subject, failures, window_started_at, blocked_until, blocks,
          day_failures, day_started_at, in_flight, in_flight_until, updated_at)
        VALUES (?, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        """,
        parameters -> parameters.text(name));
  }

  static Statement<Optional<Integer>> increment(String name) {
    return Statement.row(
        "UPDATE throttles SET failures = failures + 1 WHERE subject = ? RETURNING failures",
        parameters -> parameters.text(name),
        row -> row.integer("failures"));
  }

  /** Divides by zero: an error, or NULL, which the column refuses. */
  static final int POISON = 0;

  static Statement<Integer> set(String name, int value) {
    return Statement.count(
        "UPDATE throttles SET failures = ? WHERE subject = ?", p -> p.number(value).text(name));
  }

  /** Raises by a step, which may be poison; gathered with others of its kind. */
  static Statement<Optional<Integer>> raise(String name, int step) {
    return Statement.row(
            "UPDATE throttles SET failures = failures + 1 / ? WHERE subject = ? RETURNING failures",
            p -> p.number(step).text(name),
            row -> row.integer("failures"))
        .gathered(
            """
            UPDATE throttles t SET failures = failures + 1 / asked.step
            FROM unnest(?::bigint[], ?::varchar[]) WITH ORDINALITY AS asked (step, subject, item)
            WHERE t.subject = asked.subject
            RETURNING item, failures
            """,
            name);
  }

  /** How many rows have that name; gathered with others of its kind. */
  static Statement<Optional<Integer>> present(String name) {
    return Statement.row(
            "SELECT count(*) AS present FROM throttles WHERE subject = ?",
            p -> p.text(name),
            row -> row.integer("present"))
        .gathered(
            """
            SELECT item, present FROM unnest(?::varchar[]) WITH ORDINALITY AS asked (name, item)
            CROSS JOIN LATERAL (
              SELECT count(*) AS present FROM throttles WHERE subject = name) found
            """,
            name);
  }

  /** Adds a row, whose value is one by that; gathered with others of its kind. */
  static Statement<Integer> put(String name, int divisor) {
    return Statement.count(
            """
            INSERT INTO throttles (subject, failures, window_started_at, blocked_until, blocks,
              day_failures, day_started_at, in_flight, in_flight_until, updated_at)
            VALUES (?, 1 / ?, 0, 0, 0, 0, 0, 0, 0, 0)
            """,
            p -> p.text(name).number(divisor))
        .gathered(
            """
            WITH asked AS (
              SELECT * FROM unnest(?::varchar[], ?::bigint[])
                WITH ORDINALITY AS asked (subject, divisor, item)),
            made AS (
              INSERT INTO throttles (subject, failures, window_started_at, blocked_until, blocks,
                day_failures, day_started_at, in_flight, in_flight_until, updated_at)
              SELECT subject, 1 / divisor, 0, 0, 0, 0, 0, 0, 0, 0 FROM asked)
            SELECT item FROM asked
            """,
            name);
  }

  static Statement<List<String>> names() {
    return Statement.rows(
        "SELECT subject FROM throttles ORDER BY subject", _ -> {}, row -> row.text("subject"));
  }
}
