package org.authservice.mail;

/** The mails that the service sends. */
public enum Template {
  VERIFICATION,
  LOGIN_CODE,
  PASSWORD_RESET,
  PASSWORD_CONFIRMATION,
  ADDRESS_TAKEN,
  PASSWORD_CHANGED,
  TOKEN_REUSE,
  SESSION_SHARED,
  TOO_MANY_GUESSES
}
