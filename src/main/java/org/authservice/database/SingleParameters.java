package org.authservice.database;

import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Binds one caller's parameters. */
final class SingleParameters implements Parameters {
  private final PreparedStatement statement;
  private final Dialect dialect;
  private int index;

  SingleParameters(PreparedStatement statement, Dialect dialect) {
    this(statement, dialect, 0);
  }

  /** For a statement of which so many parameters are bound already. */
  SingleParameters(PreparedStatement statement, Dialect dialect, int bound) {
    this.statement = statement;
    this.dialect = dialect;
    this.index = bound;
  }

  /** How many parameters are bound. */
  int bound() {
    return index;
  }

  @Override
  public Parameters text(@Nullable String value) throws SQLException {
    statement.setString(++index, value);
    return this;
  }

  @Override
  public Parameters number(long value) throws SQLException {
    statement.setLong(++index, value);
    return this;
  }

  @Override
  public Parameters number(Optional<Long> value) throws SQLException {
    if (value.isPresent()) {
      return number(value.get());
    }
    statement.setNull(++index, Types.BIGINT);
    return this;
  }

  @Override
  public Parameters flag(boolean value) throws SQLException {
    statement.setBoolean(++index, value);
    return this;
  }

  @Override
  public Parameters bytes(byte @Nullable [] value) throws SQLException {
    statement.setBytes(++index, value);
    return this;
  }

  @Override
  public Parameters timestamp(Instant value) throws SQLException {
    dialect.bindTimestamp(statement, ++index, value);
    return this;
  }

  @Override
  public Parameters naiveTimestamp(Instant value) throws SQLException {
    dialect.bindNaiveTimestamp(statement, ++index, value);
    return this;
  }
}
