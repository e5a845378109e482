package org.authservice.database;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Runs one statement for many callers, and gives each the value of its own rows. */
final class GatheredExecution {
  private GatheredExecution() {}

  /**
   * Binds, executes and reads to the end; only then is anybody answered, as only then it is
   * committed.
   */
  static void run(
      PreparedStatement prepared, List<? extends WaitingStatement<?>> callers, Dialect dialect)
      throws SQLException {
    bind(prepared, 0, statements(callers));
    try (ResultSet results = prepared.executeQuery()) {
      answer(results, callers, dialect);
    }
  }

  /**
   * Binds what several callers ask alike.
   *
   * @param bound how many parameters are bound already
   * @return how many are now
   */
  static int bind(PreparedStatement prepared, int bound, List<? extends Statement<?>> statements)
      throws SQLException {
    ArrayParameters parameters = new ArrayParameters(statements.size());
    for (Statement<?> statement : statements) {
      parameters.nextCaller();
      statement.binder().bind(parameters);
    }
    return parameters.bind(prepared, bound);
  }

  /** Reads to the end and gives each its own. */
  static void answer(
      ResultSet results, List<? extends WaitingStatement<?>> callers, Dialect dialect)
      throws SQLException {
    List<Share> shares = callers.stream().map(it -> new Share(it.statement().reader())).toList();
    Row row = new Row(results, dialect);
    while (results.next()) {
      shares.get(row.integer("item") - 1).read(row);
    }
    for (int i = 0; i < shares.size(); i++) {
      shares.get(i).answer(callers.get(i));
    }
  }

  static List<Statement<?>> statements(List<? extends WaitingStatement<?>> callers) {
    return callers.stream().<Statement<?>>map(WaitingStatement::statement).toList();
  }

  /** What one caller gets. */
  private static final class Share {
    private final Statement.Reader<?> reader;
    private final List<Object> values = new ArrayList<>(1);
    private @Nullable RuntimeException failure;

    Share(Statement.Reader<?> reader) {
      this.reader = reader;
    }

    /** A row that cannot be read is this caller's trouble and nobody else's. */
    void read(Row row) {
      try {
        values.add(
            switch (reader) {
              case Statement.Reader.Count _ -> true;
              case Statement.Reader.Rows<?>(var each) -> each.read(row);
              case Statement.Reader.MaybeRow<?>(var one) -> one.read(row);
            });
      } catch (SQLException | RuntimeException unreadable) {
        failure = new IllegalStateException("a row cannot be read", unreadable);
      }
    }

    void answer(Waiting<?> caller) {
      if (failure != null) {
        caller.fail(failure);
        return;
      }
      switch (reader) {
        case Statement.Reader.Count _ -> caller.succeed(values.size());
        case Statement.Reader.Rows<?> _ -> caller.succeed(values);
        case Statement.Reader.MaybeRow<?> _ when values.size() > 1 ->
            caller.fail(new IllegalStateException("more than one row"));
        case Statement.Reader.MaybeRow<?> _ -> caller.succeed(values.stream().findFirst());
      }
    }
  }
}
