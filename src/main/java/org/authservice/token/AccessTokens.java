package org.authservice.token;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.authservice.http.Principal;
import org.authservice.json.JsonObject;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.settings.TokenSettings;
import org.authservice.settings.TokenSettings.Algorithm;
import org.jspecify.annotations.Nullable;

/**
 * Access tokens: short-lived JWTs (RFC 9068's {@code at+jwt}) that other services verify on their
 * own. With an HS algorithm they are signed with {@code SECRET_KEY} itself and carry no {@code
 * jti}, because services that verify the Python service's tokens with that key take any token with
 * a {@code jti} for a refresh token. With any other, {@link SigningKeys} sign them.
 */
public final class AccessTokens {
  /** How far a sender's clock may be off (RFC 7519, section 4.1.4). */
  static final Duration LEEWAY = Duration.ofSeconds(30);

  private static final String TYPE = "at+jwt";

  private final Algorithm algorithm;
  private final String issuer;
  private final Optional<String> audience;
  private final Duration life;
  private final AccessKeys keys;
  private final Clock clock;
  private final Secrets secrets;
  private volatile @Nullable SignersHeader signersHeader;

  private record SignersHeader(String keyId, Jwt.Header header) {}

  /**
   * Tokens under these settings.
   *
   * @param publicBaseUrl the issuer when {@code JWT_ISSUER} is not set, and the audience when
   *     {@code JWT_AUDIENCE} is not and the keys are key pairs
   */
  public AccessTokens(
      TokenSettings settings, String publicBaseUrl, AccessKeys keys, Clock clock, Secrets secrets) {
    this.algorithm = settings.algorithm();
    this.issuer = settings.issuer().orElse(publicBaseUrl);
    this.audience =
        settings
            .audience()
            .or(() -> algorithm.symmetric() ? Optional.empty() : Optional.of(publicBaseUrl));
    this.life = settings.accessLife();
    this.keys = keys;
    this.clock = clock;
    this.secrets = secrets;
  }

  /** The claim {@code iss} of every token. */
  public String issuer() {
    return issuer;
  }

  /** Another object once other keys are believed. */
  Object trust() {
    return keys.trust();
  }

  /** A token, and how long it lives. */
  public record Issued(Secret token, Duration life) {}

  /** A token for a session of an account, issued now; it does not outlive the session. */
  public Issued issue(long userId, String sessionId, Instant sessionEnd) {
    Instant now = clock.instant();
    Duration left = Duration.between(now, sessionEnd);
    Duration granted = left.compareTo(life) < 0 ? left : life;
    var claims =
        JsonObject.of("sub", Long.toString(userId))
            .put("exp", now.getEpochSecond() + granted.toSeconds())
            .put("iat", now.getEpochSecond())
            .put("sid", sessionId)
            .put("iss", issuer);
    audience.ifPresent(name -> claims.put("aud", name));
    if (!algorithm.symmetric()) {
      claims.put("jti", secrets.id());
    }
    JwsKey key = keys.signer();
    return new Issued(Secret.of(Jwt.sign(header(key.id()), claims, key)), granted);
  }

  /** Encoded once for a signer, of which there is one at a time. */
  private Jwt.Header header(String keyId) {
    SignersHeader last = signersHeader;
    if (last == null || !last.keyId().equals(keyId)) {
      last =
          new SignersHeader(
              keyId,
              Jwt.Header.of(
                  JsonObject.of("alg", algorithm.name()).put("typ", TYPE).put("kid", keyId)));
      signersHeader = last;
    }
    return last.header();
  }

  /** Whom a token speaks for; empty unless every rule of RFC 8725 that applies holds. */
  Optional<Principal> verify(Jwt jwt) {
    if (!TYPE.equals(jwt.header("typ"))
        || !isSigned(jwt)
        || !issuer.equals(jwt.text("iss"))
        || !audience.map(name -> name.equals(jwt.text("aud"))).orElse(!jwt.has("aud"))
        || !timely(jwt, clock.instant())) {
      return Optional.empty();
    }
    String session = jwt.text("sid");
    Optional<Instant> issued = jwt.time("iat");
    return session == null || issued.isEmpty()
        ? Optional.empty()
        : jwt.userId().map(user -> new Principal(user, Optional.of(session), issued.get()));
  }

  /** Whether now is within exp, nbf and iat; exp must be there, the others be times if they are. */
  static boolean timely(Jwt jwt, Instant now) {
    Instant soon = now.plus(LEEWAY);
    return jwt.time("exp").filter(end -> end.plus(LEEWAY).isAfter(now)).isPresent()
        && (!jwt.has("nbf") || jwt.time("nbf").filter(start -> !start.isAfter(soon)).isPresent())
        && (!jwt.has("iat") || jwt.time("iat").filter(issued -> !issued.isAfter(soon)).isPresent());
  }

  /** The key is looked up by its id and by nothing else that a header may say (RFC 8725, 3.10). */
  private boolean isSigned(Jwt jwt) {
    return algorithm.name().equals(jwt.header("alg"))
        && keys.candidates(jwt.header("kid")).stream()
            .anyMatch(key -> jwt.signedBy(algorithm.name(), key));
  }
}
