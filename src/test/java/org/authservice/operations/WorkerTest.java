package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What background work survives, and how it ends. */
class WorkerTest {
  private static final Duration AT_ONCE = Duration.ofMillis(1);

  @Test
  void anErrorEndsARunAndNotTheWorker() throws InterruptedException {
    var runs = new CountDownLatch(3);
    var worker =
        worker(() -> {
          runs.countDown();
          throw new AssertionError("out of something");
        });

    worker.start();

    assertThat(runs.await(10, TimeUnit.SECONDS)).isTrue();
    Worker.stop(List.of(worker));
  }

  @Test
  void workersThatAreStoppedTogetherEndTheirRunsAtTheSameTime() throws InterruptedException {
    var bothRun = new CountDownLatch(2);
    var goOn = new CountDownLatch(1);
    var ended = new AtomicInteger();
    Runnable task =
        () -> {
          bothRun.countDown();
          await(goOn);
          ended.incrementAndGet();
        };
    List<Worker> workers = List.of(worker(task), worker(task));
    workers.forEach(Worker::start);
    assertThat(bothRun.await(10, TimeUnit.SECONDS)).isTrue();

    Thread stopping = Thread.ofPlatform().start(() -> Worker.stop(workers));
    goOn.countDown();
    stopping.join();

    int runs = ended.get();
    assertThat(runs).isGreaterThanOrEqualTo(2);
    workers.forEach(Worker::wake);
    assertThat(ended).hasValue(runs);
  }

  private static Worker worker(Runnable task) {
    return new Worker("test", AT_ONCE, task, new SimpleMeterRegistry());
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
