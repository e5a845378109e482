package org.authservice.settings;

import java.util.Map;

/**
 * All settings, one record per concern.
 *
 * @param production whether {@code ENVIRONMENT} is {@code production}
 */
public record Settings(
    boolean production,
    ListenerSettings listener,
    DatabaseSettings database,
    TokenSettings tokens,
    SessionSettings sessions,
    CodeSettings codes,
    PasswordSettings passwords,
    RegistrationSettings registration,
    MailSettings mail,
    ProviderSettings providers,
    LimitSettings limits,
    ApiClientSettings apiClients,
    LogSettings logs,
    TracingSettings tracing,
    AuditSettings audit) {

  /**
   * What must be the same on every node, by the settings' names; without secrets.
   *
   * @param publicBaseUrl {@code PUBLIC_BASE_URL} as it is in effect
   */
  public Map<String, String> shared(String publicBaseUrl) {
    return Map.ofEntries(
        Map.entry("PUBLIC_BASE_URL", publicBaseUrl),
        Map.entry("ALGORITHM", tokens.algorithm().toString()),
        Map.entry("JWT_ISSUER", tokens.issuer().toString()),
        Map.entry("JWT_AUDIENCE", tokens.audience().toString()),
        Map.entry("LEGACY_TOKENS", tokens.legacy().toString()),
        Map.entry("ACCESS_TOKEN_EXPIRE_MINUTES", tokens.accessLife().toString()),
        Map.entry("session settings", sessions.toString()),
        Map.entry("OTP settings", codes.toString()),
        Map.entry("password settings", passwords.toString()),
        Map.entry("registration settings", registration.toString()));
  }
}
