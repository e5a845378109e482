package org.authservice.signin;

import java.util.List;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;
import org.authservice.secret.Secret;

/** Setting a new password: with a reset token, or knowing the current one. */
public final class PasswordRoutes {
  private static final String NEW_PASSWORD = "new_password";

  private final PasswordResets resets;
  private final PasswordChanges changes;

  PasswordRoutes(PasswordResets resets, PasswordChanges changes) {
    this.resets = resets;
    this.changes = changes;
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.of(
        Route.open("POST", "/auth/reset-password", this::reset),
        Route.bearer("POST", "/auth/change-password", this::change));
  }

  private Answer reset(Request request) {
    var fields = request.fields();
    Secret token = Secret.of(fields.text("reset_token", 256));
    Secret password = Input.password(fields, NEW_PASSWORD);
    fields.verify();
    return switch (resets.reset(token, password, request.client())) {
      case PasswordResets.Outcome.Reset _ ->
          Answer.message("The new password is set. Sign in with it.");
      case PasswordResets.Outcome.TokenInvalid _ ->
          Problem.of(ErrorCode.RESET_TOKEN_INVALID).answer();
      case PasswordResets.Outcome.PasswordRejected(var reason) ->
          Input.rejected(NEW_PASSWORD, reason).problem().answer();
    };
  }

  private Answer change(Request request) {
    var fields = request.fields();
    Secret current = Input.password(fields, "current_password");
    Secret next = Input.password(fields, NEW_PASSWORD);
    fields.verify();
    return switch (changes.change(request.principal(), current, next, request.client())) {
      case PasswordChanges.Outcome.Changed _ ->
          Answer.message("The new password is set. Your other devices are signed out.");
      case PasswordChanges.Outcome.TokenInvalid _ -> Problem.of(ErrorCode.TOKEN_INVALID).answer();
      case PasswordChanges.Outcome.PasswordRejected(var reason) ->
          Input.rejected(NEW_PASSWORD, reason).problem().answer();
      case PasswordChanges.Outcome.CurrentPasswordWrong _ ->
          Problem.of(ErrorCode.CURRENT_PASSWORD_WRONG).answer();
      case PasswordChanges.Outcome.TooManyFailures(var wait) ->
          Problem.of(ErrorCode.TOO_MANY_FAILURES).retryAfter(wait).answer();
    };
  }
}
