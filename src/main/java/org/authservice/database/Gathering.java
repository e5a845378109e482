package org.authservice.database;

import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.core.instrument.MeterRegistry;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.function.Consumer;

/**
 * What PostgreSQL does for many callers at once, on connections of its own. Where the server
 * refused it, nothing of it has happened and each caller does its own: whose statement is wrong, or
 * waits for a lock, holds up nobody else. Where the answer was lost it may have been committed, so
 * it is not done again and each caller is told of an outage.
 */
final class Gathering {
  private final PostgresDatabase database;
  private final HikariDataSource pool;
  private final Gatherer<WaitingStatement<?>> reads;
  private final Gatherer<WaitingStatement<?>> commits;
  private final Gatherer<WaitingTransaction<?, ?>> transactions;

  /**
   * Nothing waits yet.
   *
   * @param database does what is done for one caller alone
   * @param pool the connections
   */
  Gathering(PostgresDatabase database, HikariDataSource pool, MeterRegistry meters) {
    this.database = database;
    this.pool = pool;
    this.reads = new Gatherer<>("read", false, this::statements, meters);
    this.commits = new Gatherer<>("commit", true, this::statements, meters);
    this.transactions = new Gatherer<>("transaction", true, this::transactions, meters);
  }

  <T> T read(Statement<T> query, Statement.Gathered gathered) {
    var caller = new WaitingStatement<>(query, gathered);
    reads.add(gathered.sql(), caller);
    return caller.await();
  }

  <T> T commit(Statement<T> write, Statement.Gathered gathered) {
    var caller = new WaitingStatement<>(write, gathered);
    commits.add(gathered.sql(), caller);
    return caller.await();
  }

  <Q, T> T transaction(WaitingTransaction<Q, T> caller) {
    transactions.add(caller.questions(), caller);
    return caller.await();
  }

  /** How many wait or run. */
  int waiting() {
    return reads.waiting() + commits.waiting() + transactions.waiting();
  }

  /** In autocommit mode: one round trip, one commit. */
  private void statements(String sql, List<WaitingStatement<?>> callers) {
    together(
        sql,
        callers,
        connection -> {
          try (PreparedStatement prepared = connection.prepareStatement(sql)) {
            GatheredExecution.run(prepared, callers, database.dialect());
          }
        },
        this::leave);
  }

  private void transactions(String sql, List<WaitingTransaction<?, ?>> callers) {
    together(
        sql,
        callers,
        connection -> new GatheredTransaction(connection, database.dialect()).run(sql, callers),
        this::leave);
  }

  private <T> void leave(WaitingStatement<T> caller) {
    caller.leave(() -> database.single(caller.statement()));
  }

  private <T> void leave(WaitingTransaction<?, T> caller) {
    caller.leave(() -> database.several(caller::alone, caller.afterCommit()));
  }

  private interface Work {
    void on(Connection connection) throws SQLException;
  }

  private <W extends Waiting<?>> void together(
      String sql, List<W> callers, Work work, Consumer<W> leave) {
    try (Connection connection = PostgresDatabase.connection(pool)) {
      evictingReadOnly(connection, work);
    } catch (SQLException failure) {
      boolean lost = PostgresFailures.isLost(failure);
      callers.forEach(caller -> {
        if (lost) {
          caller.fail(PostgresFailures.translate(sql, failure));
        } else {
          leave.accept(caller);
        }
      });
    } catch (Throwable failure) {
      callers.forEach(caller -> caller.fail(Failures.each(failure)));
    }
  }

  /** The next connection leads to the new primary. */
  private void evictingReadOnly(Connection connection, Work work) throws SQLException {
    try {
      work.on(connection);
    } catch (SQLException failure) {
      if (PostgresFailures.isReadOnly(failure)) {
        pool.evictConnection(connection);
      }
      throw failure;
    }
  }
}
