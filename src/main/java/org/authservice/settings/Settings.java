package org.authservice.settings;

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
    LogSettings logs) {}
