package org.authservice.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Runs the transactions of many callers as one: takes their locks and asks their questions in one
 * round trip, lets each decide by its own answer, and sends what they send, each kind of statement
 * once for all, with the commit in another.
 */
final class GatheredTransaction {
  private static final String AND = ";\n";

  /** In the order of the numbers, so that two nodes do not wait for each other. */
  private static final String LOCK =
      "SELECT count(pg_advisory_xact_lock(number)) FROM unnest(?::bigint[]) AS number";

  private final Connection connection;
  private final Dialect dialect;

  GatheredTransaction(Connection connection, Dialect dialect) {
    this.connection = connection;
    this.dialect = dialect;
  }

  /**
   * Answers every caller, or throws and answers none but those whose own work threw.
   *
   * @param question the text that is all their questions
   */
  void run(String question, List<WaitingTransaction<?, ?>> callers) throws SQLException {
    connection.setAutoCommit(false);
    try {
      ask(question, callers);
      List<WaitingTransaction<?, ?>> decided = new ArrayList<>();
      List<Statement<?>> sent = new ArrayList<>();
      for (WaitingTransaction<?, ?> caller : callers) {
        try {
          sent.addAll(caller.work());
          decided.add(caller);
        } catch (RuntimeException failure) { // which is this caller's own
          caller.fail(failure);
        }
      }
      sendAndCommit(sent);
      decided.forEach(WaitingTransaction::committed);
    } catch (Throwable failure) {
      rollBack(failure);
      throw failure;
    }
    connection.setAutoCommit(true);
  }

  private void ask(String question, List<WaitingTransaction<?, ?>> callers) throws SQLException {
    List<WaitingStatement<?>> questions =
        callers.stream().<WaitingStatement<?>>map(WaitingTransaction::question).toList();
    try (PreparedStatement prepared = connection.prepareStatement(LOCK + AND + question)) {
      Long[] numbers = callers.stream().map(WaitingTransaction::lock).sorted().toArray(Long[]::new);
      prepared.setArray(1, connection.createArrayOf("bigint", numbers));
      GatheredExecution.bind(prepared, 1, GatheredExecution.statements(questions));
      prepared.execute();
      prepared.getMoreResults();
      try (ResultSet results = prepared.getResultSet()) {
        GatheredExecution.answer(results, questions, dialect);
      }
    }
  }

  private void sendAndCommit(List<Statement<?>> sent) throws SQLException {
    Map<String, List<Statement<?>>> kinds = new LinkedHashMap<>();
    for (Statement<?> each : sent) {
      String kind = each.gathered().map(Statement.Gathered::sql).orElse(each.sql());
      kinds.computeIfAbsent(kind, _ -> new ArrayList<>()).add(each);
    }
    List<String> texts = new ArrayList<>();
    kinds.forEach((kind, same) -> {
      int times = same.getFirst().gathered().isPresent() ? 1 : same.size();
      for (int i = 0; i < times; i++) {
        texts.add(kind);
      }
    });
    texts.add("COMMIT");
    try (PreparedStatement prepared =
        connection.prepareStatement(texts.stream().collect(Collectors.joining(AND)))) {
      int bound = 0;
      for (List<Statement<?>> same : kinds.values()) {
        bound = bind(prepared, bound, same);
      }
      prepared.execute();
    }
  }

  private int bind(PreparedStatement prepared, int bound, List<Statement<?>> same)
      throws SQLException {
    if (same.getFirst().gathered().isPresent()) {
      return GatheredExecution.bind(prepared, bound, same);
    }
    var parameters = new SingleParameters(prepared, dialect, bound);
    for (Statement<?> each : same) {
      each.binder().bind(parameters);
    }
    return parameters.bound();
  }

  private void rollBack(Throwable reason) {
    try {
      connection.rollback();
      connection.setAutoCommit(true);
    } catch (SQLException failure) {
      reason.addSuppressed(failure); // the connection is dead, and with it the transaction
    }
  }
}
