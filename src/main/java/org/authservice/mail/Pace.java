package org.authservice.mail;

import java.time.Clock;
import java.util.ArrayDeque;
import java.util.Deque;

/** At most so many mails in any minute. */
final class Pace {
  private static final long MINUTE_MILLIS = 60_000;

  private final int perMinute;
  private final Clock clock;
  private final Deque<Long> sent = new ArrayDeque<>();

  Pace(int perMinute, Clock clock) {
    this.perMinute = perMinute;
    this.clock = clock;
  }

  /** How many may be sent now. */
  synchronized int allowance() {
    long minuteAgo = clock.millis() - MINUTE_MILLIS;
    while (!sent.isEmpty() && sent.peekFirst() <= minuteAgo) {
      sent.removeFirst();
    }
    return Math.max(0, perMinute - sent.size());
  }

  /** Takes note that so many are being sent. */
  synchronized void took(int count) {
    long now = clock.millis();
    for (int i = 0; i < count; i++) {
      sent.addLast(now);
    }
  }
}
