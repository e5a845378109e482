package org.authservice.http;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** The header fields that every answer carries, errors too. An answer's own fields win. */
public final class SecurityHeaders implements Filter {
  private final Map<String, String> always;
  private final Map<String, String> neverStored;

  /**
   * The filter.
   *
   * @param https whether the service is reached by https, and browsers shall insist on it
   */
  public SecurityHeaders(boolean https) {
    Map<String, String> always = new LinkedHashMap<>();
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
    this.always = Collections.unmodifiableMap(always);
    Map<String, String> neverStored = new LinkedHashMap<>(always);
    neverStored.put("Cache-Control", "no-store");
    this.neverStored = Collections.unmodifiableMap(neverStored);
  }

  @Override
  public Answer handle(Request request, Handler next) {
    return complete(request.path(), next.handle(request));
  }

  /** Adds what is missing; answers below {@code /auth} are never stored. */
  Answer complete(String path, Answer answer) {
    Map<String, String> headers = path.startsWith("/auth") ? neverStored : always;
    if (!answer.headers().isEmpty()) {
      headers = new LinkedHashMap<>(headers);
      headers.putAll(answer.headers());
    }
    return new Answer(answer.status(), headers, answer.body());
  }
}
