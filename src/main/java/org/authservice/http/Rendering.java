package org.authservice.http;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.authservice.json.Json;
import org.authservice.json.JsonObject;

/** Turns an answer into a status, header fields and bytes. */
final class Rendering {
  private static final String REQUEST_ID = "X-Request-ID";
  private static final byte[] NOTHING = new byte[0];

  private final Supplier<String> publicBaseUrl;

  Rendering(Supplier<String> publicBaseUrl) {
    this.publicBaseUrl = publicBaseUrl;
  }

  /**
   * What goes over the wire.
   *
   * @param headers the answer's own header fields
   * @param about those of the content and of the request
   */
  record Rendered(
      int status, Map<String, String> headers, Map<String, String> about, byte[] content) {

    /** Tells every header field. */
    void eachField(BiConsumer<String, String> field) {
      headers.forEach(field);
      about.forEach(field);
    }
  }

  Rendered render(Answer answer, String requestId) {
    return switch (answer.body()) {
      case Answer.Body.Empty _ -> rendered(answer, Map.of(REQUEST_ID, requestId), NOTHING);
      case Answer.Body.Json(var object) ->
          rendered(answer, about(requestId, "application/json"), Json.write(object));
      case Answer.Body.Bytes(var type, var content) ->
          rendered(answer, about(requestId, type), content);
      case Answer.Body.Error(var problem) -> {
        Map<String, String> about = new HashMap<>(about(requestId, "application/problem+json"));
        problem
            .retryAfter()
            .ifPresent(wait -> about.put("Retry-After", Long.toString(seconds(wait))));
        yield rendered(answer, about, Json.write(json(problem, answer.status(), requestId)));
      }
    };
  }

  private static Rendered rendered(Answer answer, Map<String, String> about, byte[] content) {
    return new Rendered(answer.status(), answer.headers(), about, content);
  }

  private static Map<String, String> about(String requestId, String contentType) {
    return Map.of(REQUEST_ID, requestId, "Content-Type", contentType);
  }

  private JsonObject json(Problem problem, int status, String requestId) {
    var object =
        JsonObject.of("type", publicBaseUrl.get() + "/docs/errors#" + problem.code().code())
            .put("title", problem.code().title())
            .put("status", status)
            .put("detail", problem.detail())
            .put("code", problem.code().code())
            .put("request_id", requestId);
    if (!problem.errors().isEmpty()) {
      List<JsonObject> errors =
          problem.errors().stream()
              .map(error ->
                  JsonObject.of("field", error.field())
                      .put("code", error.code())
                      .put("message", error.message()))
              .toList();
      object.put("errors", errors);
    }
    problem.retryAfter().ifPresent(wait -> object.put("retry_after", seconds(wait)));
    problem.extra().members().forEach(object::put);
    return object;
  }

  /** Whole seconds, rounded up: coming back earlier would be in vain. */
  private static long seconds(Duration wait) {
    return Math.max(1, wait.plusMillis(999).toSeconds());
  }
}
