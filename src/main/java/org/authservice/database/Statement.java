package org.authservice.database;

import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * One SQL statement as a value: its text, how to bind it, how to read what it gives. One text
 * serves both databases; {@code FOR UPDATE}-like clauses at its end are left out on SQLite, whose
 * transactions have the only writer anyway.
 *
 * @param sql the text, with {@code ?} for each parameter
 * @param binder gives the parameters in order
 * @param reader turns the outcome into a value
 */
public record Statement<T>(String sql, Binder binder, Reader<T> reader) {

  /** Gives a statement its parameters. */
  @FunctionalInterface
  public interface Binder {
    /** Binds all parameters in order. */
    void bind(Parameters parameters) throws SQLException;
  }

  /** Reads one row. */
  @FunctionalInterface
  public interface RowReader<T> {
    /** The value of the current row. */
    T read(Row row) throws SQLException;
  }

  /** How the outcome of a statement becomes a value. */
  public sealed interface Reader<T> {
    /** The number of rows changed. */
    record Count() implements Reader<Integer> {}

    /** The rows returned. */
    record Rows<R>(RowReader<R> row) implements Reader<List<R>> {}

    /** The row returned, if any; more than one is a bug. */
    record MaybeRow<R>(RowReader<R> row) implements Reader<Optional<R>> {}
  }

  /** A statement that gives the number of rows it changed. */
  public static Statement<Integer> count(String sql, Binder binder) {
    return new Statement<>(sql, binder, new Reader.Count());
  }

  /** A statement that gives at most one row. */
  public static <R> Statement<Optional<R>> row(String sql, Binder binder, RowReader<R> row) {
    return new Statement<>(sql, binder, new Reader.MaybeRow<>(row));
  }

  /** A statement that gives rows. */
  public static <R> Statement<List<R>> rows(String sql, Binder binder, RowReader<R> row) {
    return new Statement<>(sql, binder, new Reader.Rows<>(row));
  }
}
