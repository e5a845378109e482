package org.authservice.account;

import com.sanctionco.jmail.EmailValidator;
import com.sanctionco.jmail.JMail;
import java.net.IDN;
import java.text.Normalizer;
import java.util.Locale;
import java.util.Optional;

/**
 * One plain e-mail address (RFC 5321), parsed once at the door.
 *
 * @param typed as given, in NFKC with its domain in lower-case ASCII: how the Python service stored
 *     addresses
 * @param normalised all in lower case: how new accounts store it, and how addresses compare
 */
public record EmailAddress(String typed, String normalised) {
  /** RFC 5321 allows 254 characters between the angle brackets. */
  public static final int MAX_LENGTH = 254;

  private static final EmailValidator STRICT =
      JMail.strictValidator()
          .disallowQuotedIdentifiers()
          .disallowExplicitSourceRouting()
          .disallowObsoleteWhitespace()
          .disallowIpDomain()
          .requireTopLevelDomain();

  /**
   * Reads an address; empty when it is not exactly one: no display names, comments, quoted local
   * parts, IP literals or control characters.
   */
  public static Optional<EmailAddress> parse(String text) {
    if (text.length() > MAX_LENGTH) {
      return Optional.empty();
    }
    // Folding makes a full-width comma a comma: what is forbidden is looked for before and after.
    String folded = Normalizer.normalize(text, Normalizer.Form.NFKC).strip();
    int at = folded.lastIndexOf('@');
    if (at < 1
        || at != folded.indexOf('@')
        || text.codePoints().anyMatch(EmailAddress::forbidden)
        || folded.codePoints().anyMatch(it -> forbidden(it) || Character.isSpaceChar(it))) {
      return Optional.empty();
    }
    return asciiDomain(folded.substring(at + 1))
        .map(domain -> folded.substring(0, at) + "@" + domain)
        .filter(address -> address.length() <= MAX_LENGTH)
        .filter(STRICT::isValid)
        .map(address -> new EmailAddress(address, address.toLowerCase(Locale.ROOT)));
  }

  // Control characters and line separators split headers, format characters are not seen,
  // parentheses begin a comment, quotes a quoted local part, the others a list of addresses.
  private static boolean forbidden(int character) {
    return switch (Character.getType(character)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED ->
          true;
      default -> "\"(),:;<>[\\]".indexOf(character) >= 0;
    };
  }

  // The JDK follows IDNA 2003, which makes "strasse.de" of "straße.de"; by IDNA 2008 (RFC 5894,
  // section 7.2) these are two domains, with two owners. Such a domain is taken in its xn-- form.
  private static Optional<String> asciiDomain(String domain) {
    if (domain.indexOf('ß') >= 0 || domain.indexOf('ẞ') >= 0 || domain.indexOf('ς') >= 0) {
      return Optional.empty();
    }
    try {
      return Optional.of(IDN.toASCII(domain, IDN.USE_STD3_ASCII_RULES).toLowerCase(Locale.ROOT));
    } catch (IllegalArgumentException notADomain) {
      return Optional.empty();
    }
  }

  /** Masked: an address is personal and does not belong in logs. */
  @Override
  public String toString() {
    return "EmailAddress[****]";
  }
}
