package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import com.icegreen.greenmail.util.GreenMail;
import com.icegreen.greenmail.util.ServerSetup;
import jakarta.mail.internet.MimeMessage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.authservice.testing.Databases;
import org.authservice.testing.FreePort;
import org.authservice.testing.Proxies;
import org.authservice.testing.Reply;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.SkewedMain;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import redis.embedded.RedisServer;

/**
 * Three nodes on one PostgreSQL and one Redis behind nginx or Caddy as {@code deploy/} sets them
 * up, the clock of one 90 seconds ahead: clients see one service.
 */
@Tag("soak")
@ParameterizedClass
@EnumSource
class ProxyTest {
  private static final String ADA = "ada@example.com";
  private static final int NODES = 3;

  @Parameter Proxies kind = Proxies.NGINX;
  @TempDir Path folder;

  /** Whose address is another than the proxy's. */
  private final HttpClient client =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .localAddress(InetAddress.ofLiteral("127.0.0.2"))
          .build();

  private final GreenMail smtp = new GreenMail(new ServerSetup(0, "127.0.0.1", "smtp"));
  private final TestDatabase database = Databases.POSTGRES.migrated();
  private final int nodePort = FreePort.find();
  private final int managementPort = FreePort.find();
  private final List<ServiceProcess> nodes = new ArrayList<>();
  private int port;
  private RedisServer redis;
  private int redisPort;
  private Proxies.Running proxy;

  @BeforeEach
  void start() throws Exception {
    smtp.start();
    redisPort = FreePort.find();
    redis =
        RedisServer.newRedisServer().port(redisPort).bind("127.0.0.1").setting("save \"\"").build();
    redis.start();
    port = FreePort.find();
    try (var starting = Executors.newVirtualThreadPerTaskExecutor()) {
      var started =
          IntStream.range(0, NODES).mapToObj(it -> starting.submit(() -> node(it))).toList();
      for (var node : started) {
        nodes.add(node.get());
      }
    }
    proxy =
        kind.start(
            folder,
            port,
            IntStream.range(0, NODES).mapToObj(it -> host(it) + ":" + nodePort).toList(),
            managementPort);
  }

  @AfterEach
  void stop() throws InterruptedException, IOException {
    proxy.close();
    nodes.forEach(ServiceProcess::close);
    smtp.stop();
    redis.stop();
    client.shutdownNow();
    database.close();
  }

  @Test
  void registeringVerifyingRefreshingAndLoggingOutWorkWhateverNodeAnswers() {
    String otpId = post("/auth/register", credentials(ADA)).expect(201).text("otp_id");
    String verification =
        "{\"email\":\"%s\",\"purpose\":\"verification\",\"otp_code\":\"%s\",\"otp_id\":\"%s\"}";
    Reply tokens = post("/auth/verify-otp", verification.formatted(ADA, code(), otpId)).expect(200);
    for (int i = 0; i < 2 * NODES; i++) {
      check(tokens).expect(204);
      tokens = refresh(tokens).expect(200);
    }
    Reply last = tokens;
    assertThat(TestService.parallel(60, () -> refresh(last).expect(200).text("refresh_token")))
        .containsOnly(last.text("refresh_token"));

    post("/auth/logout", refreshToken(last)).expect(200);
    long deadline = System.nanoTime() + Duration.ofSeconds(1).toNanos();
    boolean everywhere = false;
    while (!everywhere && System.nanoTime() < deadline) {
      everywhere = checks(last).stream().allMatch(status -> status == 401);
    }
    assertThat(checks(last)).containsOnly(401);
    refresh(last).expect(401, "refresh_token_invalid");
  }

  @Test
  void wrongPasswordsAreCountedOverAllNodes() {
    post("/auth/register", credentials(ADA)).expect(201);
    String wrong = credentials(ADA).replace(TestService.PASSWORD, "Wrong-Horse7!");
    for (int i = 0; i < 10; i++) {
      post("/auth/login", wrong).expect(401);
    }
    for (int i = 0; i < NODES; i++) {
      post("/auth/login", credentials(ADA)).expect(429, "too_many_failures");
    }
  }

  @Test
  void theRequestsOfAClientAreLimitedOverAllNodes() {
    String body = "{\"reset_token\":\"none\",\"new_password\":\"Better-Horse8!\"}";
    int allowed = 0;
    for (int i = 0; i < 5 * NODES; i++) {
      allowed += post("/auth/reset-password", body).status() == 401 ? 1 : 0;
    }
    // A node that Redis did not answer in time has decided by itself, and counted that.
    int alone = IntStream.range(0, NODES).map(this::redisFailures).sum();
    assertThat(allowed).isBetween(5, 5 + alone);
    assertThat(allowed).as("what nodes by themselves would allow").isLessThan(5 * NODES);
  }

  @Test
  void whatAClientClaimsAboutItsAddressIsDropped() {
    post("/auth/register", credentials(ADA)).expect(201);
    post("/auth/login", credentials(ADA), "X-Forwarded-For", "192.0.2.1").expect(200);
    post("/auth/login", credentials(ADA), "Forwarded", "for=192.0.2.2").expect(200);
    String both = "for=192.0.2.3";
    post("/auth/login", credentials(ADA), "Forwarded", both, "X-Forwarded-For", "192.0.2.3")
        .expect(200);
    assertThat(database.column("SELECT DISTINCT address FROM security_events"))
        .containsExactly("127.0.0.2");
  }

  @Test
  void whatNoNodeAnswersIsAProblemToo() {
    post("/auth/login", "{\"x\":\"" + "y".repeat(70_000) + "\"}").expect(413, "payload_too_large");

    nodes.forEach(ServiceProcess::close);

    Reply away = post("/auth/login", credentials(ADA)).expect(503, "overloaded");
    assertThat(away.header("Retry-After")).contains("2");
  }

  @Test
  void nodesThatStopUnderLoadFailNoRequest() throws Exception {
    int rounds = Boolean.getBoolean("soak.short") ? NODES : 20;
    List<Reply> replies = Collections.synchronizedList(new ArrayList<>());
    var goOn = new AtomicBoolean(true);
    List<Future<?>> ended = new ArrayList<>();
    try (var clients = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 4; i++) {
        String email = "user" + i + "@example.com";
        post("/auth/register", credentials(email)).expect(201);
        Reply first = post("/auth/login", credentials(email)).expect(200);
        ended.add(
            clients.submit(() -> {
              Reply tokens = first;
              while (goOn.get()) {
                Reply next = refresh(tokens);
                replies.add(next);
                tokens = next.status() == 200 ? next : tokens;
                replies.add(check(tokens));
                // Neither is sent again by a proxy once a node may have taken it.
                replies.add(post("/auth/login", credentials(email)));
                replies.add(
                    post(
                        "/auth/generate-otp",
                        "{\"email\":\"" + email + "\",\"purpose\":\"login\"}"));
              }
            }));
      }
      for (int round = 0; round < rounds; round++) {
        int stopped = round % NODES;
        assertThat(nodes.get(stopped).terminate()).isEqualTo(143);
        nodes.set(stopped, node(stopped));
      }
      goOn.set(false);
      for (Future<?> client : ended) {
        client.get();
      }
    }
    assertThat(replies).hasSizeGreaterThan(100);
    assertThat(replies.stream().filter(it -> it.status() >= 300)).isEmpty();
  }

  private ServiceProcess node(int number) {
    Map<String, String> settings = new HashMap<>();
    settings.put("DATABASE_URL", database.url());
    settings.put("SECRET_KEY", "a-key-for-tests-0123456789abcdefghijkl");
    settings.put("PUBLIC_BASE_URL", "http://localhost:" + port);
    settings.put("PORT", Integer.toString(nodePort));
    settings.put("MANAGEMENT_PORT", Integer.toString(managementPort));
    settings.put("TRUSTED_PROXIES", "[\"127.0.0.1/32\"]");
    settings.put("REDIS_URL", "redis://127.0.0.1:" + redisPort);
    settings.put("SHUTDOWN_DELAY_SECONDS", "3");
    settings.put("SMTP_HOST", "127.0.0.1");
    settings.put("SMTP_TLS", "none");
    settings.put("HOST", host(number));
    settings.put("MAIL_FROM", "no-reply@example.com");
    settings.put("SMTP_PORT", Integer.toString(smtp.getSmtp().getPort()));
    settings.put("RATE_LIMIT_PER_MINUTE", "1000000");
    settings.put("OTP_RATE_LIMIT_MINUTES", "0");
    settings.put("OTP_MAX_PER_HOUR", "1000000");
    settings.put("OTP_MAX_PER_DAY", "1000000");
    settings.put("RATE_LIMITS", "{\"POST /auth/reset-password\": \"5/hour\"}");
    settings.put(SkewedMain.SKEW_SECONDS, "90");
    Class<?> main = number == NODES - 1 ? SkewedMain.class : Main.class;
    return ServiceProcess.serve(main, settings, folder);
  }

  /** As each node is a machine of its own, with the same ports. */
  private static String host(int number) {
    return "127.0.1." + (number + 1);
  }

  private int redisFailures(int node) {
    var metrics = URI.create("http://" + host(node) + ":" + managementPort + "/metrics");
    return send(HttpRequest.newBuilder(metrics))
        .http()
        .body()
        .lines()
        .filter(line -> line.startsWith("auth_limits_redis_failures_total "))
        .mapToInt(line -> (int) Double.parseDouble(line.split(" ")[1]))
        .sum();
  }

  private List<Integer> checks(Reply tokens) {
    List<Integer> statuses = new ArrayList<>();
    for (int i = 0; i < NODES; i++) {
      statuses.add(check(tokens).status());
    }
    return statuses;
  }

  private Reply check(Reply tokens) {
    return send(
        request("/auth/check")
            .GET()
            .header("Authorization", "Bearer " + tokens.text("access_token")));
  }

  private Reply refresh(Reply tokens) {
    return post("/auth/refresh", refreshToken(tokens));
  }

  private static String refreshToken(Reply tokens) {
    return "{\"refresh_token\":\"" + tokens.text("refresh_token") + "\"}";
  }

  private static String credentials(String email) {
    return "{\"email\":\"%s\",\"password\":\"%s\"}".formatted(email, TestService.PASSWORD);
  }

  /** The code in the first mail. */
  private String code() {
    assertThat(smtp.waitForIncomingEmail(15_000, 1)).isTrue();
    MimeMessage mail = smtp.getReceivedMessages()[0];
    try {
      return mail.getSubject().replaceAll("^.*?([0-9]{6}).*$", "$1");
    } catch (jakarta.mail.MessagingException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private Reply post(String path, String json, String... headers) {
    var request =
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request);
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
        .timeout(Duration.ofSeconds(30));
  }

  private Reply send(HttpRequest.Builder request) {
    try {
      return new Reply(client.send(request.build(), HttpResponse.BodyHandlers.ofString()));
    } catch (IOException failure) {
      throw new IllegalStateException(failure);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(interrupted);
    }
  }
}
