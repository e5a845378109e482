package org.authservice.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.authservice.session.Numbers.Decision;
import org.authservice.session.Numbers.Kind;
import org.junit.jupiter.api.Test;

class NumbersTest {
  private static final Duration GRACE = Duration.ofSeconds(30);
  private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");

  @Test
  void aNewSessionsTokenRotatesAtOnce() {
    Decision decision = Numbers.first().present(1, NOW, GRACE);

    assertThat(decision)
        .isEqualTo(new Decision.Change(new Numbers(2, 1, 0, NOW, Instant.EPOCH), Kind.ROTATED));
  }

  @Test
  void theCurrentTokenRotatesWhenTheLastChangeIsAGraceAgo() {
    assertThat(changedAgo(30).present(7, NOW, GRACE))
        .isEqualTo(new Decision.Change(new Numbers(8, 7, 5, NOW, Instant.EPOCH), Kind.ROTATED));
  }

  @Test
  void theCurrentTokenIsRepeatedWithinAGrace() {
    assertThat(changedAgo(29).present(7, NOW, GRACE)).isEqualTo(new Decision.Repeat());
  }

  @Test
  void thePreviousTokenIsTakenForALostAnswerWithinTwoGraces() {
    assertThat(changedAgo(59).present(5, NOW, GRACE))
        .isEqualTo(
            new Decision.Change(
                new Numbers(7, 5, 3, NOW.minusSeconds(59), NOW), Kind.PREVIOUS_SEEN));
  }

  @Test
  void aClientThatKeepsRetryingIsBelievedForTenGraces() {
    var retried = new Numbers(7, 5, 3, NOW.minusSeconds(299), NOW.minusSeconds(29));

    assertThat(retried.present(5, NOW, GRACE))
        .isEqualTo(
            new Decision.Change(
                new Numbers(7, 5, 3, NOW.minusSeconds(299), NOW), Kind.PREVIOUS_SEEN));
  }

  @Test
  void afterTenGracesOfRetryingTheUnreceivedTokenIsDisplaced() {
    var retried = new Numbers(7, 5, 3, NOW.minusSeconds(300), NOW.minusSeconds(1));

    assertThat(retried.present(5, NOW, GRACE))
        .isEqualTo(
            new Decision.Change(new Numbers(8, 5, 5, NOW, NOW.minusSeconds(1)), Kind.DISPLACED));
  }

  @Test
  void thePreviousTokenAfterTwoGracesDisplacesTheUnreceivedOne() {
    assertThat(changedAgo(60).present(5, NOW, GRACE))
        .isEqualTo(new Decision.Change(new Numbers(8, 5, 5, NOW, Instant.EPOCH), Kind.DISPLACED));
  }

  @Test
  void aDisplacedTokenIsNeverAcceptedAgain() {
    var displaced = new Numbers(8, 5, 5, NOW, Instant.EPOCH);

    assertThat(displaced.present(7, NOW, GRACE)).isEqualTo(new Decision.Reuse());
    assertThat(displaced.present(6, NOW, GRACE)).isEqualTo(new Decision.Reuse());
  }

  @Test
  void anOlderTokenIsRepeatedOnlyWithinAGraceOfTheLastChange() {
    assertThat(changedAgo(29).present(3, NOW, GRACE)).isEqualTo(new Decision.Repeat());
    assertThat(changedAgo(29).present(4, NOW, GRACE)).isEqualTo(new Decision.Repeat());
    assertThat(changedAgo(30).present(3, NOW, GRACE)).isEqualTo(new Decision.Reuse());
  }

  @Test
  void aTokenOlderThanTheOldestIsReuseAtAnyTime() {
    assertThat(changedAgo(0).present(2, NOW, GRACE)).isEqualTo(new Decision.Reuse());
  }

  @Test
  void aTokenNewerThanTheRowRollsItForward() {
    assertThat(changedAgo(5).present(11, NOW, GRACE))
        .isEqualTo(
            new Decision.Change(new Numbers(12, 11, 11, NOW, Instant.EPOCH), Kind.ROLLED_FORWARD));
  }

  @Test
  void withoutAGraceEveryPresentingOfTheCurrentTokenRotates() {
    assertThat(changedAgo(0).present(7, NOW, Duration.ZERO))
        .isEqualTo(new Decision.Change(new Numbers(8, 7, 5, NOW, Instant.EPOCH), Kind.ROTATED));
  }

  @Test
  void withoutAGraceOnlyTheLastTwoTokensAreGood() {
    for (int number = 0; number < 7; number++) {
      Decision decision = changedAgo(0).present(number, NOW, Duration.ZERO);
      if (number == 5) {
        assertThat(decision)
            .isEqualTo(
                new Decision.Change(new Numbers(8, 5, 5, NOW, Instant.EPOCH), Kind.DISPLACED));
      } else {
        assertThat(decision).as("number %d", number).isEqualTo(new Decision.Reuse());
      }
    }
  }

  @Test
  void aRowWrittenByANodeWhoseClockIsAheadWasWrittenNow() {
    assertThat(changedAgo(-1).present(7, NOW, Duration.ZERO))
        .isEqualTo(new Decision.Change(new Numbers(8, 7, 5, NOW, Instant.EPOCH), Kind.ROTATED));
    assertThat(changedAgo(-1).present(4, NOW, Duration.ZERO)).isEqualTo(new Decision.Reuse());
  }

  /** current 7, previous 5 (6 was displaced), oldest 3. */
  private static Numbers changedAgo(long seconds) {
    return new Numbers(7, 5, 3, NOW.minusSeconds(seconds), Instant.EPOCH);
  }
}
