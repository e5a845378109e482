package org.authservice.settings;

import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

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
    AlarmSettings alarms,
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

  /**
   * What an operator may want to know the changes of, by the settings' names; without secrets.
   *
   * @param publicBaseUrl {@code PUBLIC_BASE_URL} as it is in effect
   */
  public Map<String, String> watched(String publicBaseUrl) {
    Map<String, String> watched = new TreeMap<>(shared(publicBaseUrl));
    watched.put("RATE_LIMIT_PER_MINUTE", Integer.toString(limits.perMinute()));
    watched.put("RATE_LIMITS", new TreeMap<>(limits.endpoints()).toString());
    watched.put("RATE_LIMIT_NETWORKS", new TreeMap<>(limits.networks()).toString());
    watched.put("TRUSTED_PROXIES", limits.trustedProxies().toString());
    watched.put("mail settings", mail.toString());
    watched.put("provider settings", providers.toString());
    watched.put("alarm settings", alarms.toString());
    watched.put("API_CLIENTS", new TreeSet<>(apiClients.secrets().keySet()).toString());
    watched.put("AUDIT_RETENTION_DAYS", Long.toString(audit.kept().toDays()));
    return watched;
  }
}
