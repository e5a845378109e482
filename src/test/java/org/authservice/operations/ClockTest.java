package org.authservice.operations;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import org.authservice.settings.DatabaseSettings;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.SkewedMain;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Nodes whose clocks are wrong, and a database whose clock steps. */
class ClockTest {
  private static final String ADA = "ada@example.com";
  private static final Duration NEARLY = Duration.ofSeconds(5);

  @TempDir java.nio.file.Path folder;

  @ParameterizedTest
  @EnumSource(Databases.class)
  void aNodeWithAWrongClockKeepsTheDatabasesTime(Databases engine) {
    try (var service = TestService.with(engine).machineClock(wrongBy(-600)).start()) {
      Reply tokens = service.verified(ADA);

      assertThat(issued(tokens)).isBetween(now().minus(NEARLY), now().plus(NEARLY));
    }
  }

  @Test
  void nodesWithDifferentClocksAcceptEachOthersTokensAndShareOneGrace() {
    try (TestDatabase database = Databases.POSTGRES.migrated();
        var ahead = node(database, 600);
        var behind = node(database, -600)) {
      Reply tokens = ahead.verified(ADA);
      behind.profile(tokens.text("access_token")).expect(200);
      String first = tokens.text("refresh_token");
      String second = behind.refresh(first).expect(200).text("refresh_token");

      assertThat(ahead.refresh(first).expect(200).text("refresh_token")).isEqualTo(second);
      assertThat(ahead.refresh(second).expect(200).text("refresh_token")).isEqualTo(second);
      ahead.profile(behind.refresh(second).expect(200).text("access_token")).expect(200);
    }
  }

  @Test
  void aProcessWithAWrongClockKeepsTheDatabasesTime() {
    try (TestDatabase database = Databases.POSTGRES.migrated()) {
      var settings = settings(database);
      settings.put(SkewedMain.SKEW_SECONDS, "-3600");
      try (var process = ServiceProcess.serve(SkewedMain.class, settings, folder)) {
        String body = "{\"email\":\"%s\",\"password\":\"%s\"}".formatted(ADA, TestService.PASSWORD);
        assertThat(process.post("/auth/register", body)).isEqualTo(201);
        Reply tokens = new Reply(process.exchange("/auth/login", body).orElseThrow()).expect(200);

        assertThat(issued(tokens)).isBetween(now().minus(NEARLY), now().plus(NEARLY));
      }
    }
  }

  @Test
  void aStepOfTheDatabasesClockIsRefusedUntilAnOperatorAcceptsIt() {
    try (TestDatabase database = Databases.POSTGRES.migrated()) {
      makeClockMovable(database);
      try (var service = node(database, 0)) {
        Reply before = service.verified(ADA);
        step(database, 20);
        service.service().worker("clock").runOnce();
        assertThat(issued(login(service))).isAfter(now().plusSeconds(18));

        step(database, 3600);
        service.service().worker("clock").runOnce();
        assertThat(keeper(service).steady()).isFalse();
        assertThat(issued(login(service))).isBefore(now().plusSeconds(60));
        service.profile(before.text("access_token")).expect(200);

        var ended = ServiceProcess.run(settings(database), folder, "", "clock", "accept");
        assertThat(ended.exitCode()).as(ended.err()).isZero();
        service.service().worker("clock").runOnce();

        assertThat(keeper(service).steady()).isTrue();
        assertThat(issued(login(service))).isAfter(now().plusSeconds(3500));
        step(database, 7200);
        service.service().worker("clock").runOnce();
        assertThat(keeper(service).steady()).as("one acceptance is for one step").isFalse();
      }
    }
  }

  @Test
  void nothingIsCalledTheftUntilAStepIsAccepted() {
    try (TestDatabase database = Databases.POSTGRES.migrated()) {
      makeClockMovable(database);
      try (var service =
          TestService.with(database)
              .set("REFRESH_REUSE_GRACE_SECONDS", "0")
              .machineClock(Clock.systemUTC())
              .start()) {
        String first = service.verified(ADA).text("refresh_token");
        String second = service.refresh(first).expect(200).text("refresh_token");
        String third = service.refresh(second).expect(200).text("refresh_token");
        step(database, 3600);
        service.service().worker("clock").runOnce();

        service.refresh(first).expect(503, "database_unavailable");
        String fourth = service.refresh(third).expect(200).text("refresh_token");

        keeper(service).accept();
        service.service().worker("clock").runOnce();
        service.refresh(first).expect(401, "refresh_token_invalid");
        service.refresh(fourth).expect(401, "refresh_token_invalid");
      }
    }
  }

  private static Clock wrongBy(long seconds) {
    return Clock.offset(Clock.systemUTC(), Duration.ofSeconds(seconds));
  }

  private static TestService node(TestDatabase database, long wrongBySeconds) {
    return TestService.with(database)
        .set("PUBLIC_BASE_URL", "http://localhost:8000")
        .machineClock(wrongBy(wrongBySeconds))
        .start();
  }

  private static java.util.Map<String, String> settings(TestDatabase database) {
    return new java.util.HashMap<>(
        java.util.Map.of(
            "DATABASE_URL", database.url(),
            "SECRET_KEY", "a-key-for-tests-0123456789abcdefghijkl",
            "PORT", "0",
            "MANAGEMENT_PORT", "0"));
  }

  private static ClockKeeper keeper(TestService service) {
    return service.service().clockKeeper().orElseThrow();
  }

  private static Reply login(TestService service) {
    return service.login(ADA, TestService.PASSWORD).expect(200);
  }

  /** A function of the same name that is found first. */
  private static void makeClockMovable(TestDatabase database) {
    String name = ((DatabaseSettings.Postgres) database.settings().location()).database();
    database.execute(
        "CREATE TABLE public.clock (ahead interval);\n"
            + "INSERT INTO public.clock VALUES (interval '0')");
    database.execute(
        "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS"
            + " 'SELECT pg_catalog.clock_timestamp() + ahead FROM public.clock'");
    database.execute("ALTER DATABASE " + name + " SET search_path = public, pg_catalog");
  }

  private static void step(TestDatabase database, int seconds) {
    database.execute("UPDATE public.clock SET ahead = interval '" + seconds + " seconds'");
  }

  private static Instant issued(Reply tokens) {
    String claims = tokens.text("access_token").split("\\.", -1)[1];
    try {
      return Instant.ofEpochSecond(
          new ObjectMapper().readTree(Base64.getUrlDecoder().decode(claims)).path("iat").asLong());
    } catch (IOException notJson) {
      throw new java.io.UncheckedIOException(notJson);
    }
  }

  private static Instant now() {
    return Clock.systemUTC().instant();
  }
}
