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
import org.authservice.json.JsonObject;

/**
 * Decides whom a Bearer token speaks for (RFC 6750), without any database access. That a token is
 * genuine is remembered for a few seconds under its digest, as long as the same keys are believed;
 * whether it has expired and whether its session has ended is asked each time.
 */
public final class BearerTokens {
  private static final int MOST_REMEMBERED = 20_000;

  /** Copied for each digest: to look an algorithm up takes longer than to run it. */
  private static final MessageDigest SHA_256 = sha256();

  private static final Duration MEMORY = Duration.ofSeconds(10);

  private final AccessTokens accessTokens;
  private final PythonTokens pythonTokens;
  private final Revocations revocations;
  private final Clock clock;
  private final Cache<ByteBuffer, Remembered> remembered =
      Caffeine.newBuilder().maximumSize(MOST_REMEMBERED).expireAfterWrite(MEMORY).build();

  /**
   * What a signature and the claims beside the times have shown, while those keys were believed.
   */
  private record Remembered(Principal principal, Instant end, Object trust) {}

  /** Tokens of this service, and of the Python service while they are accepted. */
  public BearerTokens(
      AccessTokens accessTokens, PythonTokens pythonTokens, Revocations revocations, Clock clock) {
    this.accessTokens = accessTokens;
    this.pythonTokens = pythonTokens;
    this.revocations = revocations;
    this.clock = clock;
  }

  /**
   * A token that was issued for this service and has not expired; it may have been ended.
   *
   * @param endedBy what ends it when it is among the revocations: its session's id, or the
   *     fingerprint of a token of the Python service
   * @param claims all that it says
   * @param end from when on it is refused
   */
  public record Genuine(Principal principal, String endedBy, JsonObject claims, Instant end) {}

  /**
   * Whom the token speaks for; empty when it is not valid or its session has ended.
   *
   * @throws org.authservice.http.Unavailable when this node does not know which sessions have ended
   */
  public Optional<Principal> accept(String token) {
    ByteBuffer digest = digest(token);
    Remembered known = remembered.getIfPresent(digest);
    Object trust = accessTokens.trust();
    if (known != null && known.trust() == trust && clock.instant().isBefore(known.end())) {
      return Optional.of(known.principal())
          .filter(it -> !revocations.isEnded(it.sessionId().orElseThrow()));
    }
    Optional<Genuine> genuine = genuine(token);
    genuine
        .filter(it -> it.principal().sessionId().isPresent())
        .ifPresent(it -> remembered.put(digest, new Remembered(it.principal(), it.end(), trust)));
    return genuine.filter(it -> !isEnded(it)).map(Genuine::principal);
  }

  /** The same, with all that the token says. */
  public Optional<Genuine> living(String token) {
    return genuine(token).filter(it -> !isEnded(it));
  }

  /** A token that is rightly signed and timely, ended or not. */
  public Optional<Genuine> genuine(String token) {
    Optional<Jwt> parsed = Jwt.parse(token);
    if (parsed.isEmpty()) {
      return Optional.empty();
    }
    Jwt jwt = parsed.get();
    Optional<Principal> ours = accessTokens.verify(jwt);
    return ours.isPresent()
        ? ours.map(it -> genuine(it, it.sessionId().orElseThrow(), jwt))
        : pythonTokens
            .access(jwt)
            .map(it -> new Principal(it.userId(), Optional.empty(), it.issuedAt()))
            .map(it -> genuine(it, jwt.fingerprint(), jwt));
  }

  private static Genuine genuine(Principal principal, String endedBy, Jwt jwt) {
    Instant end = jwt.time("exp").orElseThrow().plus(AccessTokens.LEEWAY);
    return new Genuine(principal, endedBy, jwt.claims(), end);
  }

  private boolean isEnded(Genuine token) {
    Principal principal = token.principal();
    boolean legacy = principal.sessionId().isEmpty();
    return revocations.isEnded(token.endedBy())
        || (legacy && revocations.isEndedLegacy(principal.userId(), principal.issuedAt()));
  }

  /** A digest, so that no token lies in memory longer than its request. */
  private static ByteBuffer digest(String token) {
    try {
      var sha256 = (MessageDigest) SHA_256.clone();
      return ByteBuffer.wrap(sha256.digest(token.getBytes(StandardCharsets.UTF_8)));
    } catch (CloneNotSupportedException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
