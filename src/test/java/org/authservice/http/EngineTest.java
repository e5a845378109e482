package org.authservice.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.authservice.testing.Databases;
import org.authservice.testing.RawConnection;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What hostile, broken and dying connections get. */
class EngineTest {
  private static final List<String> ALWAYS =
      List.of(
          "X-Content-Type-Options: nosniff",
          "X-Frame-Options: DENY",
          "X-XSS-Protection: 1; mode=block",
          "Referrer-Policy: strict-origin-when-cross-origin",
          "Content-Security-Policy: default-src 'self'",
          "X-Request-ID: ");

  private TestService service;

  @BeforeEach
  void start() {
    service = TestService.with(Databases.SQLITE).patience(Duration.ofSeconds(1)).start();
  }

  @AfterEach
  void stop() {
    service.close();
  }

  @Test
  void whatTheEngineRefusesIsToldLikeAnyOtherError() {
    refused("GET /health HTTP/1.1\r\n\r\n", 400, "bad_request");
    refused("GET /health HTTP/1.1\nHost: x\n\n", 400, "bad_request");
    refused("G\u0000T /health HTTP/1.1\r\nHost: x\r\n\r\n", 400, "bad_request");
    refused("GET /health HTTP/3.7\r\nHost: x\r\n\r\n", 505, "bad_request");
    refused(get("/" + "x".repeat(20_000)), 414, "uri_too_long");
    refused(get("/health", "X-Big: " + "x".repeat(20_000)), 431, "headers_too_large");
    refused(get("/health", "Bad Header: x"), 400, "bad_request");
    refused(
        "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked"
            + "\r\n\r\n0\r\n\r\n",
        400,
        "bad_request");
    refused(
        "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
        400,
        "bad_request");
    refused(get("/health?x=%zz"), 400, "bad_request");
  }

  @Test
  void tooManyHeaderFieldsAreRefused() {
    refused(get("/health", "X-H: 1\r\n".repeat(150).strip()), 431, "headers_too_large");
  }

  @Test
  void pathsThatAreSpeltOtherwiseReachNoEndpoint() {
    for (String path :
        List.of(
            "/auth/login;a=b",
            "/auth//login",
            "/auth/login/",
            "/Auth/login",
            "/auth/%6cogin",
            "/docs/../auth/login",
            "/auth/.%2e/auth/login",
            "/auth%2flogin")) {
      String answer = exchange(get(path));
      assertThat(answer).as(path).containsPattern("^HTTP/1.1 (404|400) ");
    }
  }

  @Test
  void methodsAreAnsweredAsTheyAre() {
    service.send("DELETE", "/auth/login", null).expect(405, "method_not_allowed");
    assertThat(service.get("/auth/login").header("Allow")).contains("OPTIONS, POST");
    assertThat(service.send("POST", "/health", "{}").header("Allow"))
        .contains("GET, HEAD, OPTIONS");
    assertThat(exchange("TRACE /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 405 ");
    assertThat(exchange("BREW /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 501 ")
        .contains("not_implemented");
    Reply options = service.send("OPTIONS", "/auth/profile", null).expect(204);
    assertThat(options.header("Allow")).contains("DELETE, GET, HEAD, OPTIONS, PUT");
    service.send("POST", "/nowhere", "{}").expect(404, "not_found");
  }

  @Test
  void headIsGetWithoutABody() {
    String answer = exchange("HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

    assertThat(answer).startsWith("HTTP/1.1 200 ").endsWith("\r\n\r\n");
    assertThat(answer).contains("Content-Length: 36");
  }

  @Test
  void everyAnswerCarriesTheSecurityHeadersAndNoBanner() {
    for (String answer :
        List.of(
            exchange(get("/health")),
            exchange(get("/nowhere")),
            exchange(get("/auth/profile")),
            exchange("GET /health HTTP/1.1\r\n\r\n"))) {
      assertThat(answer).contains(ALWAYS);
      assertThat(answer).doesNotContain("Jetty").doesNotContain("Server:");
      assertThat(answer).doesNotContain("Strict-Transport-Security");
    }
    assertThat(exchange(get("/auth/profile"))).contains("Cache-Control: no-store");
  }

  @Test
  void anHttpsServiceInsistsOnHttps() {
    try (var secure =
        TestService.with(Databases.SQLITE)
            .set("PUBLIC_BASE_URL", "https://auth.example.com")
            .start()) {
      Reply reply = secure.get("/nowhere").expect(404);
      assertThat(reply.header("Strict-Transport-Security"))
          .contains("max-age=31536000; includeSubDomains");
      assertThat(reply.text("type")).isEqualTo("https://auth.example.com/docs/errors#not_found");
    }
  }

  @Test
  void aRequestIdIsKeptWhenItIsHarmless() {
    assertThat(service.get("/health", "X-Request-ID", "abc-1_2.3").header("X-Request-ID"))
        .contains("abc-1_2.3");
    for (String id : List.of("a b", "x".repeat(65), "a\"b", "<script>")) {
      assertThat(service.get("/health", "X-Request-ID", id).header("X-Request-ID").orElseThrow())
          .matches("[0-9a-f]{32}");
    }
  }

  @Test
  void onlyListedOriginsMayReadAnswers() {
    Reply listed = service.get("/health", "Origin", "http://localhost:3000");
    assertThat(listed.header("Access-Control-Allow-Origin")).contains("http://localhost:3000");
    assertThat(listed.header("Access-Control-Expose-Headers"))
        .contains("X-Request-ID, Retry-After, RateLimit, RateLimit-Policy");
    assertThat(listed.header("Access-Control-Allow-Credentials")).isEmpty();
    for (String origin :
        List.of(
            "null",
            "http://localhost:30000",
            "http://localhost:3000.evil.example",
            "http://evil.localhost:3000",
            "https://localhost:3000",
            "HTTP://LOCALHOST:3000")) {
      Reply reply = service.get("/health", "Origin", origin);
      assertThat(reply.header("Access-Control-Allow-Origin")).as(origin).isEmpty();
      assertThat(reply.header("Vary")).contains("Origin");
    }
    Reply preflight =
        service
            .send(
                "OPTIONS",
                "/auth/profile",
                null,
                "Origin",
                "http://localhost:3000",
                "Access-Control-Request-Method",
                "PUT")
            .expect(204);
    assertThat(preflight.header("Access-Control-Allow-Headers"))
        .contains("Authorization, Content-Type, X-Request-ID, Device-Token");
  }

  @Test
  void aChunkedBodyThatIsTooLargeIsRefusedAndItsRestIsNoRequest() {
    String chunk = "1000\r\n" + "x".repeat(4096) + "\r\n";
    String answer =
        exchange(
            "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n"
                + chunk.repeat(17)
                + "0\r\n\r\n"
                + get("/health"));

    assertThat(answer).startsWith("HTTP/1.1 413 ").doesNotContain("healthy");
  }

  @Test
  void tenMegabytesAreRefusedWithoutReadingThem() {
    try (var connection = new RawConnection(service.port())) {
      connection.send(
          "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
              + "Content-Length: 10485760\r\n\r\n{\"x\":\"");

      assertThat(connection.readAll())
          .startsWith("HTTP/1.1 413 ")
          .contains("payload_too_large")
          .contains("Connection: close");
    }
  }

  @Test
  void pipelinedRequestsAreAnsweredInOrder() {
    try (var connection = new RawConnection(service.port())) {
      connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n" + get("/nowhere"));

      assertThat(connection.readAnswer()).startsWith("HTTP/1.1 200 ");
      assertThat(connection.readAll()).startsWith("HTTP/1.1 404 ");
    }
  }

  @Test
  void requestsThatComeWhileOthersAreAnsweredAreAnsweredInOrder() {
    List<Integer> answered = TestService.parallel(8, () -> overlapping(300));

    assertThat(answered).hasSize(8).containsOnly(300);
  }

  @Test
  void aBodyThatComesByteByByteIsRead() {
    String body = "{\"email\":\"nobody@example.com\",\"password\":\"wrong\"}";
    try (var connection = new RawConnection(service.port())) {
      for (int i = 0; i < 3; i++) {
        connection.send(
            "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                + "Content-Length: "
                + body.length()
                + "\r\n\r\n");
        body.chars().forEach(c -> connection.send(Character.toString(c)));

        assertThat(connection.readAnswer()).startsWith("HTTP/1.1 401 ");
      }
    }
  }

  @Test
  void aClientThatWantsToCloseIsClosed() {
    assertThat(exchange(get("/health"))).startsWith("HTTP/1.1 200 ");
    assertThat(exchange("GET /health HTTP/1.0\r\nHost: x\r\n\r\n")).startsWith("HTTP/1.");
  }

  @Test
  void halfAHeadIsClosed() {
    assertClosed(new RawConnection(service.port()).send("GET /health HTTP/1.1\r\nHost:"));
  }

  @Test
  void halfABodyIsAnsweredOrClosed() {
    try (var connection = new RawConnection(service.port())) {
      connection.send(
          "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
              + "Content-Length: 50\r\n\r\n{\"em");

      assertThat(connection.readAll())
          .satisfiesAnyOf(
              answer -> assertThat(answer).isEmpty(),
              answer -> assertThat(answer).startsWith("HTTP/1.1 408 ").contains("request_timeout"));
    }
  }

  @Test
  void aDrippedHeadIsClosed() {
    drip("GET /health HTTP/1.1\r\nX-Slow: ");
  }

  @Test
  void aDrippedBodyIsClosed() {
    drip(
        "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            + "Content-Length: 5000\r\n\r\n");
  }

  @Test
  void aFaultInOneConnectionLeavesTheOthers() {
    for (int i = 0; i < 50; i++) {
      try (var connection = new RawConnection(service.port())) {
        connection.send("POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{");
      }
    }

    service.get("/health").expect(200);
  }

  @Test
  void noRequestUnderWayIsLostWhenTheServiceStops() {
    var running = TestService.on(Databases.SQLITE);
    CompletableFuture<List<Reply>> logins =
        CompletableFuture.supplyAsync(() ->
            TestService.parallel(
                20,
                () ->
                    running.post(
                        "/auth/register",
                        Map.of(
                            "email",
                            "u" + Thread.currentThread().threadId() + "@example.com",
                            "password",
                            TestService.PASSWORD))));
    while (running.database().column("SELECT count(*) FROM users").contains("0")) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }

    running.service().close();

    assertThat(logins.join()).allSatisfy(reply -> reply.expect(201));
    running.close();
  }

  /** Each is sent while the one before it may be read, handled or answered. */
  private int overlapping(int count) {
    int answered = 0;
    try (var connection = new RawConnection(service.port())) {
      connection.send(numbered(0));
      for (int i = 0; i < count; i++) {
        connection.send(numbered(i + 1));
        answered += connection.readAnswer().contains("X-Request-ID: n" + i + "\r\n") ? 1 : 0;
      }
    }
    return answered;
  }

  private static String numbered(int number) {
    return "GET /health HTTP/1.1\r\nHost: x\r\nX-Request-ID: n" + number + "\r\n\r\n";
  }

  private void refused(String request, int status, String code) {
    String answer = exchange(request);
    assertThat(answer).startsWith("HTTP/1.1 " + status + " ").contains("\"code\":\"" + code + "\"");
    assertThat(answer).contains("application/problem+json").contains(ALWAYS);
  }

  private void drip(String head) {
    try (var connection = new RawConnection(service.port())) {
      connection.send(head);
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
      boolean open = true;
      while (open && System.nanoTime() < deadline) {
        open = connection.drip();
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
      }
      assertThat(open).as("still open").isFalse();
    }
  }

  private static void assertClosed(RawConnection connection) {
    try (connection) {
      assertThat(connection.readAll()).doesNotStartWith("HTTP/1.1 200");
    }
  }

  private String exchange(String request) {
    try (var connection = new RawConnection(service.port())) {
      return connection.send(request).readAll();
    }
  }

  private static String get(String path, String... headers) {
    String more = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
    return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + more + "Connection: close\r\n\r\n";
  }
}
