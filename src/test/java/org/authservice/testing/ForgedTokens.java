package org.authservice.testing;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Tokens that no resource server may accept for access tokens of the service. */
public final class ForgedTokens {
  private final JWSAlgorithm algorithm;
  private final @Nullable String kid;
  private final @Nullable String audience;

  private ForgedTokens(JWSAlgorithm algorithm, @Nullable String kid, @Nullable String audience) {
    this.algorithm = algorithm;
    this.kid = kid;
    this.audience = audience;
  }

  /**
   * Bad tokens under HS256, by what is wrong with them.
   *
   * @param tokens a good sign-in's answer
   * @param key the key of the service
   */
  public static Map<String, String> of(Reply tokens, String key, String issuer)
      throws JOSEException {
    return new ForgedTokens(JWSAlgorithm.HS256, null, null)
        .all(
            tokens,
            issuer,
            new MACSigner(key),
            new MACSigner("another-key-0123456789abcdefghijklmnop"));
  }

  /**
   * Bad tokens under ES256, by what is wrong with them.
   *
   * @param tokens a good sign-in's answer
   * @param key one of the published keys
   */
  public static Map<String, String> of(Reply tokens, ECKey key, String issuer, String audience)
      throws JOSEException {
    ECKey another = new ECKeyGenerator(Curve.P_256).keyID(key.getKeyID()).generate();
    var pairs = new ForgedTokens(JWSAlgorithm.ES256, key.getKeyID(), audience);
    Map<String, String> bad =
        pairs.all(tokens, issuer, new ECDSASigner(key), new ECDSASigner(another));
    Instant now = Clock.systemUTC().instant();
    bad.put(
        "another audience",
        new ForgedTokens(JWSAlgorithm.ES256, key.getKeyID(), "https://other.example")
            .signed(new ECDSASigner(key), issuer, "at+jwt", now));
    bad.put(
        "no audience",
        new ForgedTokens(JWSAlgorithm.ES256, key.getKeyID(), null)
            .signed(new ECDSASigner(key), issuer, "at+jwt", now));
    bad.put(
        "the public key as a secret",
        new ForgedTokens(JWSAlgorithm.HS256, key.getKeyID(), audience)
            .signed(new MACSigner(key.toECPublicKey().getEncoded()), issuer, "at+jwt", now));
    bad.put(
        "an unknown key",
        new ForgedTokens(JWSAlgorithm.ES256, "unknown", audience)
            .signed(new ECDSASigner(key), issuer, "at+jwt", now));
    return bad;
  }

  private Map<String, String> all(Reply tokens, String issuer, JWSSigner good, JWSSigner another)
      throws JOSEException {
    String token = tokens.text("access_token");
    String body = token.substring(token.indexOf('.') + 1, token.lastIndexOf('.'));
    Instant now = Clock.systemUTC().instant();
    Map<String, String> bad = new LinkedHashMap<>();
    bad.put("refresh token", tokens.text("refresh_token"));
    bad.put("no signature", encoded("{\"alg\":\"none\",\"typ\":\"at+jwt\"}") + "." + body + ".");
    bad.put("changed claims", token.replace(body, encoded("{\"sub\":\"2\",\"exp\":9999999999}")));
    bad.put("another key", signed(another, issuer, "at+jwt", now));
    bad.put("another issuer", signed(good, "http://evil.example", "at+jwt", now));
    bad.put("another type", signed(good, issuer, "JWT", now));
    bad.put("expired", signed(good, issuer, "at+jwt", now.minus(Duration.ofMinutes(32))));
    bad.put("no token", "x");
    return bad;
  }

  private String signed(JWSSigner signer, String issuer, String type, Instant issued)
      throws JOSEException {
    var claims =
        new JWTClaimsSet.Builder()
            .subject("1")
            .issuer(issuer)
            .audience(audience)
            .claim("sid", "0123456789abcdef0123456789abcdef")
            .issueTime(Date.from(issued))
            .expirationTime(Date.from(issued.plus(Duration.ofMinutes(30))))
            .build();
    var header = new JWSHeader.Builder(algorithm).type(new JOSEObjectType(type)).keyID(kid).build();
    var jwt = new SignedJWT(header, claims);
    jwt.sign(signer);
    return jwt.serialize();
  }

  private static String encoded(String json) {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
