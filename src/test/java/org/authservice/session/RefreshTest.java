package org.authservice.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class RefreshTest extends HttpTest {

  @Test
  void aNewSessionsTokenIsRotatedAtOnce() {
    String first = service.verified(ADA).text("refresh_token");

    Reply refreshed = service.refresh(first).expect(200);

    assertThat(refreshed.text("refresh_token")).isNotEqualTo(first);
    assertThat(refreshed.text("token_type")).isEqualTo("bearer");
    assertThat(refreshed.json().path("expires_in").asInt()).isEqualTo(1800);
    assertThat(refreshed.json().path("refresh_expires_in").asInt()).isEqualTo(7 * 86400);
    assertThat(refreshed.json().path("user").path("email").asText()).isEqualTo(ADA);
  }

  @Test
  void anAnswerThatWasLostIsGivenAgainByteForByte() {
    String first = service.verified(ADA).text("refresh_token");
    String second = service.refresh(first).expect(200).text("refresh_token");
    service.clock().advance(Duration.ofSeconds(59));

    assertThat(service.refresh(first).expect(200).text("refresh_token")).isEqualTo(second);
  }

  @Test
  void withinAGraceTheCurrentTokenStaysTheSame() {
    String first = service.verified(ADA).text("refresh_token");
    String second = service.refresh(first).expect(200).text("refresh_token");

    assertThat(service.refresh(second).expect(200).text("refresh_token")).isEqualTo(second);
    service.clock().advance(Duration.ofSeconds(30));
    assertThat(service.refresh(second).expect(200).text("refresh_token")).isNotEqualTo(second);
  }

  @Test
  void aTokenThatWasNeverReceivedIsDisplacedAndThenEndsTheSession() {
    String first = service.verified(ADA).text("refresh_token");
    String second = service.refresh(first).expect(200).text("refresh_token");
    service.clock().advance(Duration.ofSeconds(61));
    Reply third = service.refresh(first).expect(200);
    assertThat(third.text("refresh_token")).isNotIn(first, second);

    service.refresh(second).expect(401, "refresh_token_invalid");

    service.refresh(third.text("refresh_token")).expect(401, "refresh_token_invalid");
    service.profile(third.text("access_token")).expect(401, "token_invalid");
    assertThat(
            service
                .database()
                .column("SELECT outcome FROM security_events WHERE type = 'session_reused'"))
        .containsExactly("refresh_token_reused");
    assertThat(service.mails(ADA).getFirst().path("subject").asText())
        .isEqualTo("You were signed out for your safety");
  }

  @Test
  void anOldTokenEndsTheSessionAfterTheGrace() {
    String first = service.verified(ADA).text("refresh_token");
    String token = first;
    String accessToken = "";
    for (int i = 0; i < 3; i++) {
      Reply last = service.refresh(token).expect(200);
      accessToken = last.text("access_token");
      token = last.text("refresh_token");
      service.clock().advance(Duration.ofSeconds(31));
    }

    service.refresh(first).expect(401, "refresh_token_invalid");

    service.refresh(token).expect(401, "refresh_token_invalid");
    service.profile(accessToken).expect(401, "token_invalid");
  }

  @Test
  void withoutAGraceFiveRotationsInASecondWorkAndAnOldTokenEndsTheSession() {
    try (var strict = TestService.with(engine).set("REFRESH_REUSE_GRACE_SECONDS", "0").start()) {
      String first = strict.verified(ADA).text("refresh_token");
      String token = first;
      for (int i = 0; i < 5; i++) {
        String next = strict.refresh(token).expect(200).text("refresh_token");
        assertThat(next).isNotEqualTo(token);
        token = next;
      }

      strict.refresh(first).expect(401, "refresh_token_invalid");
      strict.refresh(token).expect(401, "refresh_token_invalid");
    }
  }

  @Test
  void aHundredParallelRefreshesOfOneTokenGiveOneSuccessor() {
    String first = service.verified(ADA).text("refresh_token");

    List<Reply> replies = TestService.parallel(100, () -> service.refresh(first));

    assertThat(replies).allSatisfy(reply -> reply.expect(200));
    Set<String> successors =
        replies.stream().map(reply -> reply.text("refresh_token")).collect(Collectors.toSet());
    assertThat(successors).hasSize(1);
    assertThat(service.database().column("SELECT current_number FROM sessions"))
        .containsExactly("2");
  }

  @Test
  void aTokenNewerThanARestoredRowRollsItForward() {
    String token = service.verified(ADA).text("refresh_token");
    for (int i = 0; i < 3; i++) {
      token = service.refresh(token).expect(200).text("refresh_token");
      service.clock().advance(Duration.ofSeconds(31));
    }
    service
        .database()
        .execute(
            "UPDATE sessions SET current_number = 2, previous_number = 1, oldest_number = 0;\n");

    String next = service.refresh(token).expect(200).text("refresh_token");

    service.clock().advance(Duration.ofSeconds(31));
    service.refresh(next).expect(200);
    assertThat(
            service
                .database()
                .column(
                    "SELECT count(*) FROM security_events WHERE type = 'session_rolled_forward'"))
        .containsExactly("1");
  }

  @Test
  void aSessionExpiresWhenItIsNotUsed() {
    String token = service.verified(ADA).text("refresh_token");
    service.clock().advance(Duration.ofDays(7).minusSeconds(1));
    String next = service.refresh(token).expect(200).text("refresh_token");
    service.clock().advance(Duration.ofDays(7));

    service.refresh(next).expect(401, "refresh_token_invalid");
  }

  @Test
  void aSessionExpiresHoweverMuchItIsUsed() {
    String token = service.verified(ADA).text("refresh_token");
    for (int day = 0; day < 30; day += 5) {
      token = service.refresh(token).expect(200).text("refresh_token");
      service.clock().advance(Duration.ofDays(5));
    }

    service.refresh(token).expect(401, "refresh_token_invalid");
  }

  @Test
  void anAccessTokenDoesNotOutliveItsSession() {
    String token = service.verified(ADA).text("refresh_token");
    for (int day = 0; day < 30; day += 5) {
      token = service.refresh(token).expect(200).text("refresh_token");
      service.clock().advance(Duration.ofDays(day == 25 ? 4 : 5));
    }
    service.clock().advance(Duration.ofHours(24).minusMinutes(10));

    Reply last = service.refresh(token).expect(200);

    assertThat(last.json().path("expires_in").asInt()).isEqualTo(600);
    service.profile(last.text("access_token")).expect(200);
    service.clock().advance(Duration.ofMinutes(11));
    service.profile(last.text("access_token")).expect(401, "token_invalid");
  }

  @Test
  void anAccessTokenExpiresAfterItsLifeAndLeeway() {
    String token = service.verified(ADA).text("access_token");
    service.clock().advance(Duration.ofMinutes(30).plusSeconds(61));

    Reply refused = service.profile(token).expect(401, "token_invalid");

    assertThat(refused.header("WWW-Authenticate")).contains("Bearer error=\"invalid_token\"");
  }

  @Test
  void aRefreshTokenIsNoAccessTokenAndTheOtherWayRound() {
    Reply tokens = service.verified(ADA);

    service.profile(tokens.text("refresh_token")).expect(401, "token_invalid");
    service.refresh(tokens.text("access_token")).expect(401, "refresh_token_invalid");
  }

  @Test
  void loggingOutEndsBothTokens() {
    Reply tokens = service.verified(ADA);

    service.logout(tokens.text("refresh_token"), "local").expect(200);

    service.profile(tokens.text("access_token")).expect(401, "token_invalid");
    service.refresh(tokens.text("refresh_token")).expect(401, "refresh_token_invalid");
    service.logout(tokens.text("refresh_token"), "local").expect(200);
  }

  @Test
  void loggingOutOthersKeepsOnlyThisSession() {
    Reply here = service.verified(ADA);
    Reply there = service.login(ADA, TestService.PASSWORD).expect(200);

    service.logout(here.text("refresh_token"), "others").expect(200);

    service.profile(here.text("access_token")).expect(200);
    service.profile(there.text("access_token")).expect(401, "token_invalid");
    service.refresh(there.text("refresh_token")).expect(401, "refresh_token_invalid");
  }

  @Test
  void loggingOutGloballyEndsEverySessionAndDevice() {
    Reply here = service.verified(ADA);
    Reply there = service.login(ADA, TestService.PASSWORD).expect(200);

    service.logout(here.text("refresh_token"), "global").expect(200);

    service.profile(here.text("access_token")).expect(401, "token_invalid");
    service.profile(there.text("access_token")).expect(401, "token_invalid");
    assertThat(service.database().column("SELECT count(*) FROM devices")).containsExactly("0");
    service.login(ADA, TestService.PASSWORD).expect(200);
  }

  @Test
  void aStaleTokenEndsOnlyItsOwnSessionWhateverTheScope() {
    String first = service.verified(ADA).text("refresh_token");
    Reply other = service.login(ADA, TestService.PASSWORD).expect(200);
    String token = first;
    for (int i = 0; i < 3; i++) {
      token = service.refresh(token).expect(200).text("refresh_token");
      service.clock().advance(Duration.ofSeconds(31));
    }

    service.logout(first, "global").expect(200);

    service.refresh(token).expect(401, "refresh_token_invalid");
    service.profile(other.text("access_token")).expect(200);
  }

  @Test
  void logoutTakesAnyTextForAToken() {
    service.logout("not a token", "global").expect(200);
    service.post("/auth/logout", Map.of()).expect(422, "validation_failed");
    service
        .post("/auth/logout", Map.of("refresh_token", "x", "scope", "everyone"))
        .expect(422, "validation_failed");
  }
}
