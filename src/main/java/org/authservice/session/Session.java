package org.authservice.session;

import java.time.Instant;
import java.util.Optional;
import org.authservice.http.Client;
import org.authservice.token.RefreshTokens;

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
 * @param address where the client was that opened it or made the last change
 * @param userAgent what program that client was
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
    Optional<String> deviceId,
    String address,
    String userAgent) {

  /** Whether it can still be refreshed. */
  boolean lives(Instant now) {
    return endedAt.isEmpty() && now.isBefore(idleExpiresAt) && now.isBefore(absoluteExpiresAt);
  }

  /** When the refresh token that is current was issued. */
  Instant currentIssuedAt() {
    return numbers.everChanged() ? numbers.changedAt() : createdAt;
  }

  /** What its current refresh token says. */
  RefreshTokens.Claims claims() {
    return new RefreshTokens.Claims(
        userId, id, numbers.current(), currentIssuedAt(), idleExpiresAt);
  }

  /** The same with the numbers that a client's request has made. */
  Session with(Numbers next, Instant newIdleExpiry, Client client) {
    return new Session(
        id,
        userId,
        next,
        newIdleExpiry,
        absoluteExpiresAt,
        createdAt,
        provenAt,
        endedAt,
        deviceId,
        client.address(),
        client.userAgent());
  }
}
