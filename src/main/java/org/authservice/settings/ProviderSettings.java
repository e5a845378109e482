package org.authservice.settings;

import java.util.List;
import java.util.Optional;
import org.authservice.secret.Secret;

/**
 * Signing in with OpenID providers.
 *
 * @param google the provider behind {@code /auth/google}; empty when it is not set up
 * @param others {@code OIDC_PROVIDERS}
 * @param redirectUrls {@code LOGIN_REDIRECT_URLS}
 */
public record ProviderSettings(
    Optional<OpenIdProvider> google, List<OpenIdProvider> others, List<String> redirectUrls) {

  /**
   * One provider.
   *
   * @param name what its endpoints are called
   * @param issuer exactly as its ID tokens name it; also where its discovery document is
   * @param clientId what it calls this service
   * @param nativeClientIds what it calls the apps whose ID tokens are accepted too
   * @param trust when its word on an address counts
   */
  public record OpenIdProvider(
      String name,
      String issuer,
      String clientId,
      Secret clientSecret,
      List<String> nativeClientIds,
      EmailTrust trust) {}

  /** When a provider's claim that an address is verified counts. */
  public enum EmailTrust {
    /** For Google's own addresses and for the domains that it hosts. */
    GOOGLE,
    /** Always. */
    ALWAYS,
    /** Never. */
    NEVER
  }
}
