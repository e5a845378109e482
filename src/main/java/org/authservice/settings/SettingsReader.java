package org.authservice.settings;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;

/** Reads every setting once, from the environment and then from {@code .env}. */
public final class SettingsReader {
  private static final Pattern REDIS =
      Pattern.compile(
          "rediss?://([^@/\\s]*@)?([a-zA-Z0-9._-]+|\\[[0-9a-f:.]+])(:[0-9]{1,5})?(/[0-9]*)?");

  private final Source source;
  private final Path folder;
  private final Secrets secrets;
  private final boolean makesFiles;
  private final List<String> warnings = new ArrayList<>();

  private SettingsReader(Source source, Path folder, Secrets secrets, boolean makesFiles) {
    this.source = source;
    this.folder = folder;
    this.secrets = secrets;
    this.makesFiles = makesFiles;
  }

  /**
   * What was read.
   *
   * @param effective each setting's value as it may be shown, and where it came from
   * @param warnings a line each
   */
  public record Result(Settings settings, List<Effective> effective, List<String> warnings) {}

  /**
   * One setting as it is in effect.
   *
   * @param value masked when it is secret
   * @param origin {@code default}, {@code environment}, {@code .env} or a file
   */
  public record Effective(String name, String value, String origin) {}

  /**
   * Reads the settings of a service that is to start.
   *
   * @param folder the working folder, where {@code .env}, the database and the secret file are; the
   *     last is made when it is needed and not there
   * @throws StartFailure with one line per problem
   */
  public static Result read(Map<String, String> environment, Path folder, Secrets secrets) {
    return read(environment, folder, secrets, true);
  }

  /** The same for an operator's command, which leaves no file behind in the wrong folder. */
  public static Result look(Map<String, String> environment, Path folder, Secrets secrets) {
    return read(environment, folder, secrets, false);
  }

  private static Result read(
      Map<String, String> environment, Path folder, Secrets secrets, boolean makesFiles) {
    DotEnv.Content file = DotEnv.read(folder);
    var source = new Source(environment, file.values());
    var reader = new SettingsReader(source, folder, secrets, makesFiles);
    reader.warnings.addAll(file.warnings());
    file.values().keySet().forEach(reader::warnIfUnknown);
    Settings settings = reader.settings();
    if (!source.problems().isEmpty()) {
      throw new StartFailure(String.join(System.lineSeparator(), source.problems()));
    }
    return new Result(settings, source.effective(), reader.warnings);
  }

  private Settings settings() {
    boolean production =
        source.word("ENVIRONMENT", Map.of("development", false, "production", true), false);
    if (production) {
      for (String name : List.of("SECRET_KEY", "DATABASE_URL", "PUBLIC_BASE_URL")) {
        source.require(name, "production needs it");
      }
    }
    ListenerSettings listener = new ListenerSettingsReader(source).read(production);
    DatabaseSettings database = database();
    return new Settings(
        production,
        listener,
        database,
        new TokenSettingsReader(source, folder, secrets, makesFiles)
            .read(production, listener, database),
        new SessionSettings(
            Duration.ofDays(source.number("REFRESH_TOKEN_EXPIRE_DAYS", 7, 1, 365)),
            Duration.ofDays(source.number("SESSION_MAX_DAYS", 30, 1, 3650)),
            Duration.ofSeconds(source.number("REFRESH_REUSE_GRACE_SECONDS", 30, 0, 300))),
        new CodeSettings(
            Duration.ofMinutes(source.number("OTP_EXPIRY_MINUTES", 10, 1, 60)),
            source.number("OTP_MAX_ATTEMPTS", 3, 1, 10),
            Duration.ofMinutes(source.number("OTP_RATE_LIMIT_MINUTES", 1, 0, 60)),
            source.number("OTP_MAX_PER_HOUR", 10, 1, 1_000_000),
            source.number("OTP_MAX_PER_DAY", 20, 1, 1_000_000)),
        passwords(),
        new RegistrationSettings(
            source.flag("LOGIN_REQUIRES_VERIFIED_EMAIL", false),
            source.flag("REGISTRATION_PRIVACY", false),
            stepUp(production)),
        new MailSettingsReader(source, folder).read(),
        new ProviderSettingsReader(source).read(),
        limits(),
        new AlarmSettingsReader(source).read(production),
        apiClients(),
        new LogSettingsReader(source, folder).read(production),
        tracing(),
        new AuditSettings(Duration.ofDays(source.number("AUDIT_RETENTION_DAYS", 365, 1, 36_500))));
  }

  private DatabaseSettings database() {
    DatabaseSettings.Location location =
        location("DATABASE_URL", source.text("DATABASE_URL").orElse("sqlite:///./auth.db"))
            .orElseGet(() -> new DatabaseSettings.Sqlite(folder.resolve("auth.db"), false));
    return new DatabaseSettings(
        location,
        source.number("DATABASE_POOL_SIZE", 10, 1, 200),
        source.flag("MIGRATE_ON_START", true),
        source.text("DATABASE_READ_URL").flatMap(url -> replica(url, location)));
  }

  private Optional<DatabaseSettings.Postgres> replica(
      String url, DatabaseSettings.Location primary) {
    Optional<DatabaseSettings.Location> replica = location("DATABASE_READ_URL", url);
    if (replica.isPresent()
        && replica.get() instanceof DatabaseSettings.Postgres postgres
        && primary instanceof DatabaseSettings.Postgres) {
      return Optional.of(postgres);
    }
    source.reject("DATABASE_READ_URL", "only PostgreSQL has replicas");
    return Optional.empty();
  }

  private Optional<DatabaseSettings.Location> location(String name, String url) {
    try {
      return Optional.of(DatabaseUrl.parse(url, folder));
    } catch (Unfit unfit) {
      source.reject(name, unfit.reason());
      return Optional.empty();
    }
  }

  private PasswordSettings passwords() {
    return new PasswordSettings(
        source.word(
            "PASSWORD_HASH",
            Map.of(
                "auto", PasswordSettings.Hash.AUTO,
                "argon2id", PasswordSettings.Hash.ARGON2ID,
                "bcrypt", PasswordSettings.Hash.BCRYPT),
            PasswordSettings.Hash.AUTO),
        source.word(
            "PASSWORD_POLICY",
            Map.of(
                "composition", PasswordSettings.Policy.COMPOSITION,
                "length", PasswordSettings.Policy.LENGTH,
                "either", PasswordSettings.Policy.EITHER),
            PasswordSettings.Policy.COMPOSITION));
  }

  private boolean stepUp(boolean production) {
    boolean stepUp = source.word("STEP_UP", Map.of("off", false, "suspicious", true), false);
    if (stepUp && production && source.text("SMTP_HOST").isEmpty()) {
      source.reject("STEP_UP", "it mails codes, and SMTP_HOST is not set");
    }
    return stepUp;
  }

  private LimitSettings limits() {
    return new LimitSettings(
        source.number("RATE_LIMIT_PER_MINUTE", 100, 0, 1_000_000),
        source.rates("RATE_LIMITS"),
        source.networks("RATE_LIMIT_NETWORKS"),
        redis(),
        source.networkList("TRUSTED_PROXIES"));
  }

  private ApiClientSettings apiClients() {
    Map<String, Secret> secrets = source.secrets("API_CLIENTS");
    secrets.forEach((id, secret) -> {
      if (secret.bytes().length < KeyRules.LEAST_CLIENT_BYTES) {
        warnings.add(
            "API_CLIENTS: the secret of %s has fewer than %d bytes and could be guessed."
                .formatted(id, KeyRules.LEAST_CLIENT_BYTES));
      }
    });
    return new ApiClientSettings(secrets);
  }

  private Optional<Secret> redis() {
    Optional<String> url = source.text("REDIS_URL");
    if (url.filter(it -> !REDIS.matcher(it).matches()).isPresent()) {
      source.reject("REDIS_URL", "it must be redis(s)://[user:password@]host[:port][/number]");
    }
    return url.map(Secret::of);
  }

  private TracingSettings tracing() {
    boolean somewhere =
        source.text("OTEL_EXPORTER_OTLP_ENDPOINT").isPresent()
            || source.text("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").isPresent();
    boolean on = somewhere && !source.flag("OTEL_SDK_DISABLED", false);
    return new TracingSettings(on, source.startingWith(TracingSettings.PREFIX));
  }

  private void warnIfUnknown(String name) {
    if (name.startsWith(TracingSettings.PREFIX)) {
      return; // there are many, and OpenTelemetry reads them
    }
    if (!Catalogue.BY_NAME.containsKey(name)) {
      String nearest =
          Collections.min(
              Catalogue.BY_NAME.keySet(),
              (one, other) -> Integer.compare(distance(name, one), distance(name, other)));
      warnings.add(DotEnv.FILE + ": unknown setting " + name + "; did you mean " + nearest + "?");
    }
  }

  /** Levenshtein's. */
  private static int distance(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j <= other.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= other.length(); j++) {
        int substitution = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(substitution, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[other.length()];
  }
}
