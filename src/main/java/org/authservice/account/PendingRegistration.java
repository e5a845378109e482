package org.authservice.account;

import java.util.Optional;

/**
 * A registration that becomes an account when the code mailed for it is entered.
 *
 * @param id its own id
 * @param codeId the code that registering mailed
 * @param addressKey the HMAC of the address
 * @param email the normalised address
 * @param clientKey the HMAC of the address that registered
 */
public record PendingRegistration(
    String id,
    String codeId,
    String addressKey,
    String email,
    String hashedPassword,
    Optional<String> fullName,
    String clientKey) {

  /** Masked: addresses, names and hashes do not belong in logs. */
  @Override
  public String toString() {
    return "PendingRegistration[" + id + "]";
  }
}
