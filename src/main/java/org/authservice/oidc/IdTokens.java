package org.authservice.oidc;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.factories.DefaultJWSVerifierFactory;
import com.nimbusds.jose.jwk.AsymmetricJWK;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.authservice.account.Identity;
import org.authservice.secret.Secret;
import org.jspecify.annotations.Nullable;

/**
 * Validates ID tokens (OpenID Connect Core 1.0, section 3.1.3.7) by the service's own clock, which
 * the library's validator does not take. Stricter than it in this: every audience and {@code azp}
 * must be a client of ours, {@code azp} is required with several audiences, and no token is older
 * than the flow it belongs to can be.
 */
final class IdTokens {
  private static final int MAX_LENGTH = 16 * 1024;
  private static final Duration LEEWAY = Duration.ofSeconds(60);
  private static final Duration MAX_AGE = Flows.LIFE;

  private final String issuer;
  private final Set<String> clientIds;
  private final SigningKeys keys;
  private final Clock clock;

  IdTokens(String issuer, Set<String> clientIds, SigningKeys keys, Clock clock) {
    this.issuer = issuer;
    this.clientIds = clientIds;
    this.keys = keys;
    this.clock = clock;
  }

  /** The claims of a good token. */
  JWTClaimsSet verify(String token, Secret nonce, OIDCProviderMetadata metadata, Deadline deadline)
      throws ProviderFault {
    if (token.length() > MAX_LENGTH) {
      throw ProviderFault.refused("ID token: too long");
    }
    try {
      SignedJWT jwt = SignedJWT.parse(token); // an unsigned or encrypted one is no SignedJWT
      requireSignature(jwt, metadata, deadline);
      JWTClaimsSet claims = jwt.getJWTClaimsSet();
      requireClaims(claims, nonce);
      return claims;
    } catch (ParseException malformed) {
      throw ProviderFault.refused("ID token: malformed");
    }
  }

  private void requireSignature(SignedJWT jwt, OIDCProviderMetadata metadata, Deadline deadline)
      throws ProviderFault {
    JWSHeader header = jwt.getHeader();
    require(allowed(metadata).contains(header.getAlgorithm()), "alg");
    require(header.getCriticalParams() == null, "crit");
    for (JWK key : keys.candidates(header, metadata.getJWKSetURI(), deadline)) {
      if (signedBy(jwt, key)) {
        return;
      }
    }
    throw ProviderFault.refused("ID token: signature");
  }

  /** Asymmetric ones only: nobody who holds the client's secret shall be able to make tokens. */
  private static Set<JWSAlgorithm> allowed(OIDCProviderMetadata metadata) {
    Set<JWSAlgorithm> allowed = new HashSet<>(JWSAlgorithm.Family.RSA);
    allowed.addAll(
        List.of(JWSAlgorithm.ES256, JWSAlgorithm.ES384, JWSAlgorithm.ES512)); // not ES256K
    List<JWSAlgorithm> announced = metadata.getIDTokenJWSAlgs();
    if (announced != null && !announced.isEmpty()) {
      allowed.retainAll(announced);
    }
    return allowed;
  }

  private static boolean signedBy(SignedJWT jwt, JWK key) {
    try {
      return key instanceof AsymmetricJWK asymmetric
          && jwt.verify(
              new DefaultJWSVerifierFactory()
                  .createJWSVerifier(jwt.getHeader(), asymmetric.toPublicKey()));
    } catch (JOSEException unfitKey) {
      return false;
    }
  }

  private void requireClaims(JWTClaimsSet claims, Secret nonce)
      throws ProviderFault, ParseException {
    Instant now = clock.instant();
    List<String> audience = claims.getAudience();
    String azp = claims.getStringClaim("azp");
    Instant expiry = instant(claims.getExpirationTime());
    Instant issued = instant(claims.getIssueTime());
    Instant notBefore = instant(claims.getNotBeforeTime());
    String subject = claims.getSubject();
    String given = claims.getStringClaim("nonce");
    require(issuer.equals(claims.getIssuer()), "iss");
    require(!audience.isEmpty() && clientIds.containsAll(audience), "aud");
    require(azp == null ? audience.size() == 1 : clientIds.contains(azp), "azp");
    require(expiry != null && now.isBefore(expiry.plus(LEEWAY)), "exp");
    require(
        issued != null
            && !issued.isAfter(now.plus(LEEWAY))
            && !issued.isBefore(now.minus(MAX_AGE).minus(LEEWAY)),
        "iat");
    require(notBefore == null || !notBefore.isAfter(now.plus(LEEWAY)), "nbf");
    require(subject != null && isSubject(subject), "sub");
    require(given != null && nonce.equals(Secret.of(given)), "nonce");
  }

  private static boolean isSubject(String subject) {
    return !subject.isBlank()
        && subject.length() <= Identity.MAX_SUBJECT_LENGTH
        && subject.chars().allMatch(character -> character >= 0x20 && character < 0x7F);
  }

  private static @Nullable Instant instant(@Nullable Date date) {
    return date == null ? null : date.toInstant();
  }

  private static void require(boolean condition, String what) throws ProviderFault {
    if (!condition) {
      throw ProviderFault.refused("ID token: " + what);
    }
  }
}
