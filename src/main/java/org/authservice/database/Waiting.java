package org.authservice.database;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** A caller that waits for what it wants to be done together with the same of others. */
class Waiting<T> {
  private final String row;
  private final long since = System.nanoTime();

  /** Run by the caller: gives the value, throws, or does it alone. */
  private final CompletableFuture<Supplier<T>> outcome = new CompletableFuture<>();

  Waiting(String row) {
    this.row = row;
  }

  /** What it writes. */
  final String row() {
    return row;
  }

  final boolean waitsLongerThan(long nanos) {
    return System.nanoTime() - since > nanos;
  }

  /** Waits for the outcome, through interruptions: whoever serves the queue bounds the wait. */
  final T await() {
    return outcome.join().get();
  }

  @SuppressWarnings("unchecked") // the value was read by this caller's own reader
  final void succeed(Object value) {
    outcome.complete(() -> (T) value);
  }

  final void fail(RuntimeException failure) {
    outcome.complete(() -> {
      throw failure;
    });
  }

  /** Lets the caller do it by itself. */
  final void leave(Supplier<T> alone) {
    outcome.complete(alone);
  }
}
