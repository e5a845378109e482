package org.authservice.secret;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import javax.crypto.KDF;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Keys derived from {@code SECRET_KEY} by HKDF-SHA-256 (RFC 5869) with the installation's random
 * salt. Services that hold the secret key to verify access tokens lack the salt, and a leaked
 * database lacks the secret key: neither can derive these.
 */
public final class DerivedKeys {
  private final Secret secretKey;
  private final byte[] salt;

  /** Keys of one secret key in one installation. */
  public DerivedKeys(Secret secretKey, byte[] salt) {
    this.secretKey = secretKey;
    this.salt = salt.clone();
  }

  /** The 256-bit key for one use, such as {@code "refresh token"}: each use has its own. */
  public SecretKey key(String use) {
    try {
      var parameters =
          HKDFParameterSpec.ofExtract()
              .addIKM(secretKey.bytes())
              .addSalt(salt)
              .thenExpand(use.getBytes(StandardCharsets.UTF_8), 32);
      return new SecretKeySpec(KDF.getInstance("HKDF-SHA256").deriveData(parameters), "HmacSHA256");
    } catch (GeneralSecurityException missing) {
      throw new IllegalStateException("HKDF-SHA256 is not available", missing);
    }
  }

  /** Message authentication codes under the key for that use. */
  public Hmac hmac(String use) {
    return new Hmac(key(use));
  }

  /** Authenticated encryption under the key for that use. */
  public Sealer sealer(String use, Secrets secrets) {
    return new Sealer(key(use), secrets);
  }

  /** HMAC-SHA-256 (RFC 2104) under one key. */
  public static final class Hmac {
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
}
