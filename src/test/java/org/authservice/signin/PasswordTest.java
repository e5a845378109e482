package org.authservice.signin;

import static org.assertj.core.api.Assertions.assertThat;

import at.favre.lib.crypto.bcrypt.BCrypt;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class PasswordTest extends HttpTest {

  private static final String NEW_PASSWORD = "Another-Horse8?";

  @Test
  void aMailedCodeEarnsATokenThatSetsANewPassword() {
    Reply session = service.verified(ADA);
    String resetToken = resetToken();

    reset(resetToken, NEW_PASSWORD).expect(200);

    service.login(ADA, TestService.PASSWORD).expect(401, "invalid_credentials");
    service.login(ADA, NEW_PASSWORD).expect(200);
    service.profile(session.text("access_token")).expect(401, "token_invalid");
    service.refresh(session.text("refresh_token")).expect(401, "refresh_token_invalid");
    reset(resetToken, NEW_PASSWORD).expect(401, "reset_token_invalid");
    assertThat(service.mails(ADA).getFirst().path("subject").asText())
        .isEqualTo("Your password was changed");
  }

  @Test
  void aResetTokenLivesTenMinutes() {
    service.register(ADA);
    String resetToken = resetToken();
    service.clock().advance(Duration.ofMinutes(10));

    reset(resetToken, NEW_PASSWORD).expect(401, "reset_token_invalid");
    service.login(ADA, TestService.PASSWORD).expect(200);
  }

  @Test
  void aRefusedPasswordDoesNotSpendTheResetToken() {
    service.register(ADA);
    String resetToken = resetToken();

    reset(resetToken, "weak").expect(422, "password_rejected");
    reset(resetToken, NEW_PASSWORD).expect(200);
  }

  @Test
  void aResetVerifiesTheAddressAndEndsWaits() {
    service.register(ADA);
    for (int i = 0; i < 10; i++) {
      service.login(ADA, "Wrong-Horse7!").expect(401);
    }

    reset(resetToken(), NEW_PASSWORD).expect(200);

    Reply login = service.login(ADA, NEW_PASSWORD).expect(200);
    assertThat(login.json().path("user").path("is_verified").asBoolean()).isTrue();
  }

  @Test
  void manyParallelResetsWithOneTokenSucceedOnce() {
    service.register(ADA);
    String resetToken = resetToken();

    List<Reply> replies = TestService.parallel(20, () -> reset(resetToken, NEW_PASSWORD));

    assertThat(replies.stream().filter(reply -> reply.status() == 200)).hasSize(1);
    assertThat(replies.stream().filter(reply -> reply.status() == 401)).hasSize(19);
  }

  @Test
  void aResetTokenIsStoredHashed() {
    service.register(ADA);
    String resetToken = resetToken();

    assertThat(service.database().column("SELECT token_hash FROM reset_tokens"))
        .hasSize(1)
        .doesNotContain(resetToken);
  }

  @Test
  void changingThePasswordEndsTheOtherSessions() {
    Reply here = service.verified(ADA);
    Reply there = service.login(ADA, TestService.PASSWORD).expect(200);

    change(here.text("access_token"), TestService.PASSWORD, NEW_PASSWORD).expect(200);

    service.profile(here.text("access_token")).expect(200);
    service.refresh(here.text("refresh_token")).expect(200);
    service.profile(there.text("access_token")).expect(401, "token_invalid");
    service.refresh(there.text("refresh_token")).expect(401, "refresh_token_invalid");
    service.login(ADA, NEW_PASSWORD).expect(200);
  }

  @Test
  void changingNeedsTheCurrentPassword() {
    String token = service.verified(ADA).text("access_token");

    change(token, "Wrong-Horse7!", NEW_PASSWORD).expect(403, "current_password_wrong");
    change(token, TestService.PASSWORD, "weak").expect(422, "password_rejected");
    change("no token", TestService.PASSWORD, NEW_PASSWORD).expect(401, "token_invalid");
    for (int i = 0; i < 9; i++) {
      change(token, "Wrong-Horse7!", NEW_PASSWORD).expect(403, "current_password_wrong");
    }
    change(token, TestService.PASSWORD, NEW_PASSWORD).expect(429, "too_many_failures");
  }

  @Test
  void changingSucceedsBesideLoginsThatReplaceAnOutdatedHash() {
    String token = service.verified(ADA).text("access_token");
    String outdated =
        BCrypt.with(BCrypt.Version.VERSION_2B).hashToString(4, TestService.PASSWORD.toCharArray());
    for (int round = 0; round < 5; round++) {
      service.database().execute("UPDATE users SET hashed_password = '" + outdated + "';\n");
      var turn = new AtomicInteger();

      List<Reply> replies =
          TestService.parallel(
              4,
              () ->
                  turn.getAndIncrement() == 0
                      ? change(token, TestService.PASSWORD, NEW_PASSWORD)
                      : service.login(ADA, TestService.PASSWORD));

      assertThat(replies.stream().filter(reply -> reply.http().uri().getPath().contains("change")))
          .allMatch(reply -> reply.status() == 200);
      service.login(ADA, NEW_PASSWORD).expect(200);
    }
  }

  @Test
  void noSessionOfTheOldPasswordSurvivesAReset() {
    service.register(ADA);
    String resetToken = resetToken();

    List<Reply> replies =
        TestService.parallel(
            21,
            new java.util.concurrent.Callable<>() {
              private final java.util.concurrent.atomic.AtomicInteger turn =
                  new java.util.concurrent.atomic.AtomicInteger();

              @Override
              public Reply call() {
                return turn.getAndIncrement() == 10
                    ? reset(resetToken, NEW_PASSWORD)
                    : service.login(ADA, TestService.PASSWORD);
              }
            });

    for (Reply reply : replies) {
      if (reply.status() == 200 && reply.json().has("refresh_token")) {
        service.refresh(reply.text("refresh_token")).expect(401, "refresh_token_invalid");
        service.profile(reply.text("access_token")).expect(401, "token_invalid");
      }
    }
    service.clock().advance(Duration.ofMinutes(16));
    service.login(ADA, NEW_PASSWORD).expect(200);
  }

  private String resetToken() {
    String otpId = service.ask(ADA, "password_reset").expect(200).text("otp_id");
    Reply reply = service.verify(ADA, "password_reset", service.code(ADA), otpId).expect(200);
    assertThat(reply.json().path("expires_in").asInt()).isEqualTo(600);
    return reply.text("reset_token");
  }

  private Reply reset(String token, String password) {
    return service.post(
        "/auth/reset-password", Map.of("reset_token", token, "new_password", password));
  }

  private Reply change(String token, String current, String next) {
    return service.post(
        "/auth/change-password",
        Map.of("current_password", current, "new_password", next),
        "Authorization",
        "Bearer " + token);
  }
}
