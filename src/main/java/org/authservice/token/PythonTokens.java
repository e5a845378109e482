package org.authservice.token;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.authservice.secret.Keyring;
import org.authservice.settings.TokenSettings;
import org.authservice.settings.TokenSettings.Algorithm;

/**
 * Tokens that the Python service issued, accepted while {@code LEGACY_TOKENS} says so. They carry
 * no time of issue: it is reckoned back from their expiry by the life that service gives its
 * tokens.
 */
public final class PythonTokens {
  private static final Duration LONGEST_ACCESS = Duration.ofDays(1);
  private static final Duration LONGEST_REFRESH = Duration.ofDays(365);

  private final Keyring keyring;
  private final Map<String, JwsKey> keys;
  private final Duration accessLife;
  private final Duration refreshLife;
  private final LegacyTokens legacy;
  private final Clock clock;

  /** Tokens under the secret key and the previous ones, which may be short here. */
  public PythonTokens(TokenSettings settings, Keyring keyring, LegacyTokens legacy, Clock clock) {
    this.keyring = keyring;
    this.keys =
        keyring.all().stream()
            .collect(
                Collectors.toMap(
                    Keyring.Key::id,
                    key -> JwsKey.Hmac.of(key.id(), Algorithm.HS256, key.secret().bytes()),
                    (key, _) -> key)); // set twice
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
        && !jwt.has("sid")
        && legacy.accepted(clock.instant())
        && keyring.trusted().stream()
            .flatMap(key -> Stream.ofNullable(keys.get(key.id())))
            .anyMatch(key -> jwt.signedBy("HS256", key));
  }

  private static boolean lives(Jwt jwt, Instant now, Duration longest) {
    return AccessTokens.timely(jwt, now)
        && jwt.time("exp").filter(exp -> !exp.isAfter(now.plus(longest))).isPresent();
  }
}
