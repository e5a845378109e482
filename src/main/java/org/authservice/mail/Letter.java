package org.authservice.mail;

/**
 * What a mail says: the same in plain text and in HTML.
 *
 * @param language the tag of the language it is in
 */
public record Letter(String subject, String text, String html, String language) {
  /** Masked: it may hold a code. */
  @Override
  public String toString() {
    return "Letter[****]";
  }
}
