package org.authservice.oauth;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import org.authservice.account.Accounts;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Form;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;
import org.authservice.json.JsonObject;
import org.authservice.oauth.ApiClients.Authentication;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.session.PythonSessions;
import org.authservice.session.Sessions;
import org.authservice.settings.ApiClientSettings;
import org.authservice.signin.Leaving;
import org.authservice.token.BearerTokens;
import org.authservice.token.Revocations;

/**
 * {@code /auth/introspect} and {@code /auth/revoke}. What is wrong with a request is told in
 * OAuth's own form (RFC 6749, section 5.2); limits and outages are problems as everywhere else. A
 * {@code token_type_hint} is ignored, as RFC 7009, section 2.1, allows: each kind of token has a
 * key of its own, so that looking for all kinds costs next to nothing.
 */
public final class OAuthRoutes {
  private final ApiClients clients;
  private final Introspection introspection;
  private final TokenRevocation revocation;

  /** Everything that the routes stand on. */
  public record Parts(
      ApiClientSettings clients,
      Database database,
      Accounts accounts,
      Sessions sessions,
      PythonSessions pythonSessions,
      BearerTokens bearerTokens,
      Revocations revocations,
      Leaving leaving,
      SecurityEvents events,
      Clock clock,
      Secrets secrets,
      MeterRegistry meters) {}

  /** Routes over those parts. */
  public OAuthRoutes(Parts it) {
    this.clients = new ApiClients(it.clients.secrets(), it.events, it.clock, it.secrets, it.meters);
    this.introspection =
        new Introspection(
            it.bearerTokens,
            it.sessions,
            it.pythonSessions,
            it.accounts,
            it.revocations,
            it.meters);
    this.revocation =
        new TokenRevocation(
            it.database,
            it.bearerTokens,
            it.accounts,
            it.sessions,
            it.revocations,
            it.leaving,
            it.events);
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.of(
        Route.open("POST", "/auth/introspect", request -> authenticated(request, this::introspect)),
        Route.open("POST", "/auth/revoke", request -> authenticated(request, this::revoke)));
  }

  private Answer introspect(Request request, Secret token) {
    return Answer.json(200, introspection.of(token));
  }

  private Answer revoke(Request request, Secret token) {
    revocation.revoke(token, request.client());
    return Answer.empty(200);
  }

  private Answer authenticated(Request request, BiFunction<Request, Secret, Answer> work) {
    Optional<Form> form = request.form();
    if (form.isEmpty()) {
      return invalidRequest(
          "Send application/x-www-form-urlencoded, and each parameter only once.");
    }
    Optional<String> header = request.header("authorization");
    Optional<String> secret = form.get().parameter("client_secret");
    if (header.isPresent() && secret.isPresent()) {
      return invalidRequest("Authenticate by the Authorization header or the body, not by both.");
    }
    List<Credentials> credentials =
        header
            .map(Credentials::basic)
            .orElseGet(() -> Credentials.posted(form.get().parameter("client_id"), secret));
    return switch (clients.authenticate(credentials, request.client())) {
      case Authentication.Accepted _ ->
          form.get()
              .parameter("token")
              .map(token -> work.apply(request, Secret.of(token)))
              .orElseGet(() -> invalidRequest("The parameter token is missing."));
      case Authentication.Refused _ -> invalidClient();
      case Authentication.Limited(var wait) ->
          Problem.of(ErrorCode.RATE_LIMITED).retryAfter(wait).answer();
    };
  }

  private static Answer invalidRequest(String description) {
    return error(400, "invalid_request", description);
  }

  private static Answer invalidClient() {
    return error(401, "invalid_client", "The client is unknown or its secret is wrong.")
        .with("WWW-Authenticate", "Basic realm=\"auth\", charset=\"UTF-8\"");
  }

  private static Answer error(int status, String error, String description) {
    return Answer.json(status, JsonObject.of("error", error).put("error_description", description));
  }
}
