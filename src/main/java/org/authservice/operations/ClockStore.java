package org.authservice.operations;

import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Dialect;
import org.authservice.database.Statement;

/** All SQL about the database's time. */
final class ClockStore {
  private final Dialect dialect;

  ClockStore(Dialect dialect) {
    this.dialect = dialect;
  }

  /** The database's time, and when an operator last accepted a step of it. */
  record Now(Instant time, Optional<Instant> acceptedAt) {}

  Statement<Optional<Now>> now() {
    return Statement.row(
        "SELECT %s AS now, clock_accepted_at FROM installation WHERE id = 1"
            .formatted(dialect.epochMillis()),
        p -> {},
        row ->
            new Now(
                row.millis("now"),
                row.optionalNumber("clock_accepted_at").map(Instant::ofEpochMilli)));
  }

  Statement<Integer> accept() {
    return Statement.count(
        "UPDATE installation SET clock_accepted_at = %s WHERE id = 1"
            .formatted(dialect.epochMillis()),
        p -> {});
  }
}
