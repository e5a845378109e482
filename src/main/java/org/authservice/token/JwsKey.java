package org.authservice.token;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.Signature;
import javax.crypto.spec.SecretKeySpec;
import org.authservice.secret.KeyedMac;
import org.authservice.settings.TokenSettings.Algorithm;

/** A key that signs tokens and checks their signatures (RFC 7515, RFC 7518). */
public interface JwsKey {
  /** Names the key in a token's header. */
  String id();

  /** The signature over that, in the form of its algorithm. */
  byte[] sign(byte[] input);

  /** Whether this key made that signature over that. */
  boolean verifies(byte[] input, byte[] signature);

  /** HMAC with SHA-2 (RFC 7518, section 3.2). Adopted keys may be shorter than it demands. */
  record Hmac(String id, KeyedMac mac) implements JwsKey {

    static Hmac of(String id, Algorithm algorithm, byte[] key) {
      String name = "HmacSHA" + algorithm.name().substring(2);
      return new Hmac(id, new KeyedMac(name, new SecretKeySpec(key, name)));
    }

    @Override
    public byte[] sign(byte[] input) {
      return mac.over(input);
    }

    @Override
    public boolean verifies(byte[] input, byte[] signature) {
      return MessageDigest.isEqual(sign(input), signature);
    }
  }

  /** A key pair: RS256, ES256 (RFC 7518, sections 3.3, 3.4) or EdDSA (RFC 8037). */
  record Pair(String id, Algorithm algorithm, KeyPair keys) implements JwsKey {
    @Override
    public byte[] sign(byte[] input) {
      try {
        Signature signature = signature();
        signature.initSign(keys.getPrivate());
        signature.update(input);
        return signature.sign();
      } catch (GeneralSecurityException impossible) {
        throw new IllegalStateException("cannot sign with " + algorithm, impossible);
      }
    }

    @Override
    public boolean verifies(byte[] input, byte[] signed) {
      try {
        Signature signature = signature();
        signature.initVerify(keys.getPublic());
        signature.update(input);
        return signature.verify(signed);
      } catch (GeneralSecurityException notOne) {
        return false;
      }
    }

    private Signature signature() throws GeneralSecurityException {
      return Signature.getInstance(
          switch (algorithm) {
            case RS256 -> "SHA256withRSA";
            case ES256 -> "SHA256withECDSAinP1363Format"; // the plain r and s that a JWS holds
            case EdDSA -> "Ed25519";
            case HS256, HS384, HS512 -> throw new IllegalStateException("no key pair");
          });
    }
  }
}
