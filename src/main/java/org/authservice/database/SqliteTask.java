package org.authservice.database;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Work for a SQLite thread, and the wait of whoever wants it done. Either it is given up before it
 * starts, and never runs, or it runs and its outcome is waited for, within reason.
 */
final class SqliteTask<T> {
  private static final long INTERRUPTED_MILLIS = 500;

  private enum State {
    QUEUED,
    RUNNING,
    DONE,
    /** Given up before it started. */
    GIVEN_UP,
    /** It still runs, but nobody waits for it any more. */
    LEFT
  }

  /**
   * How long to wait.
   *
   * @param startMillis until the work is done or at least has started
   * @param runMillis beyond that until its statement is interrupted
   */
  record Patience(long startMillis, long runMillis) {}

  private final Function<SqliteConnection, T> work;
  private final Runnable orphaned;
  private final CountDownLatch finished = new CountDownLatch(1);
  private final ReentrantLock lock = new ReentrantLock();
  private State state = State.QUEUED;
  private @Nullable SqliteConnection running;
  private @Nullable T value;
  private @Nullable Throwable failure;

  /**
   * Work that waits for its thread.
   *
   * @param orphaned runs when the work succeeded after its caller had stopped waiting
   */
  SqliteTask(Function<SqliteConnection, T> work, Runnable orphaned) {
    this.work = work;
    this.orphaned = orphaned;
  }

  /** Does the work, on the connection's own thread. */
  void run(SqliteConnection connection) {
    if (begin()) {
      attempt(connection);
      finish();
    }
  }

  /** Claims the work for its thread; false when it was given up. */
  boolean begin() {
    return move(State.QUEUED, State.RUNNING);
  }

  /** Does the work, perhaps not for the first time; true when it gave a value. */
  boolean attempt(SqliteConnection connection) {
    value = null;
    failure = null;
    using(connection);
    try {
      value = work.apply(connection);
    } catch (Throwable problem) {
      failure = problem; // Errors too: the caller gets them, the thread lives on
    }
    using(null);
    return failure == null;
  }

  /** What became of the work although it gave a value: it could not be committed. */
  void fail(Throwable problem) {
    failure = problem;
  }

  /** Tells whoever waits. */
  void finish() {
    if (!move(State.RUNNING, State.DONE) && failure == null) {
      Thread.ofVirtual().name("after-commit").start(orphaned);
    }
    finished.countDown();
  }

  /** Gives up work that nobody will do any more. */
  void refuse() {
    if (move(State.QUEUED, State.GIVEN_UP)) {
      failure = Failures.unavailable("SQLite: closed", null);
      finished.countDown();
    }
  }

  /** Waits for the value, or for the exception that the work threw. */
  T await(Patience patience) {
    String reason = "waited too long";
    try {
      if (finished.await(patience.startMillis(), TimeUnit.MILLISECONDS)) {
        return outcome();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      reason = "interrupted while waiting";
    }
    if (move(State.QUEUED, State.GIVEN_UP)) {
      throw Failures.unavailable("SQLite: " + reason, null);
    }
    // It has started and may commit whatever happens to this thread, so the outcome counts.
    if (!finishesWithin(patience.runMillis())) {
      interruptStatement();
      if (!finishesWithin(INTERRUPTED_MILLIS) && move(State.RUNNING, State.LEFT)) {
        throw Failures.unavailable("SQLite: no outcome in time", null);
      }
    }
    return outcome();
  }

  /** Waits on through interruptions. */
  private boolean finishesWithin(long millis) {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return finished.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException interruption) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Under the lock, so that it cannot hit the task after this one. */
  private void interruptStatement() {
    lock.lock();
    try {
      if (running != null) {
        running.interrupt();
      }
    } finally {
      lock.unlock();
    }
  }

  private void using(@Nullable SqliteConnection connection) {
    lock.lock();
    try {
      running = connection;
    } finally {
      lock.unlock();
    }
  }

  private boolean move(State from, State to) {
    lock.lock();
    try {
      if (state != from) {
        return false;
      }
      state = to;
      return true;
    } finally {
      lock.unlock();
    }
  }

  @SuppressWarnings("NullAway") // null only where the work itself gave null
  private T outcome() {
    return switch (failure) {
      case null -> value;
      case RuntimeException exception -> throw exception;
      case Error error -> throw error;
      case Throwable other -> throw new IllegalStateException(other);
    };
  }
}
