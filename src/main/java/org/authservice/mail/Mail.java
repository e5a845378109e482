package org.authservice.mail;

import java.time.Instant;
import java.util.Optional;
import org.authservice.secret.Secret;

/**
 * A mail to be sent.
 *
 * @param template which one
 * @param recipient the stored address of the account, or the parsed one of a registration
 * @param userId the account, whose deletion takes the mail with it
 * @param code the one-time code in it
 * @param expiresAt when it is no longer worth sending
 */
public record Mail(
    Template template,
    String recipient,
    Optional<Long> userId,
    Optional<Secret> code,
    Instant expiresAt) {

  /** Masked: addresses and codes do not belong in logs. */
  @Override
  public String toString() {
    return "Mail[" + template + "]";
  }
}
