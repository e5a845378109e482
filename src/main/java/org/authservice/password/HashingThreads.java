package org.authservice.password;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.authservice.http.ErrorCode;
import org.authservice.http.Unavailable;

/**
 * As many platform threads as cores, and a bounded queue: logins wait for each other here and never
 * take the processor from everything else without bound. Where both want the same core, a refresh
 * of microseconds goes before a hash of milliseconds.
 */
final class HashingThreads implements AutoCloseable {
  private static final int QUEUE = 256;
  private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);
  private static final Duration LONGEST_HASH = Duration.ofSeconds(30);

  /** A nice value: against a thread that is not nice, a quarter of the core and not a half. */
  private static final int NICE = 5;

  private final BlockingQueue<Runnable> queue = new ArrayBlockingQueue<>(QUEUE);
  private final ThreadPoolExecutor threads;
  private final Timer waits;
  private final Counter refused;

  /**
   * Threads that end after a minute without work.
   *
   * @param atEnd what each does last
   */
  HashingThreads(MeterRegistry meters, Runnable atEnd) {
    int cores = Runtime.getRuntime().availableProcessors();
    this.threads =
        new ThreadPoolExecutor(
            cores,
            cores,
            1,
            TimeUnit.MINUTES,
            queue,
            work -> {
              Runnable yielding =
                  () -> {
                    Linux.nice(NICE);
                    try {
                      work.run();
                    } finally {
                      atEnd.run();
                    }
                  };
              return Thread.ofPlatform().daemon().name("hashing").unstarted(yielding);
            });
    threads.allowCoreThreadTimeOut(true);
    this.waits = meters.timer("auth.hashing.wait");
    this.refused = meters.counter("auth.hashing.refused");
    meters.gauge("auth.hashing.queue", queue, BlockingQueue::size);
  }

  /** Runs work on one of the threads; it must begin within five seconds. */
  <T> T run(Callable<T> work) {
    long queued = System.nanoTime();
    var begun = new CountDownLatch(1);
    var task =
        new FutureTask<>(() -> {
          begun.countDown();
          waits.record(Duration.ofNanos(System.nanoTime() - queued));
          return work.call();
        });
    try {
      threads.execute(task);
      if (!begun.await(LONGEST_WAIT.toMillis(), TimeUnit.MILLISECONDS) && task.cancel(false)) {
        queue.remove(task);
        throw overloaded("waited too long");
      }
      return task.get(LONGEST_HASH.toSeconds(), TimeUnit.SECONDS);
    } catch (RejectedExecutionException full) {
      throw overloaded("queue full");
    } catch (TimeoutException stuck) {
      throw overloaded("hash took too long");
    } catch (InterruptedException interrupted) {
      task.cancel(false);
      Thread.currentThread().interrupt();
      throw overloaded("interrupted");
    } catch (ExecutionException failed) {
      throw new IllegalStateException("hashing failed", failed.getCause());
    }
  }

  @Override
  public void close() {
    threads.shutdown();
  }

  private Unavailable overloaded(String why) {
    refused.increment();
    return new Unavailable(
        ErrorCode.OVERLOADED, Duration.ofSeconds(2), "password hashing: " + why, null);
  }
}
