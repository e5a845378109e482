package org.authservice.mail;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.authservice.mail.UnreliableSmtp.Mood;
import org.authservice.testing.Databases;
import org.authservice.testing.Reply;
import org.authservice.testing.TestClock;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** How many, how often, to whom not; and what a thief of the database finds. */
@ParameterizedClass
@EnumSource(Databases.class)
class OutboxRulesTest {
  private static final String ADA = "ada@example.com";

  @Parameter Databases engine = Databases.SQLITE;
  private final TestClock clock = new TestClock();
  private UnreliableSmtp smtp;

  @BeforeEach
  void startSmtp() {
    smtp = new UnreliableSmtp(clock);
  }

  @AfterEach
  void stopSmtp() {
    smtp.close();
  }

  @Test
  void aServerThatCannotBeReachedIsLeftAloneForAWhile() {
    smtp.mood = Mood.HANGS_UP;
    try (var service = settings().set("MAIL_CONNECTIONS", "2").start()) {
      ask(service, 20);
      for (int i = 0; i < 5; i++) {
        run(service);
      }
      assertThat(smtp.connections.get()).as("one try by each connection").isBetween(1, 2);

      clock.advance(Duration.ofSeconds(31));
      run(service);
      assertThat(smtp.connections.get()).isBetween(2, 4);

      smtp.mood = Mood.FINE;
      clock.advance(Duration.ofSeconds(62));
      run(service);
      assertThat(states(service, "queued")).isZero();
      assertThat(smtp.taken).hasSize(20);
    }
  }

  @Test
  void noMoreLeaveInAMinuteThanIsAllowed() {
    try (var service = settings().set("MAIL_MAX_PER_MINUTE", "5").start()) {
      ask(service, 12);
      run(service);
      assertThat(smtp.taken).hasSize(5);
      clock.advance(Duration.ofSeconds(59));
      run(service);
      assertThat(smtp.taken).hasSize(5);
      clock.advance(Duration.ofSeconds(2));
      run(service);
      assertThat(smtp.taken).hasSize(10);
      clock.advance(Duration.ofSeconds(61));
      run(service);
      assertThat(smtp.taken).hasSize(12);
    }
  }

  @Test
  void oneConnectionCarriesManyMails() {
    smtp.goDown();
    try (var service = settings().set("MAIL_CONNECTIONS", "1").start()) {
      ask(service, 10);
      run(service);
      smtp.comeUp();
      clock.advance(Duration.ofSeconds(62));
      run(service);

      assertThat(smtp.taken).hasSize(10);
      assertThat(smtp.connections.get()).isLessThan(4);
    }
  }

  @Test
  void anAddressThatDoesNotExistGetsNoMoreMailAndNobodyIsTold() {
    smtp.mood = Mood.KNOWS_NOBODY;
    try (var service = settings().start()) {
      service.register(ADA);
      run(service);
      int asked = smtp.recipients.get();
      smtp.mood = Mood.FINE;

      Reply known = service.ask(ADA, "login").expect(200);
      Reply unknown = service.ask("nobody@example.com", "login").expect(200);
      run(service);

      assertThat(smtp.recipients).hasValue(asked);
      assertThat(known.json().properties().stream().map(Map.Entry::getKey).toList())
          .isEqualTo(unknown.json().properties().stream().map(Map.Entry::getKey).toList());
      assertThat(service.database().column("SELECT reason FROM outbox WHERE state = 'dead'"))
          .containsExactlyInAnyOrder(
              "the server refused it with 550 5.1.1", "suppressed: hard bounce");
      clock.advance(Duration.ofDays(7).plusSeconds(1));
      service.ask(ADA, "login").expect(200);
      run(service);
      assertThat(smtp.taken).hasSize(1);
    }
  }

  @Test
  void aMailboxThatIsOnlyFullIsNotSuppressed() {
    smtp.mood = Mood.REFUSES;
    try (var service = settings().start()) {
      service.register(ADA);
      run(service);
      smtp.mood = Mood.FINE;
      service.ask(ADA, "login").expect(200);
      run(service);

      assertThat(smtp.taken).hasSize(1);
      assertThat(service.database().column("SELECT count(*) FROM mail_suppressions"))
          .containsExactly("0");
    }
  }

  @Test
  void mailsOfAnErasedAccountGoWithIt() {
    smtp.goDown();
    try (var service = settings().start()) {
      service.register(ADA);
      run(service); // nothing is under way any more
      var administration = service.service().administration();
      administration.delete(
          administration
              .find(org.authservice.account.EmailAddress.parse(ADA).orElseThrow())
              .orElseThrow());
      smtp.comeUp();
      clock.advance(Duration.ofSeconds(31));
      run(service);

      assertThat(smtp.taken).isEmpty();
      assertThat(service.database().column("SELECT count(*) FROM outbox")).containsExactly("0");
    }
  }

  @Test
  void noCodeStandsInTheDatabaseWhileItsMailWaitsOrAfter() throws IOException {
    smtp.mood = Mood.PUTS_OFF;
    try (var service = settings().start()) {
      ask(service, 12);
      run(service);
      assertThat(states(service, "queued")).isEqualTo(12);
      String waiting = everythingIn(service);
      smtp.mood = Mood.FINE;
      clock.advance(Duration.ofSeconds(62));
      run(service);
      String after = everythingIn(service);
      List<String> codes = smtp.taken.stream().map(mail -> mail.subject().substring(0, 6)).toList();

      assertThat(codes).hasSize(12).allMatch(code -> code.matches("[0-9]{6}"));
      // By chance six digits may stand in an id or a time; twelve times they do not.
      assertThat(codes.stream().filter(waiting::contains).count()).isLessThan(4);
      assertThat(codes.stream().filter(after::contains).count()).isLessThan(4);
      assertThat(service.database().column("SELECT count(*) FROM outbox WHERE payload IS NOT NULL"))
          .containsExactly("0");
    }
  }

  private TestService.Builder settings() {
    return TestService.with(engine)
        .clock(clock)
        .set("SMTP_HOST", "127.0.0.1")
        .set("SMTP_PORT", Integer.toString(smtp.port()))
        .set("SMTP_TLS", "none")
        .set("MAIL_FROM", "no-reply@example.org")
        .set("OTP_RATE_LIMIT_MINUTES", "0")
        .set("OTP_MAX_PER_HOUR", "1000")
        .set("OTP_MAX_PER_DAY", "1000");
  }

  /** Queues so many mails: that of a registration and codes after it. */
  private static void ask(TestService service, int mails) {
    service.register(ADA);
    for (int i = 1; i < mails; i++) {
      service.ask(ADA, "login").expect(200);
    }
  }

  private static void run(TestService service) {
    service.service().worker("mail").runOnce();
  }

  private static long states(TestService service, String state) {
    return Long.parseLong(
        String.valueOf(
            service
                .database()
                .column("SELECT count(*) FROM outbox WHERE state = '" + state + "'")
                .getFirst()));
  }

  /** SQLite's files byte for byte; of PostgreSQL every row of every table. */
  private String everythingIn(TestService service) throws IOException {
    var everything = new StringBuilder();
    switch (engine) {
      case SQLITE -> {
        Path file = Path.of(service.database().jdbcUrl().replaceFirst("^jdbc:sqlite:", ""));
        for (String suffix : List.of("", "-wal", "-shm")) {
          Path part = Path.of(file + suffix);
          if (Files.exists(part)) {
            everything.append(new String(Files.readAllBytes(part), StandardCharsets.ISO_8859_1));
          }
        }
      }
      case POSTGRES -> {
        List<String> tables =
            new ArrayList<>(
                service
                    .database()
                    .column(
                        "SELECT table_name FROM information_schema.tables"
                            + " WHERE table_schema = 'public'"));
        for (String table : tables) {
          service
              .database()
              .column("SELECT t::text FROM \"" + table + "\" t")
              .forEach(row -> everything.append(row).append('\n'));
        }
      }
    }
    assertThat(everything.toString()).contains(ADA);
    return everything.toString();
  }
}
