package org.authservice.otp;

import java.util.Locale;
import java.util.Optional;
import org.authservice.mail.Template;

/** What a code is good for; a code of one purpose is worth nothing for another. */
public enum Purpose {
  /** Proves the mailbox after registering. */
  VERIFICATION(Template.VERIFICATION),
  /** Signs in without a password. */
  LOGIN(Template.LOGIN_CODE),
  /** Earns a reset token. */
  PASSWORD_RESET(Template.PASSWORD_RESET),
  /** Confirms a password that was set before the mailbox was proven; only login sends it. */
  PASSWORD_CONFIRMATION(Template.PASSWORD_CONFIRMATION);

  private final Template template;

  Purpose(Template template) {
    this.template = template;
  }

  /** As it stands in requests and in the database. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The mail that carries such a code. */
  Template template() {
    return template;
  }

  /** The purpose of that code. */
  public static Optional<Purpose> of(String code) {
    for (Purpose purpose : values()) {
      if (purpose.code().equals(code)) {
        return Optional.of(purpose);
      }
    }
    return Optional.empty();
  }
}
