package org.authservice.database;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Work for a SQLite thread, and the wait of whoever wants it done. Either it is given up before it
 * starts, and never runs, or it runs and its outcome is waited for.
 */
final class SqliteTask<T> {
  /** How long work may take once started: beyond it the statement is interrupted. */
  private static final long RUN_MILLIS = 10_000;

  private static final long INTERRUPTED_MILLIS = 1_000;

  private enum State {
    QUEUED,
    RUNNING,
    DONE,
    GIVEN_UP
  }

  private final Function<SqliteConnection, T> work;
  private final CountDownLatch finished = new CountDownLatch(1);
  private final ReentrantLock lock = new ReentrantLock();
  private State state = State.QUEUED;
  private @Nullable SqliteConnection running;
  private @Nullable T value;
  private @Nullable Throwable failure;

  SqliteTask(Function<SqliteConnection, T> work) {
    this.work = work;
  }

  /** Does the work, on the connection's own thread. */
  void run(SqliteConnection connection) {
    if (!move(State.QUEUED, State.RUNNING, connection)) {
      return;
    }
    T result = null;
    Throwable thrown = null;
    try {
      result = work.apply(connection);
    } catch (Throwable problem) {
      thrown = problem; // Errors too: the caller gets them, the thread lives on
    }
    value = result;
    failure = thrown;
    move(State.RUNNING, State.DONE, null);
    finished.countDown();
  }

  /** Gives up work that nobody will do any more. */
  void refuse() {
    if (move(State.QUEUED, State.GIVEN_UP, null)) {
      failure = Failures.unavailable("SQLite: closed", null);
      finished.countDown();
    }
  }

  /** Waits for the value, or for the exception that the work threw. */
  T await(long waitMillis) {
    boolean wasInterrupted = false;
    try {
      if (!finished.await(waitMillis, TimeUnit.MILLISECONDS)) {
        if (move(State.QUEUED, State.GIVEN_UP, null)) {
          throw Failures.unavailable("SQLite: waited too long", null);
        }
        wasInterrupted = awaitRunning();
      }
    } catch (InterruptedException interrupted) {
      wasInterrupted = true;
      if (move(State.QUEUED, State.GIVEN_UP, null)) {
        throw Failures.unavailable("SQLite: interrupted while waiting", interrupted);
      }
      awaitRunning();
    } finally {
      if (wasInterrupted) {
        Thread.currentThread().interrupt();
      }
    }
    return outcome();
  }

  /** Waits for work that has started, whatever happens to this thread: it may have committed. */
  private boolean awaitRunning() {
    boolean wasInterrupted = false;
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(RUN_MILLIS);
    boolean stopped = false;
    while (true) {
      try {
        if (finished.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
          return wasInterrupted;
        }
        if (stopped) {
          throw Failures.unavailable("SQLite: no outcome in time", null);
        }
        stopped = true;
        interruptStatement();
        deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(INTERRUPTED_MILLIS);
      } catch (InterruptedException interrupted) {
        wasInterrupted = true;
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

  private boolean move(State from, State to, @Nullable SqliteConnection connection) {
    lock.lock();
    try {
      if (state != from) {
        return false;
      }
      state = to;
      running = connection;
      return true;
    } finally {
      lock.unlock();
    }
  }

  @SuppressWarnings({"unchecked", "NullAway"}) // null only where the work itself gave null
  private T outcome() {
    Throwable thrown = failure;
    return switch (thrown) {
      case null -> value;
      case RuntimeException exception -> throw exception;
      case Error error -> throw error;
      default -> throw new IllegalStateException(thrown);
    };
  }
}
