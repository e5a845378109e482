package org.authservice.token;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import org.authservice.json.JsonObject;
import org.authservice.secret.Sealer;
import org.authservice.settings.TokenSettings.Algorithm;

/** Key pairs: made, opened from their row, and shown as JWKs (RFC 7517). */
final class KeyPairs {
  /** 112 bits of strength (NIST SP 800-57), which 90 days do not come near. */
  private static final int RSA_BITS = 2048;

  private static final int ED25519_BYTES = 32;

  private KeyPairs() {}

  static KeyPair generate(Algorithm algorithm) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(family(algorithm));
      switch (algorithm) {
        case RS256 -> generator.initialize(RSA_BITS);
        case ES256 -> generator.initialize(new ECGenParameterSpec("secp256r1"));
        case EdDSA, HS256, HS384, HS512 -> {}
      }
      return generator.generateKeyPair();
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("no keys for " + algorithm, impossible);
    }
  }

  /** The pair of a row whose private half that sealer opens. */
  static KeyPair open(Algorithm algorithm, SigningKeyStore.Entry entry, Sealer sealer) {
    try {
      KeyFactory factory = KeyFactory.getInstance(family(algorithm));
      byte[] secret = sealer.open(entry.privateKey(), entry.kid());
      return new KeyPair(
          factory.generatePublic(new X509EncodedKeySpec(entry.publicKey())),
          factory.generatePrivate(new PKCS8EncodedKeySpec(secret)));
    } catch (GeneralSecurityException unreadable) {
      throw new IllegalStateException("signing key " + entry.kid() + " is damaged", unreadable);
    }
  }

  /** The public half as resource servers get it. */
  static JsonObject jwk(Algorithm algorithm, String kid, PublicKey key) {
    JsonObject jwk = JsonObject.empty();
    nimbus(algorithm, key).toJSONObject().forEach(jwk::put);
    return jwk.put("use", "sig").put("alg", algorithm.name()).put("kid", kid);
  }

  /** Names a key by its digest (RFC 7638). */
  static String thumbprint(Algorithm algorithm, PublicKey key) {
    try {
      return nimbus(algorithm, key).computeThumbprint().toString();
    } catch (JOSEException impossible) {
      throw new IllegalStateException("SHA-256 is not available", impossible);
    }
  }

  private static JWK nimbus(Algorithm algorithm, PublicKey key) {
    return switch (algorithm) {
      case RS256 -> new RSAKey.Builder((RSAPublicKey) key).build();
      case ES256 -> new ECKey.Builder(Curve.P_256, (ECPublicKey) key).build();
      case EdDSA -> new OctetKeyPair.Builder(Curve.Ed25519, rawEd25519(key)).build();
      case HS256, HS384, HS512 -> throw noPair(algorithm);
    };
  }

  // The X.509 form is a fixed prefix and the 32 bytes of RFC 8032 (RFC 8410, section 4).
  private static Base64URL rawEd25519(PublicKey key) {
    byte[] encoded = key.getEncoded();
    return Base64URL.encode(
        Arrays.copyOfRange(encoded, encoded.length - ED25519_BYTES, encoded.length));
  }

  private static String family(Algorithm algorithm) {
    return switch (algorithm) {
      case RS256 -> "RSA";
      case ES256 -> "EC";
      case EdDSA -> "Ed25519";
      case HS256, HS384, HS512 -> throw noPair(algorithm);
    };
  }

  private static IllegalArgumentException noPair(Algorithm algorithm) {
    return new IllegalArgumentException(algorithm + " has no key pair");
  }
}
