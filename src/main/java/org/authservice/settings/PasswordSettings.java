package org.authservice.settings;

/**
 * How passwords are judged and stored.
 *
 * @param hash {@code PASSWORD_HASH}
 * @param policy {@code PASSWORD_POLICY}
 */
public record PasswordSettings(Hash hash, Policy policy) {

  /** The scheme of new hashes. */
  public enum Hash {
    /** argon2id; bcrypt on an adopted database, so that going back stays possible. */
    AUTO,
    ARGON2ID,
    BCRYPT
  }

  /** What a password must be. */
  public enum Policy {
    COMPOSITION,
    LENGTH,
    EITHER
  }
}
