package org.authservice.settings;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.authservice.secret.Secret;

/**
 * How mail leaves.
 *
 * @param smtp the server; empty when {@code SMTP_HOST} is not set
 * @param from {@code MAIL_FROM}
 * @param maxPerMinute {@code MAIL_MAX_PER_MINUTE}, per node
 * @param connections {@code MAIL_CONNECTIONS}, per node
 * @param suppression {@code MAIL_SUPPRESSION_DAYS}; zero is off
 * @param eventsKey {@code MAIL_EVENTS_SECRET}: signs what the mail provider tells
 * @param look what the mails look like
 */
public record MailSettings(
    Optional<Smtp> smtp,
    String from,
    int maxPerMinute,
    int connections,
    Duration suppression,
    Optional<Secret> eventsKey,
    Look look) {

  /**
   * What the mails look like.
   *
   * @param brand {@code MAIL_BRAND_NAME}
   * @param logo {@code MAIL_BRAND_LOGO}
   * @param colour {@code MAIL_BRAND_COLOUR} as CSS
   * @param support {@code MAIL_SUPPORT_ADDRESS}
   * @param language {@code MAIL_LANGUAGE}: when nobody says which
   * @param templates {@code MAIL_TEMPLATES_DIR}
   */
  public record Look(
      Optional<String> brand,
      Optional<String> logo,
      String colour,
      Optional<String> support,
      String language,
      Optional<Path> templates) {}

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
