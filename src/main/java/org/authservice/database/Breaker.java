package org.authservice.database;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Keeps callers from something that fails: after three failures in a row nobody tries for a second,
 * then one caller does, and decides for all.
 */
public final class Breaker {
  private static final int PATIENCE = 3;
  private static final long PAUSE_NANOS = Duration.ofSeconds(1).toNanos();

  private final LongSupplier nanos;
  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicLong nextTry;

  /** Closed, by a clock such as {@link System#nanoTime}. */
  public Breaker(LongSupplier nanos) {
    this.nanos = nanos;
    this.nextTry = new AtomicLong(nanos.getAsLong());
  }

  /** Whether this caller may try; then it must say how that ended. */
  public boolean admits() {
    if (closed()) {
      return true;
    }
    long due = nextTry.get();
    long now = nanos.getAsLong();
    return now - due >= 0 && nextTry.compareAndSet(due, now + PAUSE_NANOS);
  }

  /** What was tried went well: everybody may. */
  public void succeeded() {
    failures.set(0);
  }

  /** True when this failure is the one that opens it. */
  public boolean failed() {
    nextTry.set(nanos.getAsLong() + PAUSE_NANOS);
    return failures.updateAndGet(it -> Math.min(it + 1, PATIENCE + 1)) == PATIENCE;
  }

  /** Whether everybody may try. */
  public boolean closed() {
    return failures.get() < PATIENCE;
  }
}
