package org.authservice.oidc;

import java.util.List;
import java.util.Optional;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;
import org.authservice.secret.Secret;
import org.authservice.session.Tokens;

/** {@code /auth/exchange}: an app collects a sign-in. */
final class ExchangeRoutes {
  private static final int MAX_LENGTH = 512;

  private final Exchanging exchanging;

  ExchangeRoutes(Exchanging exchanging) {
    this.exchanging = exchanging;
  }

  List<Route> routes() {
    return List.of(Route.open("POST", "/auth/exchange", this::exchange));
  }

  private Answer exchange(Request request) {
    var fields = request.fields();
    Secret code = Secret.of(fields.text("code", MAX_LENGTH));
    Secret verifier = Secret.of(fields.text("code_verifier", MAX_LENGTH));
    fields.verify();
    Optional<Tokens> tokens = exchanging.exchange(code, verifier, request.client());
    return tokens
        .map(it -> Answer.json(200, it.json()))
        .orElseGet(() -> Problem.of(ErrorCode.EXCHANGE_CODE_INVALID).answer());
  }
}
