package org.authservice.signin;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class MailboxProofTest extends HttpTest {

  @Test
  void theRegistrationsOwnCodeWithItsIdLeavesEverythingAsItIs() {
    Reply session = loginAfterRegistering();
    Reply registered = session;

    Reply verified =
        service.verify(ADA, "verification", service.code(ADA), registrationOtpId).expect(200);

    assertThat(verified.json().path("user").path("full_name").asText()).isEqualTo("Eve");
    service.profile(registered.text("access_token")).expect(200);
    service.login(ADA, TestService.PASSWORD).expect(200);
  }

  @Test
  void whoeverProvesTheMailboxFirstTakesTheAccountFromWhoeverRegisteredIt() {
    Reply attacker = loginAfterRegistering();
    service.clock().advance(Duration.ofMinutes(2));
    String otpId = service.ask(ADA, "login").expect(200).text("otp_id");

    Reply owner = service.verify(ADA, "login", service.code(ADA), otpId).expect(200);

    service.profile(attacker.text("access_token")).expect(401, "token_invalid");
    service.refresh(attacker.text("refresh_token")).expect(401, "refresh_token_invalid");
    assertThat(owner.json().path("user").path("full_name").isNull()).isTrue();
    service.profile(owner.text("access_token")).expect(200);
    service.login(ADA, TestService.PASSWORD).expect(403, "password_unconfirmed");
    service.refresh(owner.text("refresh_token")).expect(200);
  }

  @Test
  void anUnconfirmedPasswordIsConfirmedByItsOwnCodeOnly() {
    loginAfterRegistering();
    service.clock().advance(Duration.ofMinutes(2));
    String loginId = service.ask(ADA, "login").expect(200).text("otp_id");
    service.verify(ADA, "login", service.code(ADA), loginId).expect(200);

    Reply unconfirmed =
        service.login(ADA, TestService.PASSWORD).expect(403, "password_unconfirmed");
    String code = service.code(ADA);
    assertThat(service.mails(ADA).getFirst().path("text").asText())
        .contains("only if you chose this password yourself");
    String otpId = unconfirmed.text("otp_id");
    service.verify(ADA, "login", code).expect(401, "otp_invalid");
    service
        .post(
            "/auth/verify-otp",
            Map.of("email", ADA, "purpose", "password_confirmation", "otp_code", code))
        .expect(422, "validation_failed");
    assertThat(service.login(ADA, TestService.PASSWORD).expect(403).text("otp_id"))
        .isEqualTo(otpId);

    service.verify(ADA, "password_confirmation", code, otpId).expect(200);

    service.login(ADA, TestService.PASSWORD).expect(200);
  }

  @Test
  void theCodeWithoutItsIdIsAnotherParty() {
    loginAfterRegistering();

    service.verify(ADA, "verification", service.code(ADA)).expect(200);

    service.login(ADA, TestService.PASSWORD).expect(403, "password_unconfirmed");
  }

  @Test
  void withLegacyTokensTheSameClientAddressIsTheSamePartyButOtherSessionsEnd() {
    try (var legacy = TestService.with(engine).set("LEGACY_TOKENS", "true").start()) {
      legacy.register(ADA);
      Reply session = legacy.login(ADA, TestService.PASSWORD).expect(200);

      legacy.verify(ADA, "verification", legacy.code(ADA)).expect(200);

      legacy.profile(session.text("access_token")).expect(401, "token_invalid");
      legacy.login(ADA, TestService.PASSWORD).expect(200);
    }
  }

  @Test
  void anAccessTokenOfTheAccountShowsTheSameParty() {
    Reply session = loginAfterRegistering();
    service.clock().advance(Duration.ofMinutes(2));
    String otpId = service.ask(ADA, "login").expect(200).text("otp_id");

    service
        .verify(
            ADA,
            "login",
            service.code(ADA),
            otpId,
            "Authorization",
            "Bearer " + session.text("access_token"))
        .expect(200);

    service.profile(session.text("access_token")).expect(200);
    service.login(ADA, TestService.PASSWORD).expect(200);
  }

  @Test
  void theRegisteringDevicesTokenShowsTheSameParty() {
    String device = service.register(ADA).text("device_token");
    service.clock().advance(Duration.ofMinutes(2));
    String otpId = service.ask(ADA, "login").expect(200).text("otp_id");

    service.verify(ADA, "login", service.code(ADA), otpId, "Device-Token", device).expect(200);

    service.login(ADA, TestService.PASSWORD).expect(200);
  }

  private String registrationOtpId = "";

  private Reply loginAfterRegistering() {
    registrationOtpId =
        service
            .post(
                "/auth/register",
                Map.of("email", ADA, "password", TestService.PASSWORD, "full_name", "Eve"))
            .expect(201)
            .text("otp_id");
    return service.login(ADA, TestService.PASSWORD).expect(200);
  }
}
