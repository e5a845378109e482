package org.authservice.session;

import java.time.Instant;
import java.util.Optional;

/**
 * A session's row.
 *
 * @param id 32 hexadecimal digits, the {@code sid} of its tokens
 * @param numbers which refresh tokens it has given out
 * @param idleExpiresAt when it expires unless it is used
 * @param absoluteExpiresAt when it expires however much it is used
 * @param provenAt when its user last proved themselves (password, code, provider)
 * @param endedAt when it was ended
 * @param deviceId the device that it was opened on
 */
record Session(
    String id,
    long userId,
    Numbers numbers,
    Instant idleExpiresAt,
    Instant absoluteExpiresAt,
    Instant createdAt,
    Instant provenAt,
    Optional<Instant> endedAt,
    Optional<String> deviceId) {

  /** Whether it can still be refreshed. */
  boolean lives(Instant now) {
    return endedAt.isEmpty() && now.isBefore(idleExpiresAt) && now.isBefore(absoluteExpiresAt);
  }

  /** When the refresh token that is current was issued. */
  Instant currentIssuedAt() {
    return numbers.everChanged() ? numbers.changedAt() : createdAt;
  }

  /** The same with other numbers. */
  Session with(Numbers next, Instant newIdleExpiry) {
    return new Session(
        id, userId, next, newIdleExpiry, absoluteExpiresAt, createdAt, provenAt, endedAt, deviceId);
  }
}
