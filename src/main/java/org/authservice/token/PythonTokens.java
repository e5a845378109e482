package org.authservice.token;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.authservice.secret.Secret;
import org.authservice.settings.TokenSettings;

/**
 * Tokens that the Python service issued, accepted while {@code LEGACY_TOKENS} says so. They carry
 * no time of issue: it is reckoned back from their expiry by the life that service gives its
 * tokens.
 */
public final class PythonTokens {
  private static final Duration LONGEST_ACCESS = Duration.ofDays(1);
  private static final Duration LONGEST_REFRESH = Duration.ofDays(365);

  private final List<SecretKeySpec> keys = new ArrayList<>();
  private final Duration accessLife;
  private final Duration refreshLife;
  private final LegacyTokens legacy;
  private final Clock clock;

  /** Tokens under the secret key and the previous ones. */
  public PythonTokens(TokenSettings settings, LegacyTokens legacy, Clock clock) {
    keys.add(hmacKey(settings.secretKey()));
    settings.previousKeys().forEach(key -> keys.add(hmacKey(key)));
    this.accessLife = settings.legacyAccessLife();
    this.refreshLife = settings.legacyRefreshLife();
    this.legacy = legacy;
    this.clock = clock;
  }

  /**
   * What such an access token says.
   *
   * @param issuedAt reckoned
   */
  public record Access(long userId, Instant issuedAt) {}

  /**
   * What such a refresh token says.
   *
   * @param jti its id, which logging out or using it blacklists
   * @param issuedAt reckoned
   */
  public record Refresh(long userId, String jti, Instant issuedAt, Instant expiresAt) {}

  /** Reads an access token: {@code {exp, sub}} and no {@code jti}. */
  Optional<Access> access(Jwt jwt) {
    Instant now = clock.instant();
    if (jwt.has("jti") || !genuine(jwt) || !lives(jwt, now, LONGEST_ACCESS)) {
      return Optional.empty();
    }
    legacy.accept(now);
    return jwt.userId()
        .flatMap(user -> jwt.time("exp").map(exp -> new Access(user, exp.minus(accessLife))));
  }

  /** Reads a refresh token: {@code {exp, sub, jti}}. */
  public Optional<Refresh> refresh(String token) {
    Instant now = clock.instant();
    Optional<Jwt> jwt =
        Jwt.parse(token).filter(this::genuine).filter(it -> lives(it, now, LONGEST_REFRESH));
    if (jwt.isEmpty()) {
      return Optional.empty();
    }
    String jti = jwt.get().text("jti");
    Optional<Instant> exp = jwt.get().time("exp");
    if (jti == null || jti.isEmpty() || jti.length() > 64 || exp.isEmpty()) {
      return Optional.empty();
    }
    legacy.accept(now);
    return jwt.get()
        .userId()
        .map(user -> new Refresh(user, jti, exp.get().minus(refreshLife), exp.get()));
  }

  private boolean genuine(Jwt jwt) {
    boolean typed = !jwt.hasHeader("typ") || "JWT".equals(jwt.header("typ"));
    return typed
        && "HS256".equals(jwt.header("alg"))
        && !jwt.has("sid")
        && legacy.accepted(clock.instant())
        && keys.stream().anyMatch(key -> signed(jwt, key));
  }

  private static boolean lives(Jwt jwt, Instant now, Duration longest) {
    return AccessTokens.timely(jwt, now)
        && jwt.time("exp").filter(exp -> !exp.isAfter(now.plus(longest))).isPresent();
  }

  // Not Nimbus' verifier: an adopted key may be shorter than the 32 bytes that it demands.
  private static boolean signed(Jwt jwt, SecretKeySpec key) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      return MessageDigest.isEqual(mac.doFinal(jwt.signingInput()), jwt.signature());
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("HmacSHA256 is not available", impossible);
    }
  }

  private static SecretKeySpec hmacKey(Secret key) {
    return new SecretKeySpec(key.bytes(), "HmacSHA256");
  }
}
