package org.authservice.token;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.MACVerifier;
import java.time.Instant;
import java.util.Optional;
import org.authservice.json.JsonObject;
import org.authservice.secret.DerivedKeys;

/**
 * Refresh tokens: JWTs under a key of their own, so that none passes as an access token. A token is
 * computed from its session's row and stored nowhere: the same row gives the same bytes.
 */
public final class RefreshTokens {
  private static final String ALGORITHM = "HS256";
  private static final String HEADER = "{\"alg\":\"HS256\",\"typ\":\"rt+jwt\"}";

  private final JWSSigner signer;
  private final JWSVerifier verifier;
  private final DerivedKeys.Hmac ids;

  /** Tokens under a key derived from the installation's. */
  public RefreshTokens(DerivedKeys keys) {
    try {
      byte[] key = keys.key("refresh token").getEncoded();
      this.signer = new MACSigner(key);
      this.verifier = new MACVerifier(key);
      this.ids = keys.hmac("refresh token id");
    } catch (JOSEException impossible) {
      throw new IllegalStateException("a derived key is long enough", impossible);
    }
  }

  /**
   * What a refresh token says.
   *
   * @param userId the account
   * @param sessionId the session
   * @param number its place in the session's row of tokens
   * @param issuedAt when the session changed to it, whole seconds
   * @param expiresAt when the session expires if it is not used, whole seconds
   */
  public record Claims(
      long userId, String sessionId, int number, Instant issuedAt, Instant expiresAt) {}

  /** The token that says this. */
  public String issue(Claims claims) {
    return Jwt.sign(
        HEADER,
        JsonObject.of("sub", Long.toString(claims.userId()))
            .put("exp", claims.expiresAt().getEpochSecond())
            .put("iat", claims.issuedAt().getEpochSecond())
            .put("jti", id(claims))
            .put("sid", claims.sessionId())
            .put("n", claims.number()),
        signer);
  }

  /** What a well-signed token says, expired or not: the session's row decides whether it lives. */
  public Optional<Claims> read(String token) {
    return Jwt.parse(token).filter(jwt -> jwt.signedBy(ALGORITHM, verifier)).flatMap(this::claims);
  }

  private Optional<Claims> claims(Jwt jwt) {
    String session = jwt.text("sid");
    Long number = jwt.number("n");
    Optional<Instant> issued = jwt.time("iat");
    Optional<Instant> expires = jwt.time("exp");
    if (session == null || number == null || issued.isEmpty() || expires.isEmpty()) {
      return Optional.empty();
    }
    return jwt.userId()
        .map(user -> new Claims(user, session, number.intValue(), issued.get(), expires.get()));
  }

  private String id(Claims claims) {
    return ids.over(claims.sessionId(), Integer.toString(claims.number())).substring(0, 32);
  }
}
