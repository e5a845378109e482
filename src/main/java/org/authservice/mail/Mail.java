package org.authservice.mail;

import java.time.Instant;
import java.util.Optional;
import org.authservice.secret.Secret;

/**
 * A mail to be sent. An account's own languages go before those given here.
 *
 * @param template which one
 * @param recipient the stored address of the account, or the parsed one of a registration
 * @param userId the account, whose deletion takes the mail with it
 * @param code the one-time code in it
 * @param expiresAt when it is no longer worth sending
 * @param languages what the request prefers, as in {@link org.authservice.http.Client#languages}
 */
public record Mail(
    Template template,
    String recipient,
    Optional<Long> userId,
    Optional<Secret> code,
    Instant expiresAt,
    String languages) {

  /** A mail in the account's language. */
  public Mail(
      Template template,
      String recipient,
      Optional<Long> userId,
      Optional<Secret> code,
      Instant expiresAt) {
    this(template, recipient, userId, code, expiresAt, "");
  }

  /** Masked: addresses and codes do not belong in logs. */
  @Override
  public String toString() {
    return "Mail[" + template + "]";
  }
}
