package org.authservice.password;

import io.micrometer.core.instrument.MeterRegistry;
import java.text.Normalizer;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hashes passwords and compares them with stored hashes. Both schemes always verify; new hashes are
 * of the configured one. Every check costs a hash, also of an account that has none or is not
 * there.
 */
public final class PasswordHasher implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PasswordHasher.class);

  private final Scheme scheme;
  private final Argon2id argon2id;
  private final Bcrypt bcrypt;
  private final HashingThreads threads;
  private final BooleanSupplier mixedSchemes;
  private final ConstantTime constantTime = new ConstantTime();
  private volatile String dummy = "";

  /** How new hashes are made. */
  public enum Scheme {
    ARGON2ID("$argon2id$"),
    BCRYPT("$2");

    private final String prefix;

    Scheme(String prefix) {
      this.prefix = prefix;
    }

    /** What stored hashes of this scheme begin with. */
    public String prefix() {
      return prefix;
    }
  }

  /** How a comparison can end. */
  public sealed interface Verdict {
    /**
     * The right password.
     *
     * @param outdated whether the stored hash is weaker than, or other than, a new one would be
     */
    record Right(boolean outdated) implements Verdict {}

    /** Another password, or nothing to compare with. */
    record Wrong() implements Verdict {}
  }

  /**
   * A hasher with threads of its own.
   *
   * @param mixedSchemes whether hashes of both schemes are stored: then failures of the faster one
   *     are made to last as long as those of the slower
   */
  public PasswordHasher(
      Scheme scheme, BooleanSupplier mixedSchemes, Secrets secrets, MeterRegistry meters) {
    this.scheme = scheme;
    this.mixedSchemes = mixedSchemes;
    this.bcrypt = new Bcrypt(secrets);
    this.argon2id = new Argon2id(secrets);
    this.threads = new HashingThreads(meters, argon2id::forget);
  }

  /**
   * A new hash.
   *
   * @throws org.authservice.http.Unavailable when too many are waiting
   */
  public String hash(Secret password) {
    return threads.run(() -> newHash(normalised(password)));
  }

  /**
   * Compares a password with a stored hash; without one, the same work is done in vain.
   *
   * @throws org.authservice.http.Unavailable when too many are waiting
   */
  public Verdict verify(Secret password, Optional<String> storedHash) {
    return constantTime.pad(
        mixedSchemes.getAsBoolean(),
        start ->
            threads.run(() -> {
              start.begin();
              return compare(password, storedHash);
            }));
  }

  /** Prepares the first comparison: loads native code, makes the hash to compare in vain with. */
  public void warmUp() {
    threads.run(() -> {
      dummyHash();
      argon2id.forget(); // nobody may come for long
      return null;
    });
  }

  @Override
  public void close() {
    threads.close();
  }

  private Verdict compare(Secret password, Optional<String> storedHash) {
    if (storedHash.isEmpty()) {
      matches(normalised(password), dummyHash());
      return new Verdict.Wrong();
    }
    String hash = storedHash.get();
    if (matches(normalised(password), hash)) {
      return new Verdict.Right(outdated(normalised(password), hash));
    }
    // The Python service hashed what was typed; look-alike forms of a letter differed then.
    boolean rawDiffers = !normalised(password).equals(password.reveal());
    if (rawDiffers && Bcrypt.handles(hash) && matches(password.reveal(), hash)) {
      return new Verdict.Right(true);
    }
    return new Verdict.Wrong();
  }

  private boolean matches(String password, String hash) {
    if (argon2id.handles(hash)) {
      return argon2id.matches(password, hash);
    }
    if (Bcrypt.handles(hash)) {
      return bcrypt.matches(password, hash);
    }
    log.warn("a stored password hash has an unknown form or absurd parameters");
    matches(password, dummyHash());
    return false;
  }

  private boolean outdated(String password, String hash) {
    return switch (scheme) {
      case ARGON2ID -> !argon2id.isCurrent(hash);
      case BCRYPT -> !bcrypt.isCurrent(password, hash);
    };
  }

  private String newHash(String password) {
    return switch (scheme) {
      case ARGON2ID -> argon2id.hash(password);
      case BCRYPT -> bcrypt.hash(password);
    };
  }

  private String dummyHash() {
    if (dummy.isEmpty()) {
      dummy = newHash("no account has this password");
    }
    return dummy;
  }

  private static String normalised(Secret password) {
    return Normalizer.normalize(password.reveal(), Normalizer.Form.NFC);
  }
}
