package org.authservice.account;

import java.time.Instant;
import java.util.Optional;

/**
 * An account as read at one moment.
 *
 * @param id never given twice
 * @param email the stored address, where mail goes
 * @param hashedPassword empty for an account that signs in by provider or code only
 * @param active whether it may sign in
 * @param verified whether its owner proved the mailbox
 * @param fullName what its owner calls themselves
 * @param passwordConfirmed false when the password was set before the mailbox was proven and the
 *     prover has not confirmed it yet
 * @param credentialsVersion raised whenever sessions opened by older credentials must not survive
 * @param tokensValidFrom tokens of the Python service issued before are dead
 */
public record Account(
    long id,
    String email,
    Optional<String> hashedPassword,
    boolean active,
    boolean verified,
    Optional<String> fullName,
    Optional<Instant> createdAt,
    Optional<Instant> updatedAt,
    boolean passwordConfirmed,
    int credentialsVersion,
    Instant tokensValidFrom) {

  /** What clients see of it. */
  public Profile profile() {
    return new Profile(id, email, fullName, active, verified, createdAt, updatedAt);
  }

  /** Whether sign-in checks made on {@code earlier} still hold. */
  boolean sameCredentialsAs(Account earlier) {
    return active == earlier.active
        && hashedPassword.equals(earlier.hashedPassword)
        && credentialsVersion == earlier.credentialsVersion;
  }

  /** Masked: addresses, names and hashes do not belong in logs. */
  @Override
  public String toString() {
    return "Account[" + id + "]";
  }
}
