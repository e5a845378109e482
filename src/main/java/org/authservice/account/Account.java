package org.authservice.account;

import java.time.Instant;
import java.util.Optional;

/**
 * An account as read at one moment.
 *
 * @param profile what clients see of it
 * @param hashedPassword empty for an account that signs in by provider or code only
 * @param passwordConfirmed false when the password was set before the mailbox was proven and the
 *     prover has not confirmed it yet
 * @param credentialsVersion raised whenever sessions opened by older credentials must not survive
 * @param tokensValidFrom tokens of the Python service issued before are dead
 */
public record Account(
    Profile profile,
    Optional<String> hashedPassword,
    boolean passwordConfirmed,
    int credentialsVersion,
    Instant tokensValidFrom) {

  /** Never given twice. */
  public long id() {
    return profile.id();
  }

  /** The stored address, where mail goes. */
  public String email() {
    return profile.email();
  }

  /** What its owner calls themselves. */
  public Optional<String> fullName() {
    return profile.fullName();
  }

  /** Whether it may sign in. */
  public boolean active() {
    return profile.active();
  }

  /** Whether its owner proved the mailbox. */
  public boolean verified() {
    return profile.verified();
  }

  /** Whether sign-in checks made on {@code earlier} still hold. */
  boolean sameCredentialsAs(Account earlier) {
    return active() == earlier.active()
        && hashedPassword.equals(earlier.hashedPassword)
        && credentialsVersion == earlier.credentialsVersion;
  }

  /** Masked: addresses, names and hashes do not belong in logs. */
  @Override
  public String toString() {
    return "Account[" + id() + "]";
  }
}
