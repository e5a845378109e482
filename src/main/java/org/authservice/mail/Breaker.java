package org.authservice.mail;

import java.time.Clock;
import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Leaves a mail server alone that cannot be reached, for longer each time up to half a minute:
 * mails wait in the queue, instead of each one waiting for a connection.
 */
final class Breaker {
  private static final long FIRST_MILLIS = 1000;
  private static final long LONGEST_MILLIS = 30_000;

  private final Clock clock;
  private int failures;
  private Instant openUntil = Instant.EPOCH;

  Breaker(Clock clock) {
    this.clock = clock;
  }

  synchronized boolean open() {
    return clock.instant().isBefore(openUntil);
  }

  synchronized void reached() {
    failures = 0;
    openUntil = Instant.EPOCH;
  }

  /** Those that failed together count once. */
  synchronized void unreachable() {
    if (open()) {
      return;
    }
    long millis = Math.min(FIRST_MILLIS << Math.min(failures, 10), LONGEST_MILLIS);
    failures++;
    long wait = millis / 2 + ThreadLocalRandom.current().nextLong(millis / 2 + 1);
    openUntil = clock.instant().plusMillis(wait);
  }
}
