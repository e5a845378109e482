package org.authservice;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.authservice.testing.Databases;
import org.authservice.testing.LogLines;
import org.authservice.testing.ServiceProcess;
import org.authservice.testing.ServiceProcess.Ended;
import org.authservice.testing.TestDatabase;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bin/auth mail}, as a process of its own beside mails that wait. */
class MailCommandTest {
  private static final String SECRET_KEY = "a-key-for-tests-0123456789abcdefghijkl";

  @TempDir Path folder;
  private TestDatabase database;

  @BeforeEach
  void queueTwoMails() {
    database = Databases.SQLITE.migrated();
    try (var service =
        TestService.with(database)
            .set("SECRET_KEY", SECRET_KEY)
            .set("SMTP_HOST", "127.0.0.1")
            .set("SMTP_PORT", "1") // nobody listens there
            .set("MAIL_FROM", "no-reply@example.org")
            .start()) {
      service.register("ada@example.com");
      service.register("bob@example.com");
      service.service().worker("mail").runOnce();
    }
  }

  @AfterEach
  void remove() {
    database.close();
  }

  @Test
  void mailsAreListedTriedAgainAndDropped() {
    List<String> ids = column("SELECT id FROM outbox WHERE state = 'queued' ORDER BY recipient");
    String ada = ids.getFirst();

    Ended listed = mail("list");
    assertThat(listed.exitCode()).as(listed.err()).isZero();
    assertThat(listed.out().lines().toList())
        .hasSize(3)
        .anyMatch(line -> line.contains(ada) && line.contains("VERIFICATION  to ada@example.com"))
        .endsWith("2 queued");
    assertThat(listed.out()).doesNotContainPattern("(?<![0-9a-f:.])[0-9]{6}(?![0-9a-f])");

    database.execute("UPDATE outbox SET due_at = due_at + 3600000;\n");
    assertThat(mail("retry", ada).out()).contains("due now");
    assertThat(column("SELECT count(*) FROM outbox WHERE due_at > created_at + 3000000"))
        .containsExactly("1");
    assertThat(mail("retry").out()).contains("1 mail(s) due now");

    assertThat(mail("drop", ada).out()).contains("dropped");
    assertThat(database.column("SELECT payload FROM outbox WHERE id = '" + ada + "'"))
        .containsOnlyNulls();
    assertThat(mail("list", "--state", "dead").out()).contains(ada).contains("1 dead");

    assertFailed(mail("drop", ada), "no queued mail has this id");
    assertFailed(mail("retry", ada), "no queued mail has this id");
    assertFailed(mail("list", "--state", "lost"), "lost is no state");
    assertNodeAccountsFor(ada, "dead: dropped by the operator");
    assertThat(column("SELECT type FROM security_events WHERE type LIKE 'mail%'"))
        .containsExactlyInAnyOrder("mail_retried", "mail_retried", "mail_dropped");
  }

  @Test
  void theMailsOfAnAccountThatACommandErasedAreAccountedForByANode() {
    String ada = column("SELECT id FROM outbox ORDER BY recipient").getFirst();

    assertThat(run("users", "delete", "ada@example.com").exitCode()).isZero();

    assertNodeAccountsFor(ada, "dead: account erased");
    assertThat(column("SELECT recipient FROM outbox")).containsExactly("bob@example.com");
  }

  @Test
  void aSuppressedAddressIsAllowedAgain() {
    database.execute(
        "INSERT INTO mail_suppressions VALUES ('ada@example.com', 'bounced', 0, 9000000000000);\n");

    assertThat(mail("allow", "Ada@Example.com").out()).contains("sent there again");

    assertThat(column("SELECT address FROM mail_suppressions")).isEmpty();
    assertFailed(mail("allow", "ada@example.com"), "it was not suppressed");
  }

  /** A command's process has no metrics and no log of its own. */
  private void assertNodeAccountsFor(String id, String end) {
    try (var log = new LogLines("org.authservice.mail", Level.INFO);
        var node = TestService.with(database).set("SECRET_KEY", SECRET_KEY).metrics().start()) {
      node.service().worker("mail").runOnce();

      assertThat(log.lines())
          .filteredOn(line -> line.contains(id))
          .singleElement()
          .asString()
          .endsWith("is " + end);
      assertThat(node.metrics()).contains("auth_mail_total{outcome=\"dead\"} 1.0");
    }
    assertThat(column("SELECT id FROM outbox WHERE state = 'queued'")).doesNotContain(id);
  }

  private static void assertFailed(Ended ended, String line) {
    assertThat(ended.exitCode()).isEqualTo(1);
    assertThat(ended.err()).contains(line);
  }

  private List<String> column(String sql) {
    return database.column(sql).stream().map(String::valueOf).toList();
  }

  private Ended mail(String... words) {
    return run(Stream.concat(Stream.of("mail"), Stream.of(words)).toArray(String[]::new));
  }

  private Ended run(String... command) {
    Map<String, String> settings = new HashMap<>();
    settings.put("DATABASE_URL", database.url());
    settings.put("SECRET_KEY", SECRET_KEY);
    return ServiceProcess.run(settings, folder, "", command);
  }
}
