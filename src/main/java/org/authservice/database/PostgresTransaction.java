package org.authservice.database;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Optional;

/** A transaction on one connection to PostgreSQL. */
final class PostgresTransaction implements Transaction {
  private final Connection connection;
  private final Dialect dialect;
  private final AfterCommit afterCommit;
  private final SentTogether sent;

  PostgresTransaction(Connection connection, Dialect dialect, AfterCommit afterCommit) {
    this.connection = connection;
    this.dialect = dialect;
    this.afterCommit = afterCommit;
    this.sent = new SentTogether(connection, dialect);
  }

  /** A statement, or the end, failed: carries the driver's exception through the work. */
  static final class Aborted extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String sql;
    private final SQLException failure;

    Aborted(String sql, SQLException failure) {
      super(failure);
      this.sql = sql;
      this.failure = failure;
    }

    String sql() {
      return sql;
    }

    SQLException failure() {
      return failure;
    }
  }

  @Override
  public <T> T run(Statement<T> statement) {
    return sent.isEmpty() ? alone(statement) : sent.with(statement);
  }

  @Override
  public void send(Statement<Integer> statement) {
    sent.add(statement);
  }

  @Override
  public void lock(String name) {
    run(lockOf(name));
  }

  @Override
  public <T> T runLocked(String name, Statement<T> statement) {
    sent.add(lockOf(name));
    return run(statement);
  }

  @Override
  public void announce(String channel, String text) {
    sent.add(notification(channel, text));
  }

  @Override
  public void afterCommit(Runnable action) {
    afterCommit.add(action);
  }

  /** Ends it, with what has not been sent yet. */
  void commit() {
    sent.commit();
  }

  private <T> T alone(Statement<T> statement) {
    try (PreparedStatement prepared = connection.prepareStatement(dialect.sql(statement.sql()))) {
      return Execution.run(prepared, statement, dialect);
    } catch (SQLException failure) {
      throw new Aborted(statement.sql(), failure);
    }
  }

  static Statement<Optional<Boolean>> notification(String channel, String text) {
    return Statement.row(
        "SELECT pg_notify(?, ?)", parameters -> parameters.text(channel).text(text), row -> true);
  }

  private static Statement<Optional<Boolean>> lockOf(String name) {
    return Statement.row(
        "SELECT pg_advisory_xact_lock(?)",
        parameters -> parameters.number(LockName.number(name)),
        row -> true);
  }
}
