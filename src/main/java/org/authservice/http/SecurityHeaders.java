package org.authservice.http;

import java.util.LinkedHashMap;
import java.util.Map;

/** The header fields that every answer carries, errors too. An answer's own fields win. */
public final class SecurityHeaders implements Filter {
  private final Map<String, String> always = new LinkedHashMap<>();

  /**
   * The filter.
   *
   * @param https whether the service is reached by https, and browsers shall insist on it
   */
  public SecurityHeaders(boolean https) {
    always.put("X-Content-Type-Options", "nosniff");
    always.put("X-Frame-Options", "DENY");
    always.put("X-XSS-Protection", "1; mode=block");
    always.put("Referrer-Policy", "strict-origin-when-cross-origin");
    always.put(
        "Content-Security-Policy",
        "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none';"
            + " form-action 'self'");
    always.put("Vary", "Origin"); // whom a browser lets read an answer depends on it, see Cors
    if (https) {
      always.put("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    }
  }

  @Override
  public Answer handle(Request request, Handler next) {
    return complete(request.path(), next.handle(request));
  }

  /** Adds what is missing; answers below {@code /auth} are never stored. */
  Answer complete(String path, Answer answer) {
    Map<String, String> headers = new LinkedHashMap<>(always);
    if (path.startsWith("/auth")) {
      headers.put("Cache-Control", "no-store");
    }
    headers.putAll(answer.headers());
    return new Answer(answer.status(), headers, answer.body());
  }
}
