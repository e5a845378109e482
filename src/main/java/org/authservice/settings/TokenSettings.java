package org.authservice.settings;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.authservice.secret.Secret;

/**
 * How tokens are made and which are accepted.
 *
 * @param secretKey {@code SECRET_KEY}, or the one generated into {@code .auth-secret}
 * @param previousKeys {@code SECRET_KEY_PREVIOUS}
 * @param algorithm {@code ALGORITHM}
 * @param issuer {@code JWT_ISSUER}; empty: the public base URL
 * @param audience {@code JWT_AUDIENCE}; empty: none with HS algorithms, else the public base URL
 * @param accessLife {@code ACCESS_TOKEN_EXPIRE_MINUTES}
 * @param legacy {@code LEGACY_TOKENS}
 * @param legacyAccessLife {@code LEGACY_ACCESS_MINUTES}
 * @param legacyRefreshLife {@code LEGACY_REFRESH_DAYS}
 */
public record TokenSettings(
    Secret secretKey,
    List<Secret> previousKeys,
    Algorithm algorithm,
    Optional<String> issuer,
    Optional<String> audience,
    Duration accessLife,
    Legacy legacy,
    Duration legacyAccessLife,
    Duration legacyRefreshLife) {

  /** What signs access tokens (RFC 7518, RFC 8037). */
  public enum Algorithm {
    HS256(32),
    HS384(48),
    HS512(64),
    RS256(0),
    ES256(0),
    /** With the curve Ed25519; named as in the header of a token. */
    EdDSA(0);

    private final int leastKeyBytes;

    Algorithm(int leastKeyBytes) {
      this.leastKeyBytes = leastKeyBytes;
    }

    /** Whether one secret both signs and verifies. */
    public boolean symmetric() {
      return leastKeyBytes > 0;
    }

    /** How long the secret must be (RFC 7518, section 3.2); 0 when there is a key pair. */
    public int leastKeyBytes() {
      return leastKeyBytes;
    }
  }

  /** Whether the Python service's tokens are accepted. */
  public sealed interface Legacy {
    /** On an adopted database, until 30 days after the last one was seen. */
    record Auto() implements Legacy {}

    /** Always. */
    record Accepted() implements Legacy {}

    /** Never. */
    record Refused() implements Legacy {}

    /** Until then. */
    record AcceptedUntil(Instant end) implements Legacy {}
  }
}
