package org.authservice.settings;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.authservice.secret.Secret;

/** Reads how mail leaves, and what it looks like. */
final class MailSettingsReader {
  /** Whoever reads a code out of a mail looks for six digits. */
  private static final Pattern SIX_DIGITS = Pattern.compile(".*[0-9]{6}.*");

  private final Source source;
  private final Path folder;

  MailSettingsReader(Source source, Path folder) {
    this.source = source;
    this.folder = folder;
  }

  MailSettings read() {
    Optional<MailSettings.Smtp> smtp = smtp();
    String from = source.text("MAIL_FROM").orElse("");
    if (smtp.isPresent() && !from.matches("[^\\s@]+@[^\\s@]+|[^<>\\r\\n]+ <[^\\s@]+@[^\\s@]+>")) {
      source.reject("MAIL_FROM", "SMTP_HOST is set, so it must be a sender's address");
    }
    return new MailSettings(
        smtp,
        from,
        source.number("MAIL_MAX_PER_MINUTE", 600, 1, 1_000_000),
        source.number("MAIL_CONNECTIONS", 4, 1, 50),
        Duration.ofDays(source.number("MAIL_SUPPRESSION_DAYS", 7, 0, 365)),
        mailEventsKey(),
        look());
  }

  private Optional<MailSettings.Smtp> smtp() {
    Optional<String> username = source.text("SMTP_USERNAME");
    Optional<String> password = source.text("SMTP_PASSWORD");
    if (username.isPresent() != password.isPresent()) {
      source.reject(
          username.isPresent() ? "SMTP_PASSWORD" : "SMTP_USERNAME",
          "SMTP_USERNAME and SMTP_PASSWORD go together");
    }
    MailSettings.Tls tls =
        source.word(
            "SMTP_TLS",
            Map.of(
                "starttls", MailSettings.Tls.STARTTLS,
                "tls", MailSettings.Tls.TLS,
                "none", MailSettings.Tls.NONE),
            MailSettings.Tls.STARTTLS);
    int port = source.number("SMTP_PORT", tls == MailSettings.Tls.TLS ? 465 : 587, 1, 65535);
    return source
        .text("SMTP_HOST")
        .map(host -> new MailSettings.Smtp(host, port, username, password.map(Secret::of), tls));
  }

  private Optional<Secret> mailEventsKey() {
    Optional<Secret> key = source.text("MAIL_EVENTS_SECRET").map(Secret::of);
    if (key.filter(it -> it.bytes().length < KeyRules.LEAST_CLIENT_BYTES).isPresent()) {
      source.reject(
          "MAIL_EVENTS_SECRET", "it must have at least " + KeyRules.LEAST_CLIENT_BYTES + " bytes");
    }
    return key;
  }

  private MailSettings.Look look() {
    return new MailSettings.Look(
        text("MAIL_BRAND_NAME", "[^\\p{C}]{1,60}", "it must be 1 to 60 visible characters"),
        text(
            "MAIL_BRAND_LOGO",
            "https://[^\\s\"<>]{1,500}",
            "it must be an https address of a picture"),
        colour(),
        text("MAIL_SUPPORT_ADDRESS", "[^\\s@<>\"]+@[^\\s@<>\"]+", "it is no e-mail address"),
        text(
                "MAIL_LANGUAGE",
                "[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?",
                "it is no language, such as en or pt-BR")
            .orElse("en"),
        templates());
  }

  private Optional<String> text(String name, String pattern, String complaint) {
    Optional<String> value = source.text(name);
    if (value.isPresent() && !value.get().matches(pattern)) {
      source.reject(name, complaint);
    } else if (value.isPresent()
        && !name.equals("MAIL_BRAND_LOGO")
        && SIX_DIGITS.matcher(value.get()).matches()) {
      source.reject(name, "six digits in a row would be taken for a code");
    }
    return value;
  }

  /** As CSS without hexadecimal digits, which could look like a code. */
  private String colour() {
    String hex = source.text("MAIL_BRAND_COLOUR").orElse("#3b5bdb");
    if (!hex.matches("#[0-9A-Fa-f]{6}")) {
      source.reject("MAIL_BRAND_COLOUR", "it must be # and six hexadecimal digits");
      return "";
    }
    int rgb = Integer.parseInt(hex.substring(1), 16);
    return "rgb(" + (rgb >> 16) + ", " + ((rgb >> 8) & 255) + ", " + (rgb & 255) + ")";
  }

  private Optional<Path> templates() {
    Optional<Path> path = source.text("MAIL_TEMPLATES_DIR").map(folder::resolve);
    if (path.isPresent() && !Files.isDirectory(path.get())) {
      source.reject("MAIL_TEMPLATES_DIR", "there is no folder " + path.get());
    }
    return path;
  }
}
