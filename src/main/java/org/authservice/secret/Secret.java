package org.authservice.secret;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/**
 * A text that must not be seen: a password, a code, a token, a key. It masks itself in logs and
 * messages, and compares in constant time.
 */
public final class Secret {
  private final String value;

  private Secret(String value) {
    this.value = value;
  }

  /** Wraps a secret text. */
  public static Secret of(String value) {
    return new Secret(value);
  }

  /** The text itself; call it only where it is used up (hashed, sent, compared). */
  public String reveal() {
    return value;
  }

  /** The text's UTF-8 bytes. */
  public byte[] bytes() {
    return value.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Secret that && MessageDigest.isEqual(bytes(), that.bytes());
  }

  @Override
  public int hashCode() {
    return 0; // a hash of the text would leak it; nobody keys a map by secrets
  }

  @Override
  public String toString() {
    return "****";
  }
}
