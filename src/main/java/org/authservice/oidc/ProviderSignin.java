package org.authservice.oidc;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import org.authservice.http.Client;
import org.authservice.oidc.SigninOutcome.Refusal;
import org.authservice.secret.Secret;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Signing in at one provider: through a browser, or with an ID token that a native app got. The
 * provider is asked before and after, never inside, a transaction, and for four seconds at most
 * over all the calls of one request.
 */
final class ProviderSignin {
  private static final Logger log = LoggerFactory.getLogger(ProviderSignin.class);
  private static final Duration PATIENCE = Duration.ofSeconds(4);

  private final ProviderEntry entry;
  private final Flows flows;
  private final Admission admission;
  private final Linking linking;

  ProviderSignin(ProviderEntry entry, Flows flows, Admission admission, Linking linking) {
    this.entry = entry;
    this.flows = flows;
    this.admission = admission;
    this.linking = linking;
  }

  /** How beginning can end. */
  sealed interface Beginning {
    /** The browser goes to the provider, keeping this flow's cookie. */
    record Begun(URI authorization, Secret state, Secret browser) implements Beginning {}

    /** The provider cannot be asked. */
    record Failed(Refusal refusal) implements Beginning {}
  }

  /** What the provider sent the browser back with. */
  record Callback(
      Optional<String> state,
      Optional<Secret> browser,
      Optional<String> code,
      Optional<String> error,
      Optional<String> issuer) {}

  /**
   * How a flow ended.
   *
   * @param aim where it was to lead; empty when no flow was found
   */
  record Ended(SigninOutcome outcome, Optional<Flows.Aim> aim) {}

  /** Begins a flow in a browser. */
  Beginning begin(Flows.Aim aim) {
    var flow = flows.begin();
    try {
      URI authorization =
          entry
              .provider()
              .authorization(entry.callback(), flow.state(), flow.secrets(), Deadline.in(PATIENCE));
      flows.keep(entry.name(), flow, aim);
      return new Beginning.Begun(authorization, flow.state(), flow.browser());
    } catch (ProviderFault fault) {
      return new Beginning.Failed(failure(fault));
    }
  }

  /** Finishes a flow: the state is spent first, whatever the provider said. */
  Ended finish(Callback callback, Client client) {
    Optional<Flows.Returned> flow =
        callback
            .state()
            .flatMap(state ->
                callback
                    .browser()
                    .flatMap(browser -> flows.take(entry.name(), Secret.of(state), browser)));
    return flow.map(it -> new Ended(finish(callback, it, client), Optional.of(it.aim())))
        .orElseGet(() -> new Ended(Refusal.STATE_INVALID, Optional.empty()));
  }

  /** Signs in with an ID token that an app got. */
  SigninOutcome signIn(Secret idToken, Secret nonce, Optional<Long> bearer, Client client) {
    return switch (accept(idToken, nonce)) {
      case Accepted.Good(var person) ->
          admission.admit(new Admission.Visitor(person, bearer, Optional.empty(), client));
      case Accepted.Bad(var refusal) -> refusal;
    };
  }

  /** Links the person whom an ID token speaks of that an app got. */
  SigninOutcome link(Secret idToken, Secret nonce, Flows.Linker linker, Client client) {
    return switch (accept(idToken, nonce)) {
      case Accepted.Good(var person) -> linking.link(linker, person.identity(), client);
      case Accepted.Bad(var refusal) -> refusal;
    };
  }

  /** Unlinks this provider's identity from the account. */
  Linking.Unlinking unlink(Flows.Linker linker, Client client) {
    return linking.unlink(linker, entry.issuer(), entry.google(), client);
  }

  /** What came of an app's ID token. */
  private sealed interface Accepted {
    record Good(Person person) implements Accepted {}

    record Bad(Refusal refusal) implements Accepted {}
  }

  /** The nonce is spent only by a good token: a stranger's junk does not use it up. */
  private Accepted accept(Secret idToken, Secret nonce) {
    Person person;
    try {
      person = entry.provider().accept(idToken.reveal(), nonce, Deadline.in(PATIENCE));
    } catch (ProviderFault fault) {
      Refusal refusal = failure(fault);
      return new Accepted.Bad(
          refusal == Refusal.NOT_ACCEPTABLE ? Refusal.ID_TOKEN_INVALID : refusal);
    }
    return flows.spendNonce(nonce)
        ? new Accepted.Good(person)
        : new Accepted.Bad(Refusal.ID_TOKEN_INVALID);
  }

  private SigninOutcome finish(Callback callback, Flows.Returned flow, Client client) {
    if (callback.error().isPresent()) {
      return denial(callback.error().get());
    }
    if (callback.code().isEmpty()) {
      return Refusal.NOT_ACCEPTABLE;
    }
    Person person;
    try {
      Deadline deadline = Deadline.in(PATIENCE);
      Provider provider = entry.provider();
      provider.requireIssuer(callback.issuer(), deadline);
      Secret code = Secret.of(callback.code().get());
      person = provider.redeem(code, entry.callback(), flow.secrets(), deadline);
    } catch (ProviderFault fault) {
      return failure(fault);
    }
    return flow.aim()
        .linking()
        .map(linker -> linking.link(linker, person.identity(), client))
        .orElseGet(() ->
            admission.admit(
                new Admission.Visitor(
                    person, Optional.empty(), flow.aim().codeChallenge(), client)));
  }

  /** RFC 6749, section 4.1.2.1, and OpenID Connect Core 1.0, section 3.1.2.6. */
  private Refusal denial(String error) {
    return switch (error) {
      case "access_denied",
          "interaction_required",
          "login_required",
          "account_selection_required",
          "consent_required" ->
          Refusal.DENIED;
      case "server_error", "temporarily_unavailable" -> Refusal.DOWN;
      default -> {
        log.warn("{} ended a sign-in with an error that it should not", entry.name());
        yield Refusal.NOT_ACCEPTABLE;
      }
    };
  }

  private Refusal failure(ProviderFault fault) {
    log.warn("{}: {}", entry.name(), fault.getMessage());
    return switch (fault.kind()) {
      case UNAVAILABLE -> Refusal.DOWN;
      case REFUSED -> Refusal.NOT_ACCEPTABLE;
    };
  }
}
