package org.authservice.database;

import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Takes a statement's parameters one after the other. */
public interface Parameters {

  /** A text, or NULL. */
  Parameters text(@Nullable String value) throws SQLException;

  /** A text, or NULL when empty. */
  default Parameters text(Optional<String> value) throws SQLException {
    return text(value.orElse(null));
  }

  /** A whole number. */
  Parameters number(long value) throws SQLException;

  /** A whole number, or NULL when empty. */
  Parameters number(Optional<Long> value) throws SQLException;

  /** True or false. */
  Parameters flag(boolean value) throws SQLException;

  /** Bytes, or NULL. */
  Parameters bytes(byte @Nullable [] value) throws SQLException;

  /** A time, for columns that hold epoch milliseconds: every column this service added. */
  default Parameters millis(Instant value) throws SQLException {
    return number(value.toEpochMilli());
  }

  /** A time, for {@code timestamptz} columns of the Python service's tables. */
  Parameters timestamp(Instant value) throws SQLException;

  /** A time, for {@code timestamp} columns (naive, UTC) of {@code invalidated_tokens}. */
  Parameters naiveTimestamp(Instant value) throws SQLException;
}
