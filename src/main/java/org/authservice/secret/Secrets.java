package org.authservice.secret;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.random.RandomGenerator;

/** The one source of randomness. Tests give a seeded generator; the service a SecureRandom. */
public final class Secrets {
  private final RandomGenerator random;

  /** A source over the given generator. */
  public Secrets(RandomGenerator random) {
    this.random = random;
  }

  /** The source that production uses. */
  public static Secrets secure() {
    return new Secrets(new SecureRandom());
  }

  /** That many random bytes. */
  public byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    random.nextBytes(bytes);
    return bytes;
  }

  /** A random identifier: 128 bits as 32 hexadecimal digits. */
  public String id() {
    return HexFormat.of().formatHex(bytes(16));
  }

  /** A random token: 256 bits as 64 hexadecimal digits. */
  public Secret token() {
    return Secret.of(HexFormat.of().formatHex(bytes(32)));
  }

  /** Six decimal digits, uniformly drawn, leading zeros kept. */
  public Secret sixDigits() {
    return Secret.of("%06d".formatted(random.nextInt(1_000_000)));
  }
}
