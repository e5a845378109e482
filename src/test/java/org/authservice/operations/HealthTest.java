package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.authservice.http.Client;
import org.authservice.http.Request;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

/** What a crowd of monitors costs while the database is slow to answer. */
class HealthTest {
  private final AtomicInteger questions = new AtomicInteger();
  private final CountDownLatch asked = new CountDownLatch(1);
  private final CountDownLatch answer = new CountDownLatch(1);
  private final Health health = new Health(this::reachable, () -> true);

  @Test
  void whileTheDatabaseIsAskedNobodyAsksItAgain() throws Exception {
    assertThat(status()).isEqualTo(200);
    try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Integer> slow = clients.submit(this::statusOfASecondQuestion);
      asked.await();

      assertThat(TestService.parallel(100, this::status)).containsOnly(200);
      assertThat(questions).hasValue(2);

      answer.countDown();
      assertThat(slow.get()).isEqualTo(503);
    }
  }

  /** The answer to the first is kept for half a second. */
  private int statusOfASecondQuestion() {
    int status = status();
    while (questions.get() < 2) {
      Thread.onSpinWait();
      status = status();
    }
    return status;
  }

  private boolean reachable() {
    if (questions.incrementAndGet() == 1) {
      return true;
    }
    asked.countDown();
    try {
      answer.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    return false;
  }

  private int status() {
    var client = new Client("127.0.0.1", "test", Optional.empty(), "id");
    var request =
        new Request(
            "GET",
            "/health",
            "/health",
            Map.of(),
            Map.of(),
            Map.of(),
            new byte[0],
            client,
            Optional.empty());
    return health.publicRoute().handler().handle(request).status();
  }
}
