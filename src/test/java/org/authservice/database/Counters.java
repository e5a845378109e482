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

  static Statement<List<String>> names() {
    return Statement.rows(
        "SELECT subject FROM throttles ORDER BY subject", _ -> {}, row -> row.text("subject"));
  }
}
