package org.authservice.settings;

import org.jspecify.annotations.Nullable;

/** The service cannot start; the message is one sentence that says what to do. */
public final class StartFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** A failure with a ready sentence for the operator. */
  public StartFailure(String sentence) {
    super(sentence);
  }

  /** A failure with a ready sentence for the operator, and its cause, for the debug log. */
  public StartFailure(String sentence, @Nullable Throwable cause) {
    super(sentence, cause);
  }
}
