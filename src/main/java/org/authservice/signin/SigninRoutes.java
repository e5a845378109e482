package org.authservice.signin;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.authservice.account.EmailAddress;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Principal;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;
import org.authservice.json.JsonObject;
import org.authservice.otp.Purpose;
import org.authservice.secret.Secret;
import org.authservice.session.SessionRoutes;
import org.authservice.settings.CodeSettings;

/** Signing in and out: by password, by code. */
public final class SigninRoutes {
  private final PasswordLogin passwordLogin;
  private final CodeRequests codeRequests;
  private final CodeSignin codeSignin;
  private final Leaving leaving;
  private final CodeSettings codes;
  private final Function<String, Optional<Principal>> bearer;

  SigninRoutes(
      PasswordLogin passwordLogin,
      CodeRequests codeRequests,
      CodeSignin codeSignin,
      Leaving leaving,
      CodeSettings codes,
      Function<String, Optional<Principal>> bearer) {
    this.passwordLogin = passwordLogin;
    this.codeRequests = codeRequests;
    this.codeSignin = codeSignin;
    this.leaving = leaving;
    this.codes = codes;
    this.bearer = bearer;
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.of(
        Route.open("POST", "/auth/login", this::login),
        Route.open("POST", "/auth/generate-otp", this::generateOtp),
        Route.open("POST", "/auth/verify-otp", this::verifyOtp),
        Route.open("POST", "/auth/logout", this::logout));
  }

  private Answer login(Request request) {
    var fields = request.fields();
    EmailAddress email = Input.email(fields);
    Secret password = Input.password(fields, "password");
    fields.verify();
    return switch (passwordLogin.login(email, password, request.client())) {
      case PasswordLogin.Outcome.SignedIn(var tokens) -> Answer.json(200, tokens.json());
      case PasswordLogin.Outcome.InvalidCredentials _ ->
          Problem.of(ErrorCode.INVALID_CREDENTIALS).answer();
      case PasswordLogin.Outcome.TooManyFailures(var wait) ->
          Problem.of(ErrorCode.TOO_MANY_FAILURES).retryAfter(wait).answer();
      case PasswordLogin.Outcome.AccountDisabled _ ->
          Problem.of(ErrorCode.ACCOUNT_DISABLED).answer();
      case PasswordLogin.Outcome.EmailNotVerified _ ->
          Problem.of(ErrorCode.EMAIL_NOT_VERIFIED).answer();
      case PasswordLogin.Outcome.PasswordUnconfirmed(var otpId) ->
          proofWanted(ErrorCode.PASSWORD_UNCONFIRMED, otpId);
      case PasswordLogin.Outcome.CodeRequired(var otpId) ->
          proofWanted(ErrorCode.CODE_REQUIRED, otpId);
    };
  }

  private static Answer proofWanted(ErrorCode code, Optional<String> otpId) {
    Problem problem = Problem.of(code);
    return otpId.map(id -> problem.with("otp_id", id)).orElse(problem).answer();
  }

  private Answer generateOtp(Request request) {
    var fields = request.fields();
    EmailAddress email = Input.email(fields);
    Purpose purpose = Input.purpose(fields);
    if (purpose == Purpose.PASSWORD_CONFIRMATION) {
      fields.reject("purpose", "invalid", "Codes of this purpose are sent by /auth/login only.");
    }
    fields.verify();
    return switch (codeRequests.request(email, purpose, request.client())) {
      case CodeRequests.Outcome.Sent(var otpId) -> Answer.json(200, sent(otpId));
      case CodeRequests.Outcome.TooMany(var wait) ->
          Problem.of(ErrorCode.OTP_RATE_LIMITED).retryAfter(wait).answer();
      case CodeRequests.Outcome.MailUnavailable _ -> RegistrationRoutes.mailUnavailable();
    };
  }

  private JsonObject sent(String otpId) {
    return JsonObject.of("message", "If this address can get a code, it is on its way.")
        .put("otp_id", otpId)
        .put("expires_in", codes.life().toSeconds())
        .put("resend_after", codes.interval().toSeconds());
  }

  private Answer verifyOtp(Request request) {
    var fields = request.fields();
    EmailAddress email = Input.email(fields);
    Purpose purpose = Input.purpose(fields);
    Secret digits = Input.digits(fields);
    Optional<String> otpId = Input.otpId(fields);
    if (purpose == Purpose.PASSWORD_CONFIRMATION && otpId.isEmpty()) {
      fields.reject("otp_id", "missing", "A code of this purpose is good only with its otp_id.");
    }
    fields.verify();
    var attempt = new CodeSignin.Attempt(email, purpose, digits, otpId, speaker(request));
    return switch (codeSignin.verify(attempt, request.client())) {
      case CodeSignin.Outcome.SignedIn(var tokens) -> Answer.json(200, tokens.json());
      case CodeSignin.Outcome.MayReset(var token, var expiresIn) ->
          Answer.json(
              200,
              JsonObject.of("reset_token", token.reveal())
                  .put("expires_in", expiresIn.toSeconds()));
      case CodeSignin.Outcome.Refused _ -> Problem.of(ErrorCode.OTP_INVALID).answer();
    };
  }

  /** An access token is not required here, but tells that a session's owner proves the mailbox. */
  private Optional<Principal> speaker(Request request) {
    return request.bearerToken().flatMap(bearer);
  }

  private Answer logout(Request request) {
    var fields = request.fields();
    Secret token = Secret.of(fields.text("refresh_token", SessionRoutes.MAX_TOKEN_LENGTH));
    Leaving.Scope scope = fields.choice("scope", Leaving.Scope::of, Leaving.Scope.LOCAL);
    fields.verify();
    leaving.leave(token, scope, request.client());
    return Answer.message(
        switch (scope) {
          case LOCAL -> "You are signed out.";
          case OTHERS -> "Your other sessions are signed out.";
          case GLOBAL -> "You are signed out everywhere.";
        });
  }
}
