package org.authservice.settings;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import org.authservice.secret.Secret;
import org.authservice.secret.Secrets;
import org.authservice.settings.TokenSettings.Algorithm;
import org.authservice.settings.TokenSettings.Legacy;

/** Reads the keys, the algorithm and the life of tokens. */
final class TokenSettingsReader {
  private final Source source;
  private final Path folder;
  private final Secrets secrets;
  private final boolean makesFiles;

  /** With {@code makesFiles} a secret key that is missing is made. */
  TokenSettingsReader(Source source, Path folder, Secrets secrets, boolean makesFiles) {
    this.source = source;
    this.folder = folder;
    this.secrets = secrets;
    this.makesFiles = makesFiles;
  }

  /** Those of a service that listens there and keeps its data there. */
  TokenSettings read(boolean production, ListenerSettings listener, DatabaseSettings database) {
    int accessMinutes = source.number("ACCESS_TOKEN_EXPIRE_MINUTES", 30, 1, 1440);
    int refreshDays = source.number("REFRESH_TOKEN_EXPIRE_DAYS", 7, 1, 365);
    Algorithm algorithm = algorithm();
    Secret key = secretKey(production, listener, database);
    int minimum = Math.max(KeyRules.LEAST_BYTES, algorithm.leastKeyBytes());
    if (source.problems().isEmpty() && key.bytes().length < minimum) {
      source.reject("SECRET_KEY", algorithm + " needs at least " + minimum + " bytes");
    }
    Legacy legacy = legacy();
    return new TokenSettings(
        key,
        previousKeys(legacy),
        algorithm,
        source.text("JWT_ISSUER"),
        source.text("JWT_AUDIENCE"),
        Duration.ofMinutes(accessMinutes),
        legacy,
        Duration.ofMinutes(source.number("LEGACY_ACCESS_MINUTES", accessMinutes, 1, 1440)),
        Duration.ofDays(source.number("LEGACY_REFRESH_DAYS", refreshDays, 1, 365)));
  }

  /** A short key can only verify the Python service's tokens, and that must come to an end. */
  private List<Secret> previousKeys(Legacy legacy) {
    List<Secret> keys =
        source.list("SECRET_KEY_PREVIOUS", List.of()).stream().map(Secret::of).toList();
    boolean anyShort = keys.stream().anyMatch(key -> key.bytes().length < KeyRules.LEAST_BYTES);
    if (anyShort && !(legacy instanceof Legacy.AcceptedUntil)) {
      source.reject(
          "SECRET_KEY_PREVIOUS",
          "a key under " + KeyRules.LEAST_BYTES + " bytes needs an end date in LEGACY_TOKENS");
    }
    return keys;
  }

  private Algorithm algorithm() {
    return source.word(
        "ALGORITHM",
        Arrays.stream(Algorithm.values()).collect(Collectors.toMap(Enum::name, it -> it)),
        Algorithm.HS256);
  }

  private Secret secretKey(
      boolean production, ListenerSettings listener, DatabaseSettings database) {
    Optional<String> given = source.text("SECRET_KEY");
    if (given.isPresent()) {
      KeyRules.weakness(given.get()).ifPresent(reason -> source.reject("SECRET_KEY", reason));
      return Secret.of(given.get());
    }
    boolean sqlite = database.location() instanceof DatabaseSettings.Sqlite;
    if (production || !sqlite || !ListenerSettingsReader.isLoopback(listener.host())) {
      source.require("SECRET_KEY", "it is generated only for SQLite in development on loopback");
      return Secret.of("");
    }
    if (!source.problems().isEmpty()) {
      return Secret.of(""); // nothing is written while the start cannot succeed
    }
    Path file = folder.toAbsolutePath().normalize().resolve(SecretFile.NAME);
    source.originOf("SECRET_KEY", file.toString());
    return makesFiles || exists(database) ? SecretFile.open(file, secrets::token) : secrets.token();
  }

  private static boolean exists(DatabaseSettings database) {
    return database.location() instanceof DatabaseSettings.Sqlite(var file, var _)
        && Files.exists(file);
  }

  private Legacy legacy() {
    String text = source.text("LEGACY_TOKENS").orElse("auto");
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "auto" -> new Legacy.Auto();
      case "true" -> new Legacy.Accepted();
      case "false" -> new Legacy.Refused();
      default -> {
        try {
          yield new Legacy.AcceptedUntil(Instant.parse(text));
        } catch (DateTimeParseException notADate) {
          source.reject("LEGACY_TOKENS", "it is not auto, true, false or an RFC 3339 date");
          yield new Legacy.Refused();
        }
      }
    };
  }
}
