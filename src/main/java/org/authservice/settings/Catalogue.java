package org.authservice.settings;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Every setting there is, in the order in which they are documented. */
final class Catalogue {
  static final List<Setting> ALL =
      List.of(
          Setting.of(
              "ENVIRONMENT", "development", "production", "production turns every convenience off"),
          Setting.of("HOST", "127.0.0.1", "0.0.0.0", "address to listen on"),
          Setting.of("PORT", "8000", "8000", "port to listen on; 0 takes any free one"),
          Setting.of(
              "MANAGEMENT_PORT",
              "9000",
              "9000",
              "port of /metrics, /health/live and /health/ready; 0 turns it off"),
          Setting.of(
              "PUBLIC_BASE_URL",
              "http://localhost:PORT",
              "https://auth.example.com",
              "origin under which clients reach the service"),
          Setting.secret(
              "DATABASE_URL",
              "sqlite:///./auth.db",
              "postgresql://auth:secret@localhost:5432/auth",
              "SQLite file or PostgreSQL database"),
          Setting.of(
              "MIGRATE_ON_START",
              "true",
              "false",
              "false: refuse to start while migrations are pending"),
          Setting.of(
              "DATABASE_READ_URL",
              "",
              "postgresql://auth@replica:5432/auth",
              "replica for lists that may be a moment behind, such as one's sessions"),
          Setting.of("DATABASE_POOL_SIZE", "10", "20", "connections to PostgreSQL, 1 to 200"),
          Setting.secret(
              "SECRET_KEY",
              "generated into .auth-secret (development with SQLite)",
              "the output of: openssl rand -hex 32",
              "signs access tokens; at least 32 bytes"),
          Setting.secret(
              "SECRET_KEY_PREVIOUS",
              "",
              "[\"an-older-key-of-at-least-32-bytes-length\"]",
              "other keys, JSON list or one plain: they verify and decrypt, never sign"),
          Setting.of(
              "ALGORITHM",
              "HS256",
              "ES256",
              "signs access tokens: HS256, HS384, HS512, RS256, ES256 or EdDSA"),
          Setting.of(
              "JWT_ISSUER",
              "PUBLIC_BASE_URL",
              "https://auth.example.com",
              "claim iss of access tokens"),
          Setting.of("JWT_AUDIENCE", "", "https://api.example.com", "claim aud of access tokens"),
          Setting.of(
              "LEGACY_TOKENS",
              "auto",
              "2027-01-31T00:00:00Z",
              "accept the Python service's tokens: auto, true, false or an end date"),
          Setting.of(
              "LEGACY_ACCESS_MINUTES",
              "ACCESS_TOKEN_EXPIRE_MINUTES",
              "30",
              "life of the Python service's access tokens"),
          Setting.of(
              "LEGACY_REFRESH_DAYS",
              "REFRESH_TOKEN_EXPIRE_DAYS",
              "7",
              "life of the Python service's refresh tokens"),
          Setting.of(
              "ACCESS_TOKEN_EXPIRE_MINUTES", "30", "15", "life of an access token, 1 to 1440"),
          Setting.of("REFRESH_TOKEN_EXPIRE_DAYS", "7", "14", "idle life of a session, 1 to 365"),
          Setting.of("SESSION_MAX_DAYS", "30", "90", "absolute life of a session, 1 to 3650"),
          Setting.of(
              "REFRESH_REUSE_GRACE_SECONDS",
              "30",
              "10",
              "how long a repeated refresh token is a lost answer, 0 to 300"),
          Setting.of("OTP_EXPIRY_MINUTES", "10", "5", "life of a code, 1 to 60"),
          Setting.of("OTP_MAX_ATTEMPTS", "3", "5", "comparisons per code, 1 to 10"),
          Setting.of(
              "OTP_RATE_LIMIT_MINUTES",
              "1",
              "2",
              "between two codes for one address and purpose, 0 to 60; 0 is off"),
          Setting.of("OTP_MAX_PER_HOUR", "10", "10", "codes per address and purpose in an hour"),
          Setting.of("OTP_MAX_PER_DAY", "20", "20", "codes per address and purpose in a day"),
          Setting.of(
              "BACKEND_CORS_ORIGINS",
              "[\"http://localhost:3000\"]; [] in production",
              "[\"https://app.example.com\"]",
              "origins whose pages may call, JSON list"),
          Setting.of(
              "GOOGLE_CLIENT_ID",
              "",
              "1234-abc.apps.googleusercontent.com",
              "this service's client at Google, with GOOGLE_CLIENT_SECRET"),
          Setting.secret("GOOGLE_CLIENT_SECRET", "", "GOCSPX-abc", "the client's secret"),
          Setting.of(
              "GOOGLE_ISSUER",
              "https://accounts.google.com",
              "https://accounts.google.com",
              "the OpenID provider behind /auth/google"),
          Setting.of(
              "GOOGLE_CLIENT_IDS",
              "[]",
              "[\"1234-android.apps.googleusercontent.com\"]",
              "clients of native apps, whose ID tokens are accepted too, JSON list"),
          Setting.secret(
              "OIDC_PROVIDERS",
              "[]",
              "[{\"name\": \"school\", \"issuer\": \"https://id.school.example\", \"client_id\": \"auth\","
                  + " \"client_secret\": \"its-secret\", \"trust_email\": true}]",
              "further OpenID providers, JSON list"),
          Setting.of(
              "LOGIN_REDIRECT_URLS",
              "[]",
              "[\"https://app.example.com/signed-in\"]",
              "where a provider's sign-in may return to, exactly, JSON list"),
          Setting.of(
              "SMTP_HOST",
              "",
              "smtp.example.com",
              "mail server; without it development prints mails"),
          Setting.of("SMTP_PORT", "587", "587", "its port"),
          Setting.of("SMTP_USERNAME", "", "auth", "its user, with SMTP_PASSWORD"),
          Setting.secret("SMTP_PASSWORD", "", "secret", "its password"),
          Setting.of("SMTP_TLS", "starttls", "tls", "starttls, tls or none"),
          Setting.of(
              "MAIL_FROM",
              "",
              "no-reply@example.com",
              "sender of the mails; needed with SMTP_HOST"),
          Setting.of("PASSWORD_HASH", "auto", "argon2id", "auto, argon2id or bcrypt"),
          Setting.of("PASSWORD_POLICY", "composition", "length", "composition, length or either"),
          Setting.of(
              "LOGIN_REQUIRES_VERIFIED_EMAIL",
              "false",
              "true",
              "refuse passwords until the address is verified"),
          Setting.of(
              "REGISTRATION_PRIVACY",
              "false",
              "true",
              "registering never tells whether an address has an account"),
          Setting.of(
              "STEP_UP",
              "off",
              "suspicious",
              "suspicious: a password from an unknown device needs an e-mailed code too"),
          Setting.of("RATE_LIMIT_PER_MINUTE", "100", "300", "requests per client; 0 is off"),
          Setting.of(
              "RATE_LIMITS",
              "{}",
              "{\"POST /auth/login\": \"20/minute\"}",
              "further limits per endpoint, JSON"),
          Setting.of(
              "RATE_LIMIT_NETWORKS",
              "{}",
              "{\"203.0.113.0/24\": 5000}",
              "requests per minute for each address of a network, JSON"),
          Setting.of(
              "SUSPICIOUS_ACCOUNTS_PER_ADDRESS",
              "100",
              "300",
              "from how many accounts with wrong passwords an hour one address is an alarm, 0 to"
                  + " 1000; 0 is off"),
          Setting.of(
              "SUSPICIOUS_ACCOUNTS_PER_PASSWORD",
              "20",
              "50",
              "from how many accounts an hour one wrong password is an alarm, 0 to 1000; 0 is"
                  + " off"),
          Setting.of(
              "SECURITY_WEBHOOK_URL",
              "",
              "https://alarms.example.com/auth",
              "where alarms are posted, https"),
          Setting.secret(
              "SECURITY_WEBHOOK_SECRET",
              "",
              "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
              "signs them; at least 24 bytes, or whsec_ and base64"),
          Setting.of("MAIL_MAX_PER_MINUTE", "600", "60", "outgoing mail per node"),
          Setting.of(
              "MAIL_CONNECTIONS", "4", "8", "mails sent at the same time by one node, 1 to 50"),
          Setting.of(
              "MAIL_SUPPRESSION_DAYS",
              "7",
              "30",
              "how long an address that does not exist gets no mail, 0 to 365; 0 is off"),
          Setting.secret(
              "MAIL_EVENTS_SECRET",
              "",
              "a-long-random-text-shared-with-the-sender",
              "key of the signatures at POST /mail/events, 16 bytes at least; without it there is none"),
          Setting.of(
              "MAIL_LANGUAGE",
              "en",
              "es",
              "language of mails when neither account nor request says one"),
          Setting.of(
              "MAIL_TEMPLATES_DIR",
              "",
              "/etc/auth/mail",
              "folder with texts of your own, per language"),
          Setting.of(
              "MAIL_BRAND_NAME",
              "host of PUBLIC_BASE_URL",
              "Example School",
              "who the mails are from, in their text"),
          Setting.of(
              "MAIL_BRAND_LOGO",
              "",
              "https://www.example.com/logo.png",
              "picture at the top of the mails, https"),
          Setting.of("MAIL_BRAND_COLOUR", "#3b5bdb", "#0a7d5c", "colour of the mails' edge"),
          Setting.of(
              "MAIL_SUPPORT_ADDRESS",
              "",
              "help@example.com",
              "whom the mails tell to write to with questions"),
          Setting.secret(
              "REDIS_URL",
              "",
              "redis://localhost:6379",
              "where several nodes share their request limits"),
          Setting.of(
              "TRUSTED_PROXIES",
              "[]",
              "[\"10.0.0.0/8\"]",
              "networks whose forwarding headers are believed, JSON list"),
          Setting.secret(
              "API_CLIENTS",
              "{}",
              "{\"orders\": \"its-secret\"}",
              "who may introspect and revoke, JSON"),
          Setting.of(
              "AUDIT_RETENTION_DAYS", "365", "90", "how long security events are kept, 1 to 36500"),
          Setting.of(
              "OTEL_EXPORTER_OTLP_ENDPOINT",
              "",
              "http://localhost:4318",
              "where traces are sent by OTLP over HTTP; without it nothing is traced"),
          Setting.of(
              "OTEL_SERVICE_NAME",
              "auth-service",
              "auth-eu",
              "what the service is called in traces"),
          Setting.of(
              "OTEL_TRACES_SAMPLER",
              "parentbased_always_on",
              "parentbased_traceidratio",
              "which traces are kept; the other OTEL_* variables work too"),
          Setting.of("OTEL_TRACES_SAMPLER_ARG", "", "0.1", "the share of them"),
          Setting.secret(
              "OTEL_EXPORTER_OTLP_HEADERS", "", "api-key=secret", "headers for the collector"),
          Setting.of("OTEL_SDK_DISABLED", "false", "true", "true sends no traces at all"),
          Setting.of("LOG_LEVEL", "INFO", "DEBUG", "TRACE, DEBUG, INFO, WARN or ERROR"),
          Setting.of("LOG_FORMAT", "text; json in production", "json", "text or json"),
          Setting.of(
              "LOG_FILE",
              "",
              "/var/log/auth-service/auth.log",
              "file that the log is written to as well, a new one each day and when it is full"),
          Setting.of("LOG_FILE_MEGABYTES", "100", "20", "when a log file is full, 1 to 10000"),
          Setting.of("LOG_FILE_DAYS", "14", "30", "how long former log files are kept, 1 to 3650"),
          Setting.of("SLOW_REQUEST_SECONDS", "2", "1", "slower requests are warned about"),
          Setting.of(
              "SHUTDOWN_DELAY_SECONDS",
              "0; 5 in production",
              "5",
              "not ready, but still serving, before the end; 0 to 60"),
          Setting.of(
              "DOCS_ENABLED",
              "true; false in production",
              "true",
              "serve /docs, /redoc and /openapi.json"));

  static final Map<String, Setting> BY_NAME =
      ALL.stream().collect(Collectors.toMap(Setting::name, setting -> setting));

  private Catalogue() {}
}
