package org.authservice.http;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A part that the answer needs is down or overloaded: the client may come back later. */
public final class Unavailable extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;
  private final Duration retryAfter;

  /**
   * An outage.
   *
   * @param code one of the codes with status 503
   * @param retryAfter when another try makes sense
   * @param message for the log, not for the client
   */
  public Unavailable(
      ErrorCode code, Duration retryAfter, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** The code to answer with. */
  public ErrorCode code() {
    return code;
  }

  /** When another try makes sense. */
  public Duration retryAfter() {
    return retryAfter;
  }
}
