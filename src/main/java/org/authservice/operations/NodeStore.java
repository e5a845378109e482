package org.authservice.operations;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.authservice.database.Statement;

/** All SQL on {@code nodes}. */
final class NodeStore {
  Statement<Integer> announce(String id, Duration reuseGrace, Instant now) {
    return Statement.count(
        """
        INSERT INTO nodes (id, reuse_grace_millis, seen_at) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
        """,
        p -> p.text(id).number(reuseGrace.toMillis()).millis(now));
  }

  /** The longest grace of the nodes seen since then. */
  Statement<Optional<Duration>> longestGrace(Instant since) {
    return Statement.row(
        "SELECT max(reuse_grace_millis) AS longest FROM nodes WHERE seen_at > ?",
        p -> p.millis(since),
        row -> Duration.ofMillis(row.number("longest")));
  }

  Statement<Integer> forgetSilent(Instant before) {
    return Statement.count("DELETE FROM nodes WHERE seen_at <= ?", p -> p.millis(before));
  }

  Statement<Integer> forget(String id) {
    return Statement.count("DELETE FROM nodes WHERE id = ?", p -> p.text(id));
  }
}
