package org.authservice.oidc;

import org.jspecify.annotations.Nullable;

/** A provider did not answer, or not acceptably. The message is for the log and holds no secret. */
final class ProviderFault extends Exception {
  private static final long serialVersionUID = 1L;

  /** Which of the two. */
  enum Kind {
    /** Down, slow, or overloaded: another try later may succeed. */
    UNAVAILABLE,
    /** An answer that must not be believed. */
    REFUSED
  }

  private final Kind kind;

  private ProviderFault(Kind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  static ProviderFault unavailable(String message, @Nullable Throwable cause) {
    return new ProviderFault(Kind.UNAVAILABLE, message, cause);
  }

  static ProviderFault refused(String message) {
    return new ProviderFault(Kind.REFUSED, message, null);
  }

  Kind kind() {
    return kind;
  }
}
