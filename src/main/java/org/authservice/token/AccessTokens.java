package org.authservice.token;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.MACVerifier;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.authservice.http.Principal;
import org.authservice.json.JsonObject;
import org.authservice.secret.DerivedKeys;
import org.authservice.secret.Secret;
import org.authservice.settings.TokenSettings;

/**
 * Access tokens: short-lived JWTs (RFC 9068's {@code at+jwt}) that other services verify on their
 * own. With an HS algorithm they are signed with {@code SECRET_KEY} itself and carry no {@code
 * jti}, because services that verify the Python service's tokens with that key take any token with
 * a {@code jti} for a refresh token.
 */
public final class AccessTokens {
  /** How far a sender's clock may be off (RFC 7519, section 4.1.4). */
  static final Duration LEEWAY = Duration.ofSeconds(30);

  private static final String TYPE = "at+jwt";

  private final String algorithm;
  private final String issuer;
  private final Optional<String> audience;
  private final Duration life;
  private final Clock clock;
  private final JWSSigner signer;
  private final List<JWSVerifier> verifiers;
  private final String header;

  /**
   * Tokens under these settings.
   *
   * @param publicBaseUrl the issuer when {@code JWT_ISSUER} is not set
   */
  public AccessTokens(TokenSettings settings, String publicBaseUrl, Clock clock) {
    this.algorithm = settings.algorithm().name();
    this.issuer = settings.issuer().orElse(publicBaseUrl);
    this.audience = settings.audience();
    this.life = settings.accessLife();
    this.clock = clock;
    try {
      this.signer = new MACSigner(settings.secretKey().bytes());
      this.verifiers = new ArrayList<>(List.of(new MACVerifier(settings.secretKey().bytes())));
      for (Secret previous : settings.previousKeys()) {
        if (previous.bytes().length >= 32) { // a shorter one can only verify legacy tokens
          verifiers.add(new MACVerifier(previous.bytes()));
        }
      }
    } catch (JOSEException tooShort) {
      throw new IllegalArgumentException(
          "SECRET_KEY is too short for " + algorithm + ": give it at least 64 bytes", tooShort);
    }
    this.header =
        "{\"alg\":\"%s\",\"typ\":\"%s\",\"kid\":\"%s\"}"
            .formatted(algorithm, TYPE, keyId(settings.secretKey()));
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
    return new Issued(Secret.of(Jwt.sign(header, claims, signer)), granted);
  }

  /** Whom a token speaks for; empty unless every rule of RFC 8725 that applies holds. */
  Optional<Principal> verify(Jwt jwt) {
    if (!TYPE.equals(jwt.header("typ"))
        || verifiers.stream().noneMatch(verifier -> jwt.signedBy(algorithm, verifier))
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

  // Names a key without telling anything of it: it is a MAC, not a digest that could be searched.
  private static String keyId(Secret key) {
    return new DerivedKeys(key, new byte[0]).hmac("key id").over("").substring(0, 16);
  }
}
