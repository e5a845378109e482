package org.authservice.mail;

import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.authservice.secret.Secret;

/**
 * The signature of a mail event: {@code t=<Unix seconds>,v1=<hex>}, where the latter is the
 * HMAC-SHA-256 (RFC 2104) of the time, a full stop and the body. The time is signed too, so that
 * whoever records a request cannot send it again later.
 */
record EventSignature(Instant signedAt, Secret code) {
  /** How far the sender's clock may be away from ours, either way. */
  static final Duration TOLERANCE = Duration.ofMinutes(5);

  private static final Pattern FORM = Pattern.compile("t=([0-9]{1,12}),v1=([0-9a-f]{64})");

  /** What a header field says; empty when it has another form. */
  static Optional<EventSignature> parse(String header) {
    Matcher parts = FORM.matcher(header);
    return parts.matches()
        ? Optional.of(
            new EventSignature(
                Instant.ofEpochSecond(Long.parseLong(parts.group(1))), Secret.of(parts.group(2))))
        : Optional.empty();
  }

  /** Whether it was made lately, with this key, over this body. */
  boolean covers(byte[] body, Secret key, Instant now) {
    boolean lately = Duration.between(signedAt, now).abs().compareTo(TOLERANCE) <= 0;
    return lately && code.equals(expected(body, key));
  }

  private Secret expected(byte[] body, Secret key) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key.bytes(), "HmacSHA256"));
      mac.update(Secret.of(signedAt.getEpochSecond() + ".").bytes());
      return Secret.of(HexFormat.of().formatHex(mac.doFinal(body)));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("HmacSHA256 is not available", impossible);
    }
  }
}
