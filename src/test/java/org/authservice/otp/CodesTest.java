package org.authservice.otp;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.authservice.ratelimit.RollingDay;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class CodesTest extends HttpTest {
  private static final String EVE = "eve@example.com";

  @Test
  void aCodeSignsInOnce() {
    service.register(ADA);
    String otpId = service.ask(ADA, "login").expect(200).text("otp_id");
    String code = service.code(ADA);

    service.verify(ADA, "login", code, otpId).expect(200);

    service.verify(ADA, "login", code, otpId).expect(401, "otp_invalid");
    service.verify(ADA, "login", code).expect(401, "otp_invalid");
  }

  @Test
  void theAnswerIsTheSameForKnownAndUnknownAddresses() {
    service.register(ADA);

    Reply known = service.ask(ADA, "login").expect(200);
    Reply unknown = service.ask("eve@example.com", "login").expect(200);

    assertThat(known.text("message")).isEqualTo(unknown.text("message"));
    assertThat(known.json().path("expires_in").asInt()).isEqualTo(600);
    assertThat(unknown.json().path("expires_in").asInt()).isEqualTo(600);
    assertThat(unknown.json().path("resend_after").asInt()).isEqualTo(60);
    assertThat(unknown.text("otp_id")).matches("[0-9a-f]{32}");
    assertThat(service.mails("eve@example.com")).isEmpty();
    service.ask(ADA, "login").expect(429, "otp_rate_limited");
    service.ask("EVE@example.com", "login").expect(429, "otp_rate_limited");
  }

  @Test
  void theSmallestIntervalIsPerPurpose() {
    service.register(ADA);

    service.ask(ADA, "login").expect(200);
    service.ask(ADA, "password_reset").expect(200);
    Reply refused = service.ask(ADA, "login").expect(429, "otp_rate_limited");
    assertThat(refused.json().path("retry_after").asInt()).isEqualTo(60);
    service.clock().advance(Duration.ofSeconds(60));
    service.ask(ADA, "login").expect(200);
  }

  @Test
  void oneClientAddressMayAskForHalfAnHoursCodesOnly() {
    for (int i = 0; i < 5; i++) {
      service.ask(ADA, "login").expect(200);
      service.clock().advance(Duration.ofMinutes(1));
    }

    Reply refused = service.ask(ADA, "login").expect(429, "otp_rate_limited");
    service.clock().advance(Duration.ofSeconds(refused.json().path("retry_after").asLong()));
    service.ask(ADA, "login").expect(200);
  }

  @Test
  void aKnownDeviceHasABudgetOfItsOwn() {
    String device = service.verified(ADA).text("device_token");
    service.ask(ADA, "login").expect(200);
    service.ask(ADA, "login").expect(429, "otp_rate_limited");

    service.ask(ADA, "login", "Device-Token", device).expect(200);
    service.ask(ADA, "login", "Device-Token", device).expect(429, "otp_rate_limited");
  }

  @Test
  void aWrongCodeMayBeEnteredThreeTimes() {
    service.register(ADA);
    service.ask(ADA, "login").expect(200);
    String code = service.code(ADA);
    for (int i = 0; i < 3; i++) {
      service.verify(ADA, "login", TestService.otherThan(code)).expect(401, "otp_invalid");
    }

    service.verify(ADA, "login", code).expect(401, "otp_invalid");
  }

  @Test
  void guessesOfAStrangerWithoutTheIdLeaveTheOwnersOwn() {
    service.register(ADA);
    String otpId = service.ask(ADA, "login").expect(200).text("otp_id");
    String code = service.code(ADA);
    for (int i = 0; i < 5; i++) {
      service.verify(ADA, "login", TestService.otherThan(code)).expect(401, "otp_invalid");
    }

    service.verify(ADA, "login", code, otpId).expect(200);
  }

  @Test
  void twoHundredParallelWrongCodesAreComparedThreeTimes() {
    service.register(ADA);
    service.ask(ADA, "login").expect(200);
    String wrong = TestService.otherThan(service.code(ADA));

    List<Reply> replies = TestService.parallel(200, () -> service.verify(ADA, "login", wrong));

    assertThat(replies).allSatisfy(reply -> reply.expect(401, "otp_invalid"));
    assertThat(service.database().column("SELECT max(attempts) FROM codes")).containsExactly("3");
    assertThat(
            service
                .database()
                .column("SELECT min(" + RollingDay.totalWritten() + ") FROM code_failures"))
        .containsExactly("3");
  }

  @Test
  void fiftyParallelRightCodesSucceedOnce() {
    service.register(ADA);
    String otpId = service.ask(ADA, "login").expect(200).text("otp_id");
    String code = service.code(ADA);

    List<Reply> replies = TestService.parallel(50, () -> service.verify(ADA, "login", code, otpId));

    assertThat(replies.stream().filter(reply -> reply.status() == 200)).hasSize(1);
    assertThat(replies.stream().filter(reply -> reply.status() == 401)).hasSize(49);
  }

  @Test
  void ofParallelRequestsForOneAddressOneIsGranted() {
    service.register(ADA);
    var number = new AtomicInteger();

    List<Reply> replies =
        TestService.parallel(
            60,
            () -> {
              int i = number.getAndIncrement();
              return service.ask(i % 3 == 0 ? ADA : i % 3 == 1 ? EVE : i + EVE, "login");
            });

    assertThat(replies.stream().filter(reply -> reply.status() == 200)).hasSize(22);
    assertThat(replies.stream().filter(reply -> reply.status() == 429)).hasSize(38);
    assertThat(service.database().column("SELECT count(*) FROM codes WHERE purpose = 'login'"))
        .containsExactly("22");
    assertThat(
            service
                .database()
                .column(
                    "SELECT outcome || ' ' || count(*) FROM security_events"
                        + " WHERE type = 'code_request' GROUP BY outcome ORDER BY outcome"))
        .containsExactly("ok 22", "otp_rate_limited 38");
    assertThat(
            service.database().column("SELECT count(*) FROM outbox WHERE template = 'LOGIN_CODE'"))
        .containsExactly("22");
  }

  /** The time of a request is taken before its turn comes, or by a node whose clock is ahead. */
  @Test
  void withoutAnIntervalACodeYoungerThanTheRequestForbidsNone() {
    try (var unhurried = withoutBudgets()) {
      unhurried.register(ADA);
      unhurried.ask(ADA, "login").expect(200);
      unhurried.clock().advance(Duration.ofMillis(-5));

      unhurried.ask(ADA, "login").expect(200);
    }
  }

  @Test
  void aCodeExpires() {
    service.register(ADA);
    String otpId = service.ask(ADA, "login").expect(200).text("otp_id");
    String code = service.code(ADA);
    service.clock().advance(Duration.ofMinutes(10));

    service.verify(ADA, "login", code, otpId).expect(401, "otp_invalid");
  }

  @Test
  void aCodeIsGoodForItsPurposeAndAccountOnly() {
    service.register(ADA);
    service.register("eve@example.com");
    String otpId = service.ask(ADA, "login").expect(200).text("otp_id");
    String code = service.code(ADA);

    service.verify(ADA, "password_reset", code, otpId).expect(401, "otp_invalid");
    service.verify("eve@example.com", "login", code, otpId).expect(401, "otp_invalid");
    service.verify("nobody@example.com", "login", code, otpId).expect(401, "otp_invalid");
    service.verify(ADA, "login", code, "0".repeat(32)).expect(401, "otp_invalid");
    service.verify(ADA, "login", code, otpId).expect(200);
  }

  @Test
  void anOlderCodeStaysGoodThroughItsOwnIdOnly() {
    service.register(ADA);
    String olderId = service.ask(ADA, "login").expect(200).text("otp_id");
    String older = service.code(ADA);
    service.clock().advance(Duration.ofMinutes(2));
    service.ask(ADA, "login").expect(200);
    String newer = service.code(ADA);
    if (!older.equals(newer)) {
      service.verify(ADA, "login", older).expect(401, "otp_invalid");
    }

    service.verify(ADA, "login", older, olderId).expect(200);

    service.verify(ADA, "login", newer).expect(401, "otp_invalid");
  }

  private TestService withoutBudgets() {
    return TestService.with(engine)
        .set("OTP_RATE_LIMIT_MINUTES", "0")
        .set("OTP_MAX_PER_HOUR", "1000")
        .set("OTP_MAX_PER_DAY", "1000")
        .start();
  }

  @Test
  void afterThirtyWrongCodesInADayStrangersAreRefusedUncompared() {
    try (var service = withoutBudgets()) {
      service.register(ADA);
      for (int i = 0; i < 10; i++) {
        service.ask(ADA, "login").expect(200);
        String wrong = TestService.otherThan(service.code(ADA));
        service.clock().advance(Duration.ofSeconds(1));
        for (int j = 0; j < 3; j++) {
          service.verify(ADA, "login", wrong).expect(401);
        }
      }
      String otpId = service.ask(ADA, "login").expect(200).text("otp_id");
      String code = service.code(ADA);

      service.verify(ADA, "login", code).expect(401, "otp_invalid");

      service.verify(ADA, "login", code, otpId).expect(200);
      assertThat(service.mails(ADA).stream().map(mail -> mail.path("subject").asText()))
          .contains("Many failed sign-ins on your account");
    }
  }

  @Test
  void thirtyWrongCodesInAnyDayAreTheMostWhereverItBegins() {
    try (var service = withoutBudgets()) {
      service.register(ADA);
      enterWrong(service, 1);
      service.clock().advance(Duration.ofHours(23));
      enterWrong(service, 29);
      service.clock().advance(Duration.ofHours(2)); // the first is a day old by now
      enterWrong(service, 1);

      service.ask(ADA, "login").expect(200);
      service.verify(ADA, "login", service.code(ADA)).expect(401, "otp_invalid");
      assertThat(service.mails(ADA).stream().map(mail -> mail.path("subject").asText()))
          .containsOnlyOnce("Many failed sign-ins on your account");

      service.clock().advance(Duration.ofHours(25));
      service.ask(ADA, "login").expect(200);
      service.verify(ADA, "login", service.code(ADA)).expect(200);
    }
  }

  private static void enterWrong(TestService service, int times) {
    for (int i = 0; i < times; i++) {
      service.clock().advance(Duration.ofSeconds(1));
      service.ask(ADA, "login").expect(200);
      String wrong = TestService.otherThan(service.code(ADA));
      service.verify(ADA, "login", wrong).expect(401, "otp_invalid");
    }
  }

  @Test
  void whatIsNotSixDigitsIsNoAttempt() {
    service.register(ADA);
    service.ask(ADA, "login").expect(200);
    for (String text : List.of("12345", "1234567", "abcdef", "12 456", "١٢٣٤٥٦")) {
      service.verify(ADA, "login", text).expect(422, "validation_failed");
    }

    assertThat(service.database().column("SELECT max(attempts) FROM codes")).containsExactly("0");
  }

  @Test
  void aDisabledAccountGetsNoMailAndNoSession() {
    service.register(ADA);
    String otpId = service.ask(ADA, "login").expect(200).text("otp_id");
    String code = service.code(ADA);
    service.database().execute("UPDATE users SET is_active = false;\n");
    int mails = service.mails(ADA).size();

    service.verify(ADA, "login", code, otpId).expect(401, "otp_invalid");
    service.clock().advance(Duration.ofMinutes(2));
    service.ask(ADA, "login").expect(200);

    assertThat(service.mails(ADA)).hasSize(mails);
  }

  @Test
  void noPurposeButTheThreeCanBeAskedFor() {
    service.ask(ADA, "password_confirmation").expect(422, "validation_failed");
    service.ask(ADA, "anything").expect(422, "validation_failed");
    service.post("/auth/generate-otp", Map.of("email", ADA)).expect(200);
  }

  @Test
  void aMailWithACodeHoldsNoOtherSixDigits() {
    service.register(ADA);

    var mail = service.mails(ADA).getFirst();

    String code = service.code(ADA);
    String text = mail.path("subject").asText() + "\n" + mail.path("text").asText();
    assertThat(text.replace(code, "")).doesNotContainPattern("[0-9]{6}");
    assertThat(mail.path("html").asText()).contains(code);
  }

  @Test
  void noCodeStandsInTheDatabaseInPlain() {
    service.register(ADA);
    String code = service.code(ADA);

    assertThat(service.database().column("SELECT code_hash FROM codes")).noneMatch(code::equals);
    assertThat(service.database().column("SELECT payload FROM outbox WHERE state = 'sent'"))
        .containsOnlyNulls();
  }
}
