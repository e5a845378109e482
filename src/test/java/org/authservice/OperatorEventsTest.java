package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.authservice.testing.Databases;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever an operator does or looks at by {@code bin/auth} is in the record of events. */
class OperatorEventsTest {
  private static final String SECRET_KEY = "a-key-for-tests-0123456789abcdefghijkl";
  private static final String ADA = "ada@example.com";

  @TempDir Path folder;
  private final Map<String, String> settings = new HashMap<>();
  private TestDatabase database;

  @AfterEach
  void remove() {
    database.close();
  }

  @Test
  void everyCommandWritesItsEvent() {
    everyCommandWritesItsEvent(Databases.SQLITE);
  }

  @Test
  @Tag("soak")
  void everyCommandWritesItsEventOnPostgresToo() {
    everyCommandWritesItsEvent(Databases.POSTGRES);
  }

  private void everyCommandWritesItsEvent(Databases engine) {
    prepare(engine);
    String mail = column("SELECT id FROM outbox WHERE state = 'queued'").getFirst();
    String session = column("SELECT id FROM sessions ORDER BY id").getFirst();

    run("account_created ok", "users", "create", "eve@example.com");
    run("operator_read users show", "users", "show", ADA);
    run("operator_read sessions list", "sessions", "list", ADA);
    run("session_ended ok", "sessions", "end", session);
    run("account_signed_out ok", "sessions", "end", ADA);
    run("operator_read mail list", "mail", "list");
    run("mail_retried ok", "mail", "retry", mail);
    run("mail_retried ok", "mail", "retry");
    run("mail_dropped ok", "mail", "drop", mail);
    run("mail_allowed ok", "mail", "allow", "bounced@example.com");
    run("operator_read keys list", "keys", "list");
    run("signing_key_made ok", "keys", "rotate", "--now");
    String kid = column("SELECT kid FROM signing_keys ORDER BY signs_from, kid").getFirst();
    run("signing_key_revoked ok", "keys", "revoke", kid);
    run("clock_accepted ok", "clock", "accept");
    run("operator_read audit list", "audit", "list", "--user", ADA);
    run("operator_read audit verify", "audit", "verify");
    run("account_deactivated ok", "users", "deactivate", ADA);
    run("account_reactivated ok", "users", "reactivate", ADA);
    run("account_deleted ok", "users", "delete", ADA);
    distrust();
  }

  /** An account with two sessions, a mail that waits, an address that gets none, key pairs. */
  private void prepare(Databases engine) {
    database = engine.migrated();
    settings.put("DATABASE_URL", database.url());
    settings.put("SECRET_KEY", SECRET_KEY);
    settings.put("ALGORITHM", "ES256");
    try (var service =
        TestService.with(database)
            .set("SECRET_KEY", SECRET_KEY)
            .set("ALGORITHM", "ES256")
            .set("SMTP_HOST", "127.0.0.1")
            .set("SMTP_PORT", "1") // nobody listens there
            .set("MAIL_FROM", "no-reply@example.org")
            .realTime()
            .start()) {
      service.register(ADA);
      service.login(ADA, TestService.PASSWORD).expect(200);
      service.login(ADA, TestService.PASSWORD).expect(200);
      service.service().worker("mail").runOnce();
    }
    database.execute(
        "INSERT INTO mail_suppressions VALUES ('bounced@example.com', 'bounced', 0, 9000000000000);\n");
  }

  private void distrust() {
    String old = column("SELECT id FROM secret_keys").getFirst();
    settings.put("SECRET_KEY", "another-key-for-tests-0123456789abcdef");
    settings.put("SECRET_KEY_PREVIOUS", SECRET_KEY);
    run("secret_key_distrusted ok", "keys", "distrust", old);
  }

  /** Runs a command; that event, by an operator, is what it added. */
  private void run(String event, String... command) {
    List<String> before = byOperators();
    var ended = ServiceProcess.run(settings, folder, TestService.PASSWORD + "\n", command);
    assertThat(ended.exitCode()).as("%s: %s", String.join(" ", command), ended).isZero();

    List<String> added = byOperators();
    before.forEach(added::remove);
    assertThat(added).as(String.join(" ", command)).contains(event);
  }

  private List<String> byOperators() {
    return new ArrayList<>(
        column(
            "SELECT type || ' ' || outcome FROM security_events"
                + " WHERE user_agent = 'bin/auth' OR type = 'account_deleted'"));
  }

  private List<String> column(String sql) {
    return database.column(sql).stream().map(String::valueOf).toList();
  }
}
