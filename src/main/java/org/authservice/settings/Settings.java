package org.authservice.settings;

import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.authservice.secret.Secret;

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
  private static final Secret NONE = Secret.of("");

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
        Map.entry("LEGACY_ACCESS_MINUTES", ownLegacyAccessLife()),
        Map.entry("LEGACY_REFRESH_DAYS", Long.toString(tokens.legacyRefreshLife().toDays())),
        Map.entry("ACCESS_TOKEN_EXPIRE_MINUTES", tokens.accessLife().toString()),
        Map.entry("session settings", sessionText()),
        Map.entry("OTP settings", codeText()),
        Map.entry(
            "password settings",
            text("PasswordSettings", "hash", passwords.hash(), "policy", passwords.policy())),
        Map.entry("registration settings", registrationText()),
        Map.entry("RATE_LIMIT_PER_MINUTE", Integer.toString(limits.perMinute())),
        Map.entry("RATE_LIMITS", new TreeMap<>(limits.endpoints()).toString()),
        Map.entry("RATE_LIMIT_NETWORKS", new TreeMap<>(limits.networks()).toString()),
        Map.entry("whether REDIS_URL is set", Boolean.toString(limits.redis().isPresent())),
        Map.entry("provider settings", providerText()),
        Map.entry("alarm settings", alarmText()),
        Map.entry("API_CLIENTS", new TreeSet<>(apiClients.secrets().keySet()).toString()),
        Map.entry("AUDIT_RETENTION_DAYS", Long.toString(audit.kept().toDays())),
        Map.entry("BACKEND_CORS_ORIGINS", listener.corsOrigins().toString()));
  }

  /** Empty while it follows the life of other access tokens. */
  private String ownLegacyAccessLife() {
    return tokens.legacyAccessLife().equals(tokens.accessLife())
        ? ""
        : tokens.legacyAccessLife().toString();
  }

  /**
   * What an operator may want to know the changes of, by the settings' names; without secrets.
   *
   * @param publicBaseUrl {@code PUBLIC_BASE_URL} as it is in effect
   */
  public Map<String, String> watched(String publicBaseUrl) {
    Map<String, String> watched = new TreeMap<>(shared(publicBaseUrl));
    watched.put("TRUSTED_PROXIES", limits.trustedProxies().toString());
    watched.put("mail settings", mailText());
    watched.put("ENVIRONMENT", production ? "production" : "development");
    watched.put("DOCS_ENABLED", Boolean.toString(listener.docs()));
    return watched;
  }

  /** The secrets whose changes an operator may want to know of, by the settings' names. */
  public Map<String, Secret> watchedSecrets() {
    Map<String, Secret> watched = new TreeMap<>();
    if (database.location() instanceof DatabaseSettings.Postgres postgres) {
      watched.put("DATABASE_URL", postgres.password());
    }
    watched.put("REDIS_URL", limits.redis().orElse(NONE));
    watched.put("SMTP_PASSWORD", mail.smtp().flatMap(MailSettings.Smtp::password).orElse(NONE));
    watched.put("MAIL_EVENTS_SECRET", mail.eventsKey().orElse(NONE));
    watched.put(
        "SECURITY_WEBHOOK_SECRET",
        alarms.webhook().map(AlarmSettings.Webhook::secret).orElse(NONE));
    watched.put(
        "GOOGLE_CLIENT_SECRET",
        providers.google().map(ProviderSettings.OpenIdProvider::clientSecret).orElse(NONE));
    providers.others().forEach(it -> watched.put("OIDC_PROVIDERS " + it.name(), it.clientSecret()));
    apiClients.secrets().forEach((id, secret) -> watched.put("API_CLIENTS " + id, secret));
    return watched;
  }

  private String sessionText() {
    return text(
        "SessionSettings",
        "idleLife",
        sessions.idleLife(),
        "maxLife",
        sessions.maxLife(),
        "reuseGrace",
        sessions.reuseGrace());
  }

  private String codeText() {
    return text(
        "CodeSettings",
        "life",
        codes.life(),
        "maxAttempts",
        codes.maxAttempts(),
        "interval",
        codes.interval(),
        "perHour",
        codes.perHour(),
        "perDay",
        codes.perDay());
  }

  private String registrationText() {
    return text(
        "RegistrationSettings",
        "loginRequiresVerifiedEmail",
        registration.loginRequiresVerifiedEmail(),
        "privacy",
        registration.privacy(),
        "stepUp",
        registration.stepUp());
  }

  private String providerText() {
    return text(
        "ProviderSettings",
        "google",
        providers.google(),
        "others",
        providers.others(),
        "redirectUrls",
        providers.redirectUrls());
  }

  private String alarmText() {
    return text(
        "AlarmSettings",
        "webhook",
        alarms.webhook(),
        "accountsPerAddress",
        alarms.accountsPerAddress(),
        "accountsPerPassword",
        alarms.accountsPerPassword());
  }

  private String mailText() {
    var look = mail.look();
    return text(
        "MailSettings",
        "smtp",
        mail.smtp(),
        "from",
        mail.from(),
        "maxPerMinute",
        mail.maxPerMinute(),
        "connections",
        mail.connections(),
        "suppression",
        mail.suppression(),
        "eventsKey",
        mail.eventsKey(),
        "look",
        text(
            "Look",
            "brand",
            look.brand(),
            "logo",
            look.logo(),
            "colour",
            look.colour(),
            "support",
            look.support(),
            "language",
            look.language(),
            "templates",
            look.templates()));
  }

  /**
   * What the record's {@code toString} gives. The JVM builds that method anew in each process, out
   * of dozens of small classes, and these are needed at every start.
   */
  private static String text(String record, Object... namesAndValues) {
    var text = new StringBuilder(record).append('[');
    for (int i = 0; i < namesAndValues.length; i += 2) {
      text.append(i == 0 ? "" : ", ").append(namesAndValues[i]);
      text.append('=').append(namesAndValues[i + 1]);
    }
    return text.append(']').toString();
  }
}
