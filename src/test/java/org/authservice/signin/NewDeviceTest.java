package org.authservice.signin;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.authservice.testing.HttpTest;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

/** The owner of an account is told of a sign-in on a device that was not known. */
class NewDeviceTest extends HttpTest {
  private static final String SUBJECT = "New sign-in to your account";

  @Test
  void aSignInOnAnotherDeviceIsMailedToTheOwner() {
    service.verified(ADA);
    assertThat(told()).as("of the first").isZero();

    service.login(ADA, TestService.PASSWORD).expect(200);

    assertThat(told()).isOne();
    assertThat(service.mails(ADA).getFirst().path("text").asText())
        .contains("a device that was not known before");
  }

  @Test
  void aDeviceIsToldOfOnce() {
    service.verified(ADA);
    String device = service.login(ADA, TestService.PASSWORD).expect(200).text("device_token");
    for (int i = 0; i < 3; i++) {
      service.login(ADA, TestService.PASSWORD, "Device-Token", device).expect(200);
    }

    assertThat(told()).isOne();
  }

  @Test
  void theDeviceThatRegisteredIsKnown() {
    String device = service.register(ADA).text("device_token");
    String code = service.code(ADA);
    service
        .post(
            "/auth/verify-otp",
            Map.of("email", ADA, "purpose", "verification", "otp_code", code),
            "Device-Token",
            device)
        .expect(200);
    service.login(ADA, TestService.PASSWORD, "Device-Token", device).expect(200);

    assertThat(told()).isZero();
  }

  @Test
  void aCodeThatSignsInOnAnotherDeviceIsToldOfToo() {
    service.verified(ADA);
    service.clock().advance(Duration.ofMinutes(2));
    service.ask(ADA, "login").expect(200);
    service.verify(ADA, "login", service.code(ADA)).expect(200);

    assertThat(told()).isOne();
  }

  @Test
  void aDeviceTokenOfAnotherAccountIsNone() {
    service.verified(ADA);
    String device = service.verified("eve@example.com").text("device_token");
    service.login(ADA, TestService.PASSWORD, "Device-Token", device).expect(200);

    assertThat(told()).isOne();
  }

  @Test
  void nobodyIsMailedWhereTheAddressIsNotProven() {
    service.register(ADA);
    service.login(ADA, TestService.PASSWORD).expect(200);
    service.login(ADA, TestService.PASSWORD).expect(200);

    assertThat(told()).isZero();
  }

  @Test
  void aClientThatKeepsNoDeviceTokenIsToldOfThreeTimesADay() {
    service.verified(ADA);
    TestService.parallel(6, () -> service.login(ADA, TestService.PASSWORD).expect(200));
    assertThat(told()).isEqualTo(3);

    service.clock().advance(Duration.ofHours(25));
    service.login(ADA, TestService.PASSWORD).expect(200);
    assertThat(told()).isEqualTo(4);
  }

  @Test
  void whoeverJustSetTheirPasswordAnewIsNotTold() {
    service.verified(ADA);
    service.ask(ADA, "password_reset").expect(200);
    String token =
        service.verify(ADA, "password_reset", service.code(ADA)).expect(200).text("reset_token");
    service
        .post("/auth/reset-password", Map.of("reset_token", token, "new_password", "Newer-Horse7!"))
        .expect(200);
    service.login(ADA, "Newer-Horse7!").expect(200);

    assertThat(told()).as("no other device is known any more").isZero();
  }

  @Test
  void aWrongPasswordTellsNobody() {
    service.verified(ADA);
    service.login(ADA, "Wrong-Horse7!").expect(401);

    assertThat(told()).isZero();
  }

  private long told() {
    return service.mails(ADA).stream()
        .filter(mail -> mail.path("subject").asText().equals(SUBJECT))
        .count();
  }
}
