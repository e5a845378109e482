package org.authservice.mail;

/** What a mail says: the same in plain text and in HTML. */
public record Letter(String subject, String text, String html) {
  /** Masked: it may hold a code. */
  @Override
  public String toString() {
    return "Letter[****]";
  }
}
