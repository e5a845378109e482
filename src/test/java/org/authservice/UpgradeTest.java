package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.authservice.testing.Databases;
import org.authservice.testing.FreePort;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An upgrade as it is rolled out: nodes of the version before, which {@code bin/soak} builds from
 * the history, serve while this version migrates, and then beside it on this version's schema.
 */
@Tag("soak")
@Tag("history")
class UpgradeTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final int CLIENTS = 4;
  private static final int REQUESTS = 400;

  @TempDir Path folder;

  private final List<ServiceProcess> nodes = new CopyOnWriteArrayList<>();
  private final ReadWriteLock asking = new ReentrantReadWriteLock();
  private final Queue<String> failures = new ConcurrentLinkedQueue<>();
  private final Semaphore answered = new Semaphore(0);
  private final AtomicBoolean goOn = new AtomicBoolean(true);

  @Test
  void theVersionBeforeServesWhileThisOneMigratesAndBesideIt() throws InterruptedException {
    Path before = Path.of(System.getProperty("auth.previous"));
    try (TestDatabase database = Databases.POSTGRES.empty();
        var oldest = ServiceProcess.serveOther(before, settings(database), folder);
        var old = ServiceProcess.serveOther(before, settings(database), folder)) {
      List<String> schemaBefore = versions(database);
      nodes.addAll(List.of(oldest, old));
      try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < CLIENTS; i++) {
          int number = i;
          clients.submit(() -> {
            try {
              use("user" + number + "@example.com");
            } catch (RuntimeException failure) {
              failures.add(failure.toString());
            }
          });
        }
        awaitRequests();
        List<ServiceProcess> fresh = new ArrayList<>();
        for (ServiceProcess leaving : List.of(oldest, old)) {
          var next = ServiceProcess.serve(settings(database), folder);
          fresh.add(next);
          nodes.add(next);
          awaitRequests();
          leave(leaving);
          assertThat(leaving.terminate()).isEqualTo(143);
        }
        awaitRequests();
        goOn.set(false);
        clients.close();
        fresh.forEach(ServiceProcess::close);
      }
      assertThat(failures).isEmpty();
      assertThat(versions(database))
          .hasSizeGreaterThan(schemaBefore.size())
          .containsAll(schemaBefore);
    }
  }

  private void awaitRequests() throws InterruptedException {
    answered.drainPermits();
    assertThat(answered.tryAcquire(REQUESTS, 2, TimeUnit.MINUTES)).as("%s", failures).isTrue();
  }

  private void use(String email) {
    String credentials =
        "{\"email\":\"%s\",\"password\":\"%s\"}".formatted(email, TestService.PASSWORD);
    String code = "{\"email\":\"%s\",\"purpose\":\"login\"}".formatted(email);
    ask(0, "/auth/register", credentials, 201);
    String token = refreshToken(ask(0, "/auth/login", credentials, 200));
    for (int turn = 0; goOn.get(); turn++) {
      token = refreshToken(ask(turn, "/auth/refresh", body(token), 200));
      if (turn % 10 == 0) {
        ask(turn, "/auth/generate-otp", code, 200);
        ask(turn + 1, "/auth/logout", body(token), 200);
        token = refreshToken(ask(turn, "/auth/login", credentials, 200));
      }
    }
  }

  /** As a proxy takes a node out: whoever asks it is answered, and nobody asks it any more. */
  private void leave(ServiceProcess node) {
    asking.writeLock().lock();
    nodes.remove(node);
    asking.writeLock().unlock();
  }

  private JsonNode ask(int turn, String path, String json, int expected) {
    asking.readLock().lock();
    HttpResponse<String> answer;
    try {
      answer = nodes.get(turn % nodes.size()).exchange(path, json).orElseThrow();
    } finally {
      asking.readLock().unlock();
    }
    answered.release();
    if (answer.statusCode() != expected) {
      failures.add(path + " " + answer.statusCode() + " " + answer.body());
    }
    try {
      return MAPPER.readTree(answer.body());
    } catch (JsonProcessingException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private static String refreshToken(JsonNode answer) {
    return answer.path("refresh_token").asText();
  }

  private static String body(String refreshToken) {
    return "{\"refresh_token\":\"" + refreshToken + "\"}";
  }

  private static List<String> versions(TestDatabase database) {
    return database.column("SELECT version FROM flyway_schema_history WHERE success");
  }

  private static Map<String, String> settings(TestDatabase database) {
    Map<String, String> settings = new HashMap<>();
    settings.put("DATABASE_URL", database.url());
    settings.put("SECRET_KEY", "a-key-for-tests-0123456789abcdefghijkl");
    settings.put("PUBLIC_BASE_URL", "http://localhost:8000");
    settings.put("PORT", Integer.toString(FreePort.find()));
    settings.put("MANAGEMENT_PORT", "0");
    settings.put("RATE_LIMIT_PER_MINUTE", "0");
    settings.put("OTP_RATE_LIMIT_MINUTES", "0");
    settings.put("OTP_MAX_PER_HOUR", "1000");
    settings.put("OTP_MAX_PER_DAY", "1000");
    return settings;
  }
}
