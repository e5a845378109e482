package org.authservice.database;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** A caller that waits for its statement to be run together with others. */
final class Waiting<T> {
  private final Statement<T> statement;
  private final Statement.Gathered gathered;
  private final long since = System.nanoTime();

  /** Run by the caller: gives the value, throws, or runs the statement alone. */
  private final CompletableFuture<Supplier<T>> outcome = new CompletableFuture<>();

  Waiting(Statement<T> statement, Statement.Gathered gathered) {
    this.statement = statement;
    this.gathered = gathered;
  }

  Statement<T> statement() {
    return statement;
  }

  /** What it writes. */
  String row() {
    return gathered.row();
  }

  boolean waitsLongerThan(long nanos) {
    return System.nanoTime() - since > nanos;
  }

  /** Waits for the outcome, through interruptions: whoever serves the queue bounds the wait. */
  T await() {
    return outcome.join().get();
  }

  @SuppressWarnings("unchecked") // the value was read by this statement's own reader
  void succeed(Object value) {
    outcome.complete(() -> (T) value);
  }

  void fail(RuntimeException failure) {
    outcome.complete(() -> {
      throw failure;
    });
  }

  /** Lets the caller do it by itself. */
  void leave(Supplier<T> alone) {
    outcome.complete(alone);
  }
}
