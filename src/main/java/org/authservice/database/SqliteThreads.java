package org.authservice.database;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Platform threads, each with a connection of its own, that do the calls into SQLite: a virtual
 * thread inside native code would hold up its carrier, and two would stop a two-core machine. All
 * take from one bounded queue, first come first served.
 */
final class SqliteThreads implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SqliteThreads.class);
  private static final int QUEUE = 4_096;
  private static final long STOP_WAIT_MILLIS = 10_000;

  private final BlockingQueue<SqliteTask<?>> queue = new ArrayBlockingQueue<>(QUEUE);
  private final List<Thread> threads = new ArrayList<>();

  /** Ends the thread that takes it. */
  private final SqliteTask<?> end = new SqliteTask<>(_ -> "end", () -> {});

  private final int mostTogether;
  private final Together together;
  private volatile boolean stopping;

  /** Runs work that waited at the same time, and finishes each. */
  interface Together {
    void run(SqliteConnection connection, List<SqliteTask<?>> tasks);
  }

  /** Threads that do one thing after the other. */
  SqliteThreads(
      String name, int count, Supplier<SqliteConnection> connections, MeterRegistry meters) {
    this(name, count, connections, 1, (c, tasks) -> tasks.forEach(it -> it.run(c)), meters);
  }

  /**
   * Threads that take up to so many things at once, if they wait; {@code auth.database.queue} tells
   * how much waits.
   */
  SqliteThreads(
      String name,
      int count,
      Supplier<SqliteConnection> connections,
      int mostTogether,
      Together together,
      MeterRegistry meters) {
    this.mostTogether = mostTogether;
    this.together = together;
    meters.gauge("auth.database.queue", Tags.of("threads", name), queue, BlockingQueue::size);
    for (int i = 1; i <= count; i++) {
      SqliteConnection connection = connections.get();
      threads.add(Thread.ofPlatform().daemon().name(name + "-" + i).start(() -> serve(connection)));
    }
  }

  /**
   * Runs work on one of the threads and waits for its value.
   *
   * @param orphaned runs when the work succeeded after this call had given up
   */
  <T> T call(Function<SqliteConnection, T> work, SqliteTask.Patience patience, Runnable orphaned) {
    if (threads.contains(Thread.currentThread())) {
      throw new IllegalStateException("a verb was used inside a transaction");
    }
    SqliteTask<T> task = new SqliteTask<>(work, orphaned);
    if (stopping || !queue.offer(task)) {
      throw Failures.unavailable(stopping ? "SQLite: closed" : "SQLite: queue full", null);
    }
    return task.await(patience);
  }

  /** Ends the threads after what is running and queued. */
  @Override
  public void close() {
    stopping = true;
    for (Thread _ : threads) {
      queue.offer(end);
    }
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(STOP_WAIT_MILLIS);
    for (Thread thread : threads) {
      try {
        thread.join(Math.max(1, (deadline - System.nanoTime()) / 1_000_000));
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
      if (thread.isAlive()) {
        log.warn("{} does not stop", thread.getName());
      }
    }
    for (SqliteTask<?> left : queue) {
      left.refuse();
    }
  }

  private void serve(SqliteConnection connection) {
    try (connection) {
      boolean ending = false;
      while (!ending) {
        List<SqliteTask<?>> tasks = new ArrayList<>();
        tasks.add(queue.take());
        queue.drainTo(tasks, mostTogether - 1);
        ending = tasks.remove(end);
        together.run(connection, tasks);
      }
    } catch (InterruptedException interrupted) {
      log.debug("interrupted", interrupted);
    }
  }
}
