package org.authservice.settings;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.authservice.secret.Secret;

/** Whether a key can keep a secret. */
final class KeyRules {
  /** RFC 7518, section 3.2: as long as the hash of HS256. */
  static final int LEAST_BYTES = 32;

  /** A client's secret is tried over the network only, ten times a minute. */
  static final int LEAST_CLIENT_BYTES = 16;

  /** What templates and manuals put in the place of a key; the long one is the FastAPI manual's. */
  private static final Pattern PLACEHOLDER =
      Pattern.compile(
          "change[-_ ]?(me|this|it)|your[-_ ]?(super[-_ ]?|very[-_ ]?)?(secret|jwt|key|256|512)"
              + "|replace[-_ ]?(me|this)|placeholder|^the output of:"
              + "|09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7");

  private static final Pattern REPETITION = Pattern.compile("(.{1,8}?)\\1+.{0,7}", Pattern.DOTALL);

  private KeyRules() {}

  /** Why the key must not sign; empty when it may. */
  static Optional<String> weakness(String key) {
    String folded = key.toLowerCase(Locale.ROOT);
    if (PLACEHOLDER.matcher(folded).find() || REPETITION.matcher(folded).matches()) {
      return Optional.of("it is a well-known placeholder; anybody could sign tokens with it");
    }
    return Secret.of(key).bytes().length < LEAST_BYTES
        ? Optional.of("it has fewer than " + LEAST_BYTES + " bytes")
        : Optional.empty();
  }
}
