package org.authservice.settings;

/** A text is not what its setting wants; the message says why, and quotes no secret. */
final class Unfit extends Exception {
  private static final long serialVersionUID = 1L;

  private final String reason;

  Unfit(String reason) {
    super(reason);
    this.reason = reason;
  }

  String reason() {
    return reason;
  }
}
