package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.authservice.database.Database;
import org.authservice.database.DatabaseFault;
import org.authservice.database.Statement;
import org.authservice.secret.Secrets;
import org.authservice.testing.Databases;
import org.authservice.testing.TestClock;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.authservice.token.Revocations;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CleanUpTest {
  private static final String ADA = "ada@example.com";
  private static final List<String> TABLES =
      List.of(
          "sessions",
          "codes",
          "code_failures",
          "outbox",
          "devices",
          "throttles",
          "reset_tokens",
          "pending_registrations",
          "invalidated_tokens",
          "provider_flows",
          "provider_nonces",
          "exchange_codes",
          "mail_suppressions",
          "mail_event_signatures",
          "security_events");

  @ParameterizedTest
  @EnumSource(Databases.class)
  void nothingGoesBeforeItsTimeAndEverythingAfterIt(Databases engine) {
    try (var service = TestService.with(engine).set("REGISTRATION_PRIVACY", "true").start()) {
      leaveSomethingEverywhere(service);
      List<Integer> before = TABLES.stream().map(table -> rows(service, table)).toList();
      assertThat(before).as(TABLES.toString()).allMatch(count -> count > 0);

      cleanUp(service);
      assertThat(TABLES.stream().map(table -> rows(service, table)).toList()).isEqualTo(before);

      service.clock().advance(Duration.ofDays(400));
      cleanUp(service);
      assertThat(TABLES).allSatisfy(table -> assertThat(rows(service, table)).as(table).isZero());
      assertThat(rows(service, "users")).isOne();
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void aSessionStaysForADayAfterItsEnd(Databases engine) {
    try (var service = TestService.with(engine).set("SESSION_MAX_DAYS", "30").start()) {
      service.verified(ADA);
      service.clock().advance(Duration.ofDays(30).plusHours(23));
      cleanUp(service);
      assertThat(rows(service, "sessions")).isOne();
      service.clock().advance(Duration.ofHours(2));
      cleanUp(service);
      assertThat(rows(service, "sessions")).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void securityEventsAreKeptAsLongAsToldTo(Databases engine) {
    try (var service = TestService.with(engine).set("AUDIT_RETENTION_DAYS", "90").start()) {
      service.register(ADA);
      service.clock().advance(Duration.ofDays(90));
      cleanUp(service);
      assertThat(rows(service, "security_events")).isPositive();
      service.clock().advance(Duration.ofDays(2));
      cleanUp(service);
      assertThat(rows(service, "security_events")).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void manyRowsGoInBatchesOnTwoNodesAndNothingElse(Databases engine) {
    try (var database = engine.migrated();
        var one = TestService.with(database).start();
        var other = TestService.with(database).clock(one.clock()).start()) {
      Instant now = one.clock().instant();
      fill(database, "dead", 3_500, now.minus(Duration.ofHours(25)));
      fill(database, "resting", 200, now.minus(Duration.ofHours(23)));
      fill(database, "living", 200, now.plus(Duration.ofHours(1)));

      var nodes = new java.util.concurrent.atomic.AtomicInteger();
      TestService.parallel(
          2,
          () -> {
            cleanUp(nodes.getAndIncrement() == 0 ? one : other);
            return true;
          });

      assertThat(database.column("SELECT jti FROM invalidated_tokens"))
          .hasSize(400)
          .noneMatch(jti -> String.valueOf(jti).startsWith("dead"));
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void aNodeWithoutTheLeaseDeletesNothingUntilItEnds(Databases engine) {
    try (var service = TestService.on(engine)) {
      Instant now = service.clock().instant();
      fill(service.database(), "dead", 10, now.minus(Duration.ofDays(2)));
      service
          .database()
          .execute(
              "INSERT INTO leases (name, holder, lease_until) VALUES ('clean-up', 'another', "
                  + now.plusSeconds(60).toEpochMilli()
                  + ")");
      cleanUp(service);
      assertThat(rows(service, "invalidated_tokens")).isEqualTo(10);

      service.clock().advance(Duration.ofSeconds(61));
      cleanUp(service);
      assertThat(rows(service, "invalidated_tokens")).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void aSecretKeyIsForgottenWhenNothingOfItLivesUnlessItIsDistrusted(Databases engine) {
    try (var service = TestService.on(engine)) {
      service
          .database()
          .execute(
              """
              INSERT INTO secret_keys (id, needed_until, distrusted_at) VALUES
                ('dead', TIME, NULL), ('distrusted', TIME, TIME)
              """
                  .replace(
                      "TIME",
                      Long.toString(
                          service.clock().instant().minus(Duration.ofDays(2)).toEpochMilli())));
      cleanUp(service);
      assertThat(service.database().column("SELECT id FROM secret_keys"))
          .hasSize(2)
          .contains("distrusted")
          .doesNotContain("dead");
    }
  }

  @Test
  void whileTheClockIsInDoubtNothingIsDeleted() {
    try (TestDatabase test = Databases.SQLITE.migrated();
        Database database = test.open()) {
      var meters = new SimpleMeterRegistry();
      Sweep never =
          new Sweep(
              "never",
              (before, most) -> {
                throw new AssertionError("deletes with a doubtful clock");
              });
      var cleanUp =
          new CleanUp(
              database, List.of(never), () -> false, new TestClock(), Secrets.secure(), meters);
      cleanUp.worker().runOnce();
      assertThat(meters.get("auth.cleanup.paused").gauge().value()).isEqualTo(1);
      assertThat(cleanUp.worker().name()).isEqualTo("clean-up"); // a gauge does not keep it alive
    }
  }

  @ParameterizedTest
  @EnumSource(Databases.class)
  void aTableThatCannotBeCleanedUpHoldsUpNoOther(Databases engine) {
    try (TestDatabase test = engine.migrated();
        Database database = test.open()) {
      fill(test, "dead", 3, Instant.EPOCH);
      var clock = new TestClock();
      var broken =
          new Sweep(
              "broken",
              (before, most) ->
                  Statement.deleteOldest("broken", "at < ?", "at", p -> p.millis(before), most));
      var revocations = new Revocations(database, clock, new SimpleMeterRegistry());
      List<Sweep> sweeps = Stream.concat(Stream.of(broken), revocations.sweeps().stream()).toList();
      var cleanUp =
          new CleanUp(
              database, sweeps, () -> true, clock, Secrets.secure(), new SimpleMeterRegistry());

      assertThatThrownBy(() -> cleanUp.worker().runOnce()).isInstanceOf(DatabaseFault.class);

      assertThat(test.column("SELECT jti FROM invalidated_tokens")).isEmpty();
    }
  }

  private static void leaveSomethingEverywhere(TestService service) {
    var registered =
        service
            .post("/auth/register", Map.of("email", ADA, "password", TestService.PASSWORD))
            .expect(202);
    String code = service.code(ADA);
    service.verify(ADA, "verification", TestService.otherThan(code)).expect(401);
    var tokens = service.verify(ADA, "verification", code, registered.text("otp_id")).expect(200);
    service.login(ADA, "Wrong-Horse7!").expect(401);
    service.ask(ADA, "password_reset").expect(200);
    service.verify(ADA, "password_reset", service.code(ADA)).expect(200);
    service.logout(tokens.text("refresh_token"), "local").expect(200);
    service.post(
        "/auth/register", Map.of("email", "bob@example.com", "password", TestService.PASSWORD));
    service
        .database()
        .execute(
            """
            INSERT INTO provider_flows (state_hash, browser_hash, provider, sealed, expires_at)
              VALUES ('state', 'browser', 'google', '', NOW);
            INSERT INTO provider_nonces (nonce_hash, expires_at) VALUES ('nonce', NOW);
            INSERT INTO exchange_codes
              (code_hash, user_id, credentials_version, code_challenge, expires_at)
              SELECT 'code', min(id), 0, 'challenge', NOW FROM users;
            INSERT INTO mail_suppressions (address, reason, created_at, until_at)
              VALUES ('gone@example.com', 'unknown', NOW, NOW);
            INSERT INTO mail_event_signatures VALUES ('signature', NOW);
            """
                .replace("NOW", Long.toString(service.clock().millis())));
  }

  private static void fill(TestDatabase database, String name, int count, Instant expiresAt) {
    String time =
        DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss")
            .withZone(ZoneOffset.UTC)
            .format(expiresAt);
    database.execute(
        """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
        INSERT INTO invalidated_tokens (jti, user_id, expires_at)
        SELECT '%s' || i, 1, '%s' FROM n
        """
            .formatted(count, name, time)
            .replace("'" + time + "'", cast(database, time)));
  }

  private static String cast(TestDatabase database, String time) {
    boolean sqlite = database.url().startsWith("sqlite");
    return sqlite ? "'" + time + "'" : "timestamp '" + time + "'";
  }

  private static void cleanUp(TestService service) {
    service.service().worker("clean-up").runOnce();
  }

  private static int rows(TestService service, String table) {
    return Integer.parseInt(
        String.valueOf(service.database().column("SELECT count(*) FROM " + table).getFirst()));
  }
}
