package org.authservice.password;

import at.favre.lib.crypto.bcrypt.BCrypt;
import at.favre.lib.crypto.bcrypt.Radix64Encoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.authservice.secret.Secrets;

/**
 * bcrypt, as the Python service stored it. bcrypt reads 72 bytes only: a longer password is hashed
 * in passlib's form {@code $bcrypt-sha256$v=2}, which puts the whole of it through HMAC-SHA-256
 * first, so that both services can verify it.
 */
final class Bcrypt {
  private static final int COST = 12;
  private static final int READS = 72;
  private static final Pattern PLAIN =
      Pattern.compile("\\$2[aby]\\$(0[4-9]|1[0-5])\\$[./A-Za-z0-9]{53}");
  private static final Pattern SHA256 =
      Pattern.compile(
          "\\$bcrypt-sha256\\$v=2,t=2b,r=([4-9]|1[0-5])\\$([./A-Za-z0-9]{22})\\$"
              + "([./A-Za-z0-9]{31})");

  private final Secrets secrets;

  Bcrypt(Secrets secrets) {
    this.secrets = secrets;
  }

  static boolean handles(String hash) {
    return PLAIN.matcher(hash).matches() || SHA256.matcher(hash).matches();
  }

  /** Whether a new hash of this password would be of the same form, and no stronger. */
  boolean isCurrent(String password, String hash) {
    boolean isLong = bytes(password).length > READS;
    Matcher matcher = (isLong ? SHA256 : PLAIN).matcher(hash);
    return matcher.matches() && Integer.parseInt(matcher.group(1)) >= COST;
  }

  String hash(String password) {
    byte[] bytes = bytes(password);
    byte[] salt = secrets.bytes(16);
    if (bytes.length <= READS) {
      return plain(COST, salt, bytes);
    }
    String saltText =
        new String(new Radix64Encoder.Default().encode(salt), StandardCharsets.US_ASCII);
    String hash = plain(COST, salt, shortened(saltText, bytes));
    return "$bcrypt-sha256$v=2,t=2b,r=" + COST + "$" + saltText + "$" + hash.substring(29);
  }

  /** A plain hash is compared with the first 72 bytes: that is all it was ever made of. */
  boolean matches(String password, String hash) {
    byte[] bytes = bytes(password);
    Matcher matcher = SHA256.matcher(hash);
    if (!matcher.matches()) {
      return verify(Arrays.copyOf(bytes, Math.min(bytes.length, READS)), hash);
    }
    String plain =
        "$2b$%02d$%s%s"
            .formatted(Integer.parseInt(matcher.group(1)), matcher.group(2), matcher.group(3));
    return verify(shortened(matcher.group(2), bytes), plain);
  }

  private static String plain(int cost, byte[] salt, byte[] password) {
    return new String(
        BCrypt.with(BCrypt.Version.VERSION_2B).hash(cost, salt, password),
        StandardCharsets.US_ASCII);
  }

  private static boolean verify(byte[] password, String hash) {
    return BCrypt.verifyer().verify(password, hash.getBytes(StandardCharsets.US_ASCII)).verified;
  }

  private static byte[] shortened(String salt, byte[] password) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(salt.getBytes(StandardCharsets.US_ASCII), "HmacSHA256"));
      return Base64.getEncoder().encode(mac.doFinal(password));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("HmacSHA256 is not available", impossible);
    }
  }

  private static byte[] bytes(String password) {
    return password.getBytes(StandardCharsets.UTF_8);
  }
}
