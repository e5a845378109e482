package org.authservice.password;

import com.nulabinc.zxcvbn.StandardDictionaries;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.authservice.secret.Secret;
import org.authservice.settings.PasswordSettings.Policy;
import org.jspecify.annotations.Nullable;

/**
 * Which passwords are accepted (NIST SP 800-63B-4, section 3.1.1, for the mode {@code length}).
 * Lengths are Unicode code points; any character is allowed, spaces too. Common passwords and the
 * account's own e-mail and name are refused in every mode.
 */
public final class PasswordPolicy {
  private static final int MIN_COMPOSED = 8;
  private static final int MIN_LONG = 15;
  private static final int MAX = 128;
  private static final String SPECIAL = "@$!%*?&";
  private static final Set<String> SERVICE_NAMES = Set.of("auth service", "authservice");

  private final Policy policy;
  private @Nullable Set<String> common;

  /** The policy of that mode. */
  public PasswordPolicy(Policy policy) {
    this.policy = policy;
  }

  /**
   * Why a password is refused, as a sentence for the person who chose it; empty when it is not.
   *
   * @param email the account's address, or empty text
   */
  public Optional<String> reasonAgainst(Secret password, String email, Optional<String> fullName) {
    String text = password.reveal();
    int length = text.codePointCount(0, text.length());
    if (length > MAX) {
      return Optional.of("A password has at most 128 characters.");
    }
    return missing(text, length).or(() -> guessable(text, email, fullName));
  }

  private Optional<String> missing(String text, int length) {
    boolean composed = length >= MIN_COMPOSED && hasAllClasses(text);
    boolean isLong = length >= MIN_LONG;
    return switch (policy) {
      case COMPOSITION ->
          composed
              ? Optional.empty()
              : Optional.of(
                  "A password needs 8 to 128 characters, among them a lower-case letter, an"
                      + " upper-case letter, a digit and one of @$!%*?&.");
      case LENGTH ->
          isLong ? Optional.empty() : Optional.of("A password needs at least 15 characters.");
      case EITHER ->
          composed || isLong
              ? Optional.empty()
              : Optional.of(
                  "A password needs at least 15 characters, or at least 8 with a lower-case"
                      + " letter, an upper-case letter, a digit and one of @$!%*?&.");
    };
  }

  private static boolean hasAllClasses(String text) {
    return text.codePoints().anyMatch(Character::isLowerCase)
        && text.codePoints().anyMatch(Character::isUpperCase)
        && text.codePoints().anyMatch(Character::isDigit)
        && text.codePoints().anyMatch(point -> SPECIAL.indexOf(point) >= 0);
  }

  private Optional<String> guessable(String text, String email, Optional<String> fullName) {
    String folded = fold(text);
    if (common().contains(folded) || SERVICE_NAMES.contains(folded)) {
      return Optional.of("This password is one of the most common ones; choose another.");
    }
    String address = fold(email);
    int at = address.indexOf('@');
    boolean personal =
        (!address.isEmpty() && folded.equals(address))
            || (at > 0 && folded.equals(address.substring(0, at)))
            || fullName.map(PasswordPolicy::fold).filter(folded::equals).isPresent();
    return personal
        ? Optional.of("A password must not be your e-mail address or your name.")
        : Optional.empty();
  }

  private static String fold(String text) {
    return text.toLowerCase(Locale.ROOT);
  }

  /** Read when first needed: thousands of strings are nothing to load at every start. */
  private synchronized Set<String> common() {
    Set<String> known = common;
    if (known == null) {
      try {
        known = new TreeSet<>();
        for (String password : StandardDictionaries.PASSWORDS_LOADER.load().getFrequencies()) {
          known.add(fold(password));
        }
        common = known;
      } catch (IOException missing) {
        throw new UncheckedIOException("the list of common passwords is missing", missing);
      }
    }
    return known;
  }
}
