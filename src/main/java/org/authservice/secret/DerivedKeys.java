package org.authservice.secret;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Keys derived by HKDF-SHA-256 (RFC 5869) from a root that was itself extracted from a {@code
 * SECRET_KEY} and the installation's random salt. Services that hold the secret key to verify
 * access tokens lack the salt, and a leaked database lacks the secret key: neither can derive
 * these.
 */
public final class DerivedKeys {
  private static final String ALGORITHM = "HmacSHA256";

  private final SecretKey root;

  private DerivedKeys(SecretKey root) {
    this.root = root;
  }

  /** Keys of one secret key in one installation. */
  public static DerivedKeys extract(Secret secretKey, byte[] salt) {
    var parameters =
        HKDFParameterSpec.ofExtract().addIKM(secretKey.bytes()).addSalt(salt).extractOnly();
    return new DerivedKeys(new SecretKeySpec(derive(parameters), ALGORITHM));
  }

  /** Keys of a root that was kept, see {@link #root()}. */
  public static DerivedKeys of(byte[] root) {
    return new DerivedKeys(new SecretKeySpec(root, ALGORITHM));
  }

  /** What all the keys are derived from; it is kept only encrypted. */
  public byte[] root() {
    return root.getEncoded();
  }

  /** The 256-bit key for one use, such as {@code "refresh token"}: each use has its own. */
  public SecretKey key(String use) {
    var parameters = HKDFParameterSpec.expandOnly(root, use.getBytes(StandardCharsets.UTF_8), 32);
    return new SecretKeySpec(derive(parameters), ALGORITHM);
  }

  /** Message authentication codes under the key for that use. */
  public Hmac hmac(String use) {
    return new Hmac(key(use));
  }

  private static byte[] derive(HKDFParameterSpec parameters) {
    try {
      return KDF.getInstance("HKDF-SHA256").deriveData(parameters);
    } catch (GeneralSecurityException missing) {
      throw new IllegalStateException("HKDF-SHA256 is not available", missing);
    }
  }
}
