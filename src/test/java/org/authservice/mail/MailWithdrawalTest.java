package org.authservice.mail;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import java.time.Duration;
import java.util.List;
import org.authservice.account.EmailAddress;
import org.authservice.mail.UnreliableSmtp.Mood;
import org.authservice.testing.Databases;
import org.authservice.testing.LogLines;
import org.authservice.testing.TestClock;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What is dropped, or whose account is erased, is not sent, not even by whoever has leased it. */
@ParameterizedClass
@EnumSource(Databases.class)
class MailWithdrawalTest {
  private static final String ADA = "ada@example.com";

  @Parameter Databases engine = Databases.SQLITE;
  private final TestClock clock = new TestClock();
  private UnreliableSmtp smtp;
  private LogLines log;
  private TestService service;

  @BeforeEach
  void startWithAServerThatLetsWait() {
    smtp = new UnreliableSmtp(clock);
    smtp.mood = Mood.GREETS_LATE;
    log = new LogLines("org.authservice.mail", Level.INFO);
    service =
        TestService.with(engine)
            .clock(clock)
            .set("SMTP_HOST", "127.0.0.1")
            .set("SMTP_PORT", Integer.toString(smtp.port()))
            .set("SMTP_TLS", "none")
            .set("MAIL_FROM", "no-reply@example.org")
            .metrics()
            .start();
  }

  @AfterEach
  void stop() {
    smtp.mood = Mood.FINE;
    service.close();
    log.close();
    smtp.close();
  }

  @Test
  void aMailUnderWayWhoseAccountIsErasedIsNotHandedOver() {
    String id = underWay();
    erase();
    smtp.mood = Mood.FINE;
    finish();

    assertThat(smtp.recipients).hasValue(0);
    assertThat(smtp.taken).isEmpty();
    assertEndedOnce(id, "account erased");
    assertThat(service.database().column("SELECT id FROM outbox")).isEmpty();
  }

  @Test
  void aMailUnderWayThatIsDroppedIsNotHandedOver() {
    String id = underWay();
    assertThat(service.service().mails().drop(id)).isTrue();
    assertThat(service.service().mails().drop(id)).isFalse();
    assertThat(service.service().mails().retry(id)).isFalse();
    assertThat(service.service().mails().list("queued", 10)).isEmpty();
    assertThat(service.service().mails().list("dead", 10)).hasSize(1);
    smtp.mood = Mood.FINE;
    finish();

    assertThat(smtp.recipients).hasValue(0);
    assertThat(smtp.taken).isEmpty();
    assertEndedOnce(id, "dropped by the operator");
    assertThat(service.database().column("SELECT state || ' ' || reason FROM outbox"))
        .containsExactly("dead dropped by the operator");
  }

  @Test
  void theNextMailGoesByTheSameConnection() {
    String id = underWay();
    service.register("bob@example.com");
    service.service().mails().drop(id);
    smtp.mood = Mood.FINE;
    finish();

    assertThat(smtp.taken)
        .extracting(UnreliableSmtp.Taken::recipient)
        .containsExactly("bob@example.com");
    assertThat(smtp.connections).hasValue(1);
  }

  @Test
  void nothingPersonalStaysOfAMailThatWaitsToBeAccountedFor() {
    underWay();
    erase();

    assertThat(
            service
                .database()
                .column(
                    "SELECT id FROM outbox WHERE recipient <> '' OR user_id IS NOT NULL"
                        + " OR payload IS NOT NULL OR languages <> ''"))
        .isEmpty();
  }

  /** A mail that a sender holds while the server lets it wait for its greeting. */
  private String underWay() {
    service.register(ADA);
    Thread.ofVirtual().start(() -> service.service().worker("mail").runOnce());
    assertThat(smtp.awaitNews()).isEqualTo("waits");
    return String.valueOf(service.database().column("SELECT id FROM outbox").getFirst());
  }

  private void erase() {
    var administration = service.service().administration();
    administration.delete(administration.find(EmailAddress.parse(ADA).orElseThrow()).orElseThrow());
  }

  /** Runs until nothing is under way or queued, with time for leases to pass. */
  private void finish() {
    service.service().worker("mail").runOnce();
    clock.advance(Duration.ofMinutes(3));
    service.service().worker("mail").runOnce();
    clock.advance(Duration.ofDays(2));
    service.service().worker("mail").runOnce();
  }

  private void assertEndedOnce(String id, String reason) {
    List<String> ends =
        log.lines().stream().filter(line -> line.contains(id) && line.contains(" is ")).toList();
    assertThat(ends).hasSize(1);
    assertThat(ends.getFirst()).contains("is dead: " + reason);
    assertThat(service.metrics()).contains("auth_mail_total{outcome=\"dead\"} 1.0");
  }
}
