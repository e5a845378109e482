package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/auth backup} and {@code restore}; on PostgreSQL see PostgresBackupTest. */
class BackupTest {
  private static final String ADA = "ada@example.com";
  private static final String KEY = "a-key-for-tests-0123456789abcdefghijkl";

  @TempDir Path folder;

  @Test
  void aBackupTakenUnderLoadRestoresToAServiceThatGoesOn() throws Exception {
    try (TestDatabase database = Databases.SQLITE.migrated()) {
      List<Reply> newest;
      String keys;
      try (TestService service = service(database);
          ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
        var goOn = new AtomicBoolean(true);
        List<Future<Reply>> loads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
          Reply tokens = service.verified("user" + i + "@example.com");
          loads.add(clients.submit(refreshing(service, tokens, goOn)));
        }
        assertThat(command(database, "backup", "auth-backup.db").exitCode()).isZero();
        goOn.set(false);
        newest = new ArrayList<>();
        for (Future<Reply> load : loads) {
          newest.add(service.refresh(load.get().text("refresh_token")).expect(200));
        }
        keys = service.get("/.well-known/jwks.json").toString();
      }

      var restored = command(database, "restore", "auth-backup.db");
      assertThat(restored.err()).isEmpty();
      assertThat(restored.out()).contains("4 users, 4 sessions", "auth.db.replaced-1");

      try (TestService service = service(database)) {
        assertThat(service.get("/.well-known/jwks.json").toString()).isEqualTo(keys);
        for (Reply tokens : newest) {
          service.profile(tokens.text("access_token")).expect(200);
          Reply next = service.refresh(tokens.text("refresh_token")).expect(200);
          service.refresh(next.text("refresh_token")).expect(200);
        }
        service.login("user0@example.com", TestService.PASSWORD).expect(200);
        assertThat(database.column("SELECT type FROM security_events"))
            .contains("session_rolled_forward")
            .doesNotContain("session_reused");
      }
    }
  }

  @Test
  void whatWorksOnceDoesNotWorkAgainAfterRestoring() {
    try (TestDatabase database = Databases.SQLITE.migrated()) {
      String code;
      String resetToken;
      try (TestService service = service(database)) {
        service.verified(ADA);
        service.ask(ADA, "password_reset").expect(200);
        resetToken =
            service
                .verify(ADA, "password_reset", service.code(ADA))
                .expect(200)
                .text("reset_token");
        service.clock().advance(Duration.ofMinutes(2));
        service.ask(ADA, "login").expect(200);
        code = service.code(ADA);
        assertThat(command(database, "backup", "auth-backup.db").exitCode()).isZero();
      }
      assertThat(command(database, "restore", "auth-backup.db").exitCode()).isZero();
      try (TestService service = service(database)) {
        service.clock().advance(Duration.ofMinutes(3));
        service.verify(ADA, "login", code).expect(401);
        service
            .post(
                "/auth/reset-password",
                Map.of("reset_token", resetToken, "new_password", "Other-Horse7!"))
            .expect(401);
      }
    }
  }

  @Test
  void nobodyIsGivenTheNumberOfAnAccountThatWasLost() {
    try (TestDatabase database = Databases.SQLITE.migrated()) {
      int lost;
      try (TestService service = service(database)) {
        service.register(ADA);
        assertThat(command(database, "backup", "auth-backup.db").exitCode()).isZero();
        lost = service.register("lost@example.com").json().path("id").asInt();
      }
      assertThat(command(database, "restore", "auth-backup.db").exitCode()).isZero();
      try (TestService service = service(database)) {
        assertThat(service.register("new@example.com").json().path("id").asInt())
            .isGreaterThan(lost + 1_000);
      }
    }
  }

  @Test
  void aBackupIsForItsOwnerAloneAndReplacesNoFile() throws Exception {
    try (TestDatabase database = Databases.SQLITE.migrated()) {
      assertThat(command(database, "backup", "auth-backup.db").exitCode()).isZero();
      Path backup = folder.resolve("auth-backup.db");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(backup)))
          .isEqualTo("rw-------");
      byte[] before = Files.readAllBytes(backup);

      var again = command(database, "backup", "auth-backup.db");
      assertThat(again.exitCode()).isEqualTo(1);
      assertThat(again.err()).contains("exists already");
      assertThat(Files.readAllBytes(backup)).isEqualTo(before);
      try (var files = Files.list(folder)) {
        assertThat(files.map(file -> file.getFileName().toString()))
            .containsExactlyInAnyOrder("auth-backup.db", "stderr");
      }
    }
  }

  @Test
  void aDatabaseInUseIsNotReplaced() {
    try (TestDatabase database = Databases.SQLITE.migrated();
        TestService service = service(database)) {
      service.register(ADA);
      assertThat(command(database, "backup", "auth-backup.db").exitCode()).isZero();
      service.register("grace@example.com");

      var refused = command(database, "restore", "auth-backup.db");
      assertThat(refused.exitCode()).isEqualTo(1);
      assertThat(refused.err()).contains("stop the service first");
      assertThat(database.column("SELECT count(*) FROM users")).containsExactly("2");
      service.login("grace@example.com", TestService.PASSWORD).expect(200);
    }
  }

  @Test
  void aDamagedBackupIsRefusedAndTheDatabaseStays() throws Exception {
    try (TestDatabase database = Databases.SQLITE.migrated()) {
      assertThat(command(database, "backup", "auth-backup.db").exitCode()).isZero();
      Path backup = folder.resolve("auth-backup.db");
      byte[] bytes = Files.readAllBytes(backup);
      Arrays.fill(bytes, bytes.length / 2, bytes.length, (byte) 0x5a);
      Files.write(backup, bytes);

      var refused = command(database, "restore", "auth-backup.db");
      assertThat(refused.exitCode()).isEqualTo(1);
      assertThat(refused.err()).isNotBlank();
      try (TestService service = service(database)) {
        service.register(ADA);
      }
    }
  }

  @Test
  void onPostgresTheCommandsTellWhatToDo() {
    Map<String, String> settings =
        Map.of("DATABASE_URL", "postgresql://auth@localhost/auth", "SECRET_KEY", KEY);
    var backup = ServiceProcess.run(settings, folder, "", "backup", "auth-backup.db");
    assertThat(backup.exitCode()).isEqualTo(1);
    assertThat(backup.err()).contains("pg_dump", "docs/production.md");
    var restore = ServiceProcess.run(settings, folder, "", "restore", "auth-backup.db");
    assertThat(restore.exitCode()).isEqualTo(1);
    assertThat(restore.err()).contains("pg_restore", "--loaded");
  }

  @Test
  void aKeyThatTheBackupWasNotMadeUnderIsToldAndSpoilsNothing() {
    try (TestDatabase database = Databases.SQLITE.migrated()) {
      String token;
      try (TestService service = service(database)) {
        token = service.verified(ADA).text("refresh_token");
        assertThat(command(database, "backup", "auth-backup.db").exitCode()).isZero();
      }
      Map<String, String> another =
          Map.of("DATABASE_URL", database.url(), "SECRET_KEY", KEY.toUpperCase(Locale.ROOT));

      var restored = ServiceProcess.run(another, folder, "", "restore", "auth-backup.db");

      assertThat(restored.exitCode()).isZero();
      assertThat(restored.err()).startsWith("Before you start it: ").contains("SECRET_KEY");
      try (TestService service = service(database)) {
        service.refresh(token).expect(200);
      }
    }
  }

  private static TestService service(TestDatabase database) {
    return TestService.with(database)
        .set("ALGORITHM", "ES256")
        .set("PUBLIC_BASE_URL", "http://localhost:8000")
        .set("REFRESH_REUSE_GRACE_SECONDS", "0")
        .start();
  }

  private static Callable<Reply> refreshing(TestService service, Reply first, AtomicBoolean goOn) {
    return () -> {
      Reply tokens = first;
      while (goOn.get()) {
        tokens = service.refresh(tokens.text("refresh_token")).expect(200);
      }
      return tokens;
    };
  }

  private ServiceProcess.Ended command(TestDatabase database, String... words) {
    return ServiceProcess.run(
        Map.of("DATABASE_URL", database.url(), "SECRET_KEY", KEY), folder, "", words);
  }
}
