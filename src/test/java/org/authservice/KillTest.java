package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.authservice.testing.Databases;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The service is killed (kill -9) while people register. */
class KillTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(Databases.class)
  void noAcknowledgedRegistrationIsLostAndNoneIsHalf(Databases engine) throws Exception {
    rounds(engine, 2);
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  @Tag("soak")
  void noAcknowledgedRegistrationIsLostInManyRounds(Databases engine) throws Exception {
    rounds(engine, Boolean.getBoolean("soak.short") ? 5 : 50);
  }

  private void rounds(Databases engine, int count) throws Exception {
    long seed = System.nanoTime();
    var random = new Random(seed);
    List<String> acknowledged = Collections.synchronizedList(new ArrayList<>());
    var number = new AtomicInteger();
    try (TestDatabase database = engine.migrated()) {
      Map<String, String> settings = settings(database);
      for (int round = 0; round < count; round++) {
        registerAndKill(settings, acknowledged, number, 5 + random.nextInt(20));
      }
      assertThat(acknowledged).as("seed %d", seed).isNotEmpty();
      List<String> kept = new ArrayList<>();
      database.column("SELECT email FROM users").forEach(email -> kept.add(String.valueOf(email)));
      assertThat(kept).as("seed %d", seed).containsAll(acknowledged).doesNotHaveDuplicates();
      for (String table : List.of("registrations", "codes", "outbox", "devices")) {
        assertThat(
                database.column(
                    "SELECT count(*) FROM users WHERE id NOT IN (SELECT user_id FROM "
                        + table
                        + ")"))
            .as("users without %s, seed %d", table, seed)
            .containsExactly("0");
      }
      try (var service = ServiceProcess.serve(settings, folder)) {
        String email = acknowledged.getLast();
        assertThat(service.post("/auth/login", body(email))).isEqualTo(200);
      }
    }
  }

  private void registerAndKill(
      Map<String, String> settings, List<String> acknowledged, AtomicInteger number, int enough)
      throws InterruptedException {
    var acknowledgedNow = new CountDownLatch(enough);
    try (var service = ServiceProcess.serve(settings, folder);
        var clients = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 8; i++) {
        clients.submit(() -> {
          int status;
          do {
            String email = "user" + number.incrementAndGet() + "@example.com";
            status = service.post("/auth/register", body(email));
            if (status == 201) {
              acknowledged.add(email);
              acknowledgedNow.countDown();
            }
          } while (status != 0);
        });
      }
      acknowledgedNow.await();
      service.kill();
    }
  }

  private static Map<String, String> settings(TestDatabase database) {
    return Map.of(
        "DATABASE_URL", database.url(),
        "SECRET_KEY", "a-key-for-tests-0123456789abcdefghijkl",
        "PORT", "0",
        "MANAGEMENT_PORT", "0",
        "RATE_LIMIT_PER_MINUTE", "0");
  }

  private static String body(String email) {
    return "{\"email\":\"" + email + "\",\"password\":\"" + TestService.PASSWORD + "\"}";
  }
}
