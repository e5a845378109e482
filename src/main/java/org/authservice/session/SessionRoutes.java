package org.authservice.session;

import java.util.List;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;
import org.authservice.secret.Secret;

/** {@code /auth/refresh}: going on with a session. */
public final class SessionRoutes {
  /** No token of ours is longer. */
  public static final int MAX_TOKEN_LENGTH = 8192;

  private final Sessions sessions;
  private final PythonSessions pythonSessions;

  /** Routes to those sessions. */
  public SessionRoutes(Sessions sessions, PythonSessions pythonSessions) {
    this.sessions = sessions;
    this.pythonSessions = pythonSessions;
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.of(Route.open("POST", "/auth/refresh", this::refresh));
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
}
