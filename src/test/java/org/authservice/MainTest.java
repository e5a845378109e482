package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.ServiceProcess.Ended;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line, as processes of their own. */
class MainTest {
  private static final Map<String, String> QUIET = Map.of("PORT", "0", "MANAGEMENT_PORT", "0");

  @TempDir Path folder;

  @Test
  void theServiceStartsWithoutAnySettingAndEndsWhenAsked() {
    try (var service = ServiceProcess.serve(QUIET, folder)) {
      assertThat(String.join("\n", service.output()))
          .contains(folder.resolve(".auth-secret").toString())
          .contains(folder.resolve("auth.db").toString());
      assertThat(service.post("/auth/register", "{}")).isEqualTo(422);
      assertThat(service.terminate()).isEqualTo(143);
    }
    assertThat(folder.resolve("auth.db")).exists();
  }

  @Test
  void whatSpeaksToProvidersAndMailServersIsNotLoadedAtTheStart() throws IOException {
    Map<String, String> settings = new HashMap<>(QUIET);
    settings.put("JAVA_TOOL_OPTIONS", "-Xlog:class+load:file=classes:none");
    settings.put("GOOGLE_CLIENT_ID", "web");
    settings.put("GOOGLE_CLIENT_SECRET", "its-secret");
    settings.put("SMTP_HOST", "smtp.example.com");
    settings.put("MAIL_FROM", "no-reply@example.com");
    try (var service = ServiceProcess.serve(settings, folder)) {
      assertThat(service.post("/auth/google/nonce", "{}")).isEqualTo(200);
    }

    assertThat(Files.readString(folder.resolve("classes")))
        .contains("org.authservice.oidc.OidcRoutes")
        .doesNotContain(
            "com.nimbusds.oauth2",
            "com.nimbusds.openid",
            "java.net.http.HttpClient",
            "jakarta.mail");
  }

  @Test
  void aTemplateOfTheOperatorsThatCannotBeUsedStopsTheStartWithFileAndLine() throws IOException {
    Path file = folder.resolve("mails/en/login-code.txt");
    Files.createDirectories(file.getParent());
    Files.writeString(file, "{{code}} is it\n\nGood for {{hours}} hours:\n\n{{code}}\n");

    refused(
        Map.of("MAIL_TEMPLATES_DIR", "mails"),
        "MAIL_TEMPLATES_DIR: " + file + ", line 3: there is no value {{hours}}");
  }

  @Test
  void whatKeepsItFromStartingIsOneLine() throws IOException {
    refused(Map.of("PORT", "many"), "PORT: it must be a whole number from 0 to 65535");
    refused(
        Map.of(
            "DATABASE_URL", "postgresql://u:secret-word@127.0.0.1:1/db",
            "SECRET_KEY", "a-key-for-tests-0123456789abcdefghijkl"),
        "DATABASE_URL");
    try (var occupied = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      refused(Map.of("PORT", Integer.toString(occupied.getLocalPort())), "Cannot listen on");
    }
    try (var database = Databases.SQLITE.leftByPython()) {
      database.execute("UPDATE alembic_version SET version_num = 'abcdef';\n");
      refused(Map.of("DATABASE_URL", database.url()), "alembic upgrade 1f85d57b8e52");
    }
    try (var database = Databases.SQLITE.empty()) {
      refused(
          Map.of("DATABASE_URL", database.url(), "MIGRATE_ON_START", "false"), "bin/auth migrate");
    }
  }

  @Test
  void commandsSayWhatTheyDoAndHowTheyEnded() {
    assertThat(run("--help")).matches(it -> it.exitCode() == 0 && it.out().contains("migrate"));
    assertThat(run("--version"))
        .matches(it -> it.exitCode() == 0 && it.out().contains("auth-service"));
    assertThat(run("nonsense")).matches(it -> it.exitCode() == 2 && !it.err().isEmpty());
    assertThat(run("migrate", "--dry-run"))
        .matches(it -> it.exitCode() == 0 && it.out().contains("CREATE TABLE sessions"));
    assertThat(run("migrate")).matches(it -> it.exitCode() == 0);
    assertThat(run("migrate", "--dry-run").out()).contains("-- 0 migration(s) pending.");
    Ended settings = run("settings");
    assertThat(settings.out()).contains("OTP_MAX_ATTEMPTS").contains("SECRET_KEY").contains("****");
    assertThat(settings.out()).contains("the service has not run on this database yet");
  }

  @Test
  void theSettingsTellWhatAutoComesTo() {
    assertThat(run("settings").out()).contains("auto means PASSWORD_HASH=argon2id");
    assertThat(folder.resolve("auth.db")).doesNotExist();
    try (var adopted = Databases.SQLITE.leftByPython()) {
      Map<String, String> its = new HashMap<>(QUIET);
      its.put("DATABASE_URL", adopted.url());
      ServiceProcess.serve(its, folder).close();
      assertThat(ServiceProcess.run(its, folder, "", "settings").out())
          .contains("auto means PASSWORD_HASH=bcrypt");
    }
  }

  @Test
  void aCommandInTheWrongFolderMakesNothingAndSaysSo() throws IOException {
    assertThat(run("users", "show", "ada@example.com"))
        .matches(it -> it.exitCode() == 1 && it.err().contains("there is no database"));
    assertThat(run("settings").exitCode()).isZero();
    try (var left = Files.list(folder)) {
      assertThat(left.map(it -> it.getFileName().toString()).filter(it -> !it.startsWith("std")))
          .isEmpty();
    }
  }

  @Test
  void anOperatorManagesAccounts() {
    assertThat(run("migrate").exitCode()).isZero();
    assertThat(ServiceProcess.run(QUIET, folder, "weak\n", "users", "create", "ada@example.com"))
        .matches(it -> it.exitCode() == 1);
    assertThat(
            ServiceProcess.run(
                QUIET, folder, TestService.PASSWORD + "\n", "users", "create", "ada@example.com"))
        .matches(it -> it.exitCode() == 0, "created");
    assertThat(run("users", "show", "ADA@example.com"))
        .matches(it -> it.exitCode() == 0 && it.out().contains("is_verified  true"));
    assertThat(run("users", "deactivate", "ada@example.com")).matches(it -> it.exitCode() == 0);
    assertThat(run("users", "show", "ada@example.com").out()).contains("is_active    false");
    assertThat(run("users", "reactivate", "ada@example.com")).matches(it -> it.exitCode() == 0);
    assertThat(run("audit", "list", "--user", "ada@example.com", "--type", "account_deactivated"))
        .matches(it -> it.exitCode() == 0 && it.out().contains("account_deactivated"))
        .matches(it -> !it.out().contains("account_reactivated"));
    assertThat(run("mail", "retry")).matches(it -> it.exitCode() == 0);
    assertThat(run("audit", "list", "--type", "mail_retried").out()).contains("mail_retried");
    assertThat(run("audit", "verify"))
        .matches(it -> it.exitCode() == 0 && it.out().contains("head 0:"));
    assertThat(run("audit", "verify", "--head", "7:0123"))
        .matches(it -> it.exitCode() == 1 && it.err().contains("seal 7:0123 is not in the chain"));
    assertThat(run("audit", "list", "--type", "nonsense")).matches(it -> it.exitCode() == 1);
    assertThat(run("audit", "list", "--since", "then")).matches(it -> it.exitCode() == 1);
    assertThat(run("users", "delete", "ada@example.com")).matches(it -> it.exitCode() == 0);
    assertThat(run("users", "show", "ada@example.com")).matches(it -> it.exitCode() == 1);
    assertThat(run("users", "show", "no address")).matches(it -> it.exitCode() == 1);
  }

  @Test
  void anOperatorEndsSessionsWhileTheServiceRuns() {
    try (var database = Databases.POSTGRES.migrated()) {
      Map<String, String> settings = new HashMap<>(QUIET);
      settings.put("DATABASE_URL", database.url());
      settings.put("SECRET_KEY", "a-key-for-tests-0123456789abcdefghijkl");
      try (var service = ServiceProcess.serve(settings, folder)) {
        String login =
            "{\"email\":\"ada@example.com\",\"password\":\"" + TestService.PASSWORD + "\"}";
        assertThat(service.post("/auth/register", login)).isEqualTo(201);
        String one = signIn(service, login);
        String other = signIn(service, login);
        Ended listed = sessions(settings, "list", "ada@example.com");
        assertThat(listed.out().lines()).hasSize(2);
        String newest = listed.out().lines().toList().getFirst().split(" ", -1)[0];

        assertThat(sessions(settings, "end", newest).exitCode()).isZero();
        assertThat(sessions(settings, "end", newest).exitCode()).isEqualTo(1);
        assertThat(refresh(service, one)).isNotEqualTo(refresh(service, other));
        assertThat(sessions(settings, "end", "ada@example.com").exitCode()).isZero();
        assertThat(refresh(service, one)).isEqualTo(refresh(service, other)).isEqualTo(401);
        assertThat(sessions(settings, "list", "ada@example.com").out()).isEmpty();
      }
    }
  }

  private Ended sessions(Map<String, String> settings, String verb, String which) {
    return ServiceProcess.run(settings, folder, "", "sessions", verb, which);
  }

  private static String signIn(ServiceProcess service, String login) {
    return new Reply(service.exchange("/auth/login", login).orElseThrow())
        .expect(200)
        .text("refresh_token");
  }

  private static int refresh(ServiceProcess service, String token) {
    return service.post("/auth/refresh", "{\"refresh_token\":\"" + token + "\"}");
  }

  private Ended run(String... command) {
    return ServiceProcess.run(QUIET, folder, "", command);
  }

  private void refused(Map<String, String> settings, String reason) throws IOException {
    Map<String, String> all = new HashMap<>(QUIET);
    all.putAll(settings);
    Ended ended = ServiceProcess.run(all, folder, "", "serve");
    assertThat(ended.exitCode()).as(ended.toString()).isEqualTo(1);
    assertThat(ended.err().strip().lines()).as(ended.err()).hasSize(1);
    assertThat(ended.err()).contains(reason).doesNotContain("secret-word");
    Files.deleteIfExists(folder.resolve("auth.db"));
  }
}
