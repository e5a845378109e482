package org.authservice.settings;

import java.util.Optional;
import org.authservice.secret.Secret;

/**
 * How mail leaves.
 *
 * @param smtp the server; empty when {@code SMTP_HOST} is not set
 * @param from {@code MAIL_FROM}
 * @param maxPerMinute {@code MAIL_MAX_PER_MINUTE}, per node
 */
public record MailSettings(Optional<Smtp> smtp, String from, int maxPerMinute) {

  /** An SMTP server. */
  public record Smtp(
      String host, int port, Optional<String> username, Optional<Secret> password, Tls tls) {}

  /** How the connection to it is protected. */
  public enum Tls {
    STARTTLS,
    TLS,
    NONE
  }
}
