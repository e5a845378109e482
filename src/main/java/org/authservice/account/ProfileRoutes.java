package org.authservice.account;

import java.util.List;
import java.util.Optional;
import org.authservice.http.Answer;
import org.authservice.http.ErrorCode;
import org.authservice.http.Problem;
import org.authservice.http.Request;
import org.authservice.http.Route;

/** {@code /auth/profile}: the signed-in user's own account. */
public final class ProfileRoutes {
  private final Accounts accounts;

  /** Routes to those accounts. */
  public ProfileRoutes(Accounts accounts) {
    this.accounts = accounts;
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.of(
        Route.bearer("GET", "/auth/profile", this::show),
        Route.bearer("PUT", "/auth/profile", this::change));
  }

  private Answer show(Request request) {
    return answer(accounts.of(request.principal()));
  }

  private Answer change(Request request) {
    Optional<Account> account = accounts.of(request.principal());
    if (account.isEmpty()) {
      return answer(account);
    }
    var fields = request.fields();
    Optional<String> text = fields.optionalText("full_name", PersonName.MAX_LENGTH);
    Optional<String> name = text.flatMap(PersonName::parse);
    if (!fields.has("full_name")) {
      fields.reject("full_name", "missing", "This member is required; null clears the name.");
    } else if (text.isPresent() && name.isEmpty()) {
      fields.reject("full_name", "invalid", PersonName.RULE);
    }
    fields.verify();
    return answer(accounts.rename(account.get().id(), name));
  }

  private static Answer answer(Optional<Account> account) {
    return account
        .map(found -> Answer.json(200, found.profile().json()))
        .orElseGet(() -> Problem.of(ErrorCode.TOKEN_INVALID).answer());
  }
}
