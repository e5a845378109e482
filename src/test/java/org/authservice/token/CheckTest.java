package org.authservice.token;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

class CheckTest extends HttpTest {
  @Test
  void aGoodTokenTellsWhoseItIs() {
    Reply tokens = service.verified(ADA);

    Reply check = check(service, tokens.text("access_token")).expect(204);

    assertThat(check.header("X-Auth-User-Id"))
        .contains(tokens.json().path("user").path("id").asText());
    assertThat(check.header("X-Auth-Session-Id"))
        .contains(service.database().column("SELECT id FROM sessions").getFirst());
    assertThat(check.http().body()).isEmpty();
  }

  @Test
  void aTokenThatIsNotGoodIsRefused() {
    Reply tokens = service.verified(ADA);
    check(service, "x").expect(401, "token_invalid");
    service.get("/auth/check").expect(401, "token_invalid");

    service.logout(tokens.text("refresh_token"), "local").expect(200);

    check(service, tokens.text("access_token")).expect(401, "token_invalid");
  }

  @Test
  void aTokenThatWasGoodBeforeIsRefusedOnceItsSessionOrItsTimeHasEnded() {
    Reply ends = service.verified(ADA);
    Reply expires = service.login(ADA, TestService.PASSWORD).expect(200);
    check(service, ends.text("access_token")).expect(204);
    check(service, ends.text("access_token")).expect(204);
    check(service, expires.text("access_token")).expect(204);

    service.logout(ends.text("refresh_token"), "local").expect(200);
    check(service, ends.text("access_token")).expect(401, "token_invalid");
    check(service, expires.text("access_token")).expect(204);

    service.clock().advance(Duration.ofHours(25));
    check(service, expires.text("access_token")).expect(401, "token_invalid");
  }

  @Test
  void noRequestLimitAnswersIt() {
    try (var limited = TestService.with(engine).set("RATE_LIMIT_PER_MINUTE", "10").start()) {
      String token = limited.verified(ADA).text("access_token");
      for (int i = 0; i < 50; i++) {
        check(limited, token).expect(204);
      }
      List<Reply> failed = TestService.parallel(20, () -> check(limited, "x"));
      assertThat(failed).allSatisfy(reply -> reply.expect(401));
    }
  }

  @Test
  void failedChecksCountTowardsWhatElseTheirAddressMayAsk() {
    try (var limited = TestService.with(engine).set("RATE_LIMIT_PER_MINUTE", "10").start()) {
      for (int i = 0; i < 10; i++) {
        check(limited, "x").expect(401, "token_invalid");
      }

      limited.get("/docs/errors").expect(429, "rate_limited");
      check(limited, "x").expect(401, "token_invalid");
    }
  }

  private static Reply check(TestService service, String token) {
    return service.get("/auth/check", "Authorization", "Bearer " + token);
  }
}
