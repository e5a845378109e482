package org.authservice.signin;

import java.util.List;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;

/** {@code DELETE /auth/profile}: erasing one's own account. */
public final class AccountRoutes {
  private final AccountErasure erasure;

  AccountRoutes(AccountErasure erasure) {
    this.erasure = erasure;
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.of(Route.bearer("DELETE", "/auth/profile", this::erase));
  }

  private Answer erase(Request request) {
    return switch (erasure.erase(request.principal(), request.client())) {
      case AccountErasure.Outcome.Erased _ -> Answer.empty(204);
      case AccountErasure.Outcome.TokenInvalid _ -> Problem.of(ErrorCode.TOKEN_INVALID).answer();
      case AccountErasure.Outcome.LoginRequired _ -> Problem.of(ErrorCode.LOGIN_REQUIRED).answer();
    };
  }
}
