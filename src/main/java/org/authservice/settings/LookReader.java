package org.authservice.settings;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads what the mails look like. */
final class LookReader {
  /** Whoever reads a code out of a mail looks for six digits. */
  private static final Pattern SIX_DIGITS = Pattern.compile(".*[0-9]{6}.*");

  private final Source source;
  private final Path folder;

  LookReader(Source source, Path folder) {
    this.source = source;
    this.folder = folder;
  }

  MailSettings.Look look() {
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
    return "rgb(%d, %d, %d)".formatted(rgb >> 16, (rgb >> 8) & 255, rgb & 255);
  }

  private Optional<Path> templates() {
    Optional<Path> path = source.text("MAIL_TEMPLATES_DIR").map(folder::resolve);
    if (path.isPresent() && !Files.isDirectory(path.get())) {
      source.reject("MAIL_TEMPLATES_DIR", "there is no folder " + path.get());
    }
    return path;
  }
}
