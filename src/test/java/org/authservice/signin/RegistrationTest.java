package org.authservice.signin;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class RegistrationTest extends HttpTest {

  @Test
  void registeringCreatesAnUnverifiedAccountAndMailsACode() {
    Reply reply =
        service
            .post(
                "/auth/register",
                Map.of("email", ADA, "password", TestService.PASSWORD, "full_name", " Ada L. "))
            .expect(201);

    assertThat(reply.json().path("id").asInt()).isPositive();
    assertThat(reply.text("email")).isEqualTo(ADA);
    assertThat(reply.text("full_name")).isEqualTo("Ada L.");
    assertThat(reply.json().path("is_active").asBoolean()).isTrue();
    assertThat(reply.json().path("is_verified").asBoolean()).isFalse();
    assertThat(reply.text("otp_id")).matches("[0-9a-f]{32}");
    assertThat(reply.text("device_token")).isNotEmpty();
    service.verify(ADA, "verification", service.code(ADA), reply.text("otp_id")).expect(200);
  }

  @Test
  void membersThatNobodyMaySetAreIgnored() {
    Reply reply =
        service
            .post(
                "/auth/register",
                Map.of(
                    "email",
                    ADA,
                    "password",
                    TestService.PASSWORD,
                    "is_verified",
                    true,
                    "id",
                    77,
                    "role",
                    "admin"))
            .expect(201);

    assertThat(reply.json().path("is_verified").asBoolean()).isFalse();
    assertThat(reply.json().path("id").asInt()).isNotEqualTo(77);
    assertThat(reply.json().has("role")).isFalse();
  }

  @Test
  void anAddressIsTakenInEverySpelling() {
    service.register("Ada.Lovelace@Example.com");

    for (String spelling :
        List.of(
            "ada.lovelace@example.com", "ADA.LOVELACE@EXAMPLE.COM", "ada.Lovelace@example.COM")) {
      service
          .post("/auth/register", Map.of("email", spelling, "password", TestService.PASSWORD))
          .expect(409, "email_taken");
    }
    assertThat(service.database().column("SELECT email FROM users"))
        .containsExactly("ada.lovelace@example.com");
  }

  @Test
  void twoHundredParallelRegistrationsOfOneAddressCreateOneAccount() {
    var number = new AtomicInteger();
    List<Reply> replies =
        TestService.parallel(
            200,
            () -> {
              boolean upper = number.getAndIncrement() % 2 == 0;
              String email = upper ? ADA.toUpperCase(Locale.ROOT) : ADA;
              Reply reply;
              do {
                reply =
                    service.post(
                        "/auth/register", Map.of("email", email, "password", TestService.PASSWORD));
              } while (reply.status() == 503);
              return reply;
            });

    assertThat(replies.stream().filter(reply -> reply.status() == 201)).hasSize(1);
    assertThat(replies.stream().filter(reply -> reply.status() == 409)).hasSize(199);
    assertThat(service.database().column("SELECT count(*) FROM users")).containsExactly("1");
  }

  @Test
  void aPasswordThatThePolicyRefusesIsToldWhy() {
    for (String password :
        List.of("short1!", "alllowercase7!", "NoDigits!!", "NoSpecial77", "P@ssw0rd")) {
      Reply reply =
          service
              .post("/auth/register", Map.of("email", ADA, "password", password))
              .expect(422, "password_rejected");
      assertThat(reply.json().path("errors").path(0).path("field").asText()).isEqualTo("password");
      assertThat(reply.text("detail")).isNotEmpty();
    }
    assertThat(service.database().column("SELECT count(*) FROM users")).containsExactly("0");
  }

  @Test
  void withPrivacyAnAccountExistsOnlyAfterItsCodeWasEntered() {
    try (var service = TestService.with(engine).set("REGISTRATION_PRIVACY", "true").start()) {
      Reply pending =
          service
              .post("/auth/register", Map.of("email", ADA, "password", TestService.PASSWORD))
              .expect(202);
      service.login(ADA, TestService.PASSWORD).expect(401, "invalid_credentials");
      assertThat(service.database().column("SELECT count(*) FROM users")).containsExactly("0");

      service.verify(ADA, "verification", service.code(ADA), pending.text("otp_id")).expect(200);

      service.login(ADA, TestService.PASSWORD).expect(200);
    }
  }

  @Test
  void withPrivacyATakenAddressIsAnsweredAlikeAndItsOwnerIsTold() {
    try (var service = TestService.with(engine).set("REGISTRATION_PRIVACY", "true").start()) {
      Map<String, String> body = Map.of("email", ADA, "password", TestService.PASSWORD);
      Reply fresh = service.post("/auth/register", body).expect(202);
      service.verify(ADA, "verification", service.code(ADA), fresh.text("otp_id")).expect(200);
      service.clock().advance(java.time.Duration.ofMinutes(2));

      Reply taken = service.post("/auth/register", body).expect(202);

      assertThat(taken.text("message")).isEqualTo(fresh.text("message"));
      assertThat(service.mails(ADA).getFirst().path("subject").asText())
          .isEqualTo("You already have an account");
      service.post("/auth/register", body).expect(429, "otp_rate_limited");
      service
          .post(
              "/auth/register",
              Map.of("email", "new@example.com", "password", TestService.PASSWORD))
          .expect(202);
      service
          .post(
              "/auth/register",
              Map.of("email", "new@example.com", "password", TestService.PASSWORD))
          .expect(429, "otp_rate_limited");
    }
  }

  @Test
  void withPrivacyAResentCodeCreatesTheAccountButItsPasswordMustBeConfirmed() {
    try (var service = TestService.with(engine).set("REGISTRATION_PRIVACY", "true").start()) {
      service
          .post("/auth/register", Map.of("email", ADA, "password", TestService.PASSWORD))
          .expect(202);
      service.clock().advance(java.time.Duration.ofMinutes(2));
      String otpId = service.ask(ADA, "verification").expect(200).text("otp_id");

      service.verify(ADA, "verification", service.code(ADA), otpId).expect(200);

      service.login(ADA, TestService.PASSWORD).expect(403, "password_unconfirmed");
    }
  }
}
