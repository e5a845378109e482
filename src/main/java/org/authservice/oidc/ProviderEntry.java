package org.authservice.oidc;

import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.time.Clock;
import java.util.function.Supplier;
import org.authservice.operations.Tracing;
import org.authservice.settings.ProviderSettings.EmailTrust;
import org.authservice.settings.ProviderSettings.OpenIdProvider;
import org.jspecify.annotations.Nullable;

/** A provider that is set up. What speaks to it is loaded when somebody first signs in there. */
final class ProviderEntry {
  private final OpenIdProvider settings;
  private final URI callback;
  private final Supplier<Provider> loader;
  private @Nullable Provider provider;

  /** The provider whose endpoints are below that path. */
  ProviderEntry(
      OpenIdProvider settings,
      URI publicBaseUrl,
      String path,
      Clock clock,
      MeterRegistry meters,
      Tracing tracing) {
    this.settings = settings;
    this.callback = publicBaseUrl.resolve(path + "/callback");
    this.loader = () -> new Provider(settings, clock, meters, tracing);
  }

  String name() {
    return settings.name();
  }

  String issuer() {
    return settings.issuer();
  }

  /** Whether it is the one that the Python service knows too. */
  boolean google() {
    return settings.trust() == EmailTrust.GOOGLE;
  }

  /** Where it sends browsers back to; from {@code PUBLIC_BASE_URL}, never from a request. */
  URI callback() {
    return callback;
  }

  synchronized Provider provider() {
    if (provider == null) {
      provider = loader.get();
    }
    return provider;
  }
}
