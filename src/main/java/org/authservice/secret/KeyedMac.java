package org.authservice.secret;

import java.security.GeneralSecurityException;
import java.security.Key;
import javax.crypto.Mac;

/**
 * A MAC that has taken its key already (RFC 2104: two blocks of its hash). Each code is made by a
 * copy of it, so any number of threads may ask at once.
 */
public final class KeyedMac {
  private final Mac ready;

  /**
   * Prepares codes under that key.
   *
   * @param algorithm as the JDK names it, such as {@code HmacSHA256}
   */
  public KeyedMac(String algorithm, Key key) {
    try {
      ready = Mac.getInstance(algorithm);
      ready.init(key);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(algorithm + " is not available", impossible);
    }
  }

  /** The code over that. */
  public byte[] over(byte[] input) {
    return begin().doFinal(input);
  }

  /** A MAC that nobody else has, to be given its input. */
  Mac begin() {
    try {
      return (Mac) ready.clone();
    } catch (CloneNotSupportedException impossible) {
      throw new IllegalStateException(ready.getProvider() + " cannot copy a MAC", impossible);
    }
  }
}
