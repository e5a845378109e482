package org.authservice.http;

import java.util.Locale;

/**
 * Every way a request can fail, each with its stable code (the name in lower case), status, title,
 * the sentence usually told, and what to do about it. The error page and the contract are held to
 * this list by a test.
 */
public enum ErrorCode {
  BAD_REQUEST(
      400,
      "Bad request",
      "The request is not valid HTTP.",
      "Check the client library: the request line, a header or the framing of the body is not what HTTP/1.1 allows."),
  REQUEST_TIMEOUT(
      408,
      "Request time-out",
      "The request did not arrive within 30 seconds.",
      "Send headers and body without pausing; check the network between client and service."),
  URI_TOO_LONG(
      414,
      "URI too long",
      "The request's path and query are too long.",
      "Send data in the body, not in the URL."),
  HEADERS_TOO_LARGE(
      431,
      "Headers too large",
      "The request's headers are too large or too many.",
      "Keep all headers under 16 KiB and 100 fields; look for cookies that do not belong here."),
  NOT_IMPLEMENTED(
      501,
      "Not implemented",
      "The service does not know this method or transfer coding.",
      "Use GET, POST, PUT, DELETE, HEAD or OPTIONS."),
  VALIDATION_FAILED(
      422,
      "Validation failed",
      "A member of the body is not as it must be.",
      "The member errors names each wrong field and says what is wrong with it."),
  PASSWORD_REJECTED(
      422,
      "Password rejected",
      "The password does not follow the password policy.",
      "Show the detail to the person who chose it: it says what the password lacks."),
  MALFORMED_JSON(
      400,
      "Malformed JSON",
      "The body cannot be read as JSON.",
      "Send one JSON object in UTF-8, nested no deeper than 32, with nothing after it."),
  UNSUPPORTED_MEDIA_TYPE(
      415,
      "Unsupported media type",
      "Send the body as application/json.",
      "Set the header Content-Type: application/json."),
  PAYLOAD_TOO_LARGE(
      413,
      "Payload too large",
      "The body is larger than 64 KiB.",
      "No request to this service needs more than 64 KiB."),
  NOT_FOUND(
      404,
      "Not found",
      "There is nothing at this address.",
      "Check the path against the contract at /openapi.json."),
  METHOD_NOT_ALLOWED(
      405,
      "Method not allowed",
      "This endpoint does not answer to this method.",
      "The header Allow lists the methods it answers to."),
  INVALID_CREDENTIALS(
      401,
      "Invalid credentials",
      "The e-mail address or the password is wrong.",
      "The answer is the same for an unknown address. Offer a reset or a sign-in code."),
  TOKEN_INVALID(
      401,
      "Token invalid",
      "A valid access token is required.",
      "Send Authorization: Bearer with an access token that has neither expired nor been ended; refresh it, or sign in again."),
  REFRESH_TOKEN_INVALID(
      401,
      "Refresh token invalid",
      "The session has ended; sign in again.",
      "The session expired, was logged out, or its refresh token was used by two parties. Send the user to sign-in."),
  OTP_INVALID(
      401,
      "Code invalid",
      "The code is wrong, used or expired.",
      "The answer is the same in every case. Let the user check the code or ask for a new one."),
  RESET_TOKEN_INVALID(
      401,
      "Reset token invalid",
      "The reset token is wrong, used or expired.",
      "A reset token lives 10 minutes and works once. Start again with a password_reset code."),
  EXCHANGE_CODE_INVALID(
      400,
      "Exchange code invalid",
      "The exchange code is wrong, used or expired.",
      "An exchange code lives a minute and works once, with its own code_verifier. Start the sign-in again."),
  ID_TOKEN_INVALID(
      401,
      "ID token invalid",
      "The provider's ID token or its nonce is wrong, used or expired.",
      "Get a nonce, have the provider put it into a new ID token, and send both within ten minutes. The audience must be in GOOGLE_CLIENT_IDS."),
  SIGNATURE_INVALID(
      401,
      "Signature invalid",
      "The request's signature is wrong, too old, or was used before.",
      "Sign each request anew: Mail-Signature is t=UNIX-SECONDS,v1=HEX, where HEX is the HMAC-SHA-256 of the time, a full stop and the body under MAIL_EVENTS_SECRET."),
  ACCOUNT_DISABLED(
      403,
      "Account disabled",
      "This account has been switched off.",
      "Told only after the right password. The operator can switch it on: bin/auth users reactivate."),
  EMAIL_NOT_VERIFIED(
      403,
      "E-mail not verified",
      "Verify the e-mail address first.",
      "Ask for a verification code and enter it; LOGIN_REQUIRES_VERIFIED_EMAIL demands it."),
  PASSWORD_UNCONFIRMED(
      403,
      "Password unconfirmed",
      "Enter the code just e-mailed to confirm that this password is yours.",
      "The password was set before the mailbox was proven, perhaps by somebody else. Send the code to verify-otp with purpose password_confirmation and the otp_id of this answer."),
  CODE_REQUIRED(
      403,
      "Code required",
      "Enter the code just e-mailed to finish signing in on this device.",
      "The password was right, but the device is not known and STEP_UP is on. Send the code to verify-otp with the otp_id of this answer, and keep the device_token."),
  LOGIN_REQUIRED(
      403,
      "Login required",
      "Sign in again to do this.",
      "The action needs a sign-in within the last five minutes."),
  CURRENT_PASSWORD_WRONG(
      403,
      "Current password wrong",
      "The current password is wrong.",
      "Ask for the current password again, or offer a reset."),
  EMAIL_TAKEN(
      409,
      "E-mail taken",
      "An account with this e-mail address exists already.",
      "Offer to sign in or to reset the password."),
  OTP_RATE_LIMITED(
      429,
      "Too many codes",
      "A code was sent a short while ago; wait before asking for another.",
      "Wait as long as Retry-After says. The code sent before may still be good."),
  RATE_LIMITED(
      429,
      "Too many requests",
      "Too many requests; slow down.",
      "Wait as long as Retry-After says. RATE_LIMIT_PER_MINUTE sets the limit."),
  TOO_MANY_FAILURES(
      429,
      "Too many failures",
      "Too many wrong passwords; wait, or sign in with an e-mailed code.",
      "Wait as long as Retry-After says. A sign-in code is never blocked by wrong passwords."),
  GOOGLE_DISABLED(
      404,
      "Google sign-in disabled",
      "Google sign-in is not set up here.",
      "Set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET."),
  GOOGLE_STATE_INVALID(
      400,
      "Sign-in state invalid",
      "This sign-in was not started in this browser, or too long ago.",
      "Start the sign-in again."),
  GOOGLE_DENIED(
      403,
      "Sign-in refused",
      "The sign-in was cancelled at the provider.",
      "The user refused; offer another way to sign in."),
  GOOGLE_EMAIL_UNVERIFIED(
      403,
      "Provider's e-mail unverified",
      "The provider has not verified this e-mail address.",
      "Verify the address at the provider, or sign in with a code."),
  GOOGLE_REFUSED(
      502,
      "Provider's answer refused",
      "The provider's answer cannot be accepted.",
      "The log says which check failed."),
  GOOGLE_UNAVAILABLE(
      503,
      "Provider unavailable",
      "The sign-in provider does not answer.",
      "Try again, or sign in another way."),
  LINK_REQUIRES_LOGIN(
      409,
      "Link requires login",
      "Sign in to the existing account to link it.",
      "An account with this address exists, and the provider does not vouch for the address, or knew another person by it. Sign in another way, then link."),
  IDENTITY_TAKEN(
      409,
      "Identity taken",
      "This identity is linked to another account, or this account to another identity.",
      "Unlink it there, or unlink the other identity here, and link again."),
  LAST_SIGN_IN_METHOD(
      409,
      "Last sign-in method",
      "This is the only way left to sign in to this account.",
      "Set a password first; codes by mail need a verified address and a mail server."),
  OVERLOADED(
      503,
      "Overloaded",
      "The service is busy; try again in a moment.",
      "Wait as long as Retry-After says. More cores hash more passwords."),
  MAIL_UNAVAILABLE(
      503,
      "Mail unavailable",
      "The service cannot send e-mail.",
      "Set SMTP_HOST; without it, production sends no codes."),
  DATABASE_UNAVAILABLE(
      503,
      "Database unavailable",
      "The service cannot reach its database; try again in a moment.",
      "Nothing was changed, or the change can be repeated safely. See the troubleshooting page."),
  INTERNAL_ERROR(
      500,
      "Internal error",
      "Something went wrong in the service.",
      "Look for the request id in the service's log, and please report it.");

  private final int status;
  private final String title;
  private final String detail;
  private final String remedy;

  ErrorCode(int status, String title, String detail, String remedy) {
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.remedy = remedy;
  }

  /** The stable code that clients switch on. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The HTTP status. */
  public int status() {
    return status;
  }

  /** A short title, the same for every occurrence. */
  public String title() {
    return title;
  }

  /** The sentence usually told to the person at the client. */
  public String detail() {
    return detail;
  }

  /** What a developer or operator can do about it. */
  public String remedy() {
    return remedy;
  }
}
