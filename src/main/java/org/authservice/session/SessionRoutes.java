package org.authservice.session;

import java.util.List;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;
import org.authservice.json.JsonObject;
import org.authservice.secret.Secret;

/**
 * {@code /auth/refresh} and {@code /auth/sessions}: going on with a session, seeing and ending
 * them.
 */
public final class SessionRoutes {
  /** No token of ours is longer. */
  public static final int MAX_TOKEN_LENGTH = 8192;

  private final Sessions sessions;
  private final PythonSessions pythonSessions;
  private final SessionOverview overview;

  /** Routes to those sessions. */
  public SessionRoutes(Sessions sessions, PythonSessions pythonSessions, SessionOverview overview) {
    this.sessions = sessions;
    this.pythonSessions = pythonSessions;
    this.overview = overview;
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.of(
        Route.open("POST", "/auth/refresh", this::refresh),
        Route.bearer("GET", "/auth/sessions", this::list),
        Route.bearer("DELETE", "/auth/sessions/{id}", this::end));
  }

  private Answer refresh(Request request) {
    var fields = request.fields();
    Secret token = Secret.of(fields.text("refresh_token", MAX_TOKEN_LENGTH));
    fields.verify();
    return switch (sessions.refresh(token, request.client())) {
      case Sessions.Refreshing.Refreshed(var tokens) -> Answer.json(200, tokens.json());
      case Sessions.Refreshing.Refused _ -> refreshPython(token, request);
    };
  }

  private Answer refreshPython(Secret token, Request request) {
    return switch (pythonSessions.refresh(token, request.client())) {
      case Sessions.Refreshing.Refreshed(var tokens) -> Answer.json(200, tokens.json());
      case Sessions.Refreshing.Refused _ -> Problem.of(ErrorCode.REFRESH_TOKEN_INVALID).answer();
    };
  }

  private Answer list(Request request) {
    return overview
        .list(request.principal())
        .map(all -> all.stream().map(SessionOverview.Shown::json).toList())
        .map(all -> Answer.json(200, JsonObject.of("sessions", all)))
        .orElseGet(() -> Problem.of(ErrorCode.TOKEN_INVALID).answer());
  }

  private Answer end(Request request) {
    String id = request.pathParts().getOrDefault("id", "");
    return switch (overview.end(request.principal(), id, request.client())) {
      case SessionOverview.Ending.Ended _ -> Answer.empty(204);
      case SessionOverview.Ending.NotFound _ ->
          Problem.of(ErrorCode.NOT_FOUND, "You have no such session, or it has ended.").answer();
      case SessionOverview.Ending.TokenInvalid _ -> Problem.of(ErrorCode.TOKEN_INVALID).answer();
    };
  }
}
