package org.authservice.token;

import java.util.List;
import java.util.Map;
import org.authservice.http.Answer;
import org.authservice.http.Principal;
import org.authservice.http.Request;
import org.authservice.http.Route;

/**
 * {@code /auth/check}: whether an access token is good, for a proxy that asks before it forwards
 * (nginx {@code auth_request}, Traefik ForwardAuth). It reads no database.
 */
public final class CheckRoutes {
  /** The routes. */
  public CheckRoutes() {}

  /** The endpoints. */
  public List<Route> routes() {
    return List.of(Route.bearer("GET", "/auth/check", this::check));
  }

  private Answer check(Request request) {
    Principal principal = request.principal();
    String user = Long.toString(principal.userId());
    Map<String, String> who =
        principal
            .sessionId()
            .map(id -> Map.of("X-Auth-User-Id", user, "X-Auth-Session-Id", id))
            .orElseGet(() -> Map.of("X-Auth-User-Id", user));
    return new Answer(204, who, new Answer.Body.Empty());
  }
}
