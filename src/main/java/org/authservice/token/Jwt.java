package org.authservice.token;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.util.Base64URL;
import java.text.ParseException;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;
import org.authservice.json.Json;
import org.authservice.json.JsonObject;
import org.authservice.json.MalformedJson;
import org.jspecify.annotations.Nullable;

/**
 * A signed token taken apart but not yet believed: header and claims of a compact JWS (RFC 7515).
 * Nothing in the header chooses a key or an algorithm; the reader of each kind of token compares it
 * with the one it expects (RFC 8725).
 */
final class Jwt {
  /** Longer tokens than any of ours are refused before they are decoded. */
  static final int MAX_LENGTH = 8192;

  private final JWSObject jws;
  private final JsonObject header;
  private final JsonObject claims;

  private Jwt(JWSObject jws, JsonObject header, JsonObject claims) {
    this.jws = jws;
    this.header = header;
    this.claims = claims;
  }

  /** Takes a token apart; empty for anything but a plain compact JWS with strict JSON inside. */
  static Optional<Jwt> parse(String token) {
    if (token.length() > MAX_LENGTH || token.chars().filter(c -> c == '.').count() != 2) {
      return Optional.empty();
    }
    if (!token.chars().allMatch(Jwt::isBase64Url)) {
      return Optional.empty();
    }
    try {
      // The strict reading comes first: it is what refuses repeated members and deep nesting.
      JsonObject header = object(token.substring(0, token.indexOf('.')));
      JsonObject claims = object(token.substring(token.indexOf('.') + 1, token.lastIndexOf('.')));
      if (header.has("crit") || header.has("b64") || header.has("zip")) {
        return Optional.empty();
      }
      return Optional.of(new Jwt(JWSObject.parse(token), header, claims));
    } catch (MalformedJson | ParseException | IllegalArgumentException notOne) {
      return Optional.empty();
    }
  }

  /**
   * Makes a token. The same header, claims and key give the same bytes (HMAC signatures are
   * deterministic).
   */
  static String sign(String header, JsonObject claims, JWSSigner signer) {
    try {
      var jws =
          new JWSObject(JWSHeader.parse(Base64URL.encode(header)), new Payload(Json.write(claims)));
      jws.sign(signer);
      return jws.serialize();
    } catch (ParseException | JOSEException impossible) {
      throw new IllegalStateException("cannot sign", impossible);
    }
  }

  /** Whether the key behind the verifier signed this, by the one algorithm expected. */
  boolean signedBy(String algorithm, JWSVerifier verifier) {
    try {
      return algorithm.equals(header.get("alg")) && jws.verify(verifier);
    } catch (JOSEException | IllegalStateException refused) {
      return false;
    }
  }

  /** What was signed, as bytes. */
  byte[] signingInput() {
    return jws.getSigningInput();
  }

  /** The signature's bytes. */
  byte[] signature() {
    return jws.getSignature().decode();
  }

  /** A header member that is a string. */
  @Nullable String header(String name) {
    return header.get(name) instanceof String text ? text : null;
  }

  boolean hasHeader(String name) {
    return header.has(name);
  }

  boolean has(String claim) {
    return claims.has(claim);
  }

  /** A claim that is a string. */
  @Nullable String text(String claim) {
    return claims.get(claim) instanceof String text ? text : null;
  }

  /** A claim that is a whole number. */
  @Nullable Long number(String claim) {
    return claims.get(claim) instanceof Long number ? number : null;
  }

  /** A claim that is a time in whole seconds (RFC 7519, NumericDate); empty when it is not. */
  Optional<Instant> time(String claim) {
    Long seconds = number(claim);
    return seconds == null || Math.abs(seconds) > 100_000_000_000L
        ? Optional.empty()
        : Optional.of(Instant.ofEpochSecond(seconds));
  }

  /** The subject as an account's id; empty unless it is a positive number in a string. */
  Optional<Long> userId() {
    String subject = text("sub");
    return subject != null && subject.matches("[1-9][0-9]{0,17}")
        ? Optional.of(Long.valueOf(subject))
        : Optional.empty();
  }

  private static JsonObject object(String base64) throws MalformedJson {
    Json.Parsed parsed = Json.parse(Base64.getUrlDecoder().decode(base64));
    if (parsed.value() instanceof JsonObject object && parsed.repeated().isEmpty()) {
      return object;
    }
    throw new IllegalArgumentException("not one object without repeated members");
  }

  private static boolean isBase64Url(int c) {
    return (c >= 'A' && c <= 'Z')
        || (c >= 'a' && c <= 'z')
        || (c >= '0' && c <= '9')
        || c == '-'
        || c == '_'
        || c == '.';
  }
}
