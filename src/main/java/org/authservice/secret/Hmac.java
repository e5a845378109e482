package org.authservice.secret;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.SecretKey;

/** HMAC-SHA-256 (RFC 2104) under one key. */
public final class Hmac {
  private final SecretKey key;

  Hmac(SecretKey key) {
    this.key = key;
  }

  /**
   * The code over these parts as 64 hexadecimal digits. Parts are length-prefixed, so that ("ab",
   * "c") and ("a", "bc") differ.
   */
  public String over(String... parts) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      for (String part : parts) {
        byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
        mac.update(new byte[] {(byte) (bytes.length >> 8), (byte) bytes.length});
        mac.update(bytes);
      }
      return HexFormat.of().formatHex(mac.doFinal());
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("HmacSHA256 is not available", impossible);
    }
  }
}
