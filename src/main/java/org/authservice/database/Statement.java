package org.authservice.database;

import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * One SQL statement as a value: its text, how to bind it, how to read what it gives. One text
 * serves both databases; {@code FOR UPDATE}-like clauses at its end are left out on SQLite, whose
 * transactions have the only writer anyway. {@code WHERE ctid = ANY (ARRAY(SELECT ctid …))} changes
 * rows where they were found, without looking for them again by a key: it goes with {@code FOR
 * UPDATE}, which keeps them there.
 *
 * @param sql the text, with {@code ?} for each parameter
 * @param binder gives the parameters in order
 * @param reader turns the outcome into a value
 * @param gathered the same for many callers at once, where it is asked for often
 */
public record Statement<T>(
    String sql, Binder binder, Reader<T> reader, Optional<Gathered> gathered) {

  /**
   * What a statement is for many callers at once, on PostgreSQL: one statement and one commit, in
   * which each caller's row is decided by itself. SQLite runs the single texts, many in one commit.
   *
   * @param sql takes an array in place of each parameter; every row it gives says in its column
   *     {@code item} which element of the arrays it answers, counted from 1; one that is only ever
   *     {@linkplain Transaction#send sent} need give none
   * @param row names what is written; of two statements that write one row the later waits for the
   *     next turn, so that it sees what the earlier did
   */
  public record Gathered(String sql, String row) {}

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
    return new Statement<>(sql, binder, new Reader.Count(), Optional.empty());
  }

  /**
   * A statement that deletes at most so many rows, oldest first, skipping those that others hold;
   * it gives the number deleted. Two of them beside each other share the work instead of waiting.
   *
   * @param table from which
   * @param condition which rows may go, with {@code ?} for each parameter
   * @param age the column by which they are ordered; an index leads with it
   */
  public static Statement<Integer> deleteOldest(
      String table, String condition, String age, Binder binder, int most) {
    String sql =
        """
        DELETE FROM %1$s WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$s WHERE %2$s
          ORDER BY %3$s LIMIT ? FOR UPDATE SKIP LOCKED))
        """
            .formatted(table, condition, age);
    return count(
        sql,
        parameters -> {
          binder.bind(parameters);
          parameters.number(most);
        });
  }

  /** A statement that gives at most one row. */
  public static <R> Statement<Optional<R>> row(String sql, Binder binder, RowReader<R> row) {
    return new Statement<>(sql, binder, new Reader.MaybeRow<>(row), Optional.empty());
  }

  /** A statement that gives rows. */
  public static <R> Statement<List<R>> rows(String sql, Binder binder, RowReader<R> row) {
    return new Statement<>(sql, binder, new Reader.Rows<>(row), Optional.empty());
  }

  /** The same, which may be gathered with others of its kind; see {@link Gathered}. */
  public Statement<T> gathered(String gatheredSql, String row) {
    return new Statement<>(sql, binder, reader, Optional.of(new Gathered(gatheredSql, row)));
  }
}
