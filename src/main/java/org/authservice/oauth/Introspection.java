package org.authservice.oauth;

import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;
import org.authservice.account.Account;
import org.authservice.account.Accounts;
import org.authservice.json.JsonObject;
import org.authservice.secret.Secret;
import org.authservice.session.PythonSessions;
import org.authservice.session.Sessions;
import org.authservice.session.Sessions.Presented;
import org.authservice.token.BearerTokens;
import org.authservice.token.Revocations;

/**
 * Tells what a token says, if it is good now (RFC 7662). Asking changes nothing: no refresh token
 * rotates by it, and an old one raises no alarm. Of any other text nothing is told, not even why.
 */
final class Introspection {
  private final BearerTokens bearerTokens;
  private final Sessions sessions;
  private final PythonSessions pythonSessions;
  private final Accounts accounts;
  private final Revocations revocations;
  private final MeterRegistry meters;

  Introspection(
      BearerTokens bearerTokens,
      Sessions sessions,
      PythonSessions pythonSessions,
      Accounts accounts,
      Revocations revocations,
      MeterRegistry meters) {
    this.bearerTokens = bearerTokens;
    this.sessions = sessions;
    this.pythonSessions = pythonSessions;
    this.accounts = accounts;
    this.revocations = revocations;
    this.meters = meters;
  }

  /**
   * The answer of RFC 7662, section 2.2. {@code token_use} tells access tokens from refresh tokens,
   * which a resource server must not take for one.
   *
   * @throws org.authservice.http.Unavailable when this node does not know which sessions have ended
   */
  JsonObject of(Secret token) {
    Optional<JsonObject> active = accessToken(token).or(() -> refreshToken(token));
    String outcome = active.isPresent() ? "active" : "inactive";
    meters.counter("auth.introspections", "outcome", outcome).increment();
    return active.orElseGet(() -> JsonObject.of("active", false));
  }

  private Optional<JsonObject> accessToken(Secret token) {
    return bearerTokens
        .living(token.reveal())
        .filter(it -> accounts.of(it.principal()).isPresent())
        .map(it -> {
          var answer =
              JsonObject.of("active", true)
                  .put("token_use", "access_token")
                  .put("token_type", "Bearer");
          it.claims().members().forEach(answer::put);
          return answer;
        });
  }

  private Optional<JsonObject> refreshToken(Secret token) {
    Presented presented = sessions.identify(token);
    if (presented instanceof Presented.Nothing) {
      presented = pythonSessions.acceptable(token);
    }
    return switch (presented) {
      case Presented.Good good
          when isActive(good.userId()) && !revocations.isEnded(good.sessionId()) ->
          Optional.of(
              JsonObject.of("active", true)
                  .put("token_use", "refresh_token")
                  .put("sub", Long.toString(good.userId()))
                  .put("exp", good.expiresAt().getEpochSecond())
                  .put("sid", good.sessionId()));
      case Presented.Good _, Presented.Stale _, Presented.Nothing _ -> Optional.empty();
    };
  }

  private boolean isActive(long userId) {
    return accounts.byId(userId).filter(Account::active).isPresent();
  }
}
