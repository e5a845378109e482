package org.authservice.signin;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class StepUpTest extends HttpTest {
  private TestService strict;

  @BeforeEach
  void start() {
    strict = TestService.with(engine).set("STEP_UP", "suspicious").start();
  }

  @AfterEach
  void stop() {
    strict.close();
  }

  @Test
  void anUnknownDeviceNeedsACodeAndIsKnownAfterIt() {
    strict.verified(ADA);

    Reply asked = strict.login(ADA, TestService.PASSWORD).expect(403, "code_required");
    Reply tokens =
        strict
            .post(
                "/auth/verify-otp",
                Map.of("email", ADA, "otp_code", strict.code(ADA), "otp_id", asked.text("otp_id")))
            .expect(200);

    strict
        .login(ADA, TestService.PASSWORD, "Device-Token", tokens.text("device_token"))
        .expect(200);
  }

  @Test
  void theDeviceThatRegisteredIsKnown() {
    String device = strict.register(ADA).text("device_token");

    strict.login(ADA, TestService.PASSWORD, "Device-Token", device).expect(200);
  }

  @Test
  void aDeviceOfAnotherAccountIsUnknown() {
    strict.verified(ADA);
    String device = strict.verified("eve@example.com").text("device_token");

    strict.login(ADA, TestService.PASSWORD, "Device-Token", device).expect(403, "code_required");
  }

  @Test
  void aWrongPasswordMailsNoCode() {
    strict.verified(ADA);
    int before = strict.mails(ADA).size();

    strict.login(ADA, "Wrong-Horse7!").expect(401, "invalid_credentials");

    assertThat(strict.mails(ADA)).hasSize(before);
  }

  @Test
  void askedAgainTooSoonTheLastCodeIsNamed() {
    strict.verified(ADA);
    Reply first = strict.login(ADA, TestService.PASSWORD).expect(403, "code_required");
    Reply second = strict.login(ADA, TestService.PASSWORD).expect(403, "code_required");

    assertThat(second.text("otp_id")).isEqualTo(first.text("otp_id"));
  }
}
