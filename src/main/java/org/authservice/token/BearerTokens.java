package org.authservice.token;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.authservice.http.Principal;

/**
 * Decides whom a Bearer token speaks for (RFC 6750), without any database access. That a token is
 * genuine is remembered for a few seconds under its digest; whether it has expired and whether its
 * session has ended is asked each time.
 */
public final class BearerTokens {
  private static final int MOST_REMEMBERED = 20_000;

  /** A key that is withdrawn verifies for no longer than this. */
  private static final Duration MEMORY = Duration.ofSeconds(10);

  private final AccessTokens accessTokens;
  private final PythonTokens pythonTokens;
  private final Revocations revocations;
  private final Clock clock;
  private final Cache<ByteBuffer, Genuine> remembered =
      Caffeine.newBuilder().maximumSize(MOST_REMEMBERED).expireAfterWrite(MEMORY).build();

  /** What a signature and the claims beside the times have shown. */
  private record Genuine(Principal principal, Instant end) {}

  /** Tokens of this service, and of the Python service while they are accepted. */
  public BearerTokens(
      AccessTokens accessTokens, PythonTokens pythonTokens, Revocations revocations, Clock clock) {
    this.accessTokens = accessTokens;
    this.pythonTokens = pythonTokens;
    this.revocations = revocations;
    this.clock = clock;
  }

  /**
   * Whom the token speaks for; empty when it is not valid or its session has ended.
   *
   * @throws org.authservice.http.Unavailable when this node does not know which sessions have ended
   */
  public Optional<Principal> accept(String token) {
    ByteBuffer digest = digest(token);
    Genuine known = remembered.getIfPresent(digest);
    if (known != null && clock.instant().isBefore(known.end())) {
      return unended(known.principal());
    }
    Optional<Jwt> parsed = Jwt.parse(token);
    if (parsed.isEmpty()) {
      return Optional.empty();
    }
    Optional<Principal> ours = accessTokens.verify(parsed.get());
    if (ours.isPresent()) {
      parsed
          .get()
          .time("exp")
          .ifPresent(exp ->
              remembered.put(digest, new Genuine(ours.get(), exp.plus(AccessTokens.LEEWAY))));
      return unended(ours.get());
    }
    return pythonTokens
        .access(parsed.get())
        .filter(access -> !revocations.isEndedLegacy(access))
        .map(access -> new Principal(access.userId(), Optional.empty(), access.issuedAt()));
  }

  private Optional<Principal> unended(Principal principal) {
    return revocations.isEnded(principal.sessionId().orElseThrow())
        ? Optional.empty()
        : Optional.of(principal);
  }

  /** A digest, so that no token lies in memory longer than its request. */
  private static ByteBuffer digest(String token) {
    try {
      return ByteBuffer.wrap(
          MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
