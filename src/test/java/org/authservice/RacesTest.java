package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.authservice.account.Account;
import org.authservice.account.EmailAddress;
import org.authservice.settings.DatabaseSettings;
import org.authservice.signin.AccountAdministration;
import org.authservice.testing.Databases;
import org.authservice.testing.PostgresServers;
import org.authservice.testing.Reply;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.TcpProxy;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What two nodes on one PostgreSQL, a kill or a failover could do to sessions. */
class RacesTest {
  private static final String ADA = "ada@example.com";
  private static final String OTHER_PASSWORD = "Better-Horse8!";
  private static final Duration GRACE = Duration.ofSeconds(3);
  private static final boolean SHORT = Boolean.getBoolean("soak.short");

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);

  @TempDir Path folder;

  @Test
  void aNodeKilledAmongAHundredRefreshesLosesNoSession() {
    killWhileRefreshing(5);
  }

  @Test
  @Tag("soak")
  void aNodeKilledAmongAHundredRefreshesManyTimesLosesNoSession() {
    killWhileRefreshing(SHORT ? 10 : 200);
  }

  @Test
  void aLogoutAmongRefreshesLeavesNothingAlive() {
    logOutWhileRefreshing(40);
  }

  @Test
  @Tag("soak")
  void aThousandLogoutsAmongRefreshesLeaveNothingAlive() {
    logOutWhileRefreshing(SHORT ? 100 : 1000);
  }

  @Test
  void loginsAmongAResetLeaveNothingOfTheOldPassword() {
    logInWhileResetting(2);
  }

  @Test
  @Tag("soak")
  void aThousandLoginsAmongResetsLeaveNothingOfTheOldPasswords() {
    logInWhileResetting(SHORT ? 5 : 50);
  }

  @Test
  void signInsOfEveryKindAmongADeactivationLeaveNothingAlive() {
    signInWhileDeactivating(4);
  }

  @Test
  @Tag("soak")
  void manySignInsOfEveryKindAmongDeactivationsLeaveNothingAlive() {
    signInWhileDeactivating(SHORT ? 10 : 200);
  }

  /** In each round one of two processes is killed while a hundred requests are under way. */
  private void killWhileRefreshing(int rounds) {
    try (TestDatabase database = Databases.POSTGRES.migrated()) {
      Map<String, String> settings =
          Map.of(
              "DATABASE_URL", database.url(),
              "SECRET_KEY", "a-key-for-tests-0123456789abcdefghijkl",
              "REFRESH_REUSE_GRACE_SECONDS", Long.toString(GRACE.toSeconds()),
              "PORT", "0",
              "MANAGEMENT_PORT", "0",
              "RATE_LIMIT_PER_MINUTE", "0");
      List<ServiceProcess> nodes = new ArrayList<>();
      try {
        nodes.add(ServiceProcess.serve(settings, folder));
        nodes.add(ServiceProcess.serve(settings, folder));
        String token = signedIn(nodes.getFirst());
        for (int round = 1; round <= rounds; round++) {
          ServiceProcess victim = nodes.get(round % 2);
          String next = oneSuccessor(nodes, victim, token);
          long answered = System.nanoTime();
          nodes.set(round % 2, ServiceProcess.serve(settings, folder));
          String again = refresh(nodes.get(round % 2), token).orElseThrow();
          if (System.nanoTime() - answered < GRACE.toNanos()) {
            assertThat(again).as("round %d, seed %d", round, seed).isEqualTo(next);
          }
          awaitNanos(answered + GRACE.toNanos());
          token = next;
          assertThat(database.column("SELECT current_number FROM sessions"))
              .as("round %d, seed %d", round, seed)
              .containsExactly(Integer.toString(1 + round));
        }
      } finally {
        nodes.forEach(ServiceProcess::close);
      }
      assertThat(database.column("SELECT type FROM security_events WHERE type LIKE 'session_%'"))
          .containsExactly("session_opened");
    }
  }

  private String oneSuccessor(List<ServiceProcess> nodes, ServiceProcess victim, String token) {
    int kill = 1 + random.nextInt(90);
    var asked = new AtomicInteger();
    var answered = new AtomicInteger();
    ServiceProcess survivor = nodes.stream().filter(it -> it != victim).findFirst().orElseThrow();
    List<String> successors =
        TestService.parallel(
            100,
            () -> {
              Optional<String> successor = refresh(nodes.get(asked.getAndIncrement() % 2), token);
              if (answered.incrementAndGet() == kill) {
                victim.kill();
              }
              return successor.orElseGet(() -> refresh(survivor, token).orElseThrow());
            });
    assertThat(successors.stream().distinct()).as("seed %d", seed).hasSize(1);
    return successors.getFirst();
  }

  private static String signedIn(ServiceProcess node) {
    String body = "{\"email\":\"%s\",\"password\":\"%s\"}".formatted(ADA, TestService.PASSWORD);
    assertThat(node.post("/auth/register", body)).isEqualTo(201);
    return new Reply(node.exchange("/auth/login", body).orElseThrow())
        .expect(200)
        .text("refresh_token");
  }

  /** The successor; empty when the node is gone. */
  private static Optional<String> refresh(ServiceProcess node, String token) {
    Optional<HttpResponse<String>> response =
        node.exchange("/auth/refresh", "{\"refresh_token\":\"" + token + "\"}");
    return response.map(it -> new Reply(it).expect(200).text("refresh_token"));
  }

  private void logOutWhileRefreshing(int times) {
    try (TestDatabase database = Databases.POSTGRES.migrated();
        var one = node(database).start();
        var other = node(database).clock(one.clock()).start()) {
      one.register(ADA);
      for (int i = 0; i < times; i++) {
        String token = one.login(ADA, TestService.PASSWORD).expect(200).text("refresh_token");
        var turn = new AtomicInteger();
        List<Reply> replies =
            TestService.parallel(
                5,
                () -> {
                  int mine = turn.getAndIncrement();
                  return mine == 2
                      ? other.logout(token, "local").expect(200)
                      : (mine % 2 == 0 ? one : other).refresh(token);
                });
        assertDead(one, other, replies);
      }
      assertThat(database.column("SELECT count(*) FROM sessions WHERE ended_at IS NULL"))
          .containsExactly("0");
      assertThat(
              database.column("SELECT count(*) FROM security_events WHERE type = 'session_reused'"))
          .containsExactly("0");
    }
  }

  private void logInWhileResetting(int rounds) {
    try (TestDatabase database = Databases.POSTGRES.migrated();
        var one = node(database).start();
        var other = node(database).clock(one.clock()).start()) {
      one.register(ADA);
      String password = TestService.PASSWORD;
      String next = OTHER_PASSWORD;
      for (int round = 0; round < rounds; round++) {
        String old = password;
        String fresh = next;
        String resetToken = resetToken(one);
        int when = random.nextInt(21);
        var turn = new AtomicInteger();
        List<Reply> replies =
            TestService.parallel(
                21,
                () -> {
                  int mine = turn.getAndIncrement();
                  TestService node = mine % 2 == 0 ? one : other;
                  return mine == when
                      ? node.post(
                              "/auth/reset-password",
                              Map.of("reset_token", resetToken, "new_password", fresh))
                          .expect(200)
                      : node.login(ADA, old);
                });
        assertDead(one, other, replies.stream().filter(it -> it.json().has("user")).toList());
        assertThat(database.column("SELECT count(*) FROM sessions WHERE ended_at IS NULL"))
            .as("round %d, seed %d", round, seed)
            .containsExactly("0");
        one.clock().advance(Duration.ofHours(2)); // wrong passwords after the reset began a wait
        Reply now = other.login(ADA, fresh).expect(200);
        one.logout(now.text("refresh_token"), "global").expect(200);
        password = fresh;
        next = old;
      }
    }
  }

  private void signInWhileDeactivating(int rounds) {
    try (TestDatabase database = Databases.POSTGRES.migrated();
        var one = node(database).start();
        var other = node(database).clock(one.clock()).start()) {
      one.verified(ADA);
      AccountAdministration operator = one.service().administration();
      Account ada = operator.find(EmailAddress.parse(ADA).orElseThrow()).orElseThrow();
      for (int round = 0; round < rounds; round++) {
        operator.reactivate(ada);
        one.clock().advance(Duration.ofHours(3));
        String otpId = one.ask(ADA, "login").expect(200).text("otp_id");
        String code = one.code(ADA);
        int when = random.nextInt(9);
        var turn = new AtomicInteger();
        List<Optional<Reply>> replies =
            TestService.parallel(
                9,
                () -> {
                  int mine = turn.getAndIncrement();
                  TestService node = mine % 2 == 0 ? one : other;
                  if (mine == when) {
                    operator.deactivate(ada);
                    return Optional.empty();
                  }
                  return Optional.of(
                      mine % 4 < 2
                          ? node.login(ADA, TestService.PASSWORD)
                          : node.verify(ADA, "login", code, otpId));
                });

        assertDead(one, other, replies.stream().flatMap(Optional::stream).toList());
        assertThat(database.column("SELECT count(*) FROM sessions WHERE ended_at IS NULL"))
            .as("round %d, seed %d", round, seed)
            .containsExactly("0");
      }
    }
  }

  private static String resetToken(TestService service) {
    String otpId = service.ask(ADA, "password_reset").expect(200).text("otp_id");
    return service
        .verify(ADA, "password_reset", service.code(ADA), otpId)
        .expect(200)
        .text("reset_token");
  }

  /** No token of these answers works on either node, a second later at the latest. */
  private static void assertDead(TestService one, TestService other, List<Reply> replies) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
    for (Reply reply : replies) {
      if (reply.status() != 200 || !reply.json().has("access_token")) {
        continue;
      }
      for (TestService node : List.of(one, other)) {
        int status;
        do {
          status =
              node.get("/auth/check", "Authorization", "Bearer " + reply.text("access_token"))
                  .status();
        } while (status == 204 && System.nanoTime() < deadline);
        assertThat(status).isEqualTo(401);
        node.refresh(reply.text("refresh_token")).expect(401, "refresh_token_invalid");
      }
    }
  }

  /** The replica that takes over lacks what was committed in the last two seconds. */
  @Test
  void aFailoverThatLosesTheLastTwoSecondsLogsNobodyOut() {
    PostgresServers server = PostgresServers.shared();
    TestDatabase database = server.migrated();
    String name = ((DatabaseSettings.Postgres) database.settings().location()).database();
    try (database;
        var proxy = new TcpProxy(server.port());
        var service = node(PostgresServers.throughPort(database, proxy.port())).start()) {
      List<String> tokens = new ArrayList<>();
      String access = service.verified(ADA).text("access_token");
      for (int i = 0; i < 8; i++) {
        tokens.add(service.verified("user" + i + "@example.com").text("refresh_token"));
      }
      refreshAll(service, tokens);
      service.clock().advance(Duration.ofSeconds(31));
      proxy.cut();
      alone(server, name, "CREATE DATABASE " + name + "_replica TEMPLATE " + name);
      proxy.restore();
      awaitHealth(service, access);
      Reply left = refreshed(service, tokens.removeLast());
      List<String> idle = List.copyOf(tokens.subList(0, 3));
      List<String> busy = new ArrayList<>(tokens.subList(3, tokens.size()));
      refreshAll(service, busy); // these rotate, and the replica does not know
      service.logout(left.text("refresh_token"), "local").expect(200);
      service.clock().advance(Duration.ofSeconds(2));

      proxy.cut();
      alone(server, name, "ALTER DATABASE " + name + " RENAME TO " + name + "_lost");
      alone(server, name, "ALTER DATABASE " + name + "_replica RENAME TO " + name);
      proxy.restore();
      awaitHealth(service, access);

      List<String> all = new ArrayList<>(idle);
      all.addAll(busy);
      for (int i = 0; i < 3; i++) {
        refreshAll(service, all);
        service.clock().advance(Duration.ofSeconds(31));
      }
      assertThat(database.column("SELECT type FROM security_events WHERE type LIKE 'session_r%'"))
          .containsOnly("session_rolled_forward")
          .hasSize(busy.size());
      service
          .get("/auth/check", "Authorization", "Bearer " + left.text("access_token"))
          .expect(401, "token_invalid");
      service.refresh(left.text("refresh_token")).expect(401, "refresh_token_invalid");
    } finally {
      alone(server, name, "DROP DATABASE IF EXISTS " + name + "_lost");
    }
  }

  private static void refreshAll(TestService service, List<String> tokens) {
    tokens.replaceAll(token -> refreshed(service, token).text("refresh_token"));
  }

  /** An outage is answered 503, and the client asks again. */
  private static Reply refreshed(TestService service, String token) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
    Reply reply = service.refresh(token);
    while (reply.status() == 503 && System.nanoTime() < deadline) {
      awaitNanos(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(50));
      reply = service.refresh(token);
    }
    return reply.expect(200);
  }

  /** Does something to a database that nobody may be connected to. */
  private static void alone(PostgresServers server, String name, String sql) {
    String url =
        "jdbc:postgresql://localhost:"
            + server.port()
            + "/postgres?user=postgres&password=postgres";
    try (var connection = DriverManager.getConnection(url);
        var statement = connection.createStatement()) {
      statement.execute(
          "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE datname LIKE '"
              + name
              + "%'");
      statement.execute(sql);
    } catch (SQLException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private static void awaitHealth(TestService service, String access) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(15);
    while (service.get("/health").status() != 200
        || service.get("/auth/check", "Authorization", "Bearer " + access).status() != 204) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      awaitNanos(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(50));
    }
  }

  private static TestService.Builder node(TestDatabase database) {
    return TestService.with(database)
        .set("PUBLIC_BASE_URL", "http://localhost:8000")
        .set("OTP_MAX_PER_HOUR", "1000")
        .set("OTP_MAX_PER_DAY", "100000");
  }

  private static void awaitNanos(long moment) {
    for (long left = moment - System.nanoTime(); left > 0; left = moment - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }
}
