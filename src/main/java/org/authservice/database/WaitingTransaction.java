package org.authservice.database;

import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** A caller that waits for its transaction to be run together with others. */
final class WaitingTransaction<Q, T> extends Waiting<T> {
  private final String lock;
  private final WaitingStatement<Q> question;
  private final String questions;
  private final BiFunction<Transaction, Q, T> work;
  private final AfterCommit afterCommit;
  private @Nullable T value;

  /** Of two with one lock the later waits for the next turn, as if they wrote one row. */
  WaitingTransaction(
      String lock,
      Statement<Q> question,
      Statement.Gathered gathered,
      BiFunction<Transaction, Q, T> work,
      AfterCommit afterCommit) {
    super(lock);
    this.lock = lock;
    this.question = new WaitingStatement<>(question, gathered);
    this.questions = gathered.sql();
    this.work = work;
    this.afterCommit = afterCommit;
  }

  long lock() {
    return LockName.number(lock);
  }

  WaitingStatement<Q> question() {
    return question;
  }

  /** The text of all questions of this kind. */
  String questions() {
    return questions;
  }

  AfterCommit afterCommit() {
    return afterCommit;
  }

  /** Does all of it in a transaction of its own. */
  T alone(Transaction tx) {
    return work.apply(tx, tx.runLocked(lock, question.statement()));
  }

  /**
   * Does the work, now that its question is answered.
   *
   * @return what it sends
   */
  List<Statement<?>> work() {
    afterCommit.clear();
    var transaction = new SendingTransaction(afterCommit);
    value = work.apply(transaction, question.await());
    return transaction.sent();
  }

  /** All of it is committed. */
  @SuppressWarnings("NullAway") // null only where the work itself gave null
  void committed() {
    succeed(value);
  }
}
