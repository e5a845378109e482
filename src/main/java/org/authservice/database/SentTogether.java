package org.authservice.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
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
  <T> T with(Statement<T> last) throws SQLException {
    List<Statement<?>> all = new ArrayList<>(waiting);
    waiting.clear();
    all.add(last);
    try (PreparedStatement prepared = connection.prepareStatement(text(all))) {
      bind(all, prepared);
      prepared.execute();
      for (int i = 1; i < all.size(); i++) {
        prepared.getMoreResults();
      }
      return Execution.read(prepared, last.reader(), dialect);
    }
  }

  /** Sends what waits and commits. */
  void commit() throws SQLException {
    if (waiting.isEmpty()) {
      connection.commit();
      return;
    }
    List<Statement<?>> all = List.copyOf(waiting);
    waiting.clear();
    try (PreparedStatement prepared = connection.prepareStatement(text(all) + AND + "COMMIT")) {
      bind(all, prepared);
      prepared.execute();
    }
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  /** What waits, for messages; empty when nothing does. */
  String text(Supplier<String> otherwise) {
    return waiting.isEmpty() ? otherwise.get() : text(waiting);
  }

  private String text(List<Statement<?>> all) {
    return all.stream().map(it -> dialect.sql(it.sql())).collect(Collectors.joining(AND));
  }

  private void bind(List<Statement<?>> all, PreparedStatement prepared) throws SQLException {
    var parameters = new SingleParameters(prepared, dialect);
    for (Statement<?> each : all) {
      each.binder().bind(parameters);
    }
  }
}
