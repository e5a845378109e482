package org.authservice.operations;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Work that repeats in the background: at its interval (a tenth of jitter either way, so that nodes
 * spread out), at once when {@linkplain #wake() woken}, less and less often while it fails.
 */
public final class Worker {
  private static final Logger log = LoggerFactory.getLogger(Worker.class);

  private static final Duration LONGEST_END = Duration.ofSeconds(10);

  /** Between two runs, however often it is woken: a thousand wake-ups a second are not as many. */
  private static final Duration LEAST_REST = Duration.ofMillis(5);

  private final String name;
  private final Duration interval;
  private final Runnable task;
  private final AtomicLong lastSuccess;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean woken;
  private boolean stopping;
  private int failures;
  private @Nullable Thread thread;

  /**
   * A worker that has not started.
   *
   * @param name for the log and the metric {@code auth_worker_last_success_seconds}
   * @param interval from the end of one run to the start of the next
   * @param task one run; an exception is logged and delays the next run
   */
  public Worker(String name, Duration interval, Runnable task, MeterRegistry meters) {
    this.name = name;
    this.interval = interval;
    this.task = task;
    this.lastSuccess =
        meters.gauge("auth.worker.last.success.seconds", Tags.of("worker", name), new AtomicLong());
  }

  /** What it is called in the log. */
  public String name() {
    return name;
  }

  /** Starts running on a virtual thread of its own. */
  public void start() {
    lastSuccess.set(now()); // it has not failed yet, and the alert is on its silence
    thread = Thread.ofVirtual().name("worker-" + name).start(this::run);
  }

  /** Runs the task now, on the caller's thread; for tests and for the start of the service. */
  public void runOnce() {
    task.run();
    lastSuccess.set(now());
  }

  /** Starts the next run at once. */
  public void wake() {
    lock.lock();
    try {
      woken = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Stops all of them after the runs that are under way; waits for those at most 10 seconds. */
  public static void stop(List<Worker> workers) {
    workers.forEach(Worker::begone);
    long deadline = System.nanoTime() + LONGEST_END.toNanos();
    workers.forEach(it -> it.awaitEnd(deadline));
  }

  private void begone() {
    lock.lock();
    try {
      stopping = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private void awaitEnd(long deadline) {
    Thread running = thread;
    if (running != null) {
      try {
        long left = Math.max(1, deadline - System.nanoTime()); // nothing may have ended by itself
        if (!running.join(Duration.ofNanos(left))) {
          log.warn("worker {} does not stop", name);
        }
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void run() {
    log.debug("worker {} starts", name);
    while (!awaitNextRun()) {
      try {
        runOnce();
        failures = 0;
      } catch (RuntimeException | Error failure) { // a node without this work is worse than a retry
        failures++;
        log.warn("worker {} failed ({} in a row): {}", name, failures, failure.toString());
        log.debug("worker {} failed", name, failure);
      }
    }
    log.debug("worker {} has stopped", name);
  }

  private static long now() {
    return System.currentTimeMillis() / 1000;
  }

  /** Waits for the interval, a wake-up or the end; true at the end. */
  private boolean awaitNextRun() {
    lock.lock();
    try {
      await(LEAST_REST, false);
      await(delay(), true);
      woken = false;
      return stopping;
    } catch (InterruptedException interrupted) {
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void await(Duration time, boolean endsWhenWoken) throws InterruptedException {
    long nanos = time.toNanos();
    while (!stopping && !(woken && endsWhenWoken) && nanos > 0) {
      nanos = changed.awaitNanos(nanos);
    }
  }

  private Duration delay() {
    // Four intervals at most: whoever waits for the outage's end should not wait much longer.
    long bounded = interval.toMillis() << Math.min(failures, 2);
    long tenth = Math.max(1, bounded / 10);
    return Duration.ofMillis(bounded - tenth + ThreadLocalRandom.current().nextLong(2 * tenth));
  }
}
