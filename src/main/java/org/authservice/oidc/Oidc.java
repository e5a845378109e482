package org.authservice.oidc;

import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.authservice.account.Accounts;
import org.authservice.account.Identities;
import org.authservice.audit.SecurityEvents;
import org.authservice.database.Database;
import org.authservice.http.Principal;
import org.authservice.http.Route;
import org.authservice.mail.Outbox;
import org.authservice.operations.Tracing;
import org.authservice.ratelimit.Devices;
import org.authservice.session.Sessions;
import org.authservice.settings.ProviderSettings;
import org.authservice.settings.ProviderSettings.OpenIdProvider;
import org.authservice.signin.MailboxProof;

/** Signing in with OpenID providers, wired: what the composition root needs of it. */
public final class Oidc {
  private final List<Route> routes = new ArrayList<>();

  /** Everything it stands on. */
  public record Parts(
      Database database,
      ProviderSettings settings,
      URI publicBaseUrl,
      Accounts accounts,
      Identities identities,
      Devices devices,
      Outbox outbox,
      SecurityEvents events,
      Sessions sessions,
      Function<String, Optional<Principal>> bearer,
      Clock clock,
      MeterRegistry meters,
      Tracing tracing) {}

  /**
   * Sign-in over those parts.
   *
   * @param pending what waits in the database, which revoking an account's credentials ends too
   */
  public Oidc(Parts it, Pending pending, MailboxProof proof) {
    var admission = new Admission(it, proof, pending.codes());
    var linking = new Linking(it);
    Map<String, ProviderSignin> providers = new HashMap<>();
    it.settings
        .google()
        .ifPresent(google -> {
          providers.put(
              google.name(), signin(it, google, "/auth/google", pending, admission, linking));
        });
    for (OpenIdProvider other : it.settings.others()) {
      String path = "/auth/oidc/" + other.name();
      providers.put(other.name(), signin(it, other, path, pending, admission, linking));
    }
    routes.addAll(
        new OidcRoutes(
                providers,
                linking,
                pending.flows(),
                Set.copyOf(it.settings.redirectUrls()),
                it.publicBaseUrl,
                it.bearer)
            .routes());
    routes.addAll(new ExchangeRoutes(new Exchanging(it, pending.codes())).routes());
  }

  /** The endpoints. */
  public List<Route> routes() {
    return List.copyOf(routes);
  }

  private static ProviderSignin signin(
      Parts it,
      OpenIdProvider settings,
      String path,
      Pending pending,
      Admission admission,
      Linking linking) {
    var entry =
        new ProviderEntry(settings, it.publicBaseUrl, path, it.clock, it.meters, it.tracing);
    return new ProviderSignin(entry, pending.flows(), admission, linking);
  }
}
