package org.authservice.operations;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.jspecify.annotations.Nullable;

/**
 * Tells the database's time, as it was measured last, carried on by this machine's monotonic clock:
 * neither a wrong wall clock nor a jump of it reaches what the service does. Before the first
 * measurement it is the machine's clock.
 */
public final class DatabaseClock extends Clock {
  private final Clock machine;
  private volatile @Nullable Reading reading;

  /** The time at a moment of the monotonic clock. */
  private record Reading(Instant time, long nanos) {
    Instant at(long moment) {
      return time.plusNanos(moment - nanos);
    }
  }

  /** A clock that does not know the database's time yet. */
  public DatabaseClock(Clock machine) {
    this.machine = machine;
  }

  @Override
  public Instant instant() {
    return at(System.nanoTime());
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    throw new UnsupportedOperationException("times are UTC here");
  }

  /** Whether the database's time has been measured. */
  boolean measured() {
    return reading != null;
  }

  /** The time at a moment of {@link System#nanoTime}. */
  Instant at(long nanos) {
    Reading known = reading;
    return known == null ? machine.instant() : known.at(nanos);
  }

  /** It was that time at that moment. */
  void set(Instant time, long nanos) {
    reading = new Reading(time, nanos);
  }

  /** How far the machine's clock is behind this one. */
  Duration offset() {
    return Duration.between(machine.instant(), instant());
  }

  /** The machine's own time. */
  Instant machineTime() {
    return machine.instant();
  }
}
