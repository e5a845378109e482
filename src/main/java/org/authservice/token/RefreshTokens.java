package org.authservice.token;

import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import org.authservice.json.JsonObject;
import org.authservice.secret.Keyring;
import org.authservice.settings.TokenSettings.Algorithm;

/**
 * Refresh tokens: JWTs under a key of their own, so that none passes as an access token. A token is
 * computed from its session's row and stored nowhere: the same row gives the same bytes.
 */
public final class RefreshTokens {
  private static final String ALGORITHM = "HS256";
  private static final Jwt.Header HEADER =
      Jwt.Header.of(JsonObject.of("alg", ALGORITHM).put("typ", "rt+jwt"));

  private final Keyring keyring;
  private final Map<String, JwsKey> keys;

  /** Tokens under keys derived from this node's; read under any of them that is trusted. */
  public RefreshTokens(Keyring keyring) {
    this.keyring = keyring;
    this.keys =
        keyring.all().stream()
            .collect(Collectors.toUnmodifiableMap(Keyring.Key::id, RefreshTokens::derived));
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
        Objects.requireNonNull(keys.get(keyring.current().id())));
  }

  /** What a well-signed token says, expired or not: the session's row decides whether it lives. */
  public Optional<Claims> read(String token) {
    return Jwt.parse(token).filter(this::isSigned).flatMap(this::claims);
  }

  private boolean isSigned(Jwt jwt) {
    for (Keyring.Key trusted : keyring.trusted()) {
      JwsKey key = keys.get(trusted.id());
      if (key != null && jwt.signedBy(ALGORITHM, key)) {
        return true;
      }
    }
    return false;
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

  /** A name of the token: of 96 random bits the session has, and its number. It is no secret. */
  private static String id(Claims claims) {
    return claims.sessionId().substring(0, 24) + HexFormat.of().toHexDigits(claims.number());
  }

  private static JwsKey derived(Keyring.Key key) {
    byte[] bytes = key.derived().key("refresh token").getEncoded();
    return JwsKey.Hmac.of(key.id(), Algorithm.HS256, bytes);
  }
}
