package org.authservice.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Statements of one transaction that go to the server in one round trip: those whose outcome nobody
 * waits for, with the next one that somebody does, or with the end of the transaction. The driver
 * sends them as messages of one batch; the server runs them in order, each seeing what is committed
 * when its turn comes, and none after one that fails.
 */
final class SentTogether {
  private static final String AND = ";\n";

  private final Connection connection;
  private final Dialect dialect;
  private final List<Statement<?>> waiting = new ArrayList<>();

  SentTogether(Connection connection, Dialect dialect) {
    this.connection = connection;
    this.dialect = dialect;
  }

  void add(Statement<?> statement) {
    waiting.add(statement);
  }

  /** Sends what waits, then this one, and gives its outcome. */
  <T> T with(Statement<T> last) {
    waiting.add(last);
    String sql = text();
    try (PreparedStatement prepared = connection.prepareStatement(sql)) {
      bind(prepared);
      prepared.execute();
      for (int i = 1; i < waiting.size(); i++) {
        prepared.getMoreResults();
      }
      return Execution.read(prepared, last.reader(), dialect);
    } catch (SQLException failure) {
      throw new PostgresTransaction.Aborted(sql, failure);
    } finally {
      waiting.clear();
    }
  }

  /** Sends what waits and commits. */
  void commit() {
    String sql = waiting.isEmpty() ? "COMMIT" : text() + AND + "COMMIT";
    try {
      if (waiting.isEmpty()) {
        connection.commit();
      } else {
        try (PreparedStatement prepared = connection.prepareStatement(sql)) {
          bind(prepared);
          prepared.execute();
        }
      }
    } catch (SQLException failure) {
      throw new PostgresTransaction.Aborted(sql, failure);
    } finally {
      waiting.clear();
    }
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  private String text() {
    return waiting.stream().map(it -> dialect.sql(it.sql())).collect(Collectors.joining(AND));
  }

  private void bind(PreparedStatement prepared) throws SQLException {
    var parameters = new SingleParameters(prepared, dialect);
    for (Statement<?> each : waiting) {
      each.binder().bind(parameters);
    }
  }
}
