package org.authservice.database;

import java.util.ArrayList;
import java.util.List;

/** The part of a transaction that shares its statements with others: it only sends. */
final class SendingTransaction implements Transaction {
  private final List<Statement<?>> sent = new ArrayList<>();
  private final AfterCommit afterCommit;

  SendingTransaction(AfterCommit afterCommit) {
    this.afterCommit = afterCommit;
  }

  List<Statement<?>> sent() {
    return sent;
  }

  @Override
  public <T> T run(Statement<T> statement) {
    throw new IllegalStateException("this transaction has asked its question: it only sends");
  }

  @Override
  public void send(Statement<Integer> statement) {
    sent.add(statement);
  }

  @Override
  public void lock(String name) {
    throw new IllegalStateException("this transaction has its lock: it only sends");
  }

  @Override
  public <T> T runLocked(String name, Statement<T> statement) {
    return run(statement);
  }

  @Override
  public void announce(String channel, String text) {
    sent.add(PostgresTransaction.notification(channel, text));
  }

  @Override
  public void afterCommit(Runnable action) {
    afterCommit.add(action);
  }
}
