package org.authservice.database;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Gathers statements of one kind that meet, and has them run as one, with one commit. Nobody waits
 * on purpose: a statement that comes alone runs alone, and what comes while it runs makes the next
 * batch, which is the larger the more there is to do.
 */
final class Gatherer<W extends Waiting<?>> {
  private static final int MOST_TOGETHER = 64;
  private static final int MOST_WAITING = 2_048;
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(3);

  // Not virtual: the next batch would begin only after what requests have to do for the last one,
  // and meanwhile the database would have nothing to do. There are as many as kinds of statements.
  private static final Executor THREADS =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("gatherer-", 0).factory());

  private final boolean writes;
  private final Runner<W> runner;
  private final MeterRegistry meters;
  private final Map<String, Lane> lanes = new ConcurrentHashMap<>();

  /** Does what callers of one kind want as one and answers each of them, whatever happens. */
  interface Runner<W extends Waiting<?>> {
    /** At most a few seconds. */
    void run(String sql, List<W> callers);
  }

  /**
   * Nothing waits yet.
   *
   * @param writes whether two statements on one row must not run as one
   */
  Gatherer(String name, boolean writes, Runner<W> runner, MeterRegistry meters) {
    this.writes = writes;
    this.runner = runner;
    this.meters = meters;
    meters.gauge("auth.database.gathering", Tags.of("verb", name), this, Gatherer::waiting);
  }

  /** Has the caller served together with others of its kind; it waits by itself. */
  void add(String sql, W caller) {
    lanes.computeIfAbsent(sql, Lane::new).add(caller);
  }

  /** How many wait or run. */
  int waiting() {
    return lanes.values().stream().mapToInt(Lane::size).sum();
  }

  /** The callers of one kind of statement, in the order they came. */
  private final class Lane {
    private final String sql;
    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<W> queue = new ArrayDeque<>();
    private int running;
    private boolean served;

    Lane(String sql) {
      this.sql = sql;
    }

    void add(W caller) {
      boolean first;
      lock.lock();
      try {
        if (queue.size() >= MOST_WAITING) {
          throw Failures.unavailable("PostgreSQL: queue full", null);
        }
        queue.addLast(caller);
        first = !served;
        served = true;
      } finally {
        lock.unlock();
      }
      if (first) {
        begin();
      }
    }

    /** Without a thread nobody would ever be answered, so everybody is told at once. */
    private void begin() {
      try {
        THREADS.execute(this::serve);
      } catch (RuntimeException | Error noThread) {
        List<W> all;
        lock.lock();
        try {
          all = new ArrayList<>(queue);
          queue.clear();
          served = false;
        } finally {
          lock.unlock();
        }
        all.forEach(it -> it.fail(Failures.unavailable("PostgreSQL: no thread", noThread)));
      }
    }

    int size() {
      lock.lock();
      try {
        return queue.size() + running;
      } finally {
        lock.unlock();
      }
    }

    /** Goes on for as long as anybody waits. */
    private void serve() {
      for (List<W> batch = next(); !batch.isEmpty(); batch = next()) {
        try {
          meters.summary("auth.database.gathered").record(batch.size());
          runner.run(sql, batch);
        } catch (RuntimeException | Error bug) {
          batch.forEach(caller -> caller.fail(Failures.each(bug)));
        }
      }
    }

    /** The next of them, sorted by row, so that two nodes lock the rows in the same order. */
    private List<W> next() {
      List<W> batch = new ArrayList<>();
      Set<String> rows = new HashSet<>();
      lock.lock();
      try {
        while (!queue.isEmpty() && queue.getFirst().waitsLongerThan(PATIENCE_NANOS)) {
          queue.removeFirst().fail(Failures.unavailable("PostgreSQL: waited too long", null));
        }
        Iterator<W> queued = queue.iterator();
        while (queued.hasNext() && batch.size() < MOST_TOGETHER) {
          W caller = queued.next();
          if (rows.add(caller.row()) || !writes) {
            batch.add(caller);
            queued.remove();
          }
        }
        running = batch.size();
        served = running > 0;
      } finally {
        lock.unlock();
      }
      batch.sort(Comparator.comparing(Waiting::row));
      return batch;
    }
  }
}
