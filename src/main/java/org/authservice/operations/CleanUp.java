package org.authservice.operations;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.authservice.database.Database;
import org.authservice.secret.Secrets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes what expired over a day ago, on one node at a time: whoever holds the lease. It works in
 * small batches and rests longer than it works, so that requests do not feel it. While the clock is
 * in doubt it deletes nothing.
 */
public final class CleanUp {
  private static final Logger log = LoggerFactory.getLogger(CleanUp.class);
  private static final int BATCH = 1_000;
  private static final int REST = 3; // times as long as the batch took, but no longer than:
  private static final Duration LONGEST_REST = Duration.ofSeconds(3);
  private static final Duration GRACE = Duration.ofDays(1);
  private static final Duration INTERVAL = Duration.ofMinutes(1);

  /** Longer than a batch, its rest and the lease's renewal: statements end after two seconds. */
  private static final Duration LEASE = Duration.ofSeconds(10);

  /** So long a run goes on at most; the next one, at once, goes on with the rest. */
  private static final Duration RUN = Duration.ofSeconds(4);

  private final LeaseStore store = new LeaseStore();
  private final Database database;
  private final List<Sweep> sweeps;
  private final BooleanSupplier clockSteady;
  private final Clock clock;
  private final MeterRegistry meters;
  private final String node;
  private final AtomicInteger paused;
  private final Worker worker;

  /**
   * A clean-up that has not started.
   *
   * @param sweeps what the features leave behind
   * @param clockSteady whether this node's time can be trusted
   */
  public CleanUp(
      Database database,
      List<Sweep> sweeps,
      BooleanSupplier clockSteady,
      Clock clock,
      Secrets secrets,
      MeterRegistry meters) {
    this.database = database;
    this.sweeps = List.copyOf(sweeps);
    this.clockSteady = clockSteady;
    this.clock = clock;
    this.meters = meters;
    this.node = secrets.id();
    this.paused = meters.gauge("auth.cleanup.paused", new AtomicInteger());
    this.worker = new Worker("clean-up", INTERVAL, this::run, meters);
    sweeps.forEach(sweep -> meters.counter("auth.cleanup.rows", "table", sweep.table()));
  }

  /** What runs it. */
  public Worker worker() {
    return worker;
  }

  private synchronized void run() {
    boolean doubtful = !clockSteady.getAsBoolean();
    paused.set(doubtful ? 1 : 0);
    if (doubtful) {
      log.warn("clean-up pauses: the clock is in doubt");
      return;
    }
    long deadline = System.nanoTime() + RUN.toNanos();
    Map<String, Integer> deleted = new TreeMap<>();
    boolean all = true;
    List<RuntimeException> failures = new ArrayList<>();
    for (Sweep sweep : sweeps) {
      try {
        all &= sweep(sweep, deadline, deleted);
      } catch (RuntimeException failure) { // which holds up no other table
        log.warn("{} cannot be cleaned up: {}", sweep.table(), failure.toString());
        failures.add(failure);
      }
    }
    if (!deleted.isEmpty()) {
      log.info("cleaned up {}{}", deleted, all ? "" : ", and goes on");
    }
    if (!all) {
      worker.wake();
    }
    if (!failures.isEmpty()) {
      throw failures.getFirst();
    }
  }

  /**
   * Whether nothing is left, or another node cares for it. One batch is made however late it is: a
   * table before it that takes all the time must not keep it from its turn.
   */
  private boolean sweep(Sweep sweep, long deadline, Map<String, Integer> deleted) {
    do {
      Instant now = clock.instant();
      if (database.commit(store.hold("clean-up", node, now, now.plus(LEASE))) == 0) {
        return true;
      }
      long start = System.nanoTime();
      int count = database.commit(sweep.batch().delete(now.minus(GRACE), BATCH));
      if (count > 0) {
        meters.counter("auth.cleanup.rows", "table", sweep.table()).increment(count);
        deleted.merge(sweep.table(), count, Integer::sum);
      }
      if (count < BATCH) {
        return true;
      }
      LockSupport.parkNanos(Math.min(REST * (System.nanoTime() - start), LONGEST_REST.toNanos()));
    } while (System.nanoTime() < deadline);
    return false;
  }
}
