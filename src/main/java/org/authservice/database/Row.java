package org.authservice.database;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/** Reads the columns of one row by name. */
public final class Row {
  private final ResultSet results;
  private final Dialect dialect;

  Row(ResultSet results, Dialect dialect) {
    this.results = results;
    this.dialect = dialect;
  }

  /** A text that is never NULL. */
  public String text(String column) throws SQLException {
    return Objects.requireNonNull(results.getString(column), column);
  }

  /** A text that may be NULL. */
  public Optional<String> optionalText(String column) throws SQLException {
    return Optional.ofNullable(results.getString(column));
  }

  /** A whole number; NULL reads as 0. */
  public long number(String column) throws SQLException {
    return results.getLong(column);
  }

  /** A whole number; NULL reads as 0. */
  public int integer(String column) throws SQLException {
    return results.getInt(column);
  }

  /** A whole number that may be NULL. */
  public Optional<Long> optionalNumber(String column) throws SQLException {
    long value = results.getLong(column);
    return results.wasNull() ? Optional.empty() : Optional.of(value);
  }

  /** True or false; NULL reads as false. */
  public boolean flag(String column) throws SQLException {
    return results.getBoolean(column);
  }

  /** Bytes that are never NULL. */
  public byte[] bytes(String column) throws SQLException {
    return Objects.requireNonNull(results.getBytes(column), column);
  }

  /** A time, from a column that holds epoch milliseconds. */
  public Instant millis(String column) throws SQLException {
    return Instant.ofEpochMilli(results.getLong(column));
  }

  /** A time that may be NULL, from a {@code timestamptz} column of the Python service's tables. */
  public Optional<Instant> timestamp(String column) throws SQLException {
    return Optional.ofNullable(dialect.readTimestamp(results, column));
  }

  /** A time that may be NULL, from a naive {@code timestamp} column. */
  public Optional<Instant> naiveTimestamp(String column) throws SQLException {
    return Optional.ofNullable(dialect.readNaiveTimestamp(results, column));
  }
}
