package org.authservice.mail;

import java.util.Locale;
import java.util.Optional;

/** The mails that the service sends. */
public enum Template {
  /** A code that proves the mailbox. */
  VERIFICATION(true),
  /** A code that signs in. */
  LOGIN_CODE(true),
  /** A code that earns a reset token. */
  PASSWORD_RESET(true),
  /** A code that confirms a password set before the mailbox was proven. */
  PASSWORD_CONFIRMATION(true),
  /** Somebody tried to register an address that has an account. */
  ADDRESS_TAKEN(false),
  /** The password is another one now. */
  PASSWORD_CHANGED(false),
  /** A device that was not known signed in. */
  NEW_DEVICE(false),
  /** A refresh token was used by two parties: the session was ended. */
  TOKEN_REUSE(false),
  /** A session goes back and forth between two networks and programs. */
  SESSION_SHARED(false),
  /** Passwords are not checked for a while. */
  ACCOUNT_LOCKED(false),
  /** Many wrong passwords or codes were entered. */
  TOO_MANY_GUESSES(false),
  /** A provider can now sign in to the account. */
  SIGN_IN_METHOD_LINKED(false),
  /** A provider can no longer sign in to the account. */
  SIGN_IN_METHOD_UNLINKED(false);

  private final boolean carriesCode;

  Template(boolean carriesCode) {
    this.carriesCode = carriesCode;
  }

  /** Whether subject and text hold a code. */
  boolean carriesCode() {
    return carriesCode;
  }

  /** Its name as a file's, without ending. */
  String fileName() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The template of that name; a newer node may queue one that this one does not know. */
  static Optional<Template> of(String name) {
    for (Template template : values()) {
      if (template.name().equals(name)) {
        return Optional.of(template);
      }
    }
    return Optional.empty();
  }
}
