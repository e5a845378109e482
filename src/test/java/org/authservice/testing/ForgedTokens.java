package org.authservice.testing;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
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

/** Tokens that no resource server may accept for access tokens of the service. */
public final class ForgedTokens {
  private ForgedTokens() {}

  /**
   * Bad tokens, by what is wrong with them.
   *
   * @param tokens a good sign-in's answer
   * @param key the key of the service
   */
  public static Map<String, String> of(Reply tokens, String key, String issuer) {
    String good = tokens.text("access_token");
    String body = good.substring(good.indexOf('.') + 1, good.lastIndexOf('.'));
    Instant now = Clock.systemUTC().instant();
    Map<String, String> bad = new LinkedHashMap<>();
    bad.put("refresh token", tokens.text("refresh_token"));
    bad.put("no signature", encoded("{\"alg\":\"none\",\"typ\":\"at+jwt\"}") + "." + body + ".");
    bad.put("changed claims", good.replace(body, encoded("{\"sub\":\"2\",\"exp\":9999999999}")));
    bad.put("another key", signed("another-key-0123456789abcdefghijklmnop", issuer, "at+jwt", now));
    bad.put("another issuer", signed(key, "http://evil.example", "at+jwt", now));
    bad.put("another type", signed(key, issuer, "JWT", now));
    bad.put("expired", signed(key, issuer, "at+jwt", now.minus(Duration.ofMinutes(32))));
    bad.put("no token", "x");
    return bad;
  }

  private static String signed(String key, String issuer, String type, Instant issued) {
    var claims =
        new JWTClaimsSet.Builder()
            .subject("1")
            .issuer(issuer)
            .claim("sid", "0123456789abcdef0123456789abcdef")
            .issueTime(Date.from(issued))
            .expirationTime(Date.from(issued.plus(Duration.ofMinutes(30))))
            .build();
    var header = new JWSHeader.Builder(JWSAlgorithm.HS256).type(new JOSEObjectType(type)).build();
    try {
      var jwt = new SignedJWT(header, claims);
      jwt.sign(new MACSigner(key));
      return jwt.serialize();
    } catch (JOSEException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private static String encoded(String json) {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
