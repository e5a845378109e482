package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.authservice.testing.Databases;
import org.authservice.testing.FreePort;
import org.authservice.testing.PostgresServers;
import org.authservice.testing.Reply;
import org.authservice.testing.TcpProxy;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class OperationsTest {
  @Test
  void theManagementListenerTellsHealthAndMetrics() throws IOException, InterruptedException {
    try (var service =
        TestService.with(Databases.SQLITE)
            .set("MANAGEMENT_PORT", Integer.toString(FreePort.find()))
            .start()) {
      service.verified("ada@example.com");
      assertThat(management(service, "/health/live").statusCode()).isEqualTo(200);
      assertThat(management(service, "/health/ready").statusCode()).isEqualTo(200);
      String metrics = management(service, "/metrics").body();
      assertThat(metrics)
          .contains("http_server_requests_seconds_count")
          .contains("route=\"/auth/register\"")
          .contains("auth_security_events_total")
          .contains("auth_worker_last_success_seconds")
          .contains("auth_revocations_lag_seconds")
          .contains("jvm_memory_used_bytes");
      assertThat(metrics).doesNotContain("ada@example.com");
      service.get("/metrics").expect(404, "not_found");
    }
  }

  @Test
  void noSecretIsEverLogged() {
    var root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    var access = (Logger) LoggerFactory.getLogger("access");
    var lines = new ListAppender<ILoggingEvent>();
    lines.start();
    Level before = access.getLevel();
    var ours = (Logger) LoggerFactory.getLogger("org.authservice");
    root.addAppender(lines);
    ours.setLevel(Level.TRACE);
    access.setLevel(Level.INFO);
    try (var service = TestService.on(Databases.SQLITE)) {
      Reply tokens = service.verified("ada@example.com");
      String code = service.code("ada@example.com");
      service.login("ada@example.com", "Wrong-Horse7!");
      service.refresh(tokens.text("refresh_token"));
      service.get("/auth/profile?token=in-the-query", "User-Agent", "agent");
      String log =
          lines.list.stream()
              .map(event -> event.getFormattedMessage() + " " + event.getKeyValuePairs())
              .collect(Collectors.joining("\n"));

      assertThat(log).contains("route=\"/auth/refresh\"").contains("login");
      for (String secret :
          new String[] {
            TestService.PASSWORD,
            "Wrong-Horse7!",
            code,
            tokens.text("access_token"),
            tokens.text("refresh_token"),
            tokens.text("device_token"),
            "in-the-query",
            "ada@example.com"
          }) {
        assertThat(log).doesNotContain(secret);
      }
    } finally {
      root.detachAppender(lines);
      ours.setLevel(null);
      access.setLevel(before);
    }
  }

  @Test
  void whenTheDatabaseIsAwayNothingIsAcceptedAndNothingIsCalledInvalid() throws IOException {
    try (var database = Databases.POSTGRES.migrated();
        var proxy = new TcpProxy(PostgresServers.shared().port());
        var service =
            TestService.with(PostgresServers.throughPort(database, proxy.port())).start()) {
      Reply tokens = service.verified("ada@example.com");
      proxy.cut();

      service.get("/health").expect(503);
      service.login("ada@example.com", TestService.PASSWORD).expect(503, "database_unavailable");
      service.refresh(tokens.text("refresh_token")).expect(503, "database_unavailable");
      service.logout(tokens.text("refresh_token"), "local").expect(503, "database_unavailable");
      service.profile(tokens.text("access_token")).expect(503, "database_unavailable");
      assertThat(service.get("/docs/errors").status()).isEqualTo(200);

      proxy.restore();
      long deadline = System.nanoTime() + Duration.ofSeconds(15).toNanos();
      Reply reply = service.refresh(tokens.text("refresh_token"));
      while (reply.status() == 503 && System.nanoTime() < deadline) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
        reply = service.refresh(tokens.text("refresh_token"));
      }
      reply.expect(200);
    }
  }

  @Test
  void aNodeThatCannotFollowTheRevocationsRefusesRatherThanAccepts() {
    try (var database = Databases.POSTGRES.migrated();
        var proxy = new TcpProxy(PostgresServers.shared().port());
        var cutOff =
            TestService.with(PostgresServers.throughPort(database, proxy.port()))
                .set("API_CLIENTS", "{\"orders\": \"a-secret-0123456789\"}")
                .start()) {
      String token = cutOff.verified("ada@example.com").text("access_token");
      proxy.freeze();
      // Five seconds after the last reading, and what the request takes.
      long deadline = System.nanoTime() + Duration.ofSeconds(7).toNanos();
      Reply reply = cutOff.get("/auth/check", "Authorization", "Bearer " + token);
      while (reply.status() == 204 && System.nanoTime() < deadline) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
        reply = cutOff.get("/auth/check", "Authorization", "Bearer " + token);
      }

      reply.expect(503, "database_unavailable");
      cutOff
          .send(
              "POST",
              "/auth/introspect",
              "client_id=orders&client_secret=a-secret-0123456789&token=" + token,
              "Content-Type",
              "application/x-www-form-urlencoded")
          .expect(503, "database_unavailable");

      proxy.thaw();
      deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
      while (reply.status() != 204 && System.nanoTime() < deadline) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
        reply = cutOff.get("/auth/check", "Authorization", "Bearer " + token);
      }
      reply.expect(204);
    }
  }

  private static HttpResponse<String> management(TestService service, String path)
      throws IOException, InterruptedException {
    int port = service.service().managementPort().orElseThrow();
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create("http://localhost:" + port + path)).build(),
            HttpResponse.BodyHandlers.ofString());
  }
}
