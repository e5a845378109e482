package org.authservice.http;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.authservice.json.JsonObject;

/**
 * An error as the client sees it (RFC 9457).
 *
 * @param code the stable code, which fixes status and title
 * @param detail a sentence a person can act on
 * @param errors the wrong fields, for 422
 * @param retryAfter when to come back, for 429 and 503
 * @param extra further members
 */
public record Problem(
    ErrorCode code,
    String detail,
    List<FieldError> errors,
    Optional<Duration> retryAfter,
    JsonObject extra) {

  /**
   * What is wrong with one field.
   *
   * @param field the member's name; dotted for a nested one, empty for the body as a whole
   * @param code {@code missing}, {@code wrong_type}, {@code too_long}, {@code invalid}, …
   * @param message a sentence a person can act on
   */
  public record FieldError(String field, String code, String message) {}

  /** A problem whose detail is the code's usual sentence. */
  public static Problem of(ErrorCode code) {
    return of(code, code.detail());
  }

  /** A problem with a sentence of its own. */
  public static Problem of(ErrorCode code, String detail) {
    return new Problem(code, detail, List.of(), Optional.empty(), JsonObject.empty());
  }

  /** A problem with the request's fields; the detail repeats the first. */
  public static Problem invalid(ErrorCode code, List<FieldError> errors) {
    FieldError first = errors.getFirst();
    String detail =
        first.field().isEmpty() ? first.message() : first.field() + ": " + first.message();
    return new Problem(code, detail, List.copyOf(errors), Optional.empty(), JsonObject.empty());
  }

  /** The same with a time to come back, rounded up to seconds. */
  public Problem retryAfter(Duration wait) {
    return new Problem(code, detail, errors, Optional.of(wait), extra);
  }

  /** The same with one more member. */
  public Problem with(String member, Object value) {
    var more = JsonObject.empty();
    extra.members().forEach(more::put);
    return new Problem(code, detail, errors, retryAfter, more.put(member, value));
  }

  /** This problem as an answer. */
  public Answer answer() {
    return Answer.of(this);
  }
}
