package org.authservice.http;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Lets pages of listed origins read the answers (Fetch standard, CORS protocol): exact origins, no
 * credentials.
 */
public final class Cors implements Filter {
  private final Set<String> origins;

  /** The filter for those origins. */
  public Cors(List<String> origins) {
    this.origins = Set.copyOf(origins);
  }

  @Override
  public Answer handle(Request request, Handler next) {
    Optional<String> origin = request.header("origin").filter(origins::contains);
    Answer answer = next.handle(request);
    if (origin.isEmpty()) {
      return answer;
    }
    Answer allowed =
        answer
            .with("Access-Control-Allow-Origin", origin.get())
            .with(
                "Access-Control-Expose-Headers",
                "X-Request-ID, Retry-After, RateLimit, RateLimit-Policy");
    return isPreflight(request) ? preflight(allowed) : allowed;
  }

  private static boolean isPreflight(Request request) {
    return request.method().equals("OPTIONS")
        && request.header("access-control-request-method").isPresent();
  }

  private static Answer preflight(Answer answer) {
    return answer
        .with("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
        .with(
            "Access-Control-Allow-Headers",
            "Authorization, Content-Type, X-Request-ID, Device-Token")
        .with("Access-Control-Max-Age", "600");
  }
}
