package org.authservice.operations;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.TimeZone;

/**
 * The machine's time zone, for lines of the log. The older class knows it without {@code
 * java.time}'s search through every jar for further zones, which would be most of the log's set-up.
 */
final class SystemZone {
  private static final TimeZone ZONE = TimeZone.getDefault();

  private SystemZone() {}

  /** What clocks here show at that time, in milliseconds since 1970. */
  static OffsetDateTime at(long millis) {
    ZoneOffset offset = ZoneOffset.ofTotalSeconds(ZONE.getOffset(millis) / 1000);
    return Instant.ofEpochMilli(millis).atOffset(offset);
  }
}
