package org.authservice.database;

import java.sql.SQLException;
import java.time.Duration;
import org.authservice.http.ErrorCode;
import org.authservice.http.Unavailable;
import org.jspecify.annotations.Nullable;

/** What becomes of a driver's exception. Parameters' values never get into a message. */
final class Failures {
  private static final Duration RETRY_AFTER = Duration.ofSeconds(2);

  private Failures() {}

  /** An outage, for the client to try again. */
  static Unavailable unavailable(String message, @Nullable Throwable cause) {
    return new Unavailable(ErrorCode.DATABASE_UNAVAILABLE, RETRY_AFTER, message, cause);
  }

  /** The same for one more caller: each throws an exception of its own. */
  static RuntimeException each(Throwable failure) {
    return failure instanceof Unavailable
        ? unavailable(firstLine(failure), failure)
        : new IllegalStateException("a gathered statement failed", failure);
  }

  /** A bug: the statement is wrong and stays wrong. */
  static DatabaseFault fault(String sql, SQLException failure) {
    SQLException clean = withoutValues(failure);
    return new DatabaseFault("%s in: %s".formatted(firstLine(clean), oneLine(sql)), clean);
  }

  /** A message's first line, without the driver's hints that follow. */
  static String firstLine(Throwable failure) {
    String message = failure.getMessage();
    return message == null
        ? failure.getClass().getSimpleName()
        : message.lines().findFirst().orElse("");
  }

  /** A statement's text on one line. */
  static String oneLine(String sql) {
    return sql.strip().replaceAll("\\s+", " ");
  }

  /**
   * Data exceptions (class 22) quote the value they complain about, which may be a password's hash
   * or an address: their text is dropped.
   */
  private static SQLException withoutValues(SQLException failure) {
    String state = failure.getSQLState();
    if (state == null || !state.startsWith("22")) {
      return failure;
    }
    SQLException clean = new SQLException("data exception", state, failure.getErrorCode());
    clean.setStackTrace(failure.getStackTrace());
    return clean;
  }
}
