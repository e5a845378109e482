package org.authservice.ratelimit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.authservice.testing.HttpTest;
import org.authservice.testing.Reply;
import org.authservice.testing.TestService;
import org.junit.jupiter.api.Test;

/** Guesses, right passwords in a burst, and nodes that crash while they check. */
class LoginThrottleTest extends HttpTest {
  private static final String WRONG = "Wrong-Horse7!";

  @Test
  void whatACrashedNodeWasCheckingStopsCountingWhoeverElseSignsIn() {
    service.register(ADA);
    leaveUnfinished(1, 9, Duration.ofSeconds(15));
    for (int i = 0; i < 4; i++) {
      service.login(ADA, TestService.PASSWORD).expect(200);
      service.clock().advance(Duration.ofSeconds(5));
    }

    for (int i = 0; i < 10; i++) {
      service.login(ADA, WRONG).expect(401, "invalid_credentials");
    }
    service.login(ADA, TestService.PASSWORD).expect(429, "too_many_failures");
  }

  @Test
  void aLeaseThatEndsTakesNoOtherAlong() {
    service.register(ADA);
    leaveUnfinished(1, 5, Duration.ofSeconds(15));
    leaveUnfinished(6, 10, Duration.ofSeconds(5));

    service.clock().advance(Duration.ofSeconds(6));
    service.login(ADA, TestService.PASSWORD).expect(200);
    for (int i = 0; i < 5; i++) {
      service.login(ADA, WRONG).expect(401);
    }

    // Five failures and five under way: the next waits for them, and is not refused for good.
    service.login(ADA, TestService.PASSWORD).expect(503, "overloaded");
    service.clock().advance(Duration.ofSeconds(10));
    service.login(ADA, TestService.PASSWORD).expect(200);
  }

  @Test
  void aBurstOfRightPasswordsIsNeverRefusedEvenOneFailureBeforeTheWait() {
    service.register(ADA);
    for (int i = 0; i < 9; i++) {
      service.login(ADA, WRONG).expect(401);
    }

    List<Reply> replies = TestService.parallel(30, () -> service.login(ADA, TestService.PASSWORD));

    assertThat(replies).allMatch(reply -> List.of(200, 503).contains(reply.status()));
    assertThat(replies).anyMatch(reply -> reply.status() == 200);
    assertThat(unfinished()).containsExactly("0");
  }

  @Test
  void howeverChecksEndNoneIsLeftCounted() {
    service.register(ADA);
    TestService.parallel(
        40,
        () ->
            service.login(
                ADA, Thread.currentThread().threadId() % 2 == 0 ? WRONG : TestService.PASSWORD));

    assertThat(unfinished()).containsExactly("0");
  }

  private void leaveUnfinished(int from, int to, Duration left) {
    service.login(ADA, TestService.PASSWORD).expect(200);
    long end = service.clock().instant().plus(left).toEpochMilli();
    service
        .database()
        .execute(
            IntStream.rangeClosed(from, to)
                .mapToObj(i -> "lease_%d = %d".formatted(i, end))
                .collect(Collectors.joining(", ", "UPDATE throttles SET ", ";\n")));
  }

  private List<String> unfinished() {
    String sum =
        IntStream.rangeClosed(1, 10)
            .mapToObj(i -> "CASE WHEN lease_%d > 0 THEN 1 ELSE 0 END".formatted(i))
            .collect(Collectors.joining(" + "));
    return service.database().column("SELECT " + sum + " FROM throttles").stream()
        .map(String::valueOf)
        .toList();
  }
}
