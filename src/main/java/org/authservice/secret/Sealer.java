package org.authservice.secret;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Authenticated encryption of what rests in the database: AES-256-GCM, nonce in front. The first
 * key seals; all of them open, so that nothing is lost while keys change.
 */
public final class Sealer {
  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;

  private final List<SecretKey> keys;
  private final Secrets secrets;

  Sealer(List<SecretKey> keys, Secrets secrets) {
    this.keys =
        keys.stream().<SecretKey>map(key -> new SecretKeySpec(key.getEncoded(), "AES")).toList();
    this.secrets = secrets;
  }

  /**
   * Encrypts.
   *
   * @param context names the row this belongs to; opening needs the same, so that sealed values
   *     cannot be swapped between rows
   */
  public byte[] seal(byte[] plain, String context) {
    byte[] nonce = secrets.bytes(NONCE_BYTES);
    try {
      byte[] sealed = cipher(Cipher.ENCRYPT_MODE, keys.getFirst(), nonce, context).doFinal(plain);
      byte[] all = Arrays.copyOf(nonce, NONCE_BYTES + sealed.length);
      System.arraycopy(sealed, 0, all, NONCE_BYTES, sealed.length);
      return all;
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("AES-GCM is not available", impossible);
    }
  }

  /**
   * Decrypts.
   *
   * @throws GeneralSecurityException when it was sealed under another key or context, or changed
   */
  public byte[] open(byte[] sealed, String context) throws GeneralSecurityException {
    if (sealed.length < NONCE_BYTES) {
      throw new GeneralSecurityException("too short to be sealed");
    }
    for (SecretKey key : keys) {
      Optional<byte[]> plain = open(key, sealed, context);
      if (plain.isPresent()) {
        return plain.get();
      }
    }
    throw new GeneralSecurityException("sealed under a key that is not known here, or changed");
  }

  /** Whether it was sealed under one of the keys, in that context. */
  public boolean opens(byte[] sealed, String context) {
    return sealed.length >= NONCE_BYTES
        && keys.stream().anyMatch(key -> open(key, sealed, context).isPresent());
  }

  /** The same under the first key; empty when that is what sealed it, or when no key opens it. */
  public Optional<byte[]> resealed(byte[] sealed, String context) {
    if (sealed.length < NONCE_BYTES || open(keys.getFirst(), sealed, context).isPresent()) {
      return Optional.empty();
    }
    return keys.stream()
        .flatMap(key -> open(key, sealed, context).stream())
        .findFirst()
        .map(plain -> seal(plain, context));
  }

  private static Optional<byte[]> open(SecretKey key, byte[] sealed, String context) {
    try {
      return Optional.of(
          cipher(Cipher.DECRYPT_MODE, key, Arrays.copyOf(sealed, NONCE_BYTES), context)
              .doFinal(sealed, NONCE_BYTES, sealed.length - NONCE_BYTES));
    } catch (GeneralSecurityException otherKey) {
      return Optional.empty();
    }
  }

  private static Cipher cipher(int mode, SecretKey key, byte[] nonce, String context)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
    cipher.updateAAD(context.getBytes(StandardCharsets.UTF_8));
    return cipher;
  }
}
