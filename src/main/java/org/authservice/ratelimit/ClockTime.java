package org.authservice.ratelimit;

import io.github.bucket4j.TimeMeter;
import java.time.Clock;

/** The time by which buckets refill: a clock's, which tests move. */
public final class ClockTime implements TimeMeter {
  private final Clock clock;

  /** The time of that clock. */
  public ClockTime(Clock clock) {
    this.clock = clock;
  }

  @Override
  public long currentTimeNanos() {
    return Math.multiplyExact(clock.millis(), 1_000_000L);
  }

  @Override
  public boolean isWallClockBased() {
    return true;
  }
}
