package org.authservice.database;

import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What PostgreSQL's SQLSTATEs mean to this service. */
final class PostgresFailures {
  /**
   * Cancelled by statement_timeout, lock_timeout, idle_in_transaction; read-only (a standby after a
   * failover); deadlocks and serialization failures that went on after trying again.
   */
  private static final Set<String> OUTAGES =
      Set.of("57014", "55P03", "25P03", "25006", "40001", "40P01", "58030");

  private PostgresFailures() {}

  static RuntimeException translate(String sql, SQLException failure) {
    String state = failure.getSQLState();
    if (isOutage(failure, state)) {
      return Failures.unavailable(
          "PostgreSQL: %s (SQLSTATE %s)".formatted(Failures.firstLine(failure), state), failure);
    }
    return Failures.fault(sql, failure);
  }

  /** Whether the same transaction, run again, may succeed: it was rolled back as a whole. */
  static boolean isWorthRepeating(SQLException failure) {
    String state = failure.getSQLState();
    return "40P01".equals(state) || "40001".equals(state);
  }

  /** Whether the connection leads to a server that cannot take writes any more. */
  static boolean isReadOnly(SQLException failure) {
    return "25006".equals(failure.getSQLState());
  }

  /** Whether nobody knows what became of the statement: the connection ended before its answer. */
  static boolean isLost(SQLException failure) {
    String state = failure.getSQLState();
    return state == null || state.startsWith("08") || state.startsWith("57P");
  }

  private static boolean isOutage(SQLException failure, @Nullable String state) {
    if (failure instanceof SQLTransientConnectionException || state == null) {
      // The pool's time-outs and the driver's own troubles have no SQLSTATE.
      return failure instanceof SQLTransientConnectionException
          || failure.getCause() instanceof java.io.IOException;
    }
    return state.startsWith("08") // connection
        || state.startsWith("53") // resources: disk, memory, connections
        || state.startsWith("57P") // shut down
        || OUTAGES.contains(state);
  }
}
