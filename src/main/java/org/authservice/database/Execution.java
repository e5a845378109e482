package org.authservice.database;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs one prepared statement: binds, executes, reads; tells its text and time at DEBUG. */
final class Execution {
  private static final Logger log = LoggerFactory.getLogger("org.authservice.database.sql");

  private Execution() {}

  @SuppressWarnings("unchecked") // each reader is a Reader of the type its case gives
  static <T> T run(PreparedStatement prepared, Statement<T> statement, Dialect dialect)
      throws SQLException {
    long start = System.nanoTime();
    try {
      statement.binder().bind(new SingleParameters(prepared, dialect));
      return switch (statement.reader()) {
        case Statement.Reader.Count _ -> (T) Integer.valueOf(prepared.executeUpdate());
        case Statement.Reader.Rows<?> rows ->
            (T) rows(prepared.executeQuery(), rows.row(), dialect);
        case Statement.Reader.MaybeRow<?> one ->
            (T) maybeRow(prepared.executeQuery(), one.row(), dialect);
      };
    } finally {
      if (log.isDebugEnabled()) {
        long micros = (System.nanoTime() - start) / 1000;
        log.debug("{} us: {}", micros, Failures.oneLine(statement.sql()));
      }
    }
  }

  /** Reads what the statement that was executed is at: it may have several results. */
  @SuppressWarnings("unchecked") // each reader is a Reader of the type its case gives
  static <T> T read(PreparedStatement executed, Statement.Reader<T> reader, Dialect dialect)
      throws SQLException {
    return switch (reader) {
      case Statement.Reader.Count _ -> (T) Integer.valueOf(executed.getUpdateCount());
      case Statement.Reader.Rows<?> rows -> (T) rows(executed.getResultSet(), rows.row(), dialect);
      case Statement.Reader.MaybeRow<?> one ->
          (T) maybeRow(executed.getResultSet(), one.row(), dialect);
    };
  }

  private static <R> List<R> rows(ResultSet all, Statement.RowReader<R> reader, Dialect dialect)
      throws SQLException {
    try (ResultSet results = all) {
      Row row = new Row(results, dialect);
      List<R> values = new ArrayList<>();
      while (results.next()) {
        values.add(reader.read(row));
      }
      return values;
    }
  }

  /** Reads to the end: SQLite completes an UPDATE … RETURNING only there. */
  private static <R> Optional<R> maybeRow(
      ResultSet all, Statement.RowReader<R> reader, Dialect dialect) throws SQLException {
    try (ResultSet results = all) {
      if (!results.next()) {
        return Optional.empty();
      }
      Optional<R> value = Optional.of(reader.read(new Row(results, dialect)));
      if (results.next()) {
        throw new SQLException("more than one row");
      }
      return value;
    }
  }
}
