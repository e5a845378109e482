package org.authservice.signin;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.authservice.account.EmailAddress;
import org.authservice.account.PersonName;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;
import org.authservice.json.JsonObject;
import org.authservice.secret.Secret;

/** {@code /auth/register}: opening an account. */
public final class RegistrationRoutes {
  private final Registering registering;

  RegistrationRoutes(Registering registering) {
    this.registering = registering;
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.of(Route.open("POST", "/auth/register", this::register));
  }

  static Answer mailUnavailable() {
    return Problem.of(ErrorCode.MAIL_UNAVAILABLE).retryAfter(Duration.ofMinutes(1)).answer();
  }

  private Answer register(Request request) {
    var fields = request.fields();
    EmailAddress email = Input.email(fields);
    Secret password = Input.password(fields, "password");
    Optional<String> text = fields.optionalText("full_name", PersonName.MAX_LENGTH);
    Optional<String> name = text.flatMap(PersonName::parse);
    if (text.isPresent() && name.isEmpty()) {
      fields.reject("full_name", "invalid", PersonName.RULE);
    }
    fields.verify();
    var application = new Registering.Application(email, password, name);
    return switch (registering.register(application, request.client())) {
      case Registering.Outcome.Registered(var account, var otpId, var deviceToken) ->
          Answer.json(
              201,
              account
                  .profile()
                  .json()
                  .put("otp_id", otpId.orElse(null))
                  .put("device_token", deviceToken.reveal()));
      case Registering.Outcome.Pending(var otpId) -> Answer.json(202, pending(otpId));
      case Registering.Outcome.EmailTaken _ -> Problem.of(ErrorCode.EMAIL_TAKEN).answer();
      case Registering.Outcome.PasswordRejected(var reason) ->
          Input.rejected("password", reason).problem().answer();
      case Registering.Outcome.TooManyCodes(var wait) ->
          Problem.of(ErrorCode.OTP_RATE_LIMITED).retryAfter(wait).answer();
      case Registering.Outcome.MailUnavailable _ -> mailUnavailable();
    };
  }

  private static JsonObject pending(String otpId) {
    return JsonObject.of("message", "Check your mail: the code in it completes the registration.")
        .put("otp_id", otpId);
  }
}
