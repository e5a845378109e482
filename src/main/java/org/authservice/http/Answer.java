package org.authservice.http;

import java.util.LinkedHashMap;
import java.util.Map;
import org.authservice.json.JsonObject;

/**
 * What goes back to the client.
 *
 * @param status the HTTP status
 * @param headers header fields beyond those that every answer gets
 * @param body the content
 */
public record Answer(int status, Map<String, String> headers, Body body) {

  /** The content of an answer. */
  public sealed interface Body {
    /** No content. */
    record Empty() implements Body {}

    /** A JSON object. */
    record Json(JsonObject object) implements Body {}

    /** {@code application/problem+json}; the request id is added when it is written. */
    record Error(Problem problem) implements Body {}

    /** Anything else, with its media type. */
    record Bytes(String contentType, byte[] content) implements Body {}
  }

  /** An answer with a JSON object. */
  public static Answer json(int status, JsonObject object) {
    return new Answer(status, Map.of(), new Body.Json(object));
  }

  /** 200 with {@code {"message": …}}. */
  public static Answer message(String message) {
    return json(200, JsonObject.of("message", message));
  }

  /** An answer without content. */
  public static Answer empty(int status) {
    return new Answer(status, Map.of(), new Body.Empty());
  }

  /** 303 See Other: the browser goes on with GET, whatever it sent here (RFC 9110, 15.4.4). */
  public static Answer seeOther(String location) {
    return empty(303).with("Location", location);
  }

  /** An answer with content of that media type. */
  public static Answer bytes(int status, String contentType, byte[] content) {
    return new Answer(status, Map.of(), new Body.Bytes(contentType, content));
  }

  /** The problem as an answer. */
  public static Answer of(Problem problem) {
    return new Answer(problem.code().status(), Map.of(), new Body.Error(problem));
  }

  /** The same with one more header field; a field of that name is replaced. */
  public Answer with(String header, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(header, value);
    return new Answer(status, more, body);
  }
}
