package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.authservice.testing.InstalledPostgres;
import org.authservice.testing.Reply;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What docs/production.md says about backups on PostgreSQL, run as it stands there. */
@Tag("soak")
class PostgresBackupTest {
  private static final String KEY = "a-key-for-tests-0123456789abcdefghijkl";
  private static final String ADA = "ada@example.com";

  @TempDir Path folder;

  @Test
  void aDumpTakenUnderLoadRestoresToAServiceThatGoesOn() throws Exception {
    try (InstalledPostgres server = InstalledPostgres.start();
        TestDatabase maintenance = server.database("postgres");
        TestDatabase database = server.empty("auth")) {
      maintenance.execute("CREATE ROLE auth LOGIN");
      Map<String, String> variables = Map.of("DATABASE_URL", database.url());
      List<Reply> newest = new ArrayList<>();
      String keys;
      try (TestService service = service(database);
          ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
        var goOn = new AtomicBoolean(true);
        List<Future<Reply>> loads = new ArrayList<>();
        for (String email : List.of(ADA, "bob@example.com", "cid@example.com")) {
          Reply tokens = service.verified(email);
          loads.add(clients.submit(() -> refreshWhile(goOn, service, tokens)));
        }
        server.shell(recipe("pg_dump"), variables);
        goOn.set(false);
        for (Future<Reply> load : loads) {
          newest.add(service.refresh(load.get().text("refresh_token")).expect(200));
        }
        service.register("lost@example.com");
        keys = service.get("/.well-known/jwks.json").toString();
        assertThat(finish(database).err()).contains("stop all nodes");
      }
      database.execute("CREATE TABLE of_a_later_version (id int)");

      maintenance.execute(recipe("ALTER DATABASE"));
      maintenance.execute(recipe("CREATE DATABASE"));
      server.shell(recipe("pg_restore"), variables);
      database.execute("UPDATE nodes SET seen_at = 0"); // half a minute later
      assertThat(finish(database).exitCode()).isZero();

      assertThat(database.column("SELECT to_regclass('of_a_later_version')::text"))
          .containsOnlyNulls();
      for (Reply tokens : newest) {
        assertGoesOn(database, tokens, keys);
      }
    }
  }

  private static Reply refreshWhile(AtomicBoolean goOn, TestService service, Reply first) {
    Reply tokens = first;
    do {
      tokens = service.refresh(tokens.text("refresh_token")).expect(200);
    } while (goOn.get());
    return tokens;
  }

  @Test
  void theServerIsBroughtBackToAMomentBetweenTwoBackups() throws Exception {
    Path archive = Files.createTempDirectory("auth-archive");
    try (InstalledPostgres server =
            InstalledPostgres.start(
                "wal_level=replica",
                "archive_mode=on",
                "archive_command=cp %p " + archive + "/%f");
        TestDatabase database = server.empty("auth")) {
      new ProcessBuilder("chmod", "777", archive.toString()).start().waitFor();
      String place = database.url().replaceAll(".*@(.*)/auth", "$1");
      Reply tokens;
      String keys;
      String moment;
      try (TestService service = service(database)) {
        tokens = service.verified(ADA);
        Path base = server.folder().resolve("base");
        server.asOwner(
            "pg_basebackup",
            "-h",
            place.split(":", 2)[0],
            "-p",
            place.split(":", 2)[1],
            "-U",
            "postgres",
            "-D",
            base.toString(),
            "-c",
            "fast");
        tokens = service.refresh(tokens.text("refresh_token")).expect(200);
        keys = service.get("/.well-known/jwks.json").toString();
        moment = String.valueOf(database.column("SELECT clock_timestamp()").getFirst());
        service.register("lost@example.com");
        database.column("SELECT pg_switch_wal()");
      }
      server.stop(server.data());
      Path base = server.folder().resolve("base");
      Files.createFile(base.resolve("recovery.signal"));
      new ProcessBuilder("chown", "postgres", base.resolve("recovery.signal").toString())
          .start()
          .waitFor();
      server.startOn(
          base,
          "restore_command=cp " + archive + "/%f %p",
          "recovery_target_time=" + moment,
          "recovery_target_action=promote");
      while (!"f".equals(database.column("SELECT pg_is_in_recovery()").getFirst())) {
        Thread.onSpinWait();
      }
      assertThat(database.column("SELECT email FROM users")).containsExactly(ADA);
      database.execute("UPDATE nodes SET seen_at = 0");
      assertThat(finish(database).exitCode()).isZero();
      assertGoesOn(database, tokens, keys);
    }
  }

  private static void assertGoesOn(TestDatabase database, Reply tokens, String keys) {
    try (TestService service = service(database)) {
      assertThat(service.get("/.well-known/jwks.json").toString()).isEqualTo(keys);
      service.profile(tokens.text("access_token")).expect(200);
      Reply next = service.refresh(tokens.text("refresh_token")).expect(200);
      service.refresh(next.text("refresh_token")).expect(200);
      service.login(ADA, TestService.PASSWORD).expect(200);
      assertThat(service.register(UUID.randomUUID() + "@example.com").json().path("id").asInt())
          .isGreaterThan(1_000);
      assertThat(database.column("SELECT type FROM security_events"))
          .doesNotContain("session_reused");
    }
  }

  private static TestService service(TestDatabase database) {
    return TestService.with(database)
        .set("ALGORITHM", "ES256")
        .set("PUBLIC_BASE_URL", "http://localhost:8000")
        .set("REFRESH_REUSE_GRACE_SECONDS", "0")
        .start();
  }

  private ServiceProcess.Ended finish(TestDatabase database) {
    return ServiceProcess.run(
        Map.of("DATABASE_URL", database.url(), "SECRET_KEY", KEY),
        folder,
        "",
        "restore",
        "--loaded");
  }

  /** The line of the page that runs that program. */
  private static String recipe(String program) {
    try {
      List<String> lines =
          Pattern.compile("(?m)^    (" + program + " .*)$")
              .matcher(Files.readString(Path.of("docs/production.md")))
              .results()
              .map((MatchResult found) -> found.group(1))
              .toList();
      assertThat(lines).hasSize(1);
      return lines.getFirst();
    } catch (IOException failure) {
      throw new IllegalStateException(failure);
    }
  }
}
