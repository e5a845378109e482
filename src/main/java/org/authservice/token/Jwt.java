package org.authservice.token;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
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

  /** In the year 5138: nothing later is a time that anybody meant. */
  private static final long LATEST_SECOND = 100_000_000_000L;

  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

  /** What nearly all tokens begin with, need not be read again: as many as keys that signed. */
  private static final Map<String, JsonObject> OWN_HEADERS = new ConcurrentHashMap<>();

  private final byte[] signingInput;
  private final byte[] signature;
  private final JsonObject header;
  private final JsonObject claims;

  private Jwt(byte[] signingInput, byte[] signature, JsonObject header, JsonObject claims) {
    this.signingInput = signingInput;
    this.signature = signature;
    this.header = header;
    this.claims = claims;
  }

  /** Takes a token apart; empty for anything but a plain compact JWS with strict JSON inside. */
  static Optional<Jwt> parse(String token) {
    int dot = token.indexOf('.');
    int lastDot = token.lastIndexOf('.');
    if (token.length() > MAX_LENGTH || dot == lastDot || token.indexOf('.', dot + 1) < lastDot) {
      return Optional.empty();
    }
    try {
      // Read strictly: repeated members and deep nesting are refused.
      JsonObject header = membersOf(token.substring(0, dot));
      if (header.has("crit") || header.has("b64") || header.has("zip")) {
        return Optional.empty();
      }
      JsonObject claims = object(decoded(token.substring(dot + 1, lastDot)));
      byte[] signature = decoded(token.substring(lastDot + 1));
      byte[] input = token.substring(0, lastDot).getBytes(StandardCharsets.US_ASCII);
      return Optional.of(new Jwt(input, signature, header, claims));
    } catch (MalformedJson | IllegalArgumentException notOne) {
      return Optional.empty();
    }
  }

  /** The header of tokens to come, encoded once. */
  record Header(String encoded) {
    static Header of(JsonObject members) {
      String encoded = Jwt.encoded(Json.write(members));
      OWN_HEADERS.put(encoded, members);
      return new Header(encoded);
    }
  }

  /**
   * Makes a token. The same header, claims and key give the same bytes when the algorithm is
   * deterministic, as HMAC is.
   */
  static String sign(Header header, JsonObject claims, JwsKey key) {
    String input = header.encoded() + "." + encoded(Json.write(claims));
    return input + "." + encoded(key.sign(input.getBytes(StandardCharsets.US_ASCII)));
  }

  /** Whether that key signed this, by the one algorithm expected. */
  boolean signedBy(String algorithm, JwsKey key) {
    return algorithm.equals(header.get("alg")) && key.verifies(signingInput, signature);
  }

  /**
   * Tells this token from any other: 64 hexadecimal digits. It is taken over what is signed, which
   * unlike the signature's text has one spelling only.
   */
  String fingerprint() {
    try {
      var sha256 = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha256.digest(signingInput));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("SHA-256 is not available", impossible);
    }
  }

  /** A header member that is a string. */
  @Nullable String header(String name) {
    return header.get(name) instanceof String text ? text : null;
  }

  boolean hasHeader(String name) {
    return header.has(name);
  }

  /** All claims. */
  JsonObject claims() {
    return claims;
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
    return seconds == null || seconds < 0 || seconds > LATEST_SECOND
        ? Optional.empty()
        : Optional.of(Instant.ofEpochSecond(seconds));
  }

  /** The subject as an account's id; empty unless it is a positive number in a string. */
  Optional<Long> userId() {
    String subject = text("sub");
    try {
      long id = subject == null ? 0 : Long.parseLong(subject);
      return id > 0 && Long.toString(id).equals(subject) ? Optional.of(id) : Optional.empty();
    } catch (NumberFormatException notOne) {
      return Optional.empty();
    }
  }

  private static String encoded(byte[] bytes) {
    return ENCODER.encodeToString(bytes);
  }

  /** Only the one canonical encoding is taken: a token cannot be respelled. */
  private static byte[] decoded(String base64) {
    byte[] bytes = Base64.getUrlDecoder().decode(base64);
    // Only its end can be spelt otherwise: by padding, or by bits that nothing is made of.
    byte[] end = Arrays.copyOfRange(bytes, bytes.length - bytes.length % 3, bytes.length);
    if (base64.length() != (bytes.length * 4 + 2) / 3 || !base64.endsWith(encoded(end))) {
      throw new IllegalArgumentException("not the canonical encoding");
    }
    return bytes;
  }

  private static JsonObject membersOf(String encoded) throws MalformedJson {
    JsonObject own = OWN_HEADERS.get(encoded);
    return own == null ? object(decoded(encoded)) : own;
  }

  private static JsonObject object(byte[] json) throws MalformedJson {
    Json.Parsed parsed = Json.parse(json);
    if (parsed.value() instanceof JsonObject object && parsed.repeated().isEmpty()) {
      return object;
    }
    throw new IllegalArgumentException("not one object without repeated members");
  }
}
