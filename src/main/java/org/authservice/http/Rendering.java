package org.authservice.http;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.authservice.json.Json;
import org.authservice.json.JsonObject;

/** Turns an answer into a status, header fields and bytes. */
final class Rendering {
  private static final byte[] NOTHING = new byte[0];

  private final Supplier<String> publicBaseUrl;

  Rendering(Supplier<String> publicBaseUrl) {
    this.publicBaseUrl = publicBaseUrl;
  }

  /** What goes over the wire. */
  record Rendered(int status, Map<String, String> headers, byte[] content) {}

  Rendered render(Answer answer, String requestId) {
    Map<String, String> headers = new LinkedHashMap<>(answer.headers());
    headers.put("X-Request-ID", requestId);
    return switch (answer.body()) {
      case Answer.Body.Empty _ -> new Rendered(answer.status(), headers, NOTHING);
      case Answer.Body.Json(var object) -> {
        headers.put("Content-Type", "application/json");
        yield new Rendered(answer.status(), headers, Json.write(object));
      }
      case Answer.Body.Bytes(var type, var content) -> {
        headers.put("Content-Type", type);
        yield new Rendered(answer.status(), headers, content);
      }
      case Answer.Body.Error(var problem) -> {
        headers.put("Content-Type", "application/problem+json");
        problem
            .retryAfter()
            .ifPresent(wait -> headers.put("Retry-After", Long.toString(seconds(wait))));
        yield new Rendered(
            answer.status(), headers, Json.write(json(problem, answer.status(), requestId)));
      }
    };
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
