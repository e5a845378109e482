package org.authservice.oidc;

import java.time.Duration;

/**
 * By when a request must be done with its provider, over all the calls that it makes there. Kept in
 * the machine's own time, as sockets are.
 *
 * @param nanos in {@link System#nanoTime()}
 */
record Deadline(long nanos) {
  static Deadline in(Duration patience) {
    return new Deadline(System.nanoTime() + patience.toNanos());
  }

  /** What is left; at least a millisecond, so that a time-out is told as such. */
  Duration left() {
    return Duration.ofNanos(Math.max(1_000_000, nanos - System.nanoTime()));
  }
}
