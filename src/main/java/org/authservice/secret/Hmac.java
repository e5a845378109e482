package org.authservice.secret;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.SecretKey;

/** HMAC-SHA-256 (RFC 2104) under one key. */
public final class Hmac {
  private final KeyedMac keyed;

  Hmac(SecretKey key) {
    this.keyed = new KeyedMac("HmacSHA256", key);
  }

  /**
   * The code over these parts as 64 hexadecimal digits. Parts are length-prefixed, so that ("ab",
   * "c") and ("a", "bc") differ.
   */
  public String over(String... parts) {
    Mac mac = keyed.begin();
    for (String part : parts) {
      byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
      mac.update((byte) (bytes.length >> 8));
      mac.update((byte) bytes.length);
      mac.update(bytes);
    }
    return HexFormat.of().formatHex(mac.doFinal());
  }
}
