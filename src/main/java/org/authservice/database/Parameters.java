package org.authservice.database;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Binds a statement's parameters one after the other. */
public final class Parameters {
  private final PreparedStatement statement;
  private final Dialect dialect;
  private int index;

  Parameters(PreparedStatement statement, Dialect dialect) {
    this.statement = statement;
    this.dialect = dialect;
  }

  /** A text, or NULL. */
  public Parameters text(@Nullable String value) throws SQLException {
    statement.setString(++index, value);
    return this;
  }

  /** A text, or NULL when empty. */
  public Parameters text(Optional<String> value) throws SQLException {
    return text(value.orElse(null));
  }

  /** A whole number. */
  public Parameters number(long value) throws SQLException {
    statement.setLong(++index, value);
    return this;
  }

  /** A whole number, or NULL when empty. */
  public Parameters number(Optional<Long> value) throws SQLException {
    if (value.isPresent()) {
      return number(value.get());
    }
    statement.setNull(++index, Types.BIGINT);
    return this;
  }

  /** True or false. */
  public Parameters flag(boolean value) throws SQLException {
    statement.setBoolean(++index, value);
    return this;
  }

  /** Bytes, or NULL. */
  public Parameters bytes(byte @Nullable [] value) throws SQLException {
    statement.setBytes(++index, value);
    return this;
  }

  /** A time, for columns that hold epoch milliseconds: every column this service added. */
  public Parameters millis(Instant value) throws SQLException {
    return number(value.toEpochMilli());
  }

  /** A time, for {@code timestamptz} columns of the Python service's tables. */
  public Parameters timestamp(Instant value) throws SQLException {
    dialect.bindTimestamp(statement, ++index, value);
    return this;
  }

  /** A time, for {@code timestamp} columns (naive, UTC) of {@code invalidated_tokens}. */
  public Parameters naiveTimestamp(Instant value) throws SQLException {
    dialect.bindNaiveTimestamp(statement, ++index, value);
    return this;
  }
}
