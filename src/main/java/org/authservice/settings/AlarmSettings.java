package org.authservice.settings;

import java.net.URI;
import java.util.Optional;
import org.authservice.secret.Secret;

/**
 * When something is suspicious, and who is told.
 *
 * @param webhook {@code SECURITY_WEBHOOK_URL}, with the secret that signs what is sent there
 * @param accountsPerAddress {@code SUSPICIOUS_ACCOUNTS_PER_ADDRESS} within an hour; 0 for never
 * @param accountsPerPassword {@code SUSPICIOUS_ACCOUNTS_PER_PASSWORD} within an hour; 0 for never
 */
public record AlarmSettings(
    Optional<Webhook> webhook, int accountsPerAddress, int accountsPerPassword) {

  /** Where alarms are sent, and {@code SECURITY_WEBHOOK_SECRET}. */
  public record Webhook(URI url, Secret secret) {}
}
