package org.authservice.settings;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.authservice.secret.Secret;
import org.authservice.settings.DatabaseSettings.Location;

/** Database URLs as SQLAlchemy writes them. */
final class DatabaseUrl {
  private static final Set<String> POSTGRES =
      Set.of("postgresql", "postgres", "postgresql+psycopg2", "postgresql+asyncpg");
  private static final int DEFAULT_PORT = 5432;

  private DatabaseUrl() {}

  /** Empty when the URL is of neither family or not whole. */
  static Optional<Location> parse(String url, Path folder) {
    int end = url.indexOf("://");
    if (end < 0) {
      return Optional.empty();
    }
    String scheme = url.substring(0, end);
    if (scheme.equals("sqlite")) {
      return sqlite(url.substring(end + 3), folder);
    }
    return POSTGRES.contains(scheme) ? postgres(url.substring(end + 3)) : Optional.empty();
  }

  private static Optional<Location> sqlite(String rest, Path folder) {
    if (rest.isEmpty()) {
      try {
        Path temporary = Files.createTempDirectory("auth-service");
        return Optional.of(new DatabaseSettings.Sqlite(temporary.resolve("auth.db"), true));
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
    if (!rest.startsWith("/") || rest.length() == 1 || rest.indexOf('?') >= 0) {
      return Optional.empty();
    }
    // Three slashes: relative; four: absolute.
    Path file = folder.toAbsolutePath().resolve(rest.substring(1)).normalize();
    return Optional.of(new DatabaseSettings.Sqlite(file, false));
  }

  private static Optional<Location> postgres(String rest) {
    try {
      URI uri = new URI("postgresql://" + rest);
      String path = uri.getPath() == null ? "" : uri.getPath();
      if (uri.getHost() == null || path.length() < 2 || uri.getRawUserInfo() == null) {
        return Optional.empty();
      }
      String[] user = uri.getRawUserInfo().split(":", 2);
      return Optional.of(
          new DatabaseSettings.Postgres(
              uri.getHost(),
              uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort(),
              path.substring(1),
              decoded(user[0]),
              Secret.of(user.length < 2 ? "" : decoded(user[1])),
              parameters(uri.getRawQuery() == null ? "" : uri.getRawQuery())));
    } catch (URISyntaxException malformed) {
      return Optional.empty();
    }
  }

  private static Map<String, String> parameters(String query) {
    Map<String, String> parameters = new LinkedHashMap<>();
    for (String pair : query.split("&", -1)) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        parameters.put(decoded(pair.substring(0, equals)), decoded(pair.substring(equals + 1)));
      }
    }
    return parameters;
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
  }
}
